//! What a reader finds in its records.

use moodring_record::Format::{Csv, Jsonl, Text, Tsv};
use moodring_record::{FieldNames, Format, Layout, LayoutError, Quoting, Reader, ValuesOf};

use crate::{Told, Walk, body, layout_of, names, walk_all};

fn texts(format: Format, name: &str, source: &str) -> Vec<Result<String, String>> {
    let walk = walk_all(format, &names(name, None), source);
    walk.told
        .into_iter()
        .map(|told| told.record.map(|scored| scored.text))
        .collect()
}

fn good(texts: &[&str]) -> Vec<Result<String, String>> {
    texts.iter().map(|&text| Ok(text.to_owned())).collect()
}

fn bad(reason: &str) -> Vec<Result<String, String>> {
    vec![Err(reason.to_owned())]
}

fn places(walk: &Walk) -> Vec<(u64, u64)> {
    walk.told
        .iter()
        .map(|Told { offset, line, .. }| (*offset, *line))
        .collect()
}

#[test]
fn a_line_ends_at_a_newline_with_or_without_carriage_return() {
    assert_eq!(
        texts(Text, "text", "a\nb\r\nc\rd"),
        good(&["a", "b", "c\rd"])
    );
    assert_eq!(
        texts(Jsonl, "text", "{\"text\":\"a\"}\r\n{\"text\":\"b\"}"),
        good(&["a", "b"])
    );
}

#[test]
fn empty_lines_are_counted_and_skipped() {
    let walk = walk_all(Text, &names("text", None), "\n\na\r\n\r\n \nb");
    assert_eq!(places(&walk), [(2, 3), (7, 5), (9, 6)]);
    assert_eq!((walk.lines, walk.blanks), (6, 3));

    let walk = walk_all(Jsonl, &names("text", None), " \t\r\n{\"text\":\"\"}\n\n");
    assert_eq!(places(&walk), [(4, 2)]);
    assert_eq!((walk.lines, walk.blanks), (3, 2));

    let walk = walk_all(Csv, &names("text", None), "text\n\nb\n\r\n\"c\n\nd\"\ne");
    assert_eq!(places(&walk), [(6, 3), (10, 5), (17, 8)]);
    assert_eq!((walk.lines, walk.blanks), (7, 2));
}

