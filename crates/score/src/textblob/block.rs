//! What the bytes of a text are to the tokenizer, 64 at a time.

use crate::block::{BYTES, with_block_at};

/// 64 bytes of a text, and masks that say what each of them is.
pub(super) struct Block {
    /// The bytes with ASCII capitals made small; zeros after them, so that eight can be taken from anywhere.
    folded: [u8; BYTES + 8],
    /// Where in the text the block begins.
    pub(super) at: usize,
    /// ASCII whitespace, as Python has it: 9 to 13 and 28 to 32.
    pub(super) space: u64,
    /// `'` and `"`.
    pub(super) quote: u64,
    /// The `n` of each `n't`, in lower case.
    pub(super) nt: u64,
    /// Parts of non-ASCII characters; and `|`, which the rule for abbreviations takes for a letter.
    pub(super) needs_slow_path: u64,
    /// What is split off both ends of a word, see `tokens`. The period is not in it.
    pub(super) mark: u64,
    /// `.`
    pub(super) period: u64,
    /// `!`
    pub(super) exclaims: u64,
    /// ASCII letters and digits but for `E`: no word of them is `END-OF-SENTENCE`, nor does an emoticon that is split
    /// before its second character have two of them in a row.
    pub(super) inner: u64,
    /// The marks that an emoticon or the irony mark starts with: `:`, `;`, `=`, `*` and `(`.
    pub(super) opens_face: u64,
    /// What else an emoticon starts with that may be split, and so a word may end with: `<`, `>`, `8`, `o`, `x` and
    /// `X`. (Of `a:c )` it does not matter that `a:c)` would be the word. Neither is known, and both have three
    /// characters.)
    pub(super) may_open_face: u64,
}

impl Block {
    /// The block of `text` at `from`; see [`with_block_at`].
    #[inline]
    pub(super) fn of(text: &[u8], from: usize) -> Self {
        with_block_at(text, from, Self::classify)
    }

    /// The eight bytes from `at`, in lower case.
    #[inline]
    pub(super) fn folded(&self, at: usize) -> [u8; 8] {
        *self.folded[at..]
            .first_chunk()
            .expect("at is within the block")
    }

    #[inline]
    fn classify(bytes: &[u8; BYTES], at: usize) -> Self {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: SSE2 is part of every x86-64 processor.
        unsafe {
            x86::block(bytes, at)
        }
        #[cfg(not(target_arch = "x86_64"))]
        portable::block(bytes, at)
    }
}

/// Sixteen bytes at a time.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{__m128i, _mm_and_si128, _mm_andnot_si128, _mm_or_si128};

    use super::{BYTES, Block};
    use crate::sse2::{all, any, between, is, load, masks, store};

    #[target_feature(enable = "sse2")]
    #[inline]
    pub(super) fn block(bytes: &[u8; BYTES], at: usize) -> Block {
        let (lanes, _) = bytes.as_chunks();
        let lanes = [
            lane(&lanes[0]),
            lane(&lanes[1]),
            lane(&lanes[2]),
            lane(&lanes[3]),
        ];
        let mut folded = [0; BYTES + 8];
        for (lane, bytes) in lanes.iter().zip(folded.as_chunks_mut().0) {
            store(lane.folded, bytes);
        }
        let n = masks(lanes.map(|lane| lane.n));
        let apostrophe = masks(lanes.map(|lane| lane.apostrophe));
        let t = masks(lanes.map(|lane| lane.t));
        Block {
            folded,
            at,
            space: masks(lanes.map(|lane| lane.space)),
            quote: masks(lanes.map(|lane| lane.quote)),
            nt: n & apostrophe >> 1 & t >> 2,
            needs_slow_path: masks(lanes.map(|lane| lane.needs_slow_path)),
            mark: masks(lanes.map(|lane| lane.mark)),
            period: masks(lanes.map(|lane| lane.period)),
            exclaims: masks(lanes.map(|lane| lane.exclaims)),
            inner: masks(lanes.map(|lane| lane.inner)),
            opens_face: masks(lanes.map(|lane| lane.opens_face)),
            may_open_face: masks(lanes.map(|lane| lane.may_open_face)),
        }
    }

    /// Sixteen bytes, and which of them are what.
    #[derive(Clone, Copy)]
    struct Lane {
        folded: __m128i,
        space: __m128i,
        quote: __m128i,
        n: __m128i,
        apostrophe: __m128i,
        t: __m128i,
        needs_slow_path: __m128i,
        mark: __m128i,
        period: __m128i,
        exclaims: __m128i,
        inner: __m128i,
        opens_face: __m128i,
        may_open_face: __m128i,
    }

    #[target_feature(enable = "sse2")]
    #[inline]
    fn lane(bytes: &[u8; 16]) -> Lane {
        // Comparisons are signed: bytes beyond ASCII are less than any in it.
        let bytes = load(bytes);
        let small = _mm_or_si128(bytes, all(0x20));
        let letter = between(small, b'a', b'z');
        let alphanumeric = _mm_or_si128(letter, between(bytes, b'0', b'9'));
        let apostrophe = is(bytes, b'\'');
        let quote = _mm_or_si128(apostrophe, is(bytes, b'"'));
        let period = is(bytes, b'.');
        // Codes that differ in one bit are compared at once, here those of `<` and `>`.
        let angle = is(_mm_or_si128(bytes, all(2)), b'>');
        let unsplit = any([
            quote,
            period,
            angle,
            is(bytes, b'%'),
            is(bytes, b'/'),
            is(bytes, b'\\'),
        ]);
        let punctuation = _mm_andnot_si128(alphanumeric, between(bytes, 0x21, 0x7e));
        Lane {
            folded: _mm_or_si128(bytes, _mm_and_si128(letter, all(0x20))),
            space: _mm_or_si128(between(bytes, 9, 13), between(bytes, 28, 32)),
            quote,
            n: is(bytes, b'n'),
            apostrophe,
            t: is(bytes, b't'),
            needs_slow_path: _mm_or_si128(bytes, is(bytes, b'|')),
            mark: _mm_andnot_si128(unsplit, punctuation),
            period,
            exclaims: is(bytes, b'!'),
            inner: _mm_andnot_si128(is(bytes, b'E'), alphanumeric),
            opens_face: any([
                is(_mm_or_si128(bytes, all(1)), b';'),
                is(_mm_or_si128(bytes, all(2)), b'*'),
                is(bytes, b'='),
            ]),
            may_open_face: any([angle, is(small, b'x'), is(bytes, b'8'), is(bytes, b'o')]),
        }
    }
}

