//! What words are made of.

use unicode_normalization::char::is_combining_mark;

/// Returns whether a character belongs to a word: a letter, a digit, an underscore, or a mark on a letter.
pub(crate) fn is_word(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_alphanumeric() || character == '_'
    } else {
        character.is_alphanumeric() || is_combining_mark(character)
    }
}

/// Returns the character before the byte `at`.
pub(crate) fn before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}
