//! Cutting a text into tokens, as `find_tokens` in TextBlob's `_text.py` does with a dozen replacements and regular
//! expressions over the whole string; here in one pass from left to right, without a copy.
//!
//! A *chunk* is what stands between whitespace. A quote of any kind is a chunk of its own, and a chunk ends before the
//! `n't` of `don't`. Each punctuation mark at the start or the end of a chunk is a token, and so is what is left
//! between them, the *core*: `“(good!!)”` becomes `“ ( good ! ! ) ”`.

use super::abbreviations::is_abbreviation;

/// A stretch of the text without whitespace, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    /// True only if every byte is ASCII.
    pub(super) ascii: bool,
    /// A paragraph ended before it.
    pub(super) after_break: bool,
}

impl Token {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// What TextBlob writes between paragraphs, and then takes out again. So a post that says it means a paragraph.
pub(super) const END_OF_SENTENCE: &[u8] = b"END-OF-SENTENCE";

/// The tokens of a text. A copy is a bookmark: it continues from where it was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tokens<'t> {
    text: &'t [u8],
    /// Where the next token starts, or the whitespace before it.
    at: usize,
    /// The chunk that was cut last: marks up to `core_start`, one token up to `core_end`, marks up to `chunk_end`.
    core_start: usize,
    core_end: usize,
    chunk_end: usize,
    chunk_is_ascii: bool,
    after_break: bool,
}

impl<'t> Tokens<'t> {
    #[inline]
    pub(super) fn from(text: &'t str, at: usize) -> Self {
        let text = text.as_bytes();
        Self {
            text,
            at,
            core_start: 0,
            core_end: 0,
            chunk_end: 0,
            chunk_is_ascii: true,
            after_break: false,
        }
    }

    /// Where the next token starts, or the whitespace before it.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Returns whether all tokens of the last chunk have been returned.
    #[inline]
    pub(super) fn chunk_is_over(&self) -> bool {
        self.at >= self.chunk_end
    }

    /// Returns the next token, or `None` at the end of the text.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a twelfth less time for Arabic")]
    pub(super) fn next(&mut self) -> Option<Token> {
        loop {
            if self.at < self.chunk_end {
                match self.piece() {
                    None => continue,
                    token => return token,
                }
            }
            let start = self.skip_whitespace();
            let rest = self.text.get(start..)?;
            let first = CLASS[usize::from(*rest.first()?)];
            if first & (QUOTE | WIDE) != 0
                && let Some(len) = quote(rest)
            {
                return Some(self.take(start, start + len, len == 1));
            }
            let (len, classes) = chunk(rest);
            let (end, ascii) = (start + len, classes & HIGH == 0);
            if classes & (MARK | PERIOD) == 0 {
                return Some(self.take(start, end, ascii));
            }
            self.chunk_is_ascii = ascii;
            self.cut(start, end);
        }
    }

    /// [`Self::next`] for the rare looks ahead, which are not worth a copy of its code each.
    #[inline(never)]
    pub(super) fn next_in_lookahead(&mut self) -> Option<Token> {
        self.next()
    }

    /// The token from `start` to `end`; the next one starts behind it.
    #[inline]
    fn take(&mut self, start: usize, end: usize, ascii: bool) -> Token {
        self.at = end;
        Token {
            start,
            end,
            ascii,
            after_break: std::mem::take(&mut self.after_break),
        }
    }

    /// Where the next character is that is not whitespace.
    #[inline]
    fn skip_whitespace(&mut self) -> usize {
        let at = match self.text.get(self.at) {
            Some(b' ') => self.at + 1,
            _ => self.at,
        };
        match self.text.get(at) {
            Some(&byte) if CLASS[usize::from(byte)] & (SPACE | WIDE) != 0 => {
                self.skip_uncommon_whitespace()
            }
            _ => at,
        }
    }

    /// The same for all that is not a single space. Two newlines on end are the end of a paragraph, and a carriage
    /// return before a newline is not there: `"\r\n\r\n"` ends a paragraph, `"\n \n"` does not.
    #[inline(never)]
    fn skip_uncommon_whitespace(&mut self) -> usize {
        let (mut at, mut newlines) = (self.at, 0);
        while let Some(&byte) = self.text.get(at) {
            let len = if CLASS[usize::from(byte)] & SPACE != 0 {
                1
            } else {
                non_ascii_space_len(&self.text[at..])
            };
            match byte {
                _ if len == 0 => break,
                b'\n' => newlines += 1,
                b'\r' if self.text.get(at + 1) == Some(&b'\n') => {}
                _ => newlines = 0,
            }
            self.after_break |= newlines == 2;
            at += len;
        }
        at
    }

