//! What TextBlob knows about words: the word list, the negations and the emoticons, in one table.
//!
//! A post asks the table about every word it holds, and nine in ten are not there. So the question is answered in two
//! steps: a filter of one bit per hash value, small enough to stay in the nearest cache, says *no* to nearly all of
//! them; only the rest are looked for among the entries. The filter knows words by their first eight bytes and their
//! length, which is less to do and tells apart nearly as many. A key is the spelling in lower case, packed into three
//! words of eight bytes, so that folding the case and comparing are a few instructions and no loop.

use std::sync::LazyLock;

use super::emoticons::FACES;

/// The word list of `textblob/en/en-sentiment.xml` as TextBlob 0.20.1 has it in memory: the values averaged over the
/// senses, adverbs in -ly made from the adjectives. Columns: word, polarity, subjectivity, intensity, adverb (0 or 1).
const WORDS: &str = include_str!("../../data/textblob/words.tsv");

/// Words that negate the next known word. TextBlob lists `n't` too, but it is never found: its tokenizer separates
/// every apostrophe, and `don't` reaches the rules as `do n ' t`. So "don't like" is as good as "like".
const NEGATIONS: [&str; 3] = ["no", "not", "never"];

/// The largest length of a key, in bytes.
pub(super) const LONGEST: usize = 19;

/// What a word means to the rules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// A word of the list.
    Known(Known),
    /// A word that negates the next known word.
    Negation,
    /// A face, with its polarity.
    Emoticon(f64),
}

/// The values of a known word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Known {
    pub(super) polarity: f64,
    pub(super) subjectivity: f64,
    /// What a known word right after an adverb is multiplied by: 1.0 for all but `very`, `real`, `especially` and
    /// `excruciatingly`.
    pub(super) intensity: f64,
    pub(super) adverb: Option<Adverb>,
}

/// A known word that modifies the known word after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adverb {
    /// Such as `really`: "really not good" lets it take the negation.
    InLy,
    /// Such as `very`.
    Other,
}

/// The spelling of a word, at most 24 bytes, in lower case and padded with 0xff, which no text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key([u64; 3]);

/// The table of meanings.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// One bit for each value of the first 17 bits of [`filter_hash`]: set if any key has it.
    filter: Box<[u64; FILTER_WORDS]>,
    /// Open addressing: one more than an index into `entries`, or zero.
    slots: Box<[u16; SLOTS]>,
    entries: Vec<(Key, Meaning)>,
}

const FILTER_WORDS: usize = 1 << 11;
const SLOTS: usize = 1 << 13;

