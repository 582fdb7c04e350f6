//! Assesses a text word by word. This is the definition of the model; `fast_path` gives the same result in half the
//! time.

use std::ops::Range;

use super::lexicon::{LONGEST, Lexicon, Meaning};
use super::observe::Observer;
use super::rules::Rules;
use super::words::{Word, Words};

/// Applies the rules to the words of `part`, and returns where the next chunk may begin: at the end of `part`, or
/// after it if the last chunk reaches further. A chunk must begin at `part.start`.
#[inline(never)]
pub(super) fn assess_words<O: Observer>(
    text: &str,
    part: Range<usize>,
    lexicon: &Lexicon,
    rules: &mut Rules<'_, O>,
) -> usize {
    let bytes = text.as_bytes();
    let mut words = Words::from(text, part.start);
    while let Some(word) = words.next() {
        take(word, bytes, lexicon, rules);
        if words.chunk_is_over() && words.at() >= part.end {
            return words.at();
        }
    }
    text.len()
}

#[inline]
fn take<O: Observer>(word: Word, text: &[u8], lexicon: &Lexicon, rules: &mut Rules<'_, O>) {
    match word {
        Word::Plain(token) => {
            rules.at(token.start..token.end);
            if token.len() == 1 {
                if text[token.start] == b'!' {
                    rules.exclaims();
                }
            } else if token.ascii {
                rules.word(lexicon.find(text, token.start, token.end), token.len());
            } else {
                non_ascii_word(&text[token.start..token.end], lexicon, rules);
            }
        }
        Word::Joined(joined) => {
            rules.at(joined.start..joined.end);
            non_ascii_word(joined.spelling(), lexicon, rules);
        }
        Word::Irony { start, end } => {
            rules.at(start..end);
            rules.unknown(3);
            rules.irony();
        }
    }
}

/// A word that may hold characters beyond ASCII. Only one of them becomes two in lower case: `İ` is long enough to end
/// a negation.
#[inline(never)]
fn non_ascii_word<O: Observer>(word: &[u8], lexicon: &Lexicon, rules: &mut Rules<'_, O>) {
    let characters = word.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    let doubled = word
        .windows(2)
        .filter(|pair| *pair == "İ".as_bytes())
        .count();
    let meaning = if word.contains(&KELVIN[0]) {
        with_kelvin(word, lexicon)
    } else {
        lexicon.find(word, 0, word.len())
    };
    rules.word(meaning, characters + doubled);
}

/// The Kelvin sign, the one character beyond ASCII that is an ASCII letter in lower case, and can stand in a known
/// word: in `liKe`.
const KELVIN: &[u8] = "\u{212a}".as_bytes();

fn with_kelvin<'l>(word: &[u8], lexicon: &'l Lexicon) -> Option<&'l Meaning> {
    let (mut folded, mut len, mut rest) = ([0; LONGEST + 1], 0, word);
    while len < folded.len()
        && let Some((&first, others)) = rest.split_first()
    {
        (folded[len], rest) = rest
            .strip_prefix(KELVIN)
            .map_or((first, others), |others| (b'k', others));
        len += 1;
    }
    lexicon.find(&folded, 0, len)
}
