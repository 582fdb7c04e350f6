//! Detects whether posts look English. The built-in words of all models are English; other languages score near zero.
//!
//! The test is cheap and looks at a sample only. A post counts as English if at least one word in ten is a function
//! word such as "the" or "with". In the samples of eight data sets in English, 4 to 22 % of the posts do not count as
//! English; in those of seven other languages, 63 to 100 %.

use serde::{Deserialize, Serialize};

/// Function words of English that are not words of other European languages, too. Sorted.
const FUNCTION_WORDS: [&str; 64] = [
    "about", "and", "are", "because", "been", "but", "can", "could", "did", "does", "don't", "for",
    "from", "get", "has", "have", "he", "her", "his", "how", "i'm", "if", "into", "is", "it's",
    "just", "like", "my", "not", "of", "only", "or", "our", "out", "over", "she", "some", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "up", "was",
    "we'll", "were", "what", "when", "which", "who", "will", "with", "would", "you", "you're",
    "your", "yours", "yourself",
];

/// Posts with fewer words are not judged.
const MIN_WORDS: u32 = 4;

/// Maximum number of words of a post that are examined.
const MAX_WORDS: u32 = 60;

/// The first letter after the Latin script.
const END_OF_LATIN: char = '\u{250}';

/// The sample: posts that begin in the first bytes of an input, and in the first bytes of each stretch of it.
const HEAD: u64 = 16 << 10;
const STRETCH: u64 = 256 << 10;
const HEAD_OF_STRETCH: u64 = 1 << 10;

/// Minimum number of judged posts for a statement about a run.
const MIN_JUDGED: u64 = 10;

/// The number of judged posts of a sample, and of those that do not look English.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Language {
    /// Posts that were judged.
    pub judged: u64,
    /// Those that do not look English.
    pub foreign: u64,
}

impl Language {
    /// Returns whether the post that begins at `offset` of its input belongs to the sample. The sample does not depend
    /// on how the input is cut into shards.
    pub(crate) fn samples(offset: u64) -> bool {
        offset < HEAD || offset % STRETCH < HEAD_OF_STRETCH
    }

    /// Judges one post of the sample.
    pub(crate) fn add(&mut self, text: &str) {
        if let Some(is_english) = looks_english(text) {
            self.judged += 1;
            self.foreign += u64::from(!is_english);
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.judged += other.judged;
        self.foreign += other.foreign;
    }

    /// Returns whether most of the sample does not look English.
    #[must_use]
    pub fn is_mostly_foreign(self) -> bool {
        self.judged >= MIN_JUDGED && self.foreign > self.judged / 2
    }
}

/// Returns whether the text looks English; `None` if it has too few words to tell.
fn looks_english(text: &str) -> Option<bool> {
    let mut seen = Seen::default();
    let mut tokens = text
        .split_whitespace()
        .filter(|token| !token.starts_with(['@', '#']) && !token.starts_with("http"));
    while seen.words < MAX_WORDS
        && let Some(token) = tokens.next()
    {
        seen.add(token);
    }
    // Some scripts, such as Thai, have no spaces between words.
    if seen.letters >= 2 * MIN_WORDS && seen.foreign * 2 > seen.letters {
        return Some(false);
    }
    (seen.words >= MIN_WORDS).then_some(seen.known * 10 >= seen.words)
}

/// The counts of a text, up to [`MAX_WORDS`].
#[derive(Default)]
struct Seen {
    words: u32,
    /// Function words among them.
    known: u32,
    letters: u32,
    /// Letters of other scripts than the Latin one.
    foreign: u32,
}

impl Seen {
    /// Counts the words of a token: each is a run of letters and apostrophes.
    fn add(&mut self, token: &str) {
        let (mut word, mut is_word) = (Key::default(), false);
        for letter in token.chars() {
            let is_letter = letter.is_alphabetic();
            if is_letter {
                is_word = true;
                self.letters += 1;
                self.foreign += u32::from(letter >= END_OF_LATIN);
            }
            if is_letter || matches!(letter, '\'' | '’') {
                word.push(letter);
            } else {
                self.end_word(word, is_word);
                if self.words == MAX_WORDS {
                    return;
                }
                (word, is_word) = (Key::default(), false);
            }
        }
        self.end_word(word, is_word);
    }

