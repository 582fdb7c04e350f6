//! Decoding HTML entities and removing tags.
//!
//! An entity or a tag is recognized at its last character, and what it leaves behind is looked at again together with what
//! precedes it. So nothing that is left can be decoded or removed, however deeply it was escaped: `&amp;amp;lt;3` is `<3`.
//!
//! Posts are no web pages, so that not all that HTML allows is taken for HTML. An entity ends with a semicolon: `&not` in
//! `R&notes` is none. A tag has a name that HTML knows, and its attributes have values: `<3`, `<grin>`, `a < b` and
//! `a<b and c>d` stay.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The longest name of an entity, with `&` and `;`: `&CounterClockwiseContourIntegral;`.
const MAX_ENTITY: usize = 33;

/// A longer tag is none.
const MAX_TAG: usize = 2048;

/// Tags between which a text goes on: removed without a trace. Sorted.
const INLINE: [&str; 40] = [
    "a", "abbr", "audio", "b", "bdi", "bdo", "big", "body", "button", "cite", "code", "del", "em",
    "font", "form", "head", "html", "i", "iframe", "img", "input", "ins", "kbd", "label", "link",
    "mark", "meta", "q", "s", "small", "source", "span", "strike", "strong", "sub", "sup", "time",
    "tt", "u", "video",
];

/// Tags that separate words: replaced by a space. Sorted.
const BLOCK: [&str; 41] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "script",
    "section",
    "style",
    "table",
    "tbody",
    "td",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "wbr",
];

/// Returns the text without entities and tags.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if memchr::memchr2(b'&', b'<', bytes).is_none() {
        return Cow::Borrowed(text);
    }
    let ends = memchr::memchr2_iter(b';', b'>', bytes);
    for end in ends {
        if let Some(found) = ending(&text[..=end]) {
            let mut decoded = String::with_capacity(text.len());
            decoded.push_str(&text[..=end]);
            reduce(&mut decoded, found);
            push(&mut decoded, &text[end + 1..]);
            return Cow::Owned(decoded);
        }
    }
    Cow::Borrowed(text)
}

/// Appends a text, and decodes what it completes.
fn push(decoded: &mut String, text: &str) {
    let mut start = 0;
    for end in memchr::memchr2_iter(b';', b'>', text.as_bytes()) {
        decoded.push_str(&text[start..=end]);
        start = end + 1;
        if let Some(found) = ending(decoded) {
            reduce(decoded, found);
        }
    }
    decoded.push_str(&text[start..]);
}

/// An entity or a tag at the end of a text.
struct Ending {
    start: usize,
    /// What stands for it.
    replacement: Cow<'static, str>,
}

/// Replaces an ending by what stands for it, and again while that completes another one.
fn reduce(decoded: &mut String, found: Ending) {
    let mut next = Some(found);
    while let Some(Ending { start, replacement }) = next {
        decoded.truncate(start);
        decoded.push_str(&replacement);
        next = ending(decoded);
    }
}

fn ending(text: &str) -> Option<Ending> {
    match text.as_bytes().last()? {
        b';' => ending_entity(text),
        b'>' => ending_tag(text),
        _ => None,
    }
}

fn ending_entity(text: &str) -> Option<Ending> {
    let from = text.len().saturating_sub(MAX_ENTITY);
    let start = from + memchr::memrchr(b'&', &text.as_bytes()[from..])?;
    let name = &text.as_bytes()[start + 1..text.len() - 1];
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
    if name.is_empty() || !name.iter().all(is_name) {
        return None;
    }
    let entity = &text[start..];
    let replacement = match name {
        b"amp" => Cow::Borrowed("&"),
        b"lt" => Cow::Borrowed("<"),
        b"gt" => Cow::Borrowed(">"),
        b"quot" => Cow::Borrowed("\""),
        b"#39" => Cow::Borrowed("'"),
        _ => match htmlize::unescape(entity) {
            // Composed, as a Greek question mark is a semicolon.
            Cow::Owned(decoded) if !decoded.ends_with(';') || decoded.len() == 1 => {
                Cow::Owned(decoded.nfc().collect())
            }
            // There is none of that name, or one without a semicolon that begins like it.
            _ => return None,
        },
    };
    Some(Ending { start, replacement })
}

