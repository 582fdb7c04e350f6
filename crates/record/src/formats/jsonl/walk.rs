//! Checks one line of JSON and finds the requested fields in it.
//!
//! sonic-rs reads the tokens (strings, numbers, literals, white space), many bytes at a time; the grammar between them is
//! here. sonic-rs has faster ways to walk an object, but they are unsafe for input that nobody has checked: they accept
//! `"\u12"` as a string, recurse once per bracket until the stack overflows, and ignore what follows the object. Here a
//! string is always decoded (borrowed where there is nothing to decode), nesting is a counter with a limit, and the line
//! must end where the object does.
//!
//! Two things that are not JSON are accepted, because Python's `json.dumps` writes them by default: the numbers `NaN`,
//! `Infinity` and `-Infinity`, and an escape of half a surrogate pair, which reads as U+FFFD.

use sonic_rs::Read;
use sonic_rs::parser::Parser;

use super::json_lines::{JsonLines, Routes};
use super::object::{Object, Value};
use crate::reject_reason::RejectReason;
use crate::span::Span;

/// The deepest nesting of objects and arrays; `serde_json` has about the same limit.
const MAX_DEPTH: usize = 128;

/// Reads a line, which must be one JSON object and nothing else, into `object`.
pub(super) fn read(lines: &JsonLines, object: &mut Object, line: &str) -> Result<(), RejectReason> {
    object.clear(lines);
    Walk {
        bytes: line.as_bytes(),
        // Lossy: half a surrogate pair decodes to U+FFFD.
        parser: Parser::new(Read::from(line)).utf8_lossy(),
        lines,
        object,
    }
    .line()
}

/// One pass over a line.
struct Walk<'w, 'l> {
    bytes: &'l [u8],
    parser: Parser<Read<'l>>,
    lines: &'w JsonLines,
    object: &'w mut Object,
}

impl Walk<'_, '_> {
    fn line(&mut self) -> Result<(), RejectReason> {
        if self.parser.skip_space() != Some(b'{') {
            return Err(RejectReason::NotAnObject);
        }
        let start = self.parser.offset() - 1;
        self.members(0, self.lines.all())?;
        self.object.span = Span::new(start, self.parser.offset());
        match self.parser.skip_space() {
            Some(_) => Err(self.bad("something follows the object")),
            None => Ok(()),
        }
    }

    /// Reads the members of an object whose brace was just passed, `depth` objects down the `live` routes. Recurses at
    /// most once per dot in the name of a field.
    fn members(&mut self, depth: usize, live: Routes) -> Result<(), RejectReason> {
        if depth == MAX_DEPTH {
            return Err(self.too_deep());
        }
        let notes_others = self.lines.notes_others && depth == 0;
        let mut comma = None;
        loop {
            match self.token()? {
                b'"' => {}
                b'}' if comma.is_none() => return Ok(()),
                _ => return Err(self.bad("a key in quotes should stand here")),
            }
            let key = self.parser.offset() - 1;
            let (routes, replaced) = self.key(depth, live)?;
            if notes_others && routes == 0 && !replaced {
                self.other_value(key)?;
            } else {
                self.value(depth, routes)?;
            }
            if depth == 0 {
                self.object
                    .members
                    .push(replaced, comma, key, self.parser.offset());
            }
            match self.token()? {
                b'}' => return Ok(()),
                b',' => comma = Some(self.parser.offset() - 1),
                _ => return Err(self.bad("a comma or a closing brace should stand here")),
            }
        }
    }

    /// Reads a key and its colon. Returns which of the `live` routes continue here, and whether a score replaces the
    /// member.
    fn key(&mut self, depth: usize, live: Routes) -> Result<(Routes, bool), RejectReason> {
        let key = self
            .parser
            .parse_str(&mut self.object.decoded)
            .map_err(reason_of)?;
        let routes = match live {
            0 => 0,
            live => self.lines.matching(live, |route| {
                route.keys.get(depth).is_some_and(|name| **name == *key)
            }),
        };
        let replaced = depth == 0 && self.lines.added.iter().any(|name| **name == *key);
        if replaced && self.lines.keeps_fields {
            return Err(RejectReason::FieldTaken {
                name: key.to_string(),
            });
        }
        self.colon()?;
        Ok((routes, replaced))
    }

