//! From text to words: VADER's tokens, as the lexicon knows them.
//!
//! The reference replaces emoji by their descriptions, cuts the text at blanks, and strips the punctuation off each
//! token unless two characters or fewer would be left, in which case the token may be an emoticon and stays whole. The
//! scanner does all of it in one pass over blocks of 64 bytes. A block begins where a token begins, so that every
//! token in it is found, stripped, measured and folded with a few operations on masks, and looked up without a branch.
//! The slow path goes character by character; it takes what the masks cannot tell: non-ASCII tokens and those of 64
//! bytes or more.
//!
//! ```text
//! text       " g r e a t !   : )          lowest bit on the left
//! space      0 0 0 0 0 0 0 1 0 0
//! runs       1 1 1 1 1 1 1 0 1 1          !space: one run of ones per token
//! core       0 1 1 1 1 1 0 0 0 0          neither whitespace nor punctuation
//! token      `great` (the first to the last bit of its core); `:)` keeps its punctuation, as its core has
//!            fewer than three characters
//! ```
//!
//! A token that reaches past the end of a block is left to the next block, which begins where the token does. The last
//! block of a text ends at the end of the text and so overlaps the one before it; bits of what was taken are cleared.

use std::hint::select_unpredictable;

use smallvec::SmallVec;

use super::block::Block;
use super::lexicon::Lexicon;
use super::observe::Observer;
use super::table::{Key, MAX_SHORT};
use super::word::Word;
use super::{emoji, unicode};
use crate::block::BYTES;

/// The number of words before a token that the rules read.
pub(super) const LOOK_BACK: usize = 3;
/// The number of words after a token that the rules read.
pub(super) const LOOK_AHEAD: usize = 2;

/// The number of words that fit without an allocation.
const ROOM: usize = 96;
/// The largest number of tokens in a block.
const MAX_TOKENS: usize = BYTES / 2;

/// What the rules need to know of a text.
pub(super) struct Scan {
    /// The words of the text, between placeholders for what is before and after it.
    padded: SmallVec<[Word; ROOM]>,
    /// The number of exclamation marks in the text.
    pub(super) exclaims: usize,
    /// The number of question marks in the text.
    pub(super) questions: usize,
}

impl Scan {
    /// Creates an empty scan. Fill it in place: it is too large to be moved cheaply.
    #[inline]
    pub(super) fn room() -> Self {
        Self {
            padded: SmallVec::new(),
            exclaims: 0,
            questions: 0,
        }
    }

    /// Reads all of `text`.
    #[inline]
    pub(super) fn fill<O: Observer>(&mut self, text: &str, lexicon: &Lexicon, observer: &mut O) {
        (0..LOOK_BACK).for_each(|_| self.padded.push(Word::BEFORE));
        let mut scanner = Scanner {
            scan: self,
            lexicon,
            observer,
        };
        let mut at = 0;
        while at < text.len() {
            at = scanner.block(text, at);
        }
        (0..LOOK_AHEAD).for_each(|_| self.padded.push(Word::AFTER));
    }

    /// Returns the words of the text with [`LOOK_BACK`] placeholders before them and [`LOOK_AHEAD`] after them.
    pub(super) fn padded(&self) -> &[Word] {
        &self.padded
    }

    /// The words of the text.
    pub(super) fn words(&self) -> &[Word] {
        &self.padded[LOOK_BACK..self.padded.len() - LOOK_AHEAD]
    }
}

/// A scan in progress.
struct Scanner<'a, O> {
    scan: &'a mut Scan,
    lexicon: &'a Lexicon,
    observer: &'a mut O,
}

