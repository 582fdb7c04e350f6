//! From text to words: VADER's tokens, as the lexicon knows them.
//!
//! The reference replaces emoji by their descriptions, cuts the text at blanks, and strips the punctuation off each token
//! unless two characters or fewer would be left, in which case the token may be an emoticon and stays whole. The
//! scanner does all of it in one pass over blocks of 64 bytes. A block begins where a token begins, so that every token in
//! it is found, stripped, measured and folded with a few operations on masks, and looked up without a branch. What a
//! block cannot hold goes the long way round, character by character: tokens beyond ASCII and those of 64 bytes or more.

use smallvec::{SmallVec, smallvec};

use super::block::{BYTES, Block};
use super::lexicon::Lexicon;
use super::observe::Observer;
use super::table::{Key, MAX_SHORT};
use super::word::Word;
use super::{emoji, unicode};

/// How many words before a token the rules look at.
pub(super) const LOOK_BACK: usize = 3;
/// How many words after a token the rules look at.
pub(super) const LOOK_AHEAD: usize = 2;

/// What a text consists of, as far as the rules are concerned.
pub(super) struct Scan {
    /// The words of the text between those that stand for its outside.
    padded: SmallVec<[Word; 64]>,
    /// How many tokens are in capitals.
    pub(super) capitals: usize,
    /// How many exclamation marks the text has.
    pub(super) exclaims: usize,
    /// How many question marks the text has.
    pub(super) questions: usize,
}

impl Scan {
    /// Scans `text`.
    #[inline]
    pub(super) fn of<O: Observer>(text: &str, lexicon: &Lexicon, observer: &mut O) -> Self {
        let mut scan = Self {
            padded: smallvec![Word::BEFORE; LOOK_BACK],
            capitals: 0,
            exclaims: 0,
            questions: 0,
        };
        let mut rest = text;
        while !rest.is_empty() {
            rest = scan.block(rest, lexicon, observer);
        }
        scan.padded.extend([Word::AFTER; LOOK_AHEAD]);
        scan
    }

    /// The words of the text with [`LOOK_BACK`] in front of them and [`LOOK_AHEAD`] behind.
    pub(super) fn padded(&self) -> &[Word] {
        &self.padded
    }

    /// How many tokens the text has.
    pub(super) fn len(&self) -> usize {
        self.padded.len() - LOOK_BACK - LOOK_AHEAD
    }