    fn end_word(&mut self, word: Key, is_word: bool) {
        self.words += u32::from(is_word);
        self.known += u32::from(word.is_function_word());
    }
}

/// A lowercase word as an integer, its first letter in the highest byte, so that words compare in one step. A word
/// that is too long or not ASCII cannot be a function word and has a special key.
#[derive(Clone, Copy, Default)]
struct Key {
    bytes: u64,
    len: u32,
}

impl Key {
    /// The longest word that has a key.
    const MAX_LEN: u32 = u64::BITS / 8;

    fn push(&mut self, letter: char) {
        let letter = if letter == '’' { '\'' } else { letter };
        if self.len < Self::MAX_LEN && letter.is_ascii() {
            let byte = u64::from(letter.to_ascii_lowercase());
            self.bytes |= byte << (u64::BITS - 8 * (self.len + 1));
            self.len += 1;
        } else {
            *self = Self {
                bytes: u64::MAX,
                len: Self::MAX_LEN,
            };
        }
    }

    fn is_function_word(self) -> bool {
        FUNCTION_WORD_KEYS.binary_search(&self.bytes).is_ok()
    }
}

/// The [`Key`]s of the function words, in the same order.
const FUNCTION_WORD_KEYS: [u64; FUNCTION_WORDS.len()] = {
    let mut keys = [0; FUNCTION_WORDS.len()];
    let mut word = 0;
    while word < keys.len() {
        let bytes = FUNCTION_WORDS[word].as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            keys[word] |= (bytes[at] as u64) << (u64::BITS as usize - 8 * (at + 1));
            at += 1;
        }
        word += 1;
    }
    keys
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_words_are_sorted() {
        assert!(FUNCTION_WORD_KEYS.is_sorted());
    }

    #[test]
    fn a_function_word_is_known_in_any_case_and_with_either_apostrophe() {
        let is_function_word = |word: &str| {
            let mut key = Key::default();
            word.chars().for_each(|letter| key.push(letter));
            key.is_function_word()
        };
        for word in FUNCTION_WORDS {
            assert!(is_function_word(word), "{word}");
            assert!(is_function_word(&word.to_uppercase()), "{word}");
            assert!(is_function_word(&word.replace('\'', "’")), "{word}");
        }
        for word in [
            "",
            "'",
            "th",
            "thé",
            "thee",
            "yourselfs",
            "yourselves",
            "theſ",
        ] {
            assert!(!is_function_word(word), "{word}");
        }
    }

    #[test]
    fn english_is_told_from_other_languages() {
        let english = [
            "The train was late again, and nobody told us",
            "I’m not happy with this at all http://t.co/x",
            "BEST day OF my life",
        ];
        let other = [
            "Der Zug war wieder zu spät und niemand sagte etwas",
            "El tren llegó tarde otra vez y nadie dijo nada",
            "Le train est encore en retard et personne ne dit rien",
            "поезд снова опоздал",
            "电车又晚点了没有人告诉我们",
            "القطار متأخر مرة أخرى",
        ];
        assert_eq!(english.map(looks_english), [Some(true); 3]);
        assert_eq!(other.map(looks_english), [Some(false); 6]);
    }

    #[test]
    fn too_few_words_tell_nothing() {
        for text in [
            "",
            "wow",
            "@anna #train http://t.co/abc",
            "so good!",
            "123 456 789 1011",
        ] {
            assert_eq!(looks_english(text), None, "{text}");
        }
    }

    #[test]
    fn a_few_posts_or_a_minority_give_no_alarm() {
        let run = |judged, foreign| Language { judged, foreign };
        assert!(!run(9, 9).is_mostly_foreign());
        assert!(!run(10, 5).is_mostly_foreign());
        assert!(run(10, 6).is_mostly_foreign());
    }
}
