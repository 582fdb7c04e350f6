//! The pipeline of cleaning.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::html;
use crate::steps::{Step, Steps};
use crate::urls::next_url;
use crate::words::{before, is_word};

/// Text that was escaped or decomposed again and again is cleaned this often at most.
const MAX_ROUNDS: usize = 4;

/// Cleans texts by some steps. Copies nothing of a text that is clean.
///
/// What a person wrote is told from what the network added in two stages. [`readable`](Self::readable) is the text as a person
/// reads it. [`neutral`](Self::neutral) is that text without the addresses and mentions, each replaced by a space: it is
/// scored as if they were not there, so that neither `http://good.com/love` nor `@lovely_day` is praise.
///
/// ```
/// use moodring_text::{Cleaner, Steps};
///
/// let cleaner = Cleaner::new(Steps::ALL);
/// let readable = cleaner.readable("@ann it&#39;s <b>great</b>: http://t.co/x!");
/// assert_eq!(readable, "@ann it's great: http://t.co/x!");
/// assert_eq!(cleaner.neutral(&readable), "  it's great:  !");
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Cleaner {
    steps: Steps,
}

impl Cleaner {
    /// A cleaner that takes these steps.
    #[must_use]
    pub fn new(steps: Steps) -> Self {
        Self { steps }
    }

    /// Returns whether it never changes anything.
    #[must_use]
    pub fn is_idle(self) -> bool {
        self.steps == Steps::NONE
    }

    /// Returns the text as a person reads it: by the steps [`Html`](Step::Html) and [`Unicode`](Step::Unicode).
    #[must_use]
    pub fn readable(self, text: &str) -> Cow<'_, str> {
        let mut readable = Cow::Borrowed(text);
        for _ in 0..MAX_ROUNDS {
            match self.one_round(&readable) {
                Some(changed) => readable = Cow::Owned(changed),
                None => break,
            }
        }
        readable
    }

    /// The text after one round; none if it did not change.
    fn one_round(self, text: &str) -> Option<String> {
        let decoded = if self.steps.has(Step::Html) {
            html::decode(text)
        } else {
            Cow::Borrowed(text)
        };
        let composed = if self.steps.has(Step::Unicode) {
            compose(&decoded)
        } else {
            None
        };
        match (composed, decoded) {
            (Some(composed), _) => Some(composed),
            (None, Cow::Owned(decoded)) => Some(decoded),
            (None, Cow::Borrowed(_)) => None,
        }
    }

    /// Returns the text as it is scored: by the steps [`Urls`](Step::Urls) and [`Mentions`](Step::Mentions).
    ///
    /// A mention is an `@` that no word precedes, with an ASCII name behind it that may have parts, as in
    /// `@ann@example.social` and `@ann.example.social`.
    #[must_use]
    pub fn neutral(self, readable: &str) -> Cow<'_, str> {
        let mut hidden = Hidden {
            text: readable,
            urls: self.steps.has(Step::Urls),
            mentions: self.steps.has(Step::Mentions),
            next_url: None,
        };
        if !hidden.urls && !hidden.mentions {
            return Cow::Borrowed(readable);
        }
        let Some(mut range) = hidden.next(0) else {
            return Cow::Borrowed(readable);
        };
        let mut neutral = String::with_capacity(readable.len());
        let mut at = 0;
        loop {
            neutral.push_str(&readable[at..range.start]);
            neutral.push(' ');
            at = range.end;
            match hidden.next(at) {
                Some(next) => range = next,
                None => break,
            }
        }
        neutral.push_str(&readable[at..]);
        Cow::Owned(neutral)
    }
}

/// The text in Unicode's form NFC; none if it is.
fn compose(text: &str) -> Option<String> {
    // Below, there is neither a mark nor anything that has another form.
    if text.is_ascii() || text.chars().all(|character| character < '\u{300}') {
        return None;
    }
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return None;
    }
    let composed: String = text.nfc().collect();
    (composed != text).then_some(composed)
}

/// Finds what is hidden from the models.
struct Hidden<'t> {
    text: &'t str,
    urls: bool,
    mentions: bool,
    /// The next address at or behind the last place that was looked at, once it is known; an empty one at the end for none.
    next_url: Option<Range<usize>>,
}

impl Hidden<'_> {
    fn next(&mut self, mut from: usize) -> Option<Range<usize>> {
        let end = self.text.len();
        loop {
            let url = match self.next_url.take() {
                Some(url) if url.start >= from => url,
                _ => next_url(self.text, from).unwrap_or(end..end),
            };
            self.next_url = Some(url.clone());
            if self.mentions
                && let Some(mention) = next_mention(self.text, from, url.start)
            {
                return Some(mention);
            }
            if url.start == end {
                return None;
            }
            if self.urls {
                return Some(url);
            }
            from = url.end;
        }
    }
}