    /// Takes the tokens that end in the next block, and returns the text after them.
    #[inline]
    fn block<'a, O: Observer>(
        &mut self,
        text: &'a str,
        lexicon: &Lexicon,
        observer: &mut O,
    ) -> &'a str {
        let block = Block::front(text.as_bytes());
        let filled = !block.space;
        // The last token may go on after the block.
        let whole = BYTES - filled.leading_ones() as usize;
        if whole == 0 {
            return self.long_run(text, lexicon, observer);
        }
        let taken = u64::MAX >> (BYTES - whole);
        self.exclaims += (block.exclaims & taken).count_ones() as usize;
        self.questions += (block.questions & taken).count_ones() as usize;

        let mut runs = filled & taken;
        while runs != 0 {
            // Adding one at a run's first bit carries to its end.
            let run = runs & !runs.wrapping_add(runs & runs.wrapping_neg());
            runs ^= run;
            if run & block.wide == 0 {
                self.plain_token(run, &block, text, lexicon, observer);
            } else {
                self.run(&text[first(run)..=last(run)], lexicon, observer);
            }
        }
        text.get(whole..).unwrap_or_default()
    }

    /// Takes a token of ASCII within a block: the bits of `run`.
    #[inline]
    fn plain_token<O: Observer>(
        &mut self,
        run: u64,
        block: &Block,
        text: &str,
        lexicon: &Lexicon,
        observer: &mut O,
    ) {
        let core = run & block.core;
        // One bit more than there is, so that a token of nothing but punctuation has a first and a last.
        let (core_first, core_last) = (first(core | 1 << 63), last(core | 1));
        let is_short = core_last < core_first + 2;
        let (first, last) = if is_short {
            (first(run), last(run))
        } else {
            (core_first, core_last)
        };
        let len = last - first + 1;

        let token = run & u64::MAX << first & u64::MAX >> (BYTES - 1 - last);
        let is_capitals = token & block.upper != 0 && token & block.lower == 0;
        let word = if len <= MAX_SHORT {
            lexicon.find_short(Key::front(block.folded(first), len))
        } else {
            lexicon.find(block.folded_token(first, len))
        };
        if O::READS_TOKENS {
            self.tell(&text[first..=last], observer);
        }
        self.push(word, is_capitals, token & block.nt != 0);
    }

    #[inline]
    fn push(&mut self, word: Word, is_capitals: bool, has_nt: bool) {
        self.capitals += usize::from(is_capitals);
        self.padded.push(
            word.with(Word::CAPITALS, is_capitals)
                .with(Word::NEGATION, has_nt),
        );
    }

    fn tell<O: Observer>(&self, token: &str, observer: &mut O) {
        observer.token(self.padded.len() - LOOK_BACK, token);
    }

    /// Takes what is in front of `text` up to an ASCII blank, however long, and returns the text after it.
    #[cold]
    fn long_run<'a, O: Observer>(
        &mut self,
        text: &'a str,
        lexicon: &Lexicon,
        observer: &mut O,
    ) -> &'a str {
        let is_space = |b: u8| matches!(b, 9..=13 | 28..=32);
        let end = text.bytes().position(is_space).unwrap_or(text.len());
        let (run, rest) = text.split_at(end);
        self.count_marks(run);
        self.run(run, lexicon, observer);
        rest
    }

    /// Takes a run of characters without an ASCII blank. It may be any number of tokens: an emoji stands for several, and
    /// there are blanks beyond ASCII.
    ///
    /// An emoji is parted from what is before it, but sticks to what comes after: `good😂good` is read as "good face with
    /// tears of joygood". This is why `❤️`, which ends with an invisible variation selector, has no valence though "red
    /// heart" has.
    fn run<O: Observer>(&mut self, run: &str, lexicon: &Lexicon, observer: &mut O) {
        let mut start = 0;
        let mut description = "";
        for (at, c) in run.char_indices().filter(|(_, c)| !c.is_ascii()) {
            if let Some(next) = emoji::description(c) {
                self.glued(description, &run[start..at], lexicon, observer);
                self.count_marks(next);
                (description, start) = (next, at + c.len_utf8());
            }
        }
        self.glued(description, &run[start..], lexicon, observer);
    }

    /// Takes the tokens of the description of an emoji and of what sticks to it.
    fn glued<O: Observer>(
        &mut self,
        description: &str,
        tail: &str,
        lexicon: &Lexicon,
        observer: &mut O,
    ) {
        if description.is_empty() {
            self.tokens(tail, lexicon, observer);
        } else if tail.is_empty() {
            self.tokens(description, lexicon, observer);
        } else {
            let both: SmallVec<[u8; 128]> = description.bytes().chain(tail.bytes()).collect();
            self.tokens(
                std::str::from_utf8(&both).expect("two texts in a row are a text"),
                lexicon,
                observer,
            );
        }
    }

    /// Takes the tokens of a text that has no emoji.
    fn tokens<O: Observer>(&mut self, text: &str, lexicon: &Lexicon, observer: &mut O) {
        for token in text
            .split(unicode::is_space)
            .filter(|token| !token.is_empty())
        {
            self.token(token, lexicon, observer);
        }
    }

    /// Takes a token of any characters and any length.
    fn token<O: Observer>(&mut self, token: &str, lexicon: &Lexicon, observer: &mut O) {
        let core = token.trim_matches(|c: char| c.is_ascii_punctuation());
        let token = if core.chars().nth(2).is_some() {
            core
        } else {
            token
        };
        // Lower case can be shorter than what it is made of, but never by more than a third: "K" (the sign of the
        // kelvin, three bytes) becomes "k".
        let word = if token.len() <= 3 * lexicon.longest() {
            lexicon.find(&unicode::lower(token))
        } else {
            Word::UNKNOWN
        };
        if O::READS_TOKENS {
            self.tell(token, observer);
        }
        let has_nt = token
            .as_bytes()
            .windows(3)
            .any(|bytes| bytes.eq_ignore_ascii_case(b"n't"));
        self.push(word, unicode::is_upper(token), has_nt);
    }

    fn count_marks(&mut self, text: &str) {
        for b in text.bytes() {
            self.exclaims += usize::from(b == b'!');
            self.questions += usize::from(b == b'?');
        }
    }
}

/// The place of the lowest bit of a mask that has one.
#[inline]
fn first(mask: u64) -> usize {
    mask.trailing_zeros() as usize
}

/// The place of the highest bit of a mask that has one.
#[inline]
fn last(mask: u64) -> usize {
    BYTES - 1 - mask.leading_zeros() as usize
}