    /// Finds the core of a chunk: behind the marks at its start, before the marks and periods at its end.
    ///
    /// A period is no mark at the start: `.5!` is `.5 !`. Nor is it one at the end of an abbreviation: `etc.` stays
    /// whole, and `etc.,` is `etc. ,`.
    fn cut(&mut self, start: usize, end: usize) {
        let chunk = &self.text[..end];
        let is_mark = |byte: u8| CLASS[usize::from(byte)] & MARK != 0;
        let core_start = chunk[start..]
            .iter()
            .position(|&byte| !is_mark(byte))
            .map_or(end, |marks| start + marks);
        let mut core_end = end;
        while let Some(&last) = chunk[core_start..core_end].last() {
            let rest = &chunk[core_start..core_end];
            core_end -= match last {
                b'.' if rest.ends_with(b"...") => {
                    rest.iter().rev().take_while(|&&byte| byte == b'.').count()
                }
                b'.' if is_abbreviation(rest) => break,
                b'.' => 1,
                _ if is_mark(last) => 1,
                _ => break,
            };
        }
        (self.at, self.chunk_end) = (start, end);
        (self.core_start, self.core_end) = (core_start, core_end);
    }

    /// The next token of the chunk that was cut last: a mark, the core, or a run of three periods or more as one
    /// `...`. None if there was only the end of a paragraph.
    fn piece(&mut self) -> Option<Token> {
        let start = self.at;
        if start == self.core_start && start < self.core_end {
            if &self.text[start..self.core_end] == END_OF_SENTENCE {
                self.at = self.core_end;
                self.after_break = true;
                return None;
            }
            return Some(self.take(start, self.core_end, self.chunk_is_ascii));
        }
        let periods = self.text[start..self.chunk_end]
            .iter()
            .take_while(|&&byte| byte == b'.')
            .count();
        let mark = self.take(start, start + if periods < 3 { 1 } else { 3 }, true);
        if periods >= 3 {
            self.at = start + periods;
        }
        Some(mark)
    }
}

const SPACE: u8 = 1;
const QUOTE: u8 = 2;
/// The first byte of a character that may be whitespace or a quote, such as U+00A0 or `’`.
const WIDE: u8 = 4;
/// Punctuation that is split off a word; the period has rules of its own.
const MARK: u8 = 8;
const PERIOD: u8 = 16;
/// Not ASCII.
const HIGH: u8 = 32;

/// What each byte may be.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0x80;
    while byte < class.len() {
        class[byte] = HIGH;
        byte += 1;
    }
    // Python counts the four separators U+001C to U+001F as whitespace.
    class = mark_all(class, b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f ", SPACE);
    class = mark_all(class, b"'\"", QUOTE);
    class = mark_all(class, b"\xc2\xe1\xe2\xe3", WIDE | HIGH);
    class = mark_all(class, b",;:!?()[]{}`@#$^&*+-|=~_", MARK);
    mark_all(class, b".", PERIOD)
};

const fn mark_all(mut class: [u8; 256], bytes: &[u8], mark: u8) -> [u8; 256] {
    let mut i = 0;
    while i < bytes.len() {
        class[bytes[i] as usize] = mark;
        i += 1;
    }
    class
}

/// The length of the chunk that the text starts with, and the classes of its bytes, all together.
///
/// Most chunks are letters and then a space, so the letters are taken eight at a time. That saves more than
/// instructions: a loop over the bytes ends where the processor does not expect it, once for each word.
#[inline]
fn chunk(text: &[u8]) -> (usize, u8) {
    let mut len = 0;
    while let Some(eight) = text[len..].first_chunk() {
        let letters = leading_letters(u64::from_le_bytes(*eight));
        len += letters;
        if letters < eight.len() {
            break;
        }
    }
    let mut classes = 0;
    for &byte in &text[len..] {
        let class = CLASS[usize::from(byte)];
        if class & (SPACE | QUOTE) != 0 || class & WIDE != 0 && ends_a_chunk(&text[len..]) {
            break;
        }
        classes |= class;
        len += 1;
    }
    // "don't" is "do n ' t", but "DON'T" is "DON ' T".
    if len > 1 && text[len..].starts_with(b"'t") && text[len - 1] == b'n' {
        len -= 1;
    }
    (len, classes)
}

