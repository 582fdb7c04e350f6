//! Assesses a text 64 bytes at a time, looking only at what can change the result.
//!
//! Nine words in ten are not in the lexicon; all that matters about them is that they are there and how long they are.
//! So the only work done for each word is a look at the lexicon's filter. Word boundaries, stripped punctuation and
//! word lengths are found for all words of a block at once, with operations on masks that hold one bit per byte:
//!
//! ```text
//! text          g o o d ,   ( : )         lowest bit on the left
//! chunks        1 1 1 1 1 0 1 1 1         not whitespace
//! marks         0 0 0 0 1 0 1 1 1         punctuation that is split off the ends of a chunk
//! words         1 1 1 1 0 0 0 0 0         chunks & !marks
//! starts        1 0 0 0 0 0 0 0 0         words & !(words << 1)
//! ends          0 0 0 1 0 0 0 0 0         words & !(words >> 1)
//! ```
//!
//! The rules see known words and exclamation marks one by one, and everything between them only as "there was a token
//! of at least two (three) bytes".
//!
//! What the masks cannot tell is left to the slow path, token by token: words with non-ASCII characters, and places
//! where the tokenizer may have split an emoticon. A chunk that reaches past the end of a block starts the next block,
//! so blocks overlap; only a block that holds nothing but one unfinished chunk is handed to the slow path as a whole.

use std::ops::Range;

use super::abbreviations::is_abbreviation;
use super::block::Block;
use super::lexicon::Lexicon;
use super::observe::Observer;
use super::rules::Rules;
use super::slow_path;
use super::tokens::END_OF_SENTENCE;
use super::words::stands_alone;
use crate::block::BYTES;

/// Applies the rules to all of `text`.
#[inline]
pub(super) fn scan<O: Observer>(text: &str, lexicon: &Lexicon, rules: &mut Rules<'_, O>) {
    let mut from = 0;
    while from < text.len() {
        let scan = Scan::of(text.as_bytes(), from, lexicon);
        from = scan.take(text, lexicon, rules);
    }
}

/// What a block holds, for the rules. A token is represented by the bit of its first byte.
struct Scan {
    /// Where in the text the block begins.
    at: usize,
    /// The part of the block to assess: without what was assessed before, and without a chunk that continues after the
    /// block.
    taken: u64,
    /// Words that the lexicon may know.
    maybe: u64,
    /// The last byte of each word of two bytes or more.
    ends: u64,
    /// Exclamation marks.
    exclaims: u64,
    /// Tokens of two bytes or more.
    two: u64,
    /// Tokens of three bytes or more.
    three: u64,
    /// Tokens that the masks cannot assess, and all of `slow_chunks`.
    needs_slow_path: u64,
    /// All bytes of the chunks that the slow path takes as a whole. There may be several between ASCII whitespace, as
    /// there is other whitespace.
    slow_chunks: u64,
    /// All bytes of the other chunks.
    plain_chunks: u64,
}

impl Scan {
    /// Reads the block that begins at `from`, where a chunk may begin but none continues.
    #[inline]
    fn of(text: &[u8], from: usize, lexicon: &Lexicon) -> Self {
        let block = Block::of(text, from);
        let fresh = u64::MAX << (from - block.at);
        let chunks = !(block.space | block.quote | block.nt) & fresh;
        let is_last = block.at + BYTES >= text.len();
        let open = if is_last {
            0
        } else {
            // An apostrophe at the end may be that of an `n't`.
            (chunks | block.quote & TOP).leading_ones()
        };
        let taken = fresh & u64::MAX.checked_shr(open).unwrap_or(0);

        let chunks = chunks & taken;
        let slow_chunks = runs_with(block.needs_slow_path, chunks);
        let plain_chunks = chunks & !slow_chunks;
        let pieces = Pieces::of(&block, plain_chunks, text);
        let starts = pieces.words & !(pieces.words << 1);
        let two = starts & pieces.words >> 1;
        let three = two & pieces.words >> 2;
        let ends = pieces.words & !(pieces.words >> 1) & !starts;
        Self {
            at: block.at,
            taken,
            maybe: maybe_known(&block, lexicon, two, ends),
            ends,
            exclaims: block.exclaims & pieces.marks,
            two: two | pieces.ellipses,
            three: three | pieces.ellipses,
            needs_slow_path: slow_chunks
                | pieces.split_emoticons(&block, text)
                | pieces.ends_of_sentence(&block, text),
            slow_chunks,
            plain_chunks,
        }
    }

