//! Recognizes text that is not UTF-8, before every line of it becomes a reject.
//!
//! Excel and PowerShell write UTF-16. In it each ASCII character has a zero byte, always on the same side, which UTF-8
//! text never has.

use crate::layout_error::LayoutError;

/// How many bytes of a source are examined.
pub const ENCODING_SAMPLE: usize = 4 << 10;

/// UTF-8's byte order mark. It means nothing but is common in files from Windows.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Removes a byte order mark from the head of a source.
pub(crate) fn without_mark(head: &[u8]) -> &[u8] {
    head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head)
}

/// Refuses a source that begins with these bytes if they are UTF-16, with or without a byte order mark.
///
/// Examines no more than the first [`ENCODING_SAMPLE`] bytes.
///
/// # Errors
/// [`LayoutError::NotUtf8`] if the head is UTF-16.
pub fn check_encoding(head: &[u8]) -> Result<(), LayoutError> {
    let sample = &head[..head.len().min(ENCODING_SAMPLE)];
    let encoding = match sample {
        [0xFF, 0xFE, ..] => Some("UTF-16LE"),
        [0xFE, 0xFF, ..] => Some("UTF-16BE"),
        _ => unmarked(sample),
    };
    encoding.map_or(Ok(()), |encoding| Err(LayoutError::NotUtf8 { encoding }))
}

/// Returns the kind of UTF-16 in a sample without a byte order mark.
fn unmarked(sample: &[u8]) -> Option<&'static str> {
    let (units, _) = sample.as_chunks::<2>();
    let zeros = |side: usize| units.iter().filter(|unit| unit[side] == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    // Characters such as U+4E00 have a zero on the other side, but are fewer than line ends and spaces.
    let (name, zeros) = if second >= 1.max(4 * first) {
        ("UTF-16LE", second)
    } else if first >= 1.max(4 * second) {
        ("UTF-16BE", first)
    } else {
        return None;
    };
    // A stray zero byte is not enough. Text mostly outside Latin-1 has few zero bytes, but is hardly ever valid UTF-8.
    let mostly_latin = units.len() >= 2 && zeros * 4 >= units.len();
    let some_latin = zeros >= 2 && zeros * 64 >= units.len() && is_utf16_only(name, units);
    (mostly_latin || some_latin).then_some(name)
}

/// Returns whether the units are UTF-16, and their bytes are not UTF-8.
fn is_utf16_only(name: &str, units: &[[u8; 2]]) -> bool {
    let bytes = units.as_flattened();
    // The sample may end within a character.
    let is_utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let order = if name == "UTF-16LE" {
        u16::from_le_bytes
    } else {
        u16::from_be_bytes
    };
    let whole = &units[..units.len().saturating_sub(1)];
    !is_utf8 && char::decode_utf16(whole.iter().map(|&unit| order(unit))).all(|unit| unit.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    fn refused(head: &[u8]) -> Option<&'static str> {
        match check_encoding(head) {
            Err(LayoutError::NotUtf8 { encoding }) => Some(encoding),
            _ => None,
        }
    }

    #[test]
    fn utf_16_is_refused_by_name_with_or_without_a_mark() {
        for text in [
            "{\"text\":\"what a day\"}\n",
            "id,text\n1,素晴らしい一日\n",
            "素晴らしい一日でした 本当に\n今日はひどい雨 でした\n",
            "ab",
        ] {
            for mark in ["", "\u{feff}"] {
                let text = [mark, text].concat();
                assert_eq!(
                    refused(&encoded(&text, u16::to_le_bytes)),
                    Some("UTF-16LE"),
                    "{text}"
                );
                assert_eq!(
                    refused(&encoded(&text, u16::to_be_bytes)),
                    Some("UTF-16BE"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_utf_16_is_not_refused() {
        let stray = ["a post with a ", "zero\0 byte. ", &"and more. ".repeat(20)].concat();
        for head in [
            &b""[..],
            b"a",
            b"\0",
            b"{\"text\":\"what a day\"}\n",
            "素晴らしい一日".as_bytes(),
            b"caf\xe9 au lait, s'il vous pla\xeet\n",
            stray.as_bytes(),
            &[0; 64],
        ] {
            assert_eq!(refused(head), None, "{head:?}");
        }
    }
}