/// Returns the number of ASCII letters at the start of these eight bytes.
#[inline]
fn leading_letters(bytes: u64) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let folded = (bytes | (0x20 * EACH)) & (0x7f * EACH);
    let from_a = folded + u64::from(0x80 - b'a') * EACH;
    let past_z = folded + u64::from(0x7f - b'z') * EACH;
    let others = (!(from_a ^ past_z) | bytes) & (0x80 * EACH);
    others.trailing_zeros() as usize / 8
}

/// Whether a quote or whitespace beyond ASCII stands here.
#[inline(never)]
fn ends_a_chunk(text: &[u8]) -> bool {
    quote(text).is_some() || non_ascii_space_len(text) > 0
}

/// The length of the quote that the text starts with.
fn quote(text: &[u8]) -> Option<usize> {
    match text {
        [b'\'' | b'"', ..] => Some(1),
        // ‘ ’ “ ”
        [0xe2, 0x80, 0x98 | 0x99 | 0x9c | 0x9d, ..] => Some(3),
        _ => None,
    }
}

/// The length of the whitespace character beyond ASCII that the text starts with, or 0.
#[inline]
fn non_ascii_space_len(text: &[u8]) -> usize {
    match text {
        // U+0085, U+00A0
        [0xc2, 0x85 | 0xa0, ..] => 2,
        // U+1680; U+2000 to U+200A, U+2028, U+2029, U+202F; U+205F; U+3000
        [0xe1, 0x9a, 0x80, ..]
        | [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf, ..]
        | [0xe2, 0x81, 0x9f, ..]
        | [0xe3, 0x80, 0x80, ..] => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<&str> {
        let mut tokens = Tokens::from(text, 0);
        std::iter::from_fn(|| tokens.next())
            .map(|token| &text[token.start..token.end])
            .collect()
    }

    #[test]
    fn marks_are_split_off_both_ends_of_a_word() {
        assert_eq!(tokens("“(good!!)”"), ["“", "(", "good", "!", "!", ")", "”"]);
        assert_eq!(
            tokens("well-known http://t.co/x"),
            ["well-known", "http://t.co/x"]
        );
    }

    #[test]
    fn a_period_is_split_off_the_end_alone() {
        assert_eq!(tokens(".5! Good."), [".5", "!", "Good", "."]);
        assert_eq!(tokens(". .. ... ....."), [".", ".", ".", "...", "..."]);
    }

    #[test]
    fn an_abbreviation_keeps_one_period() {
        assert_eq!(
            tokens("(U.S., etc.) Mr.. etc..."),
            ["(", "U.S.", ",", "etc.", ")", "Mr.", ".", "etc", "..."]
        );
    }

    #[test]
    fn every_apostrophe_stands_alone() {
        assert_eq!(
            tokens("don't DON'T it’s"),
            ["do", "n", "'", "t", "DON", "'", "T", "it", "’", "s"]
        );
        assert_eq!(tokens("n't (n't"), ["n", "'", "t", "(", "n", "'", "t"]);
    }

    #[test]
    fn two_newlines_or_a_word_of_textblobs_end_a_paragraph() {
        let breaks = |text: &str| {
            Tokens {
                at: 1,
                ..Tokens::from(text, 0)
            }
            .next()
            .map(|token| token.after_break)
        };
        for text in [
            "a\n\nb",
            "a\r\n\r\nb",
            "a\n\r\nb",
            "a \n\n\nb",
            "a END-OF-SENTENCE b",
        ] {
            assert_eq!(breaks(text), Some(true), "{text:?}");
        }
        for text in ["a\nb", "a\n \nb", "a\r\rb", "a\r\n\rb", "a\n\u{2028}\nb"] {
            assert_eq!(breaks(text), Some(false), "{text:?}");
        }
    }

    #[test]
    fn whitespace_is_what_python_takes_for_it() {
        let spaces = (char::MIN..=char::MAX).filter(|&c| tokens(&format!("a{c}b")).len() == 2);
        let expected = "\t\n\u{b}\u{c}\r\u{1c}\u{1d}\u{1e}\u{1f} \u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\
            \u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}";
        assert_eq!(spaces.collect::<String>(), expected);
    }

    #[test]
    fn letters_are_counted_up_to_the_first_other_byte() {
        for byte in 0..=u8::MAX {
            let letters = leading_letters(u64::from_le_bytes([
                b'a', b'Z', byte, b'z', b'A', 0xff, b'a', b'a',
            ]));
            assert_eq!(
                letters,
                if byte.is_ascii_alphabetic() { 5 } else { 2 },
                "{byte:#x}"
            );
        }
        assert_eq!(leading_letters(u64::from_le_bytes(*b"goodgood")), 8);
    }
}
