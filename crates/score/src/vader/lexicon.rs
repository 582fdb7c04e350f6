//! Looks up a word: its valence, its boost, and the phrases that begin with it.

use std::collections::HashMap;

use super::table::{Key, MAX_SHORT, Table};
use super::unicode;
use super::word::Word;

/// The words that a [`Vader`](super::Vader) scores by: the built-in ones, or a user's.
///
/// A token is looked up in lower case, as Python's `str.lower` makes it. A word that is given with a capital is
/// therefore never found; the built-in list has 14 of those (`:D`, `O.o`), which is a quirk to be kept.
#[derive(Debug, Clone)]
pub struct Lexicon {
    pub(super) short: Table,
    pub(super) long: HashMap<Box<[u8]>, Word>,
    pub(super) longest: usize,
    /// Some word has a character beyond ASCII.
    pub(super) has_non_ascii: bool,
    /// By [`Word::index`]; apart from each other, as one is needed far more often.
    pub(super) valences: Box<[f64]>,
    /// By [`Word::index`].
    pub(super) boosts: Box<[f64]>,
    pub(super) idioms: Phrases,
    pub(super) booster_phrases: Phrases,
}

/// Up to three words by their index, the unused ones 0.
pub(super) type Phrase = [usize; 3];

/// Phrases with their value, sorted.
pub(super) type Phrases = Box<[(Phrase, f64)]>;

impl Lexicon {
    /// Looks up a token in lower case.
    pub(super) fn find(&self, lower: &[u8]) -> Word {
        if lower.len() <= MAX_SHORT {
            self.find_short(Key::new(lower))
        } else if lower.len() <= self.longest {
            self.long.get(lower).copied().unwrap_or(Word::UNKNOWN)
        } else {
            Word::UNKNOWN
        }
    }

    /// Looks up a token in lower case of at most [`MAX_SHORT`] bytes.
    #[inline]
    pub(super) fn find_short(&self, key: Key) -> Word {
        self.short.find(key)
    }

    /// Looks up a token in any case and of any length.
    pub(super) fn find_any(&self, token: &str) -> Word {
        // Lower case is shorter by two thirds of what it is made of at most: "K" (the sign of the kelvin, three bytes)
        // becomes "k". And that is the only character beyond ASCII that becomes one within.
        let is_hopeless = |c: char| !c.is_ascii() && c != '\u{212a}';
        if token.len() > 3 * self.longest || (!self.has_non_ascii && token.contains(is_hopeless)) {
            return Word::UNKNOWN;
        }
        self.find(&unicode::lower(token))
    }

    #[inline]
    pub(super) fn valence(&self, word: Word) -> f64 {
        self.valences[word.index()]
    }

    #[inline]
    pub(super) fn boost(&self, word: Word) -> f64 {
        self.boosts[word.index()]
    }

    /// Returns the valence of these two or three words as an idiom, if they are one.
    pub(super) fn idiom(&self, words: &[Word]) -> Option<f64> {
        find_phrase(&self.idioms, words)
    }

    /// Returns what these two or three words add as a booster, if they are one.
    pub(super) fn booster_phrase(&self, words: &[Word]) -> Option<f64> {
        find_phrase(&self.booster_phrases, words)
    }
}

fn find_phrase(phrases: &Phrases, words: &[Word]) -> Option<f64> {
    if !words[0].is_any(Word::OPENS_PHRASE) {
        return None;
    }
    let mut phrase = Phrase::default();
    for (index, word) in phrase.iter_mut().zip(words) {
        *index = word.index();
    }
    // An unknown word has the index of an unused place: the phrase "a b" is not to be found in "a b unknown".
    if words.iter().any(|word| word.index() == 0) {
        return None;
    }
    phrases
        .binary_search_by_key(&phrase, |&(words, _)| words)
        .ok()
        .map(|at| phrases[at].1)
}
