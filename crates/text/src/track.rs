//! Finding tracked words and phrases.

use aho_corasick::{AhoCorasick, BuildError};
use thiserror::Error;

use crate::words::{before, is_word};

/// No more terms are tracked at once.
pub const MAX_TERMS: usize = 10_000;

/// A longer term is refused, in bytes.
const MAX_TERM: usize = 1000;

/// Words and phrases that posts are searched for.
///
/// Upper and lower case are the same, and so are `ß` and `SS`. A term is found as a whole word: neither a letter, a digit nor
/// an underscore may continue it on either side. Scripts that put no spaces between words, such as Chinese, are the exception.
/// White space between the words of a phrase may be any. A sign belongs to the term: `#rust` is found in the hashtag alone,
/// `rust` in `#rust`, `@rust` and `Rust's`.
///
/// ```
/// use moodring_text::Track;
///
/// let track = Track::new(&["rust", "customer service"])?;
/// let mut found = Vec::new();
/// track.find("Trust the Customer\nService of #Rust", &mut String::new(), &mut found);
/// assert_eq!(found, [0, 1]);
/// # Ok::<(), moodring_text::BadTerm>(())
/// ```
#[derive(Debug, Clone)]
pub struct Track {
    searcher: AhoCorasick,
    /// The lengths of the folded terms, and which of the given terms each is.
    terms: Vec<(usize, u32)>,
}

/// A term that cannot be tracked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadTerm {
    /// It is empty or white space.
    #[error("a tracked term is empty; give words or phrases, separated by commas")]
    Empty,
    /// It is too long.
    #[error("the tracked term `{0}…` is longer than {MAX_TERM} bytes")]
    TooLong(String),
    /// There are too many.
    #[error("{0} terms are tracked; {MAX_TERMS} is the most")]
    TooMany(usize),
    /// Together they are too large to be searched for.
    #[error("the tracked terms are too large: {0}")]
    TooLarge(String),
}

impl From<BuildError> for BadTerm {
    fn from(error: BuildError) -> Self {
        Self::TooLarge(error.to_string())
    }
}

impl Track {
    /// Prepares the search for these terms.
    ///
    /// # Errors
    /// [`BadTerm`] if one is empty or too long, or there are too many.
    pub fn new<T: AsRef<str>>(terms: &[T]) -> Result<Self, BadTerm> {
        if terms.len() > MAX_TERMS {
            return Err(BadTerm::TooMany(terms.len()));
        }
        let folded = terms.iter().map(|term| {
            let term = term.as_ref().trim();
            let mut folded = String::new();
            fold_into(term, &mut folded);
            if folded.is_empty() {
                Err(BadTerm::Empty)
            } else if term.len() > MAX_TERM {
                Err(BadTerm::TooLong(term.chars().take(60).collect()))
            } else {
                Ok(folded)
            }
        });
        let folded: Vec<String> = folded.collect::<Result<_, _>>()?;
        let terms = folded.iter().map(String::len).zip(0..).collect();
        Ok(Self {
            searcher: AhoCorasick::new(&folded)?,
            terms,
        })
    }

    /// Replaces `found` by the indices of the terms that the text has, in their order, each once. `buffer` is scratch space.
    pub fn find(&self, text: &str, buffer: &mut String, found: &mut Vec<u32>) {
        found.clear();
        buffer.clear();
        fold_into(text, buffer);
        for matched in self.searcher.find_overlapping_iter(buffer.as_str()) {
            let (_, term) = self.terms[matched.pattern().as_usize()];
            // A term that occurs again and again is most often the last one that was found.
            if found.last() != Some(&term) && is_whole(buffer, matched.start(), matched.end()) {
                found.push(term);
            }
            if found.len() > 2 * self.terms.len() {
                found.sort_unstable();
                found.dedup();
            }
        }
        found.sort_unstable();
        found.dedup();
    }
}

/// Whether no word continues at either end of a part of a text.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let part = &text[start..end];
    let first = part.chars().next();
    let last = part.chars().next_back();
    !continues(before(text, start), first) && !continues(last, text[end..].chars().next())
}