    /// Assesses the block, and returns where the next one begins.
    #[inline]
    fn take<O: Observer>(&self, text: &str, lexicon: &Lexicon, rules: &mut Rules<'_, O>) -> usize {
        if self.taken == 0 {
            return slow_path::assess_words(text, self.at..self.at + BYTES, lexicon, rules);
        }
        let mut end = self.at + BYTES - self.taken.leading_zeros() as usize;
        let mut rest = self.taken;
        loop {
            let slow = lowest(self.needs_slow_path & rest);
            self.apply(rest & slow.wrapping_sub(1), text, lexicon, rules);
            if slow == 0 {
                return end;
            }
            // Adjacent chunks that need the slow path take it in one call.
            let next_plain = lowest(self.plain_chunks & !(slow - 1) & !slow);
            let together = slow | self.slow_chunks & !(slow - 1) & next_plain.wrapping_sub(1);
            let reached = slow_path::assess_words(text, self.part(together), lexicon, rules);
            end = end.max(reached);
            let done = u32::try_from(reached - self.at).unwrap_or(u32::MAX);
            rest &= u64::MAX.checked_shl(done).unwrap_or(0);
        }
    }

    /// From the first of these places through the last, in the text.
    fn part(&self, places: u64) -> Range<usize> {
        let end = BYTES - places.leading_zeros() as usize;
        self.at + places.trailing_zeros() as usize..self.at + end
    }

    /// Applies the rules to what is in these places.
    #[inline]
    fn apply<O: Observer>(
        &self,
        mut places: u64,
        text: &str,
        lexicon: &Lexicon,
        rules: &mut Rules<'_, O>,
    ) {
        let mut events = (self.maybe | self.exclaims) & places;
        while events != 0 {
            let event = lowest(events);
            let before = places & (event - 1);
            rules.pass(self.two & before != 0, self.three & before != 0);
            if event & self.exclaims != 0 {
                rules.exclaims();
            } else {
                let start = event.trailing_zeros();
                let len = (self.ends >> start).trailing_zeros() as usize + 1;
                let from = self.at + start as usize;
                rules.word(lexicon.look_up(text.as_bytes(), from, from + len), len);
            }
            events ^= event;
            places &= !(before | event);
        }
        rules.pass(self.two & places != 0, self.three & places != 0);
    }
}

/// Which words of two bytes or more the lexicon may know, from where they start and end.
#[inline]
fn maybe_known(block: &Block, lexicon: &Lexicon, mut starts: u64, mut ends: u64) -> u64 {
    let mut maybe = 0;
    while starts != 0 {
        let (start, end) = (starts.trailing_zeros(), ends.trailing_zeros());
        let len = (end - start) as usize + 1;
        maybe |= u64::from(lexicon.may_know(block.folded(start as usize), len)) << start;
        starts &= starts - 1;
        ends &= ends - 1;
    }
    maybe
}

/// The chunks of a block cut to pieces.
struct Pieces {
    /// All bytes of the words.
    words: u64,
    /// All bytes of what was split off them: each a token, but for a run of three periods or more.
    marks: u64,
    /// Where three periods follow each other.
    ellipses: u64,
    /// The last letter of each word, though an abbreviation has a period after it.
    last_letters: u64,
}

impl Pieces {
    #[inline]
    fn of(block: &Block, chunks: u64, text: &[u8]) -> Self {
        let marks = block.mark & chunks;
        // A sum carries from the first mark of a chunk through those after it.
        let leading = marks & !marks.wrapping_add(marks & !(chunks << 1));
        let split = marks | block.period & chunks;
        let trailing = runs_down(split & !(chunks >> 1), split);
        let words = chunks & !(leading | trailing);
        let periods = block.period & trailing;
        let mut pieces = Self {
            words,
            marks: leading | trailing,
            ellipses: periods & periods >> 1 & periods >> 2,
            last_letters: words & !(words >> 1),
        };
        pieces.join_abbreviations(periods, block.at, text);
        pieces
    }

    #[inline]
    fn join_abbreviations(&mut self, periods: u64, at: usize, text: &[u8]) {
        let mut first_periods = self.last_letters << 1 & periods & !self.ellipses;
        while first_periods != 0 {
            let period = lowest(first_periods);
            let start = start_of_run(self.words, period >> 1).trailing_zeros() as usize;
            let end = period.trailing_zeros() as usize;
            if is_abbreviation(&text[at + start..=at + end]) {
                self.words |= period;
                self.marks &= !period;
            }
            first_periods ^= period;
        }
    }