#[test]
fn escapes_are_decoded() {
    let source = r#"{"text":"\u00e9 \"\ud83d\ude00\"\n"}"#;
    assert_eq!(texts(Jsonl, "text", source), good(&["é \"😀\"\n"]));
    assert_eq!(texts(Jsonl, "text", r#"{"\u0074ext":"a"}"#), good(&["a"]));
}

#[test]
fn of_equal_keys_the_last_wins() {
    assert_eq!(
        texts(Jsonl, "text", r#"{"text":1,"text":"a","text":"b"}"#),
        good(&["b"])
    );
    assert_eq!(
        texts(Jsonl, "a.b", r#"{"a":{"b":"x"},"a":{"c":1}}"#),
        bad("the text field is missing")
    );
    assert_eq!(
        texts(Jsonl, "a.b", r#"{"a":{"b":"x"},"a":[]}"#),
        bad("the text field is missing")
    );
}

#[test]
fn a_dotted_name_is_a_path() {
    let source = r#"{"text":0,"commit":{"text":1,"record":{"a":[{}],"text":"deep"}}}"#;
    assert_eq!(texts(Jsonl, "commit.record.text", source), good(&["deep"]));
    assert_eq!(
        texts(Jsonl, "commit.text.record", source),
        bad("the text field is missing")
    );
}

#[test]
fn a_key_that_contains_the_dots_wins_over_the_path() {
    assert_eq!(
        texts(Jsonl, "a.b", r#"{"a.b":"key","a":{"b":"path"}}"#),
        good(&["key"])
    );
    assert_eq!(
        texts(Jsonl, "a.b", r#"{"a":{"b":"path"},"a.b":"key"}"#),
        good(&["key"])
    );
}

#[test]
fn a_text_that_is_missing_or_no_string_is_malformed() {
    assert_eq!(
        texts(Jsonl, "text", r#"{"id":1}"#),
        bad("the text field is missing")
    );
    for (value, kind) in [
        ("null", "null"),
        ("1.5", "a number"),
        ("true", "a boolean"),
        ("[]", "an array"),
        ("{}", "an object"),
    ] {
        let reason = format!("the text field is {kind}, not a string");
        assert_eq!(
            texts(Jsonl, "text", &format!("{{\"text\":{value}}}")),
            bad(&reason)
        );
    }
}

#[test]
fn an_id_is_a_string_or_a_number_as_it_was_written() {
    for (id, shown) in [
        ("\"a\\u0062\"", Some("ab")),
        ("12345678901234567890123", Some("12345678901234567890123")),
        ("1.50e3", Some("1.50e3")),
        ("null", None),
        ("[1]", None),
    ] {
        let source = format!("{{\"id\":{id},\"text\":\"\"}}");
        let walk = walk_all(Jsonl, &names("text", Some("id")), &source);
        assert_eq!(walk.told[0].record.as_ref().unwrap().id.as_deref(), shown);
    }
}

#[test]
fn columns_are_found_by_their_names() {
    let source = "text,\"the \"\"id\"\"\"\r\n\"a, \"\"b\"\"\nc\",7\r\n";
    let walk = walk_all(Csv, &names("text", Some("the \"id\"")), source);
    let scored = walk.told[0].record.as_ref().unwrap();
    assert_eq!(
        (&*scored.text, scored.id.as_deref()),
        ("a, \"b\"\nc", Some("7"))
    );
}

#[test]
fn a_row_that_does_not_fit_its_header_is_malformed() {
    let reason = "the row has 3 columns, the header has 2";
    assert_eq!(texts(Tsv, "text", "id\ttext\na\tb\tc\n"), bad(reason));
    assert_eq!(
        texts(Csv, "text", "text\n\"a\"b\n"),
        bad("column 1 has text after its closing quote")
    );
    assert_eq!(
        texts(Csv, "text", "text\n\"a\nb\n"),
        [
            bad("column 1 opens a quote that is never closed"),
            good(&["b"])
        ]
        .concat()
    );
}

#[test]
fn only_the_record_that_is_not_utf_8_is_malformed() {
    for (format, source) in [
        (Text, &b"a\n\xFF\nb\n"[..]),
        (
            Jsonl,
            b"{\"text\":\"a\"}\n{\"text\":\"\xFF\"}\n{\"text\":\"b\"}\n",
        ),
        (Csv, b"a\n\xFF\nb\n"),
    ] {
        let head: &[u8] = if format == Csv { b"text\n" } else { b"" };
        let source = [head, source].concat();
        let layout = Layout::detect(
            format,
            Quoting::Auto,
            &names("text", None),
            &[],
            &source,
            true,
        )
        .unwrap();
        let mut reader = Reader::new(&layout, crate::body(&layout, &source));
        assert_eq!(reader.next_record().unwrap().unwrap().text(), "a");
        let reason = reader
            .next_record()
            .unwrap()
            .unwrap_err()
            .reason
            .to_string();
        assert!(reason.starts_with("bad UTF-8 at byte "), "{reason}");
        assert_eq!(reader.next_record().unwrap().unwrap().text(), "b");
        assert!(reader.next_record().is_none());
    }
}

#[test]
fn a_line_of_megabytes_is_read_in_one_pass() {
    let long = "ab \\u00e9".repeat(1 << 17);
    let walk = walk_all(
        Jsonl,
        &names("text", None),
        &format!("{{\"text\":\"{long}\"}}"),
    );
    assert_eq!(walk.told[0].record.as_ref().unwrap().text.len(), 5 << 17);
}

#[test]
fn the_values_of_a_field_are_found_in_every_format() {
    let values = |format, source: &str, extra: &[&str]| -> Vec<Vec<String>> {
        let names = FieldNames {
            lang: Some("lang".to_owned()),
            extra: extra.iter().map(|&name| name.to_owned()).collect(),
            ..names("text", None)
        };
        let layout = layout_of(format, &names, source.as_bytes());
        let mut reader = Reader::new(&layout, body(&layout, source.as_bytes()));
        let post = reader.next_record().unwrap().unwrap();
        let fields = [ValuesOf::Lang].into_iter();
        let fields = fields.chain((0..=extra.len()).map(ValuesOf::Extra));
        let values = fields.map(|field| {
            let mut values = Vec::new();
            post.for_each_value(field, |value| values.push(value.to_owned()));
            values
        });
        values.collect()
    };
    let json = "{\"text\":\"x\",\"lang\":\"e\\u006e\",\"a\":{\"b\":[1,\"\\n\"]},\"c\":true}\n";
    assert_eq!(
        values(Format::Jsonl, json, &["a.b", "c", "d", "a"]),
        [
            vec!["en"],
            vec!["1", "\n"],
            vec!["true"],
            vec![],
            vec![],
            vec![]
        ]
    );
    let csv = "a,lang,text,c\n\"q \"\"1\"\"\",en,x,\n";
    assert_eq!(
        values(Format::Csv, csv, &["c", "a"]),
        [vec!["en"], vec![], vec!["q \"1\""], vec![]]
    );
}

#[test]
fn more_fields_than_can_be_read_are_refused() {
    let detect = |fields: usize| {
        let names = FieldNames {
            extra: (0..fields).map(|field| format!("a.{field}")).collect(),
            ..names("text", None)
        };
        Layout::detect(Format::Jsonl, Quoting::Auto, &names, &[], b"", true)
    };
    assert!(detect(31).is_ok());
    assert_eq!(detect(32).unwrap_err(), LayoutError::TooManyFields);
}
