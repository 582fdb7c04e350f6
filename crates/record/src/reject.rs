//! The rejects file: one line of JSON for each record that could not be read, from which it can be restored.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::json::write_string;

/// Appends one line of the rejects file:
/// `{"source":"a.csv","line":3,"offset":41,"reason":"…","raw":"…"}`.
///
/// `line` and `offset` say where in `source` the record begins; the line is left out where it is not known. A record
/// that is not UTF-8 stands as `raw_base64` (RFC 4648, padded).
///
/// ```
/// let mut out = Vec::new();
/// moodring_record::write_reject(&mut out, "a.csv", Some(3), 41, "bad UTF-8 at byte 2", b"n\xe9");
/// assert_eq!(
///     out,
///     br#"{"source":"a.csv","line":3,"offset":41,"reason":"bad UTF-8 at byte 2","raw_base64":"buk="}
/// "#
/// );
/// ```
pub fn write_reject(
    out: &mut Vec<u8>,
    source: &str,
    line: Option<u64>,
    offset: u64,
    reason: &str,
    raw: &[u8],
) {
    out.extend_from_slice(b"{\"source\":");
    write_string(out, source);
    if let Some(line) = line {
        out.extend_from_slice(format!(",\"line\":{line}").as_bytes());
    }
    out.extend_from_slice(format!(",\"offset\":{offset},\"reason\":").as_bytes());
    write_string(out, reason);
    if let Ok(raw) = simdutf8::basic::from_utf8(raw) {
        out.extend_from_slice(b",\"raw\":");
        write_string(out, raw);
    } else {
        out.extend_from_slice(b",\"raw_base64\":\"");
        out.extend_from_slice(STANDARD.encode(raw).as_bytes());
        out.push(b'"');
    }
    out.extend_from_slice(b"}\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    proptest! {
        #[test]
        fn a_reject_is_json_that_restores_the_record(
            source: String,
            line: Option<u64>,
            offset: u64,
            reason: String,
            raw in prop_oneof![any::<Vec<u8>>(), any::<String>().prop_map(String::into_bytes)],
        ) {
            let mut out = Vec::new();
            write_reject(&mut out, &source, line, offset, &reason, &raw);
            prop_assert_eq!(memchr::memchr(b'\n', &out), Some(out.len() - 1));

            let reject: Value = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(reject["source"].as_str(), Some(&*source));
            prop_assert_eq!(reject.get("line").and_then(Value::as_u64), line);
            prop_assert_eq!(reject["offset"].as_u64(), Some(offset));
            prop_assert_eq!(reject["reason"].as_str(), Some(&*reason));
            let restored = match reject.get("raw") {
                Some(raw) => raw.as_str().unwrap().as_bytes().to_vec(),
                None => STANDARD.decode(reject["raw_base64"].as_str().unwrap()).unwrap(),
            };
            prop_assert_eq!(restored, raw);
        }
    }
}