/// Whether two characters side by side are of one word.
fn continues(one: Option<char>, next: Option<char>) -> bool {
    let (Some(one), Some(next)) = (one, next) else {
        return false;
    };
    is_word(one) && is_word(next) && !(is_spaceless(one) || is_spaceless(next))
}

/// Whether a character is of a script that puts no spaces between words.
fn is_spaceless(character: char) -> bool {
    matches!(character,
        '\u{0e00}'..='\u{0eff}'     // Thai, Lao
        | '\u{1000}'..='\u{109f}'   // Burmese
        | '\u{1780}'..='\u{17ff}'   // Khmer
        | '\u{3040}'..='\u{30ff}'   // Hiragana, Katakana
        | '\u{3400}'..='\u{4dbf}'   // Han
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Appends a text without differences of case, with one space for white space in a row.
fn fold_into(text: &str, folded: &mut String) {
    let mut is_after_space = false;
    for character in text.chars() {
        if character.is_whitespace() {
            if !is_after_space {
                folded.push(' ');
            }
            is_after_space = true;
            continue;
        }
        is_after_space = false;
        if character.is_ascii() {
            folded.push(character.to_ascii_lowercase());
        } else {
            // `ß` is `SS` in upper case, and both forms of the small sigma are one.
            folded.extend(character.to_uppercase().flat_map(char::to_lowercase));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(terms: &[&str], text: &str) -> Vec<u32> {
        let (mut found, mut buffer) = (vec![7], "x".to_owned());
        let track = Track::new(terms).unwrap();
        track.find(text, &mut buffer, &mut found);
        found
    }

    #[test]
    fn terms_are_found_as_whole_words_in_any_case() {
        for (term, text) in [
            ("rust", "I like RUST."),
            ("rust", "#rust"),
            ("rust", "@Rust_ @rust"),
            ("rust", "Rust's"),
            ("RUST", "rust/python"),
            ("new york", "in New \n York!"),
            ("straße", "STRASSE"),
            ("ὀδός", "ὈΔΌΣ"),
            ("İ", "i\u{307}"),
            ("c++", "C++ or c"),
            ("#rust", "so #Rust"),
            ("東京", "東京都に行く"),
            ("😍", "so😍good"),
            ("a b", "a a b"),
        ] {
            assert_eq!(found(&[term], text), [0], "{term} in {text}");
        }
    }

    #[test]
    fn parts_of_words_are_not_found() {
        for (term, text) in [
            ("rust", "trust rusty rust_ rust1 1rust"),
            ("rust", "rusté rust\u{301}"),
            ("#rust", "rust #rusty"),
            ("new york", "newyork new-york new yorker"),
            ("й", "мой"),
        ] {
            assert_eq!(found(&[term], text), [0; 0], "{term} in {text}");
        }
    }

    #[test]
    fn a_post_may_have_several_terms_and_each_counts_once() {
        let terms = ["york", "new york", "new", "jersey", "New York"];
        assert_eq!(found(&terms, "new york, york, NEW YORK"), [0, 1, 2, 4]);
    }

    #[test]
    fn a_term_that_cannot_be_found_is_refused() {
        let bad = |terms: &[&str]| Track::new(terms).unwrap_err();
        assert_eq!(bad(&["a", " \t"]), BadTerm::Empty);
        assert!(matches!(bad(&[&"é".repeat(501)]), BadTerm::TooLong(_)));
        assert_eq!(
            bad(&vec!["a"; MAX_TERMS + 1]),
            BadTerm::TooMany(MAX_TERMS + 1)
        );
    }

    proptest! {
        #[test]
        fn a_term_between_spaces_is_found(term in "\\PC{1,8}", one: String, other: String) {
            prop_assume!(!term.trim().is_empty());
            let text = format!("{one} {term} {other}");
            prop_assert_eq!(found(&[&term], &text), [0]);
        }
    }
}
