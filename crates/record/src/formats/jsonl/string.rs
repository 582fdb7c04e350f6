//! Writing JSON strings.

/// How many bytes are looked at together: what fits a vector register of every 64-bit processor we know.
const LANES: usize = 16;

/// Appends a JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    let mut rest = value.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_len(rest));
        out.extend_from_slice(plain);
        let [byte, after @ ..] = special else { break };
        write_escape(out, *byte);
        rest = after;
    }
    out.push(b'"');
}

/// The bytes before the first that must be escaped.
fn plain_len(bytes: &[u8]) -> usize {
    let is_plain = |chunk: &&[u8]| chunk.iter().fold(0, |any, &byte| any | special(byte)) == 0;
    let len = LANES * bytes.chunks_exact(LANES).take_while(is_plain).count();
    let rest = &bytes[len..];
    let first = rest.iter().position(|&byte| special(byte) != 0);
    len + first.unwrap_or(rest.len())
}

/// 1 for a byte that must be escaped, else 0: a number, because branches would keep a chunk out of vector registers.
fn special(byte: u8) -> u8 {
    u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\')
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
