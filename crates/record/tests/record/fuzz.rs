//! Mutated sources: what JSON is taken for JSON, and that the cuts make no difference.

mod json;

use std::collections::BTreeSet;

use moodring_fuzz::{Dice, Fuzz};
use moodring_record::{
    FieldNames, Format, Layout, Quoting, RejectedBytes, Renderer, SplitMode, added_names,
    write_reject,
};
use serde_json::Value;

use crate::shards::{cut_ranges, cut_stream, walk_shards};
use crate::{Told, Walk, body, models, names, walk};
use json::{Verdict, judge, strictly};

const LINES: &[&str] = &[
    r#"{"id":7,"text":"what a day"}"#,
    r#"{"text":"\u00e9 \"\ud83d\ude00\"\n\/\b","id":"a\u0062","vader":{"x":[1,2]},"sentiment":null}"#,
    r#" { "text" : "a" , "n" : -0.0e+12 , "deep" : [[{"a":[true,false,null]}]], "text":"b" } "#,
    r#"{"a":{"b":"x","text":1},"text":"","id":12345678901234567890123,"big":1e400}"#,
    r#"{"text":"NaN follows","n":NaN,"m":[Infinity,-Infinity]}"#,
    r#"{"text":"\ud83d alone","other":"\udc00\ud800"}"#,
    r#"{"v\u0061der":1,"text":"é🙂","\u0000":"","sentiment":"x"}"#,
    r#"{"text":null}"#,
    r"[1,2]",
    r"{}",
];

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\\"",
    "\\u0000",
    "\\ud83d",
    "\\udc00",
    "\\ude00",
    "\\u12",
    "\\x",
    "true",
    "false",
    "null",
    "NaN",
    "Infinity",
    "-Infinity",
    "-",
    "-0",
    "0",
    "01",
    "1.",
    ".5",
    "1e5",
    "1E-400",
    "1e999",
    "\"text\":",
    "\"id\":",
    "\"vader\":",
    "\"sentiment\":",
    "\"text\":\"",
    "{\"a\":",
    "[[[[[[[[",
    "\u{feff}",
    "\u{a0}",
    "\u{7f}",
    "é",
    "\r",
    "\t",
    " ",
];

/// The scores that every post gets in these tests.
const SCORES: &str = r#"{"vader":{"pos":0.25,"compound":-0.5},"sentiment":"negative"}"#;

fn read(format: Format, quoting: Quoting, fields: &FieldNames, source: &[u8]) -> Option<Layout> {
    Layout::detect(
        format,
        quoting,
        fields,
        &added_names(Format::Jsonl, &models()),
        source,
        true,
    )
    .ok()
}

/// Checks what became of one line of JSON against an independent reading of it.
fn check_json(layout: &Layout, renderer: &Renderer, line: &[u8]) -> (Verdict, usize, usize) {
    // A line holds no line ends, and one of nothing but blanks is no record.
    let line: Vec<u8> = line
        .iter()
        .map(|&byte| if byte == b'\n' { b' ' } else { byte })
        .collect();
    let told = walk(layout, renderer, &[&line, &b"\n"[..]].concat(), 0, 0).told;
    assert!(told.len() <= 1);
    let Some(told) = told.into_iter().next() else {
        assert!(
            line.iter().all(|byte| b" \t\r".contains(byte)),
            "a line was lost"
        );
        return (Verdict::No, 0, 0);
    };
    assert_eq!((told.offset, told.line), (0, 0));
    assert_eq!(told.raw, line.strip_suffix(b"\r").unwrap_or(&line));
    let verdict = judge(&line);
    // Python has no limit on numbers that serde_json has, so what it refuses may still be JSON.
    let parsed = strictly(&line).and_then(|line| serde_json::from_slice::<Value>(&line).ok());
    if serde_json::from_slice::<Value>(&line).is_ok() {
        assert_eq!(verdict, Verdict::Strict, "the judge errs");
    }
    let text = parsed
        .as_ref()
        .and_then(|value| value.get("text")?.as_str());
    match &told.record {
        Ok(scored) => {
            assert_ne!(verdict, Verdict::No, "what is no JSON was accepted");
            let output = scored.rendered.strip_suffix(b"\n").expect("it is a line");
            assert!(!output.contains(&b'\n'));
            // What is no strict JSON may have been in a member that the scores replace.
            match judge(output) {
                Verdict::Strict => {}
                other => assert_eq!(other, verdict, "{}", output.escape_ascii()),
            }
            if let Some(value) = &parsed {
                assert_eq!(Some(&*scored.text), text);
                check_members(value, output);
            }
            (
                verdict,
                scored.text.len().min(8),
                output.len() - line.len().min(output.len()),
            )
        }
        Err(reason) => {
            assert_eq!(text, None, "a good line was rejected: {reason}");
            let mut reject = Vec::new();
            let raw = RejectedBytes {
                bytes: &told.raw,
                len: told.len,
            };
            write_reject(&mut reject, "a", Some(1), 0, reason, raw);
            assert_eq!(judge(reject.strip_suffix(b"\n").unwrap()), Verdict::Strict);
            (verdict, 100 + reason.len(), 0)
        }
    }
}