impl<O: Observer> Scanner<'_, O> {
    /// Reads the tokens that begin at or after `from` and end in the block there. Returns where the next one may
    /// begin.
    #[inline]
    fn block(&mut self, text: &str, from: usize) -> usize {
        let block = Block::of(text.as_bytes(), from);
        let at = block.at;
        let fresh = u64::MAX << (from - at);
        let filled = !block.space & fresh;
        // The last token may continue after the block, unless the text ends there.
        let is_last = at + BYTES >= text.len();
        let whole = if is_last {
            BYTES
        } else {
            BYTES - filled.leading_ones() as usize
        };
        if whole == 0 {
            return self.long_run_slow_path(text, from);
        }
        let taken = fresh & u64::MAX >> (BYTES - whole);
        self.scan.exclaims += (block.exclaims & taken).count_ones() as usize;
        self.scan.questions += (block.questions & taken).count_ones() as usize;

        let mut runs = filled & taken;
        while runs & block.non_ascii != 0 {
            let [plain, run] = up_to_marked(runs, block.non_ascii);
            self.plain_runs(plain, &block, text);
            self.run(&text[at + first(run)..=at + last(run)]);
            runs &= !(plain | run);
        }
        self.plain_runs(runs, &block, text);
        at + whole
    }

    /// Reads ASCII tokens within a block.
    #[inline]
    fn plain_runs(&mut self, runs: u64, block: &Block, text: &str) {
        let mut words = [Word::UNKNOWN; MAX_TOKENS];
        let mut count = 0;
        for run in Runs(runs) {
            let token = Token::of(run, block);
            words[count] = token.word(block, self.lexicon);
            if O::READS_TOKENS {
                let token = &text[block.at + token.first..=block.at + token.last];
                self.observer
                    .token(self.scan.padded.len() + count - LOOK_BACK, token);
            }
            count += 1;
        }
        self.scan.padded.extend_from_slice(&words[..count]);
    }

    /// Reads from `from` up to the next ASCII blank, however far away, and returns the position of the blank.
    #[cold]
    fn long_run_slow_path(&mut self, text: &str, from: usize) -> usize {
        let is_space = |b: u8| matches!(b, 9..=13 | 28..=32);
        let rest = &text[from..];
        let run = &rest[..rest.bytes().position(is_space).unwrap_or(rest.len())];
        self.count_marks(run);
        self.run(run);
        from + run.len()
    }

    /// Reads a run of characters without an ASCII blank. It may be any number of tokens: an emoji stands for several,
    /// and there are blanks beyond ASCII.
    ///
    /// An emoji is separated from the text before it but not from the text after it: `good😂good` is read as "good face
    /// with tears of joygood". This is why `❤️`, which ends with an invisible variation selector, has no valence
    /// though "red heart" has.
    fn run(&mut self, run: &str) {
        let mut start = 0;
        let mut description = "";
        for (at, c) in run.char_indices().filter(|(_, c)| !c.is_ascii()) {
            if let Some(next) = emoji::description(c) {
                self.emoji_with_suffix(description, &run[start..at]);
                self.observer.emoji(c, next);
                self.count_marks(next);
                (description, start) = (next, at + c.len_utf8());
            }
        }
        self.emoji_with_suffix(description, &run[start..]);
    }

    /// Reads the tokens of the description of an emoji and of the text right after it.
    fn emoji_with_suffix(&mut self, description: &str, tail: &str) {
        if description.is_empty() {
            self.tokens(tail);
        } else if !tail.is_empty() {
            let both: SmallVec<[u8; 128]> = description.bytes().chain(tail.bytes()).collect();
            self.tokens(std::str::from_utf8(&both).expect("two texts in a row are a text"));
        } else if description.is_ascii() && description.len() < BYTES {
            let block = Block::of(description.as_bytes(), 0);
            self.plain_runs(!block.space, &block, description);
        } else {
            self.tokens(description);
        }
    }

    /// Reads the tokens of a text without emoji.
    fn tokens(&mut self, text: &str) {
        for token in text
            .split(unicode::is_space)
            .filter(|token| !token.is_empty())
        {
            self.token(token);
        }
    }

    /// Reads a token of any characters and any length.
    fn token(&mut self, token: &str) {
        let core = token.trim_matches(|c: char| c.is_ascii_punctuation());
        let token = if core.chars().nth(2).is_some() {
            core
        } else {
            token
        };
        if O::READS_TOKENS {
            self.observer
                .token(self.scan.padded.len() - LOOK_BACK, token);
        }
        let has_nt = token
            .as_bytes()
            .windows(3)
            .any(|bytes| bytes.eq_ignore_ascii_case(b"n't"));
        let word = self.lexicon.find_any(token);
        self.scan.padded.push(
            word.with(Word::CAPITALS, unicode::is_upper(token))
                .with(Word::NEGATION, has_nt),
        );
    }

    fn count_marks(&mut self, text: &str) {
        for b in text.bytes() {
            self.scan.exclaims += usize::from(b == b'!');
            self.scan.questions += usize::from(b == b'?');
        }
    }
}

/// A token of ASCII within a block.
struct Token {
    /// Its bits before stripping, which removes no letters.
    run: u64,
    /// The position of its first byte after stripping.
    first: usize,
    /// The position of its last byte.
    last: usize,
}

impl Token {
    /// Returns the token in the bits of `run`.
    #[inline]
    fn of(run: u64, block: &Block) -> Self {
        let core = run & block.core;
        let (core_first, core_last) = (first(core), last(core));
        // If there is only punctuation, the last comes before the first.
        let is_short = core_last < core_first + 2;
        Self {
            run,
            first: select_unpredictable(is_short, first(run), core_first),
            last: select_unpredictable(is_short, last(run), core_last),
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "it runs for every token, and is not inlined by itself where several observers are compiled"
    )]
    #[inline(always)]
    fn word(&self, block: &Block, lexicon: &Lexicon) -> Word {
        let len = self.last - self.first + 1;
        let word = if len <= MAX_SHORT {
            lexicon.find_short(Key::front(block.folded(self.first), len))
        } else {
            lexicon.find(block.folded_token(self.first, len))
        };
        let is_capitals = self.run & block.upper != 0 && self.run & block.lower == 0;
        word.with(Word::CAPITALS, is_capitals)
            .with(Word::NEGATION, self.run & block.nt != 0)
    }
}

/// Returns the runs of ones in a mask, lowest first, each as a mask.
struct Runs(u64);

impl Iterator for Runs {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        if self.0 == 0 {
            return None;
        }
        // Adding one at a run's first bit carries to its end.
        let run = self.0 & !self.0.wrapping_add(self.0 & self.0.wrapping_neg());
        self.0 ^= run;
        Some(run)
    }
}

/// Returns the first of `runs` with a bit in `marks`, and the runs before it. There must be one.
#[inline]
fn up_to_marked(runs: u64, marks: u64) -> [u64; 2] {
    let before_mark = (1 << first(runs & marks)) - 1;
    let gaps = !runs & before_mark;
    let plain = runs & ((1 << last(gaps)) - 1);
    [plain, Runs(runs & !plain).next().unwrap_or_default()]
}

/// Returns the position of the lowest bit of a mask, or the last position if there is none.
#[inline]
fn first(mask: u64) -> usize {
    (mask | 1 << (BYTES - 1)).trailing_zeros() as usize
}

/// Returns the position of the highest bit of a mask, or the first position if there is none.
#[inline]
fn last(mask: u64) -> usize {
    BYTES - 1 - (mask | 1).leading_zeros() as usize
}
