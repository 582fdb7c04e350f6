//! Splits the body of a request into records: JSON values, each on a line of its own.
//!
//! A value is parsed only as far as needed to find its end. The workers decide whether it is a valid post.

use memchr::memchr_iter;
use thiserror::Error;

/// The declared format of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// One JSON value; the elements of an array are records.
    Json,
    /// A JSON value on each line.
    Lines,
    /// Undeclared: detected from the body.
    Unknown,
}

/// The records of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Records {
    /// JSON lines.
    pub(super) bytes: Vec<u8>,
    /// The number of records.
    pub(super) count: u32,
}

/// Why a body has no records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum BadBody {
    #[error("the body has no post")]
    Empty,
    #[error(
        "the body is not JSON: a value does not end, or is followed by something else than `,` or `]`"
    )]
    NotJson,
}

/// Finds the records of a body. An object that spans several lines is one record.
pub(super) fn records(body: &[u8], content: Content) -> Result<Records, BadBody> {
    let body = body.trim_ascii();
    if body.is_empty() {
        return Err(BadBody::Empty);
    }
    let is_value = match content {
        Content::Json => true,
        Content::Lines => false,
        Content::Unknown => is_one_value(body),
    };
    let records = if !is_value {
        lines(body)
    } else if body[0] == b'[' {
        elements(body)?
    } else if value_len(body) == Some(body.len()) {
        let mut bytes = Vec::with_capacity(body.len() + 1);
        push_line(&mut bytes, body);
        Records { bytes, count: 1 }
    } else {
        return Err(BadBody::NotJson);
    };
    if records.count == 0 {
        return Err(BadBody::Empty);
    }
    Ok(records)
}

/// Whether a body is one array, or one object over several lines, rather than JSON lines.
fn is_one_value(body: &[u8]) -> bool {
    body[0] == b'[' || (body[0] == b'{' && value_len(body) == Some(body.len()))
}

fn lines(body: &[u8]) -> Records {
    let mut bytes = Vec::with_capacity(body.len() + 1);
    bytes.extend_from_slice(body);
    bytes.push(b'\n');
    let mut start = 0;
    let mut count = 0;
    for end in memchr_iter(b'\n', &bytes) {
        count += u32::from(!bytes[start..end].trim_ascii().is_empty());
        start = end + 1;
    }
    Records { bytes, count }
}

/// Returns the elements of an array, each on a line.
fn elements(body: &[u8]) -> Result<Records, BadBody> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut count = 0;
    let mut rest = body[1..].trim_ascii_start();
    if rest == b"]" {
        return Err(BadBody::Empty);
    }
    loop {
        let len = value_len(rest).ok_or(BadBody::NotJson)?;
        push_line(&mut bytes, &rest[..len]);
        count += 1;
        rest = rest[len..].trim_ascii_start();
        match rest.split_first() {
            Some((b',', after)) => rest = after.trim_ascii_start(),
            Some((b']', [])) => return Ok(Records { bytes, count }),
            _ => return Err(BadBody::NotJson),
        }
    }
}

/// Returns the length of the JSON value at the start of the text, by matching brackets and strings; `None` if it does
/// not end.
fn value_len(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => at += string_len(&text[at..])? - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                // The end of the enclosing array or object.
                if depth == 0 {
                    return (at > 0).then_some(at);
                }
                depth -= 1;
            }
            b',' if depth == 0 => return (at > 0).then_some(at),
            _ => {}
        }
        at += 1;
        let is_closed = matches!(byte, b'}' | b']' | b'"');
        if depth == 0 && is_closed {
            return Some(at);
        }
    }
    (depth == 0 && at > 0).then_some(at)
}

/// Returns the length of the string at the start of the text, including its quotes.
fn string_len(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Appends a value as a line. Line ends in it become spaces: between tokens both are whitespace, and in
/// strings JSON does not allow line ends.
fn push_line(bytes: &mut Vec<u8>, value: &[u8]) {
    let start = bytes.len();
    bytes.extend_from_slice(value.trim_ascii_end());
    for byte in &mut bytes[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(body: &str, content: Content) -> Result<String, BadBody> {
        let records = records(body.as_bytes(), content)?;
        let text = String::from_utf8(records.bytes).unwrap();
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        assert_eq!(lines, records.count as usize);
        Ok(text)
    }

    #[test]
    fn lines_arrays_and_single_objects_become_lines() {
        use Content::{Json, Lines, Unknown};
        for (body, content, expected) in [
            ("{\"a\":1}\n{\"a\":2}", Lines, "{\"a\":1}\n{\"a\":2}\n"),
            ("{\"a\":1}\n{\"a\":2}\n", Unknown, "{\"a\":1}\n{\"a\":2}\n"),
            ("{\"a\":1}", Unknown, "{\"a\":1}\n"),
            ("{\n \"a\": [1,\r\n2]\n}", Unknown, "{  \"a\": [1,  2] }\n"),
            (
                "[{\"a\":\"]\\\"}\"} , {\"a\":{}}]",
                Unknown,
                "{\"a\":\"]\\\"}\"}\n{\"a\":{}}\n",
            ),
            ("[1, \"x,]\", null]", Json, "1\n\"x,]\"\nnull\n"),
            ("{\"a\":1}", Json, "{\"a\":1}\n"),
            // A line that is broken spoils no other.
            ("{\"a\":\n{\"a\":2}", Unknown, "{\"a\":\n{\"a\":2}\n"),
        ] {
            assert_eq!(split(body, content).as_deref(), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_whole() {
        for body in [
            "[{\"a\":1}",
            "[{\"a\":1},]",
            "[{\"a\":1}{\"a\":2}]",
            "[1]x",
            "[\"a]",
            "[,1]",
            "[{]}",
        ] {
            assert_eq!(
                split(body, Content::Unknown),
                Err(BadBody::NotJson),
                "{body}"
            );
        }
        for body in ["", " \n", "[]", "[ ]"] {
            assert_eq!(split(body, Content::Unknown), Err(BadBody::Empty), "{body}");
        }
        assert_eq!(split("{} {}", Content::Json), Err(BadBody::NotJson));
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(serde_json::Value::from),
            "\\PC{0,9}|[\\[\\]{},\"\\\\\n]{0,6}".prop_map(serde_json::Value::from),
            Just(serde_json::Value::Null),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::vec(("\\PC{0,4}", inner), 0..4)
                    .prop_map(serde_json::Value::from_iter),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_element_of_an_array_is_a_record(
            values in prop::collection::vec(value(), 1..8),
            is_pretty in any::<bool>(),
        ) {
            let write = if is_pretty { serde_json::to_string_pretty } else { serde_json::to_string };
            let body = write(&values).unwrap();
            let text = split(&body, Content::Unknown).unwrap();
            let found: Vec<serde_json::Value> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            prop_assert_eq!(found, values);
        }

        #[test]
        fn no_body_makes_it_panic(body in "[\\[\\]{},\":\\\\a1 \n]{0,40}", is_json in any::<bool>()) {
            let _ = split(&body, if is_json { Content::Json } else { Content::Unknown });
        }
    }
}