    /// Tokens that may begin an emoticon or irony mark that the tokenizer split.
    #[inline]
    fn split_emoticons(&self, block: &Block, text: &[u8]) -> u64 {
        let opening_marks = self.marks & block.opens_face;
        let opening_words = self.last_letters & block.may_open_face;
        // A space and two letters of one word, which is what mostly follows, continue none of them.
        let inner = block.inner & self.words;
        let letters = inner & inner >> 1;
        let mut maybe = (opening_marks | opening_words) & !(block.space >> 1 & letters >> 2);
        let mut found = 0;
        while maybe != 0 {
            let last = lowest(maybe);
            if !stands_alone(text, block.at + last.trailing_zeros() as usize + 1) {
                found |= start_of_run(self.words, last);
            }
            maybe ^= last;
        }
        found
    }

    /// Words that are what TextBlob writes between paragraphs.
    #[inline]
    fn ends_of_sentence(&self, block: &Block, text: &[u8]) -> u64 {
        let starts = self.words & !(self.words << 1);
        let mut maybe = starts & self.last_letters >> (END_OF_SENTENCE.len() - 1);
        let mut found = 0;
        while maybe != 0 {
            let start = lowest(maybe);
            if text[block.at + start.trailing_zeros() as usize..].starts_with(END_OF_SENTENCE) {
                found |= start;
            }
            maybe ^= start;
        }
        found
    }
}

const TOP: u64 = 1 << (BYTES - 1);

/// The lowest bit of a mask.
#[inline]
fn lowest(mask: u64) -> u64 {
    mask & mask.wrapping_neg()
}

/// The lowest bit of the run of ones that holds this bit, or else the bit.
#[inline]
fn start_of_run(runs: u64, bit: u64) -> u64 {
    let gaps = !runs & (bit - 1);
    if runs & bit == 0 {
        bit
    } else {
        1 << (u64::BITS - gaps.leading_zeros())
    }
}

/// The runs of ones that hold any of `marks`.
#[inline]
fn runs_with(marks: u64, runs: u64) -> u64 {
    let marks = marks & runs;
    if marks == 0 {
        return 0;
    }
    // A sum carries from the first mark of a run to the end, past all others.
    let above = (runs.wrapping_add(marks) ^ runs) & runs;
    above | runs_down(marks, runs)
}

/// All of `runs` that is below one of these bits of them, with the bit, in as many steps as the width has bits.
#[inline]
fn runs_down(mut bits: u64, mut runs: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits |= runs & bits >> shift;
        runs &= runs >> shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The runs of ones in a mask, by going from bit to bit.
    fn runs(mask: u64) -> Vec<u64> {
        let mut runs = Vec::new();
        let mut run = 0;
        for bit in (0..u64::BITS).map(|place| 1 << place) {
            if mask & bit != 0 {
                run |= bit;
            } else if run != 0 {
                runs.push(std::mem::take(&mut run));
            }
        }
        runs.extend((run != 0).then_some(run));
        runs
    }

    /// Masks with runs of any length, up to the whole.
    fn masks() -> impl Strategy<Value = u64> {
        prop::collection::vec((any::<bool>(), 1..70_u32), 1..20).prop_map(|runs| {
            runs.into_iter().fold(0, |mask: u64, (ones, len)| {
                let run = u64::from(ones) * !u64::MAX.checked_shl(len).unwrap_or(0);
                mask.checked_shl(len).unwrap_or(0) | run
            })
        })
    }

    proptest! {
        #[test]
        fn runs_with_a_mark_are_found(mask in masks(), marks in masks(), few in any::<[u64; 3]>()) {
            for marks in [marks, few[0] & few[1] & few[2], 0, u64::MAX] {
                let marked = runs(mask).into_iter().filter(|run| run & marks != 0);
                prop_assert_eq!(runs_with(marks, mask), marked.fold(0, |found, run| found | run));
            }
        }

        #[test]
        fn a_run_is_filled_below_its_highest_mark(mask in masks(), marks in masks()) {
            let below = |run: u64| {
                let highest = (run & marks).checked_ilog2();
                highest.map_or(0, |place| run & (u64::MAX >> (63 - place)))
            };
            let filled = runs(mask).into_iter().map(below).fold(0, |found, run| found | run);
            prop_assert_eq!(runs_down(marks & mask, mask), filled);
        }

        #[test]
        fn a_run_starts_at_its_lowest_bit(mask in masks(), place in 0..64_u32) {
            let bit = 1 << place;
            let run = runs(mask).into_iter().find(|run| run & bit != 0);
            prop_assert_eq!(start_of_run(mask, bit), run.map_or(bit, lowest));
        }
    }
}