/// A byte at a time, for every other processor; and the definition that the fast one is tested against.
#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    use super::{BYTES, Block};
    use crate::block::{folded, mask};

    pub(super) fn block(bytes: &[u8; BYTES], at: usize) -> Block {
        let mask = |is: &dyn Fn(u8) -> bool| mask(bytes, is);
        let one_of = |set: &'static [u8]| mask(&|b| set.contains(&b));
        Block {
            folded: folded(bytes),
            at,
            space: mask(&|b| matches!(b, 9..=13 | 28..=32)),
            quote: one_of(b"'\""),
            nt: one_of(b"n") & one_of(b"'") >> 1 & one_of(b"t") >> 2,
            needs_slow_path: mask(&|b| !b.is_ascii() || b == b'|'),
            mark: one_of(b",;:!?()[]{}`@#$^&*+-|=~_"),
            period: one_of(b"."),
            exclaims: one_of(b"!"),
            inner: mask(&|b| b.is_ascii_alphanumeric() && b != b'E'),
            opens_face: one_of(b":;=*("),
            may_open_face: one_of(b"<>8oxX"),
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::super::emoticons::FACES;
    use super::*;

    #[test]
    fn every_byte_is_what_it_is_at_every_place() {
        for byte in 0..=255 {
            for at in 0..BYTES {
                let mut bytes = [b'n'; BYTES];
                bytes[at] = byte;
                if at + 1 < BYTES {
                    bytes[at + 1] = b't';
                }
                let (fast, plain) = (Block::classify(&bytes, 0), portable::block(&bytes, 0));
                assert_eq!(fast.folded, plain.folded, "byte {byte}");
                let masks = |b: &Block| {
                    [
                        b.space,
                        b.quote,
                        b.nt,
                        b.needs_slow_path,
                        b.mark,
                        b.period,
                        b.exclaims,
                        b.inner,
                        b.opens_face,
                        b.may_open_face,
                    ]
                };
                assert_eq!(masks(&fast), masks(&plain), "byte {byte} at {at}");
            }
        }
    }

    #[test]
    fn every_emoticon_is_looked_for_wherever_it_may_be_split() {
        let spellings = FACES.iter().flat_map(|(_, face)| face.iter());
        for emoticon in spellings.filter(|emoticon| emoticon.is_ascii()) {
            for at in 1..emoticon.len() {
                let (front, back) = emoticon.split_at(at);
                let last = Block::of(&front.as_bytes()[at - 1..], 0);
                let is_token = (last.mark | last.period | last.quote) & 1 == 1;
                if is_token && at > 1 || front == ":c" {
                    continue;
                }
                assert_eq!(
                    (last.opens_face | last.may_open_face) & 1,
                    1,
                    "{front} {back}"
                );
                let next = Block::of(back.as_bytes(), 0);
                assert_ne!(next.inner & 0b11, 0b11, "{front} {back}");
            }
        }
    }
}