/// Checks that all members are there still, but for those that the scores replace.
fn check_members(before: &Value, output: &[u8]) {
    let mut value = before.clone();
    let scores: Value = serde_json::from_str(SCORES).unwrap();
    let members = value.as_object_mut().expect("it has a text");
    for (name, score) in scores.as_object().unwrap() {
        members.remove(name);
        members.insert(name.clone(), score.clone());
    }
    let again = strictly(output).expect("what is rendered is JSON");
    let again: Value = serde_json::from_slice(&again).expect("what is rendered is JSON");
    assert_eq!(again, value, "{}", output.escape_ascii());
}

#[test]
fn a_line_of_json_is_read_as_others_read_it_and_keeps_its_members() {
    let layout = read(
        Format::Jsonl,
        Quoting::Auto,
        &names("text", Some("id")),
        b"",
    )
    .unwrap();
    let renderer = Renderer::new(Format::Jsonl, &layout, &models());
    Fuzz::new(LINES, TOKENS).run(|line| check_json(&layout, &renderer, line));
}

/// Sources for the framing, each after three bytes that say how it is read and cut.
const SOURCES: &[&[u8]] = &[
    b"\0\x05\x01id,text\n1,\"a \"\"b\"\"\nc\"\n2,d\r\n\r\n3,\"e\",f\n4,\"never closed\n5,g\n",
    b"\x01\x10\x02id\ttext\n1\t\"two\nlines\"\n2\t\"Great\" film\n3\t\"open\n4\tx\n",
    b"\x02\x03\x03\xef\xbb\xbf{\"id\":1,\"text\":\"a\"}\r\n\n{\"text\":\"\xff\"}\n{}\n \n{\"text\":1}",
    b"\x03\x09\x04one\n\r\ntwo\r\n\nthree\rfour\xff\n",
    b"\x04\x07\x05\n\n\"te\"\"xt\",text,\"id\n\"\n,\"\",\n\"\"\"\",\"a\"b,\"c\n\"\nx\n",
];

const FRAMING: &[&[u8]] = &[
    b"\"",
    b"\"\"",
    b",\"",
    b"\",",
    b"\n\"",
    b"\"\n",
    b"\r\n",
    b"\n\n",
    b"\r",
    b"\t",
    b",",
    b"\"\t\"",
    b"\"x",
    b"\"\"\"",
    b"\xef\xbb\xbf",
    b"{\"text\":\"",
    b"\"}\n",
    b"\xff",
    b"id,text\n",
];

/// What the first byte of a source says of it.
fn reading(byte: u8) -> (Format, Quoting) {
    let format = [Format::Csv, Format::Tsv, Format::Jsonl, Format::Text][usize::from(byte % 4)];
    let quoting = [Quoting::Auto, Quoting::Rfc4180, Quoting::None][usize::from(byte / 4 % 3)];
    (format, quoting)
}

/// Reads a source whole and in shards, and compares.
fn check_cuts(input: &[u8]) -> (bool, usize, BTreeSet<String>) {
    let [how, size, seed, source @ ..] = input else {
        return (false, 0, BTreeSet::new());
    };
    let (format, quoting) = reading(*how);
    let fields = FieldNames {
        time: Some("text".into()),
        ..names("text", Some("id"))
    };
    let Some(layout) = read(format, quoting, &fields, source) else {
        return (false, 1, BTreeSet::new());
    };
    let renderer = Renderer::new(Format::Jsonl, &layout, &models());
    let body = body(&layout, source);
    let whole = walk(&layout, &renderer, body, 0, 0);
    check_whole(&whole, body);

    let mut dice = Dice::new(u64::from(*seed));
    let mut lengths = |most| (0..4).map(|_| 1 + dice.below(most)).collect::<Vec<_>>();
    let ends = cut_stream(&layout, body, &lengths(40), &lengths(80));
    assert_eq!(
        walk_shards(&layout, &renderer, body, &ends),
        whole,
        "cut at {ends:?}"
    );
    if layout.split_mode() == SplitMode::Lines {
        let ends = cut_ranges(body, 1 + usize::from(*size));
        assert_eq!(
            walk_shards(&layout, &renderer, body, &ends),
            whole,
            "cut at {ends:?}"
        );
    }
    let reasons = whole
        .told
        .iter()
        .filter_map(|told| told.record.as_ref().err());
    // Without its scores a reason is of one kind.
    let kinds = reasons
        .map(|reason| reason.replace(|c: char| c.is_ascii_digit(), ""))
        .collect();
    (
        layout.split_mode() == SplitMode::Lines,
        whole.told.len().min(6),
        kinds,
    )
}

/// Checks that records and rejects lie one after the other in the source, with nothing but line ends between them.
fn check_whole(whole: &Walk, body: &[u8]) {
    let mut at = 0;
    for Told { offset, raw, .. } in &whole.told {
        let start = usize::try_from(*offset).unwrap();
        let between = body.get(at..start).expect("records do not overlap");
        assert!(
            between.iter().all(|byte| b"\r\n \t".contains(byte)),
            "bytes were lost: {}",
            between.escape_ascii()
        );
        assert!(body[start..].starts_with(raw));
        at = start + raw.len();
    }
    assert!(
        body[at..].iter().all(|byte| b"\r\n \t".contains(byte)),
        "the end was lost"
    );
    assert_eq!(
        whole.lines,
        body.split_inclusive(|&byte| byte == b'\n').count() as u64
    );
}

#[test]
fn records_and_rejects_do_not_depend_on_the_cuts() {
    Fuzz::new(SOURCES, FRAMING).run(check_cuts);
}