    fn colon(&mut self) -> Result<(), RejectReason> {
        match self.token()? {
            b':' => Ok(()),
            _ => Err(self.bad("a colon should stand here")),
        }
    }

    /// Reads a value, and stores it for those of `routes` that end here. Of equal keys the last wins, as in Python and
    /// serde.
    fn value(&mut self, depth: usize, routes: Routes) -> Result<(), RejectReason> {
        let token = self.token()?;
        if routes == 0 {
            return match token {
                b'{' | b'[' => self.nested(token, depth),
                _ => self.scalar(token),
            };
        }
        let ending = self
            .lines
            .matching(routes, |route| route.keys.len() == depth + 1);
        let continuing = routes & !ending;
        self.object.set(routes, Value::Absent);
        let start = self.parser.offset() - 1;
        let kind = match token {
            b'"' => {
                let value = self.string(start, ending)?;
                self.object.set(ending, value);
                return Ok(());
            }
            b'{' if continuing != 0 => {
                self.members(depth + 1, continuing)?;
                Some("an object")
            }
            b'{' | b'[' => {
                self.nested(token, depth)?;
                Some(if token == b'{' {
                    "an object"
                } else {
                    "an array"
                })
            }
            _ => {
                self.scalar(token)?;
                match token {
                    b'n' => Some("null"),
                    b't' | b'f' => Some("a boolean"),
                    _ => None,
                }
            }
        };
        let span = Span::new(start, self.parser.offset());
        let value = kind.map_or(Value::Number(span), |kind| Value::Other(kind, span));
        self.object.set(ending, value);
        Ok(())
    }

    /// Reads a value that is not requested, of the top-level field whose key begins at `key` with a quote. The colon behind
    /// the key was just passed. Notes the first field that holds a single value.
    #[inline(never)]
    fn other_value(&mut self, key: usize) -> Result<(), RejectReason> {
        let colon = self.parser.offset() - 1;
        let token = self.token()?;
        if self.object.other.is_none() && !matches!(token, b'{' | b'[' | b'n') {
            let end = self.bytes[..colon].trim_ascii_end().len();
            self.object.other = Some(Span::new(key + 1, end - 1));
        }
        match token {
            b'{' | b'[' => self.nested(token, 0),
            _ => self.scalar(token),
        }
    }

    /// Reads the string whose opening quote is at `start`, for `routes`.
    fn string(&mut self, start: usize, routes: Routes) -> Result<Value, RejectReason> {
        let text = self
            .parser
            .parse_str(&mut self.object.decoded)
            .map_err(reason_of)?;
        let end = self.parser.offset();
        // Every escape is longer than what it stands for.
        if text.len() == end - start - 2 {
            return Ok(Value::Plain(Span::new(start + 1, end - 1)));
        }
        for (index, slot) in self.object.slots.iter_mut().enumerate() {
            if routes >> index & 1 == 1 {
                slot.decoded.clear();
                slot.decoded.push_str(&text);
            }
        }
        Ok(Value::Decoded)
    }

    /// Reads the rest of an array or object in which no field is requested, `depth` objects below the first.
    fn nested(&mut self, open: u8, depth: usize) -> Result<(), RejectReason> {
        let around = depth + 1;
        let mut nest = Nest {
            objects: 0,
            depth: around,
        };
        nest.push(open).ok_or_else(|| self.too_deep())?;
        let mut fresh = true;
        while nest.depth > around {
            let mut token = self.token()?;
            if token == nest.closing() {
                nest.pop();
                fresh = false;
                continue;
            }
            if !fresh {
                if token != b',' {
                    return Err(self.bad("a comma or a closing bracket should stand here"));
                }
                token = self.token()?;
            }
            if nest.in_object() {
                if token != b'"' {
                    return Err(self.bad("a key in quotes should stand here"));
                }
                self.scalar(token)?;
                self.colon()?;
                token = self.token()?;
            }
            fresh = matches!(token, b'{' | b'[');
            if fresh {
                nest.push(token).ok_or_else(|| self.too_deep())?;
            } else {
                self.scalar(token)?;
            }
        }
        Ok(())
    }

