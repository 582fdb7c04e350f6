//! Finding web addresses.

use std::ops::Range;

use crate::words::{before, is_word};

/// Returns the first web address that begins at or behind the byte `from`: with `http://` or `https://` anywhere, or with
/// `www.` where no word precedes it.
///
/// It ends before white space, a quotation mark, a bracket that no address has, or a symbol such as an emoji, and without the
/// punctuation of the sentence around it.
pub(crate) fn next_url(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += memchr::memchr2(b':', b'.', &bytes[at..])?;
        let (start, prefix_end) = if bytes[at] == b':' {
            (scheme_before(&bytes[from..at]), at + "://".len())
        } else {
            (www_before(text, from, at), at + ".".len())
        };
        let is_prefix = bytes[at] == b'.' || bytes[at..].starts_with(b"://");
        if let Some(len) = start.filter(|_| is_prefix) {
            let end = end_of(text, prefix_end);
            if end > prefix_end {
                return Some(at - len..end);
            }
        }
        at += 1;
    }
}

/// The length of the `http` or `https` at the end of `bytes`.
fn scheme_before(bytes: &[u8]) -> Option<usize> {
    [&b"https"[..], b"http"].into_iter().find_map(|scheme| {
        let start = bytes.len().checked_sub(scheme.len())?;
        bytes[start..]
            .eq_ignore_ascii_case(scheme)
            .then_some(scheme.len())
    })
}

/// The length of the `www` that ends at the byte `dot`, if it is a word of its own.
fn www_before(text: &str, from: usize, dot: usize) -> Option<usize> {
    let start = dot.checked_sub(3).filter(|&start| start >= from)?;
    let is_www = text.as_bytes()[start..dot].eq_ignore_ascii_case(b"www");
    (is_www && !before(text, start).is_some_and(is_word)).then_some(3)
}

/// The end of the address that is at `start` beyond its prefix.
fn end_of(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    let len = rest
        .find(|character| !is_of_url(character))
        .unwrap_or(rest.len());
    let mut url = &rest[..len];
    loop {
        let trimmed = url.trim_end_matches(['.', ',', ':', ';', '!', '?', '\'', '*', ']']);
        // Some addresses have pairs of parentheses.
        let trimmed = match trimmed.strip_suffix(')') {
            Some(inner) if !inner.contains('(') => inner,
            _ => trimmed,
        };
        if trimmed.len() == url.len() {
            return start + url.len();
        }
        url = trimmed;
    }
}

fn is_of_url(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_graphic()
            && !matches!(
                character,
                '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`'
            )
    } else {
        is_word(character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> Vec<&str> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(url) = next_url(text, at) {
            at = url.end;
            found.push(&text[url]);
        }
        found
    }

    #[test]
    fn an_address_ends_with_what_belongs_to_it() {
        for (text, url) in [
            ("see http://t.co/x, and", "http://t.co/x"),
            ("(https://t.co/x)", "https://t.co/x"),
            ("http://a.org/b_(c) d", "http://a.org/b_(c)"),
            ("HTTP://T.CO/X!!!", "HTTP://T.CO/X"),
            ("lookhttp://t.co/x", "http://t.co/x"),
            ("http://t.co/x😍", "http://t.co/x"),
            ("“http://t.co/x”", "http://t.co/x"),
            ("http://t.co/x…", "http://t.co/x"),
            ("http://münchen.de/größe", "http://münchen.de/größe"),
            ("at www.good.com/love.", "www.good.com/love"),
            ("WWW.GOOD.COM", "WWW.GOOD.COM"),
            ("httphttps://x", "https://x"),
            ("http://x?q=http://y", "http://x?q=http://y"),
        ] {
            assert_eq!(urls(text), [url], "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_taken_for_one() {
        for text in [
            "",
            "http",
            "http:/x",
            "http:// x",
            "http://",
            "://x",
            "www.",
            "awww.sweet",
            "a.b",
            ":)",
            "ftp://x",
            "http://!",
        ] {
            assert!(urls(text).is_empty(), "{text}");
        }
        assert_eq!(
            urls("http://a http://b www.c"),
            ["http://a", "http://b", "www.c"]
        );
    }
}
