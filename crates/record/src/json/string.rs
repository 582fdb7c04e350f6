//! Writing JSON strings.

/// Appends a JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    let bytes = value.as_bytes();
    let mut copied = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[copied..index]);
        copied = index + 1;
        write_escape(out, byte);
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: &str) -> String {
        let mut out = Vec::new();
        write_string(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_must_be_escaped_is_escaped() {
        assert_eq!(
            written("a\"b\\c/\n\r\t\u{8}\u{c}"),
            r#""a\"b\\c/\n\r\t\b\f""#
        );
        assert_eq!(written("\0\u{1f}"), r#""\u0000\u001f""#);
        assert_eq!(written("\u{7f}é\u{2028}😀"), "\"\u{7f}é\u{2028}😀\"");
    }

    proptest! {
        #[test]
        fn a_string_written_is_read_back(value: String) {
            prop_assert_eq!(serde_json::from_str::<String>(&written(&value)).unwrap(), value);
        }
    }
}
