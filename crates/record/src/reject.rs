//! The rejects file: one line of JSON for each record that could not be read, from which the record can be restored.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::formats::{Format, write_string};

/// The format of the rejects file, whatever the inputs and the output have.
pub(crate) const FORMAT: Format = Format::Jsonl;

/// The bytes of a record in the rejects file.
#[derive(Clone, Copy, Debug)]
pub struct RejectedBytes<'a> {
    /// All bytes without the record's line end; or the first ones.
    pub bytes: &'a [u8],
    /// How many bytes the record has, if `bytes` are only the first ones.
    pub len: Option<u64>,
}

/// Appends one line of the rejects file:
/// `{"source":"a.csv","line":3,"offset":41,"reason":"…","raw":"…"}`. A record that is too long to be kept has
/// `"length":20000000,"excerpt":"…"` instead of `raw`.
///
/// `line` and `offset` state where in `source` the record begins; the line is left out if it is not known. A record
/// that is not UTF-8 is written as `raw_base64` or `excerpt_base64` (RFC 4648, padded).
///
/// ```
/// let mut out = Vec::new();
/// # use moodring_record::{RejectedBytes, write_reject};
/// let raw = RejectedBytes { bytes: b"n\xe9", len: None };
/// write_reject(&mut out, "a.csv", Some(3), 41, "bad UTF-8 at byte 2", raw);
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
    raw: RejectedBytes<'_>,
) {
    out.extend_from_slice(b"{\"source\":");
    write_string(out, source);
    if let Some(line) = line {
        out.extend_from_slice(format!(",\"line\":{line}").as_bytes());
    }
    out.extend_from_slice(format!(",\"offset\":{offset},\"reason\":").as_bytes());
    write_string(out, reason);
    let mut key = ",\"raw".to_owned();
    if let Some(len) = raw.len {
        key = format!(",\"length\":{len},\"excerpt");
    }
    out.extend_from_slice(key.as_bytes());
    if let Ok(text) = simdutf8::basic::from_utf8(raw.bytes) {
        out.extend_from_slice(b"\":");
        write_string(out, text);
    } else {
        out.extend_from_slice(b"_base64\":\"");
        out.extend_from_slice(STANDARD.encode(raw.bytes).as_bytes());
        out.push(b'"');
    }
    out.extend_from_slice(b"}\n");
}

/// Returns whether a line begins as a line of the rejects file does.
pub(crate) fn is_reject(line: &[u8]) -> bool {
    let has = |part: &[u8]| memchr::memmem::find(line, part).is_some();
    line.starts_with(b"{\"source\":\"") && has(b",\"offset\":") && has(b",\"reason\":\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn an_excerpt_is_not_taken_for_the_record() {
        let reject = |bytes| {
            let mut out = Vec::new();
            write_reject(
                &mut out,
                "a.csv",
                Some(3),
                41,
                "why",
                RejectedBytes {
                    bytes,
                    len: Some(99),
                },
            );
            String::from_utf8(out).unwrap()
        };
        let start = r#"{"source":"a.csv","line":3,"offset":41,"reason":"why","length":99,"#;
        assert_eq!(reject(b"abc"), format!("{start}\"excerpt\":\"abc\"}}\n"));
        assert_eq!(
            reject(b"n\xe9"),
            format!("{start}\"excerpt_base64\":\"buk=\"}}\n")
        );
    }

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
            write_reject(&mut out, &source, line, offset, &reason, RejectedBytes { bytes: &raw, len: None });
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
