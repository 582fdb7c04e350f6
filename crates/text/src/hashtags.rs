//! Finding hashtags.

use crate::urls::next_url;
use crate::words::{before, is_word};

/// A longer word after `#` is no hashtag. Twitter allows no more characters either.
const MAX_CHARS: usize = 100;

/// Returns the hashtags of a text, without `#`, in their order and as they are written there.
///
/// A hashtag is a `#` that no word precedes, with letters, digits and underscores behind it of which at least one is a letter.
/// What is in a web address is none.
///
/// ```
/// let tags: Vec<_> = moodring_text::hashtags("#Rust at #1, http://x.org/#top (#été_2024)").collect();
/// assert_eq!(tags, ["Rust", "été_2024"]);
/// ```
#[must_use]
pub fn hashtags(text: &str) -> Hashtags<'_> {
    Hashtags {
        text,
        at: 0,
        url_from: 0,
    }
}

/// The hashtags of a text. Made by [`hashtags`].
#[derive(Debug, Clone)]
pub struct Hashtags<'t> {
    text: &'t str,
    at: usize,
    /// Addresses before this were passed.
    url_from: usize,
}

impl<'t> Iterator for Hashtags<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        loop {
            let (sign, start) = self.next_sign()?;
            self.at = start;
            if self.skip_url(sign) {
                continue;
            }
            let rest = &self.text[start..];
            let len = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            let (tag, behind) = rest.split_at(len);
            self.at = start + len;
            let is_tag = !before(self.text, sign)
                .is_some_and(|letter| is_word(letter) || letter == '&')
                && tag.chars().any(char::is_alphabetic)
                && tag.chars().nth(MAX_CHARS).is_none()
                && !behind.starts_with(['#', '＃'])
                && !behind.starts_with("://");
            if is_tag {
                return Some(tag);
            }
        }
    }
}

impl Hashtags<'_> {
    /// Where the next `#` begins and ends; the one of East Asian keyboards counts too.
    fn next_sign(&self) -> Option<(usize, usize)> {
        const WIDE: &[u8] = "＃".as_bytes();
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        loop {
            at += memchr::memchr2(b'#', WIDE[0], &bytes[at..])?;
            if bytes[at] == b'#' {
                return Some((at, at + 1));
            }
            if bytes[at..].starts_with(WIDE) {
                return Some((at, at + WIDE.len()));
            }
            at += 1;
        }
    }

    /// Goes behind the web address that holds the byte `sign`, if one does.
    fn skip_url(&mut self, sign: usize) -> bool {
        while self.url_from <= sign {
            let Some(url) = next_url(self.text, self.url_from) else {
                self.url_from = usize::MAX;
                return false;
            };
            if sign < url.start {
                // Looked at again for the next sign.
                self.url_from = url.start;
                return false;
            }
            self.url_from = url.end;
            if sign < url.end {
                self.at = url.end;
                return true;
            }
        }
        false
    }
}

/// Appends a text in lower case.
pub fn lowercase_into(text: &str, lower: &mut String) {
    if text.is_ascii() {
        let start = lower.len();
        lower.push_str(text);
        lower[start..].make_ascii_lowercase();
    } else {
        lower.extend(text.chars().flat_map(char::to_lowercase));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashtags_are_those_that_twitter_links() {
        for (text, expected) in [
            ("#a#b", &[][..]),
            ("#a #b", &["a", "b"]),
            ("a#b", &[]),
            ("(#a), #b. \"#c\"", &["a", "b", "c"]),
            ("#1 #2nd #_ #_a", &["2nd", "_a"]),
            ("## # #", &[]),
            ("##a", &["a"]),
            ("&#39; &#x27;", &[]),
            ("#日本語 ＃東京", &["日本語", "東京"]),
            ("#naïve #नमस्ते", &["naïve", "नमस्ते"]),
            ("#rust-lang's #c++", &["rust", "c"]),
            ("http://x.org/#a #b http://y.org/#c#d", &["b"]),
            ("#http://x.org", &[]),
            ("#a😍#b", &["a", "b"]),
        ] {
            assert_eq!(hashtags(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn a_hashtag_has_100_characters_at_most() {
        let longest = "é".repeat(100);
        assert_eq!(hashtags(&format!("#{longest}")).next(), Some(&*longest));
        assert_eq!(hashtags(&format!("#{longest}e #b")).next(), Some("b"));
    }
}