    /// Reads the rest of a string, number or literal.
    fn scalar(&mut self, token: u8) -> Result<(), RejectReason> {
        match token {
            b'"' => self.parser.parse_str(&mut self.object.decoded).map(drop),
            b'-' if self.bytes.get(self.parser.offset()) == Some(&b'I') => {
                self.parser.parse_literal("Infinity")
            }
            b'-' | b'0'..=b'9' => self.parser.skip_number(token).map(drop),
            b'N' => self.parser.parse_literal("aN"),
            b'I' => self.parser.parse_literal("nfinity"),
            b't' => self.parser.parse_literal("rue"),
            b'f' => self.parser.parse_literal("alse"),
            b'n' => self.parser.parse_literal("ull"),
            _ => return Err(self.bad("a value should stand here")),
        }
        .map_err(reason_of)
    }

    /// Returns the next byte that is not white space.
    #[inline]
    fn token(&mut self) -> Result<u8, RejectReason> {
        self.next_token()
            .ok_or_else(|| self.bad("the line ends too early"))
    }

    /// The same, without a reason. Called for each token: an option of a byte is returned in registers, a result with a
    /// reason through memory.
    #[inline(never)]
    fn next_token(&mut self) -> Option<u8> {
        self.parser.skip_space()
    }

    #[cold]
    fn bad(&self, what: &str) -> RejectReason {
        RejectReason::BadJson {
            column: self.parser.offset(),
            what: what.to_owned(),
        }
    }

    #[cold]
    fn too_deep(&self) -> RejectReason {
        self.bad("arrays and objects nest more than 128 deep")
    }
}

/// The containers that are open.
struct Nest {
    /// One bit for each, the innermost last: whether it is an object.
    objects: u128,
    depth: usize,
}

impl Nest {
    /// Opens one more, unless the nesting would be too deep.
    fn push(&mut self, open: u8) -> Option<()> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(open == b'{');
        Some(())
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
    }

    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    fn closing(&self) -> u8 {
        if self.in_object() { b'}' } else { b']' }
    }
}

