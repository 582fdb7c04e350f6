//! Makes text that somebody else wrote safe to print: control characters could move the cursor, change what was printed
//! before, or have a terminal answer; those that turn the direction of text could make it read as something else.

use std::borrow::Cow;
use std::fmt::Write as _;

fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns the text with such characters written as `\u{1b}`, and line feeds as `\n`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |page, letter| match letter {
        '\n' => page.push_str("\\n"),
        _ => {
            let _ = write!(page, "{}", letter.escape_unicode());
        }
    })
}

/// JSON with such characters written as `\u009b`. They stand only in strings, apart from the ends of lines.
pub(crate) fn visible_json(line: &str) -> Cow<'_, str> {
    escaped(line, |page, letter| {
        let _ = write!(page, "\\u{:04x}", u32::from(letter));
    })
}

fn escaped(text: &str, escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut page = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unsafe(letter) {
            escape(&mut page, letter);
        } else {
            page.push(letter);
        }
    }
    Cow::Owned(page)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(
            visible("out\u{1b}[2J\n\u{9b}x é"),
            "out\\u{1b}[2J\\n\\u{9b}x é"
        );
        assert_eq!(visible("txt.\u{202e}gpj"), "txt.\\u{202e}gpj");
    }

    proptest! {
        #[test]
        fn escaped_json_means_the_same(text in any::<String>()) {
            let json = serde_json::to_string(&text)?;
            let shown = visible_json(&json);
            prop_assert!(!shown.contains(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<String>(&shown)?, text);
        }
    }
}