impl Lexicon {
    /// Returns the lexicon of the crate, which is built at its first use.
    pub(super) fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Lexicon> = LazyLock::new(|| {
            let mut lexicon = Lexicon::empty();
            for (word, known) in known_words() {
                lexicon.insert(word, Meaning::Known(known));
            }
            for word in NEGATIONS {
                lexicon.insert(word, Meaning::Negation);
            }
            for (spelling, polarity) in standing_emoticons() {
                lexicon.insert(&spelling, Meaning::Emoticon(polarity));
            }
            lexicon
        });
        &BUILTIN
    }

    fn empty() -> Self {
        Self {
            filter: Box::new([0; FILTER_WORDS]),
            slots: Box::new([0; SLOTS]),
            entries: Vec::with_capacity(3000),
        }
    }

    /// The first meaning of a word stays.
    fn insert(&mut self, word: &str, meaning: Meaning) {
        let key = Key::of(word.as_bytes());
        let hash = key.hash();
        if self.find_key(key).is_some() {
            return;
        }
        let filtered = filter_hash(key.0[0], word.len());
        self.filter[filter_word(filtered)] |= 1 << filter_bit(filtered);
        let mut slot = first_slot(hash);
        while self.slots[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        self.entries.push((key, meaning));
        self.slots[slot] =
            u16::try_from(self.entries.len()).expect("the lexicon has a few thousand words");
    }

    /// The meaning of `text[start..end]`, whatever its case in ASCII. It may not hold whitespace.
    #[inline]
    pub(super) fn find(&self, text: &[u8], start: usize, end: usize) -> Option<&Meaning> {
        let len = end - start;
        if len > LONGEST {
            return None;
        }
        let key = Key::within(text, start, end);
        self.passes(key.0[0], len)
            .then(|| self.find_key(key))
            .flatten()
    }

    /// [`Self::find`] for a word that passed [`Self::may_know`].
    #[inline]
    pub(super) fn look_up(&self, text: &[u8], start: usize, end: usize) -> Option<&Meaning> {
        if end - start > LONGEST {
            return None;
        }
        self.find_key(Key::within(text, start, end))
    }

    /// Whether there may be a word of `len` bytes, at least one, that starts with these, in lower case. Of a shorter
    /// word only its own bytes count.
    #[inline]
    pub(super) fn may_know(&self, front: [u8; 8], len: usize) -> bool {
        self.passes(u64::from_le_bytes(front) | PADDING[len.min(8)], len)
    }

    #[inline]
    fn passes(&self, front: u64, len: usize) -> bool {
        let hash = filter_hash(front, len);
        self.filter[filter_word(hash)] >> filter_bit(hash) & 1 != 0
    }

    #[inline]
    fn find_key(&self, key: Key) -> Option<&Meaning> {
        let hash = key.hash();
        let mut slot = first_slot(hash);
        loop {
            let index = usize::from(self.slots[slot]).checked_sub(1)?;
            let (other, meaning) = &self.entries[index];
            if *other == key {
                return Some(meaning);
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// The hash of a word by its length and the first eight bytes of its key.
#[inline]
fn filter_hash(front: u64, len: usize) -> u64 {
    (front ^ (len as u64) << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[inline]
fn filter_word(hash: u64) -> usize {
    (hash >> 53) as usize
}

#[inline]
fn filter_bit(hash: u64) -> u32 {
    (hash >> 47) as u32 & 63
}

#[inline]
fn first_slot(hash: u64) -> usize {
    (hash >> 32) as usize % SLOTS
}

impl Key {
    /// The key of a word of at most 24 bytes.
    fn of(word: &[u8]) -> Self {
        let mut padded = [0; 24];
        padded[..word.len()].copy_from_slice(word);
        Self::of_padded(&padded, word.len())
    }

    /// The key of `text[start..end]`, at most 24 bytes. Near the end of the text there are not enough bytes to load it
    /// without a copy.
    #[inline]
    fn within(text: &[u8], start: usize, end: usize) -> Self {
        match text[start..].first_chunk::<24>() {
            Some(bytes) => Self::of_padded(bytes, end - start),
            None => Self::of(&text[start..end]),
        }
    }

    /// The key of the first `len` of these bytes.
    #[inline]
    fn of_padded(bytes: &[u8; 24], len: usize) -> Self {
        let (eights, _) = bytes.as_chunks::<8>();
        let word = |nth: usize| u64::from_le_bytes(eights[nth]);
        if len <= 8 {
            return Self([lower(word(0) | PADDING[len]), u64::MAX, u64::MAX]);
        }
        if len <= 16 {
            return Self([lower(word(0)), lower(word(1) | PADDING[len - 8]), u64::MAX]);
        }
        Self([
            lower(word(0)),
            lower(word(1)),
            lower(word(2) | PADDING[len - 16]),
        ])
    }

    #[inline]
    fn hash(self) -> u64 {
        let Self([a, b, c]) = self;
        let mixed =
            a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ c.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    }
}

/// By how many bytes are taken, 1 to 8: eight bytes with all the others set.
const PADDING: [u64; 9] = {
    let mut padding = [u64::MAX; 9];
    let mut bytes = 1;
    while bytes < padding.len() {
        padding[bytes] = !(u64::MAX >> (64 - 8 * bytes));
        bytes += 1;
    }
    padding
};

/// Eight bytes at once: A–Z to lower case, all others as they are.
#[inline]
fn lower(bytes: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low_seven = bytes & (0x7f * EACH);
    let from_a = low_seven + u64::from(0x80 - b'A') * EACH;
    let past_z = low_seven + u64::from(0x7f - b'Z') * EACH;
    let upper = !bytes & (from_a ^ past_z) & (0x80 * EACH);
    bytes | upper >> 2
}

fn known_words() -> impl Iterator<Item = (&'static str, Known)> {
    WORDS.lines().map(|line| {
        let mut columns = line.split('\t');
        let word = columns.next().unwrap_or_default();
        let mut value = || {
            columns
                .next()
                .and_then(|c| c.parse::<f64>().ok())
                .expect("words.tsv has five columns")
        };
        let (polarity, subjectivity, intensity, adverb) =
            (value(), value(), value(), value() > 0.0);
        let adverb = adverb.then_some(if word.ends_with("ly") {
            Adverb::InLy
        } else {
            Adverb::Other
        });
        (
            word,
            Known {
                polarity,
                subjectivity,
                intensity,
                adverb,
            },
        )
    })
}

/// The emoticons that count when they stand as a word, in lower case. Letters alone do not: `XD` is looked up as `xd`,
/// which Python's `isalpha` takes for a word.
fn standing_emoticons() -> impl Iterator<Item = (String, f64)> {
    let each = FACES.iter().flat_map(|(polarity, face)| {
        face.iter()
            .map(|emoticon| (emoticon.to_lowercase(), *polarity))
    });
    each.filter(|(spelling, _)| !spelling.chars().all(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(word: &str) -> Option<Meaning> {
        Lexicon::builtin()
            .find(word.as_bytes(), 0, word.len())
            .copied()
    }

    #[test]
    fn every_word_of_the_list_is_found_in_any_case() {
        for (word, known) in known_words() {
            assert_eq!(find(word), Some(Meaning::Known(known)), "{word}");
            assert_eq!(
                find(&word.to_uppercase()),
                Some(Meaning::Known(known)),
                "{word}"
            );
        }
        assert_eq!(known_words().count(), 2860);
    }

    #[test]
    fn the_filter_lets_every_word_of_the_list_pass_and_few_others() {
        let lexicon = Lexicon::builtin();
        let may_know = |word: &str| {
            // What follows the word does not matter.
            let padded = format!("{word} and so on");
            lexicon.may_know(*padded.as_bytes().first_chunk().unwrap(), word.len())
        };
        assert!(known_words().all(|(word, _)| may_know(word)));
        let passed = (0..10_000)
            .filter(|number| may_know(&format!("x{number}")))
            .count();
        assert!(passed < 500, "{passed} of 10000");
    }

    #[test]
    fn no_key_is_longer_than_the_longest() {
        let longest = known_words().map(|(word, _)| word.len()).max();
        assert_eq!(longest, Some(LONGEST));
    }

    #[test]
    fn a_word_is_found_in_the_middle_of_a_text() {
        let text = b"so very good a film that it is hard to say more";
        let lexicon = Lexicon::builtin();
        assert_eq!(lexicon.find(text, 8, 12).copied(), find("good"));
        assert_eq!(lexicon.find(text, 8, 11), None);
    }

    #[test]
    fn an_emoticon_of_letters_alone_is_no_emoticon() {
        assert_eq!(find("XD"), None);
        assert_eq!(find("X-D"), Some(Meaning::Emoticon(1.0)));
        assert_eq!(find("♥"), Some(Meaning::Emoticon(1.0)));
    }

    #[test]
    fn lower_touches_the_letters_a_to_z_alone() {
        for byte in 0..=u8::MAX {
            let bytes = [byte, b'A', byte, b'z', byte, 0xc3, 0, byte];
            let expected = u64::from_le_bytes(bytes.map(|b| b.to_ascii_lowercase()));
            assert_eq!(lower(u64::from_le_bytes(bytes)), expected);
        }
    }
}