/// Returns the reason that sonic-rs gives, without its excerpt of the line.
#[cold]
#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn reason_of(error: sonic_rs::Error) -> RejectReason {
    let shown = error.to_string();
    let what = shown.split(" at line ").next().unwrap_or_default();
    let what = if error.is_eof() {
        "the line ends too early"
    } else {
        what
    };
    RejectReason::BadJson {
        column: error.offset() + 1,
        what: what.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::columns::FieldNames;

    fn read(line: &str) -> Result<(), RejectReason> {
        let names = FieldNames {
            text: "text".into(),
            ..FieldNames::default()
        };
        super::read(&JsonLines::new(&names, &[]), &mut Object::default(), line)
    }

    fn nested(brackets: usize) -> String {
        format!("{{\"a\":{}{}}}", "[".repeat(brackets), "]".repeat(brackets))
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        let strings = [
            r#""\u12""#,
            r#""\u12g4""#,
            r#""\u""#,
            r#""\x""#,
            r#""\ud800\u12""#,
            r#""\ud800\x""#,
            r#""\ud800"#,
            "\"\u{1}\"",
            "\"\t\"",
            "\"a",
            "\"a\\",
        ];
        let numbers = [
            "01",
            "-",
            "+1",
            ".5",
            "1.",
            "1e",
            "1e+",
            "--1",
            "1.5.5",
            "0x10",
            "Nan",
            "NaN0",
            "nan",
            "-NaN",
            "+Infinity",
            "- Infinity",
            "Infinit",
            "-Inf",
            "1_000",
        ];
        let words = ["tru", "nul", "True", "None", "undefined", "'a'", "a", ""];
        let brackets = [
            "[",
            "]",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{",
            "{\"b\"",
            "{\"b\":",
            "{\"b\":1",
            "{\"b\":1,}",
            "{\"b\" 1}",
            "{b:1}",
            "{1:1}",
            "{,}",
            "[}",
            "{]",
            "[1}",
        ];
        let too_much = [
            "1,",
            "1,,\"b\":2",
            "1 2",
            "1}",
            "1} {",
            "1}x",
            "1,\"b\"",
            "1,2",
        ];
        for value in [&strings[..], &numbers, &words, &brackets, &too_much].concat() {
            let line = format!("{{\"a\":{value}}}");
            assert!(
                serde_json::from_str::<serde_json::Value>(&line).is_err(),
                "{line}"
            );
            assert!(
                matches!(read(&line), Err(RejectReason::BadJson { .. })),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_json_is_read() {
        for value in [
            "0",
            "-0",
            "-0.0e-0",
            "1E400",
            "123456789012345678901234567890",
            "1.5e+10",
            "true",
            "false",
            "null",
            "[]",
            "{}",
            "[[],{}]",
            " [ 1 , { \"b\" : [ ] } ] ",
            r#""""#,
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\ud83d\ude00""#,
            r#""\u0000""#,
            "\"\u{7f}\u{2028}é😀\"",
        ] {
            assert_eq!(read(&format!("{{\"a\":{value}}}")), Ok(()), "{value}");
            assert_eq!(
                read(&format!(" {{ \"a\" : {value} , \"b\" : [{value}] }}\t")),
                Ok(()),
                "{value}"
            );
        }
        assert_eq!(read("{}"), Ok(()));
    }

    #[test]
    fn what_python_writes_beyond_json_is_read() {
        for value in [
            "NaN",
            "Infinity",
            "-Infinity",
            "[NaN, -Infinity]",
            r#""\ud800""#,
            r#""\udc00x""#,
        ] {
            assert_eq!(read(&format!("{{\"a\":{value}}}")), Ok(()), "{value}");
            assert_eq!(
                read(&format!("{{\"a\" : [{value}] , \"b\":{value} }}")),
                Ok(()),
                "{value}"
            );
        }
    }

    #[test]
    fn half_a_surrogate_pair_reads_as_a_replacement_character() {
        for (escaped, text) in [
            (r"\ud83d", "\u{fffd}"),
            (r"a\udc00b", "a\u{fffd}b"),
            (r"\ud800\u0041", "\u{fffd}A"),
            (r"\ud800\ud83d\ude00", "\u{fffd}😀"),
            (r"\ud800\n", "\u{fffd}\n"),
            (r"\ud800\\", "\u{fffd}\\"),
            (
                r"\ude00\ud83d tail that is longer than a vector",
                "\u{fffd}\u{fffd} tail that is longer than a vector",
            ),
        ] {
            let names = FieldNames {
                text: "text".into(),
                ..FieldNames::default()
            };
            let lines = JsonLines::new(&names, &[]);
            let mut object = Object::default();
            let line = format!("{{\"text\":\"{escaped}\"}}");
            super::read(&lines, &mut object, &line).unwrap();
            assert_eq!(object.text(&lines, &line).unwrap(), text, "{line}");
        }
    }

    #[test]
    fn a_line_is_an_object() {
        for line in ["[]", "1", "\"a\"", "null", "hello", "[{}]"] {
            assert_eq!(read(line), Err(RejectReason::NotAnObject), "{line}");
        }
    }

    #[test]
    fn the_place_of_a_fault_is_told() {
        let told = |line| read(line).unwrap_err().to_string();
        assert_eq!(
            told(r#"{"a":1 "b":2}"#),
            "bad JSON at byte 8: a comma or a closing brace should stand here"
        );
        assert_eq!(
            told(r#"{"a":"\x"}"#),
            "bad JSON at byte 8: invalid escape chars"
        );
        assert_eq!(
            told(r#"{"a":"#),
            "bad JSON at byte 5: the line ends too early"
        );
    }

    #[test]
    fn brackets_may_nest_128_deep() {
        assert_eq!(read(&nested(127)), Ok(()));
        assert!(
            read(&nested(128))
                .unwrap_err()
                .to_string()
                .ends_with("nest more than 128 deep")
        );
        assert!(read(&nested(1 << 20)).is_err());
        assert!(read(&"{\"a\":".repeat(1 << 18)).is_err());
    }

    /// Pieces that make many lines of nearly JSON.
    const PIECE: &str = r#"[\[\]{}:,"]|"a"|"\\u00e9"|"\\ud83d\\ude00"|\\u[0-9d]{2,4}|"\\ud[8-9d][0-9]{2}|-?[0-9.eE+]{1,4}|true|null| |\\|"a":"#;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn what_serde_rejects_is_malformed(pieces in prop::collection::vec(PIECE, 0..8)) {
            let line = format!("{{\"a\":{}}}", pieces.concat());
            // Ignores values, so that neither half a surrogate pair nor a number too large for a double counts.
            match serde_json::from_str::<serde::de::IgnoredAny>(&line) {
                Ok(_) => prop_assert_eq!(read(&line), Ok(()), "{}", line),
                Err(_) => prop_assert!(read(&line).is_err(), "{}", line),
            }
        }
    }
}
