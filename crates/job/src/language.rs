//! Whether posts look English: the built-in words of all models are, and other languages score near zero.
//!
//! The test is cheap and looks at a sample only. A post counts as English if at least one word in ten is a function word
//! such as "the" or "with". In the samples of eight data sets in English, 4 to 22 % of the posts do not count as English; in
//! those of seven other languages, 63 to 100 %.

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

/// A post with fewer words is not judged.
const MIN_WORDS: u32 = 4;

/// No more words of a post are looked at.
const MAX_WORDS: u32 = 60;

/// Letters from here on do not belong to the Latin script.
const END_OF_LATIN: char = '\u{250}';

/// The sample: posts that begin in the first bytes of an input, and in the first bytes of each stretch of it.
const HEAD: u64 = 16 << 10;
const STRETCH: u64 = 256 << 10;
const HEAD_OF_STRETCH: u64 = 1 << 10;

/// Below this many judged posts nothing is said about a run.
const MIN_JUDGED: u64 = 10;

/// How many posts of a sample were judged, and how many of them do not look English.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Language {
    /// Posts that were judged.
    pub judged: u64,
    /// Those that do not look English.
    pub foreign: u64,
}

impl Language {
    /// Returns whether the post that begins at `offset` of its input belongs to the sample. The sample does not depend on
    /// how the input is cut into shards.
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
    let (mut words, mut known, mut letters, mut foreign) = (0, 0, 0, 0);
    let tokens = text
        .split_whitespace()
        .filter(|token| !token.starts_with(['@', '#']) && !token.starts_with("http"));
    let is_gap = |letter: char| !letter.is_alphabetic() && !matches!(letter, '\'' | '’');
    for word in tokens.flat_map(|token| token.split(is_gap)) {
        let mut is_word = false;
        for letter in word.chars().filter(|letter| letter.is_alphabetic()) {
            is_word = true;
            letters += 1;
            foreign += u32::from(letter >= END_OF_LATIN);
        }
        words += u32::from(is_word);
        known += u32::from(is_function_word(word));
        if words == MAX_WORDS {
            break;
        }
    }
    // Scripts such as Thai's have no blanks between words.
    if letters >= 2 * MIN_WORDS && foreign * 2 > letters {
        return Some(false);
    }
    (words >= MIN_WORDS).then_some(known * 10 >= words)
}

fn is_function_word(word: &str) -> bool {
    const LONGEST: usize = 8;
    let mut lower = [0; LONGEST];
    let mut len = 0;
    for letter in word.chars() {
        let letter = if letter == '’' { '\'' } else { letter };
        if len == LONGEST || !letter.is_ascii() {
            return false;
        }
        lower[len] = letter.to_ascii_lowercase() as u8;
        len += 1;
    }
    FUNCTION_WORDS
        .binary_search_by(|known| known.as_bytes().cmp(&lower[..len]))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_words_are_sorted() {
        assert!(FUNCTION_WORDS.is_sorted());
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