fn ending_tag(text: &str) -> Option<Ending> {
    let bytes = text.as_bytes();
    let from = bytes.len().saturating_sub(MAX_TAG);
    let start = from + memchr::memrchr(b'<', &bytes[from..])?;
    let inside = &bytes[start + 1..bytes.len() - 1];
    let inside = inside.strip_prefix(b"/").unwrap_or(inside);
    let name_len = inside
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric())
        .unwrap_or(inside.len());
    let (name, attributes) = inside.split_at(name_len);
    let replacement = replacement_of(name)?;
    are_attributes(attributes).then_some(Ending {
        start,
        replacement: Cow::Borrowed(replacement),
    })
}

/// What stands for a tag of this name, if HTML knows it.
fn replacement_of(name: &[u8]) -> Option<&'static str> {
    let mut lower = [0; "blockquote".len()];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    let is_among = |names: &[&str]| {
        names
            .binary_search_by(|known| known.as_bytes().cmp(lower))
            .is_ok()
    };
    if is_among(&INLINE) {
        Some("")
    } else if is_among(&BLOCK) {
        Some(" ")
    } else {
        None
    }
}

/// Whether these bytes are attributes with values, and perhaps a slash at the end.
fn are_attributes(mut bytes: &[u8]) -> bool {
    loop {
        let trimmed = bytes.trim_ascii_start();
        if trimmed.is_empty() || trimmed == b"/" {
            return true;
        }
        // White space separates an attribute from what precedes it.
        if trimmed.len() == bytes.len() {
            return false;
        }
        let is_name =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':');
        let len = trimmed.iter().take_while(|byte| is_name(byte)).count();
        let rest = &trimmed[len..];
        let Some(value) = rest.strip_prefix(b"=").filter(|_| len > 0) else {
            return false;
        };
        match value_len(value) {
            0 => return false,
            len => bytes = &value[len..],
        }
    }
}

/// The length of the value at the start of these bytes; zero if there is none.
fn value_len(bytes: &[u8]) -> usize {
    if let Some(&quote @ (b'"' | b'\'')) = bytes.first() {
        let end = memchr::memchr(quote, &bytes[1..]);
        return end.map_or(0, |end| end + 2);
    }
    let is_of_value = |byte: &&u8| byte.is_ascii_graphic() && !b"\"'<>=`".contains(byte);
    bytes.iter().take_while(is_of_value).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_tags_are_sorted() {
        assert!(INLINE.is_sorted() && BLOCK.is_sorted());
    }

    #[test]
    fn entities_are_decoded_however_often_they_were_escaped() {
        for (text, expected) in [
            ("rock &amp; roll", "rock & roll"),
            ("I &lt;3 you &gt;:(", "I <3 you >:("),
            ("&amp;amp;lt;3", "<3"),
            ("&#38;#39;s", "'s"),
            ("it&#x27;s &hellip; caf&eacute;", "it's … café"),
            ("&#128525;", "😍"),
            ("&am&#112;;", "&"),
            ("&#x37e;", ";"),
            ("&amp&#x37e;", "&"),
        ] {
            assert_eq!(decode(text), expected, "{text}");
        }
    }

    #[test]
    fn tags_are_removed_and_words_stay_apart() {
        for (text, expected) in [
            ("<p>so <b>go<i>o</i>d</b></p>", " so good "),
            ("one<br>two<BR/>three<br />four", "one two three four"),
            (
                "<a href=\"http://x.org/?a=1&amp;b=2\" rel='me'>this</a>",
                "this",
            ),
            ("<a title=\"a > b\">c</a>", "c"),
            ("<span class=x>y</span>", "y"),
            ("&lt;b&gt;bold&lt;/b&gt;", "bold"),
            ("<<b>b>x", "x"),
            ("&<i></i>amp;", "&"),
        ] {
            assert_eq!(decode(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_html_stays_and_is_not_copied() {
        for text in [
            "I <3 you",
            "</3 and >.<",
            "a < b > c",
            "if a<b and c>d",
            "<grin> <sarcasm>",
            "<_< >_>",
            "<b",
            "b>",
            "R&notes; AT&T; &;",
            "&nosuchentity; & ;",
            "fish & chips; peas",
            "&#; &#x; &a b;",
            "<b x> <b x=> <b x=\"> <b x=\"\"y=\"\">",
            "<>",
        ] {
            let decoded = decode(text);
            assert_eq!(decoded, text);
            assert!(matches!(decoded, Cow::Borrowed(_)), "{text}");
        }
    }
}