/// The first mention that begins at or behind the byte `from` and ends before `end`, where an address may begin.
fn next_mention(text: &str, from: usize, end: usize) -> Option<Range<usize>> {
    let signs = memchr::memchr_iter(b'@', &text.as_bytes()[from..end]);
    for sign in signs {
        let start = from + sign;
        let len = name_len(&text.as_bytes()[start + 1..end]);
        if len > 0 && !before(text, start).is_some_and(is_word) {
            return Some(start..start + 1 + len);
        }
    }
    None
}

/// The length of a user's name: parts of letters, digits and underscores, with one sign between two of them.
fn name_len(bytes: &[u8]) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let part_len = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|byte| is_part(byte))
            .count()
    };
    let mut len = part_len(0);
    while len > 0 && matches!(bytes.get(len), Some(b'.' | b'-' | b'@')) {
        match part_len(len + 1) {
            0 => break,
            more => len += 1 + more,
        }
    }
    len
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn neutral(text: &str) -> String {
        Cleaner::new(Steps::ALL).neutral(text).into_owned()
    }

    #[test]
    fn addresses_and_mentions_leave_spaces() {
        for (text, expected) in [
            ("@love you", "  you"),
            (".@love! (@Hate)", ". ! ( )"),
            ("see http://good.com/love, ok", "see  , ok"),
            ("@a@b.social @c.d-e.", "   ."),
            ("@a @@b@", "  @ @"),
            ("@bobさん最高", " さん最高"),
            ("@http://x lookhttp://y", "@  look "),
            ("@bobhttp://x", "  "),
            ("mail bob@good.com @ 5", "mail bob@good.com @ 5"),
            (":@bob)", ": )"),
        ] {
            assert_eq!(neutral(text), expected, "{text}");
        }
    }

    #[test]
    fn steps_that_are_not_named_are_not_taken() {
        let text = "@love &amp; http://x e\u{301}";
        for (steps, expected) in [
            ("none", text),
            ("html", "@love & http://x e\u{301}"),
            ("unicode", "@love &amp; http://x é"),
            ("urls", "@love &amp;   e\u{301}"),
            ("mentions", "  &amp; http://x e\u{301}"),
            ("html,mentions", "  & http://x e\u{301}"),
        ] {
            let cleaner = Cleaner::new(steps.parse().unwrap());
            let readable = cleaner.readable(text);
            assert_eq!(cleaner.neutral(&readable), expected, "{steps}");
        }
    }

    #[test]
    fn a_mention_behind_an_address_that_stays_is_hidden() {
        let cleaner = Cleaner::new("mentions".parse().unwrap());
        assert_eq!(
            cleaner.neutral("http://x/@a @b http://y @c"),
            "http://x/@a   http://y  "
        );
    }

    #[test]
    fn a_clean_text_is_not_copied() {
        let cleaner = Cleaner::new(Steps::ALL);
        for text in [
            "",
            "so good :) <3",
            "größer, naïve — 日本語 😍👩‍💻 №1",
            "a@b.c",
        ] {
            let readable = cleaner.readable(text);
            assert!(matches!(readable, Cow::Borrowed(_)), "{text}");
            assert!(matches!(cleaner.neutral(text), Cow::Borrowed(_)), "{text}");
        }
    }

    /// Pieces that make texts that are hard to clean.
    const PIECE: &str = r#"[@#&;<>:./ \-_a"'=]|http://|https://|www\.|&amp;|&lt;|&gt;|&#38;|&#x37e;|&#x338;|<b>|</p>|<a x=|e\x{301}|\x{301}|\x{338}|é|\x{37e}|😍|さ|bob|good"#;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn cleaning_again_changes_nothing(pieces in prop::collection::vec(PIECE, 0..12)) {
            let text = pieces.concat();
            let cleaner = Cleaner::new(Steps::ALL);
            let readable = cleaner.readable(&text).into_owned();
            prop_assert_eq!(&cleaner.readable(&readable), &readable, "{}", text);
            let neutral = cleaner.neutral(&readable);
            prop_assert_eq!(&cleaner.neutral(&neutral), &neutral, "{}", text);
        }

        #[test]
        fn any_text_is_cleaned(text: String) {
            let cleaner = Cleaner::new(Steps::ALL);
            let readable = cleaner.readable(&text);
            prop_assert!(cleaner.neutral(&readable).len() <= readable.len());
        }

        #[test]
        fn words_are_kept(words in prop::collection::vec("[a-zA-Zéß]{1,6}|[0-9]{1,3}|:\\)|<3|!+", 0..8)) {
            let text = words.join(" ");
            let marked = format!("@me {} &amp; <br>http://t.co/x", words.join("<b> </b>"));
            let cleaner = Cleaner::new(Steps::ALL);
            let readable = cleaner.readable(&marked);
            let kept: Vec<_> = cleaner.neutral(&readable).split_whitespace().map(str::to_owned).collect();
            let mut expected: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
            expected.push("&".to_owned());
            prop_assert_eq!(kept, expected);
        }
    }
}
