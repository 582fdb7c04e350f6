//! What a scored record looks like.

use moodring_record::Format::{Csv, Jsonl, Text, Tsv};
use moodring_record::{
    FieldNames, Format, Layout, OutputStyle, Quoting, ReadOptions, Renderer, added_names,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{body, layout_of, models, names, score, walk};

fn score_text(format: Format, output: Format, source: &str) -> String {
    score(format, output, &names("text", None), source)
}

fn jsonl(source: &str) -> String {
    score_text(Jsonl, Jsonl, source)
}

const SCORES: &str = r#""vader":{"pos":0.25,"compound":-0.5},"sentiment":"negative"}"#;

#[test]
fn an_object_stays_as_it_is_and_the_scores_follow() {
    assert_eq!(
        jsonl(" { \"n\": 1.0e+2 ,\t\"text\" : \"\\u0041\" }\r\n"),
        format!("{{ \"n\": 1.0e+2 ,\t\"text\" : \"\\u0041\" ,{SCORES}\n")
    );
}

#[test]
fn members_of_the_same_name_are_replaced() {
    for source in [
        r#"{"vader":{"x":[1,2]},"text":"a"}"#,
        r#"{"vader":1,"sentiment":2,"text":"a"}"#,
        r#"{"text":"a","sentiment":"x"}"#,
        r#"{"sentiment":0,"text":"a","v\u0061der":1}"#,
        r#"{"vader":1,"text":"a","vader":2,"sentiment":null}"#,
    ] {
        assert_eq!(
            jsonl(source),
            format!("{{\"text\":\"a\",{SCORES}\n"),
            "{source}"
        );
    }
    assert_eq!(
        jsonl(r#"{ "vader":1 , "x":{"vader":2} , "sentiment":3 , "text":"a" }"#),
        format!("{{ \"x\":{{\"vader\":2}}  , \"text\":\"a\" ,{SCORES}\n")
    );
}

#[test]
fn an_object_of_which_nothing_stays_gets_no_comma() {
    let scored = score(
        Jsonl,
        Jsonl,
        &names("sentiment", None),
        r#"{"sentiment":"a","vader":1}"#,
    );
    assert_eq!(scored, format!("{{{SCORES}\n"));
}

#[test]
fn a_row_stays_as_it_is_and_the_scores_follow() {
    assert_eq!(
        score_text(
            Csv,
            Csv,
            "\u{feff}id,\"text\"\r\n1,\"a \"\"b\"\"\"\n\"2\",c"
        ),
        "id,\"text\",vader_pos,vader_compound,sentiment\r\n\
         1,\"a \"\"b\"\"\",0.25,-0.5,negative\n\"2\",c,0.25,-0.5,negative\r\n"
    );
}

#[test]
fn columns_of_the_same_name_are_replaced() {
    assert_eq!(
        score_text(Csv, Csv, "sentiment,\"text\",vader_pos,id\nx,\"a\",,7\n"),
        "\"text\",id,vader_pos,vader_compound,sentiment\n\"a\",7,0.25,-0.5,negative\n"
    );
}

/// Rows of a TSV whose quotes are text, in the given style.
fn in_style(quotes: bool, header: &str, row: &str) -> String {
    let source = [header, row].concat();
    let layout = crate::layout_of(Tsv, &names("text", None), source.as_bytes());
    let style = OutputStyle {
        quotes,
        ..OutputStyle::from(Tsv)
    };
    let renderer = Renderer::new(style, &layout, &models());
    let mut out = renderer.header().unwrap();
    for told in crate::walk(&layout, &renderer, row.as_bytes(), 0, 0).told {
        out.extend(told.record.unwrap().rendered);
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn literal_quotes_are_quoted_in_an_output_where_quotes_mean_something() {
    let (header, row) = ("\"id\"\ttext\r\n", "7\t\"a\" b\r\n");
    assert_eq!(
        in_style(true, header, row),
        "\"\"\"id\"\"\"\ttext\tvader_pos\tvader_compound\tsentiment\r\n\
         7\t\"\"\"a\"\" b\"\t0.25\t-0.5\tnegative\r\n"
    );
    assert_eq!(
        in_style(false, header, row),
        "\"id\"\ttext\tvader_pos\tvader_compound\tsentiment\r\n7\t\"a\" b\t0.25\t-0.5\tnegative\r\n"
    );
}

#[test]
fn an_output_is_without_quotes_only_if_all_its_sources_are() {
    let auto = ReadOptions::default();
    let quotes = |format, reading, sources: &[Option<Format>]| {
        OutputStyle::new(format, reading, sources.iter().copied()).quotes
    };
    assert!(!quotes(Tsv, auto, &[Some(Tsv), Some(Tsv)]));
    assert!(quotes(Tsv, auto, &[Some(Tsv), Some(Jsonl)]));
    assert!(quotes(Tsv, auto, &[Some(Tsv), None]));
    assert!(quotes(Tsv, Quoting::Rfc4180.into(), &[Some(Tsv)]));
    assert!(quotes(Csv, auto, &[Some(Tsv)]));
    assert!(!quotes(Csv, Quoting::None.into(), &[Some(Csv)]));
}

#[test]
fn another_delimiter_stays_in_an_output_of_the_same_format() {
    let reading = ReadOptions {
        delimiter: ";".parse().ok(),
        ..ReadOptions::default()
    };
    let source = b"id;text\n7;\"a, b\"\n";
    let layout = Layout::detect(Csv, reading, &names("text", None), &[], source, true).unwrap();
    for (output, expected) in [
        (
            OutputStyle::new(Csv, reading, [Some(Csv)]),
            "id;text;vader_pos;vader_compound;sentiment\n7;\"a, b\";0.25;-0.5;negative\n",
        ),
        (
            OutputStyle::from(Csv),
            "id,text,vader_pos,vader_compound,sentiment\n7,\"a, b\",0.25,-0.5,negative\n",
        ),
    ] {
        let renderer = Renderer::new(output, &layout, &models());
        let mut out = renderer.header().unwrap();
        for told in crate::walk(&layout, &renderer, &source[8..], 0, 0).told {
            out.extend(told.record.unwrap().rendered);
        }
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn what_python_writes_beyond_json_passes_through() {
    let line = r#"{"n": NaN, "m": [-Infinity, Infinity], "text": "a\ud83d b"}"#;
    assert_eq!(
        score_text(Jsonl, Jsonl, line),
        format!("{},{SCORES}\n", &line[..line.len() - 1])
    );
    let names = names("text", Some("n"));
    assert_eq!(
        score(Jsonl, Csv, &names, line),
        "n,text,vader_pos,vader_compound,sentiment\nNaN,a\u{fffd} b,0.25,-0.5,negative\n"
    );
}

#[test]
fn plain_quotes_stay_plain() {
    assert_eq!(
        score_text(Tsv, Tsv, "id\ttext\n1\t\"a\" b, c\n"),
        "id\ttext\tvader_pos\tvader_compound\tsentiment\n1\t\"a\" b, c\t0.25\t-0.5\tnegative\n"
    );
    assert_eq!(
        score_text(Tsv, Csv, "id\ttext\n1\t\"a\" b, c\n"),
        "id,text,vader_pos,vader_compound,sentiment\n1,\"\"\"a\"\" b, c\",0.25,-0.5,negative\n"
    );
}

#[test]
fn rows_become_objects_of_strings() {
    assert_eq!(
        score_text(Csv, Jsonl, "id,text,sentiment\n1,\"a\t\"\"b\"\"\",x\n"),
        format!("{{\"id\":\"1\",\"text\":\"a\\t\\\"b\\\"\",{SCORES}\n")
    );
}

#[test]
fn objects_become_rows_of_the_named_fields() {
    let names = FieldNames {
        text: "a.text".into(),
        id: Some("id".into()),
        time: Some("at".into()),
        ..FieldNames::default()
    };
    assert_eq!(
        score(
            Jsonl,
            Csv,
            &names,
            "{\"a\":{\"text\":\"x,\\ny\"},\"b\":0,\"id\":7}\r\n"
        ),
        "id,at,a.text,vader_pos,vader_compound,sentiment\n7,,\"x,\ny\",0.25,-0.5,negative\n"
    );
}

#[test]
fn a_line_of_text_becomes_an_object_or_a_row() {
    let object = format!("{{\"text\":\"a \\\"b\\\"\",{SCORES}\n");
    assert_eq!(score_text(Text, Jsonl, "a \"b\""), object);
    assert_eq!(score_text(Text, Text, "a \"b\"\r\n"), object);
    assert_eq!(
        score_text(Text, Csv, "a \"b\"\r\n"),
        "text,vader_pos,vader_compound,sentiment\n\"a \"\"b\"\"\",0.25,-0.5,negative\n"
    );
}

#[test]
fn a_source_without_a_header_gives_none() {
    assert_eq!(score_text(Csv, Csv, ""), "");
    assert_eq!(score_text(Csv, Jsonl, "\n\n"), "");
}

#[test]
fn all_models_add_their_scores() {
    let mut both = models().to_vec();
    both.push(both[0].clone());
    both[1].model = "text\"blob".into();
    both[1].scores.truncate(1);
    let source = b"text\nx\n";
    let layout = Layout::detect(
        Csv,
        Quoting::Auto,
        &names("text", None),
        &added_names(Csv, &both),
        source,
        true,
    )
    .unwrap();
    let write = |output| {
        let renderer = Renderer::new(output, &layout, &both);
        let mut reader = moodring_record::Reader::new(&layout, &source[5..]);
        let mut out = renderer.header().unwrap_or_default();
        let post = reader.next_record().unwrap().unwrap();
        renderer.write(&mut out, &post, &[0.0, -0.0, 1.0], "neutral");
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        write(Jsonl),
        "{\"text\":\"x\",\"vader\":{\"pos\":0.0,\"compound\":-0.0},\"text\\\"blob\":{\"pos\":1.0},\
         \"sentiment\":\"neutral\"}\n"
    );
    assert_eq!(
        write(Csv),
        "text,vader_pos,vader_compound,\"text\"\"blob_pos\",sentiment\nx,0.0,-0.0,1.0,neutral\n"
    );
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c\"é]{0,3}", inner), 0..4)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// An object with a text, and perhaps with members that the scores will replace.
fn object() -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof![
        "[a-c\"é]{0,3}",
        Just("vader".to_owned()),
        Just("sentiment".to_owned())
    ];
    let members = prop::collection::vec((key, value()), 0..5);
    (members, any::<String>(), any::<prop::sample::Index>()).prop_map(|(mut members, text, at)| {
        members.insert(
            at.index(members.len() + 1),
            ("text".to_owned(), text.into()),
        );
        members.into_iter().collect()
    })
}

fn write_json(object: &Map<String, Value>, spaced: bool) -> String {
    if spaced {
        serde_json::to_string_pretty(object)
            .unwrap()
            .replace('\n', " ")
    } else {
        serde_json::to_string(object).unwrap()
    }
}

proptest! {
    #[test]
    fn a_scored_object_is_the_object_and_its_scores(mut object in object(), spaced: bool) {
        let scored = jsonl(&write_json(&object, spaced));
        object.shift_remove("vader");
        object.shift_remove("sentiment");
        object.insert("vader".to_owned(), json!({"pos": 0.25, "compound": -0.5}));
        object.insert("sentiment".to_owned(), json!("negative"));
        let read: Map<String, Value> = serde_json::from_str(&scored).unwrap();
        // Not only equal: in the same order.
        prop_assert_eq!(read.into_iter().collect::<Vec<_>>(), object.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn scoring_a_scored_object_changes_nothing(object in object(), spaced: bool) {
        let scored = jsonl(&write_json(&object, spaced));
        prop_assert_eq!(jsonl(&scored), scored);
    }

    #[test]
    fn scoring_scored_rows_changes_nothing(
        rows in prop::collection::vec(("[a\",\n\té]{0,4}", "[a\",\n\té]{1,4}"), 0..4),
        ends in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        let quoted = |field: &str| format!("\"{}\"", field.replace('"', "\"\""));
        let mut source = ["id,text", ends].concat();
        for (id, text) in &rows {
            source += &[&quoted(id), ",", &quoted(text), ends].concat();
        }
        let scored = score_text(Csv, Csv, &source);
        prop_assert_eq!(score_text(Csv, Csv, &scored), scored);
    }
}

/// The source scored into a CSV with these columns.
fn with_columns(format: Format, source: &str, columns: &[&str]) -> String {
    let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    let mut layout = layout_of(format, &names("text", None), source.as_bytes());
    layout.choose_columns(&columns).unwrap();
    let renderer = Renderer::new(Format::Csv, &layout, &models());
    let mut out = renderer.header().unwrap();
    for told in walk(&layout, &renderer, body(&layout, source.as_bytes()), 0, 0).told {
        out.extend_from_slice(&told.record.unwrap().rendered);
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn chosen_fields_of_objects_are_columns() {
    let source = r#"{"id":7,"text":"a, \"b\"","ok":true,"user":{"name":"é\u00e9", "tags":[1, "x"]},"none":null,"x.y":1.50}
{"x":{"y":"path"},"text":"c"}
"#;
    let columns = ["ok", "text", "id", "user.name", "user", "none", "x.y"];
    assert_eq!(
        with_columns(Format::Jsonl, source, &columns),
        r#"ok,text,id,user.name,user,none,x.y,vader_pos,vader_compound,sentiment
true,"a, ""b""",7,éé,"{""name"":""é\u00e9"", ""tags"":[1, ""x""]}",,1.50,0.25,-0.5,negative
,c,,,,,path,0.25,-0.5,negative
"#
    );
}

#[test]
fn chosen_columns_of_rows_stand_as_they_stood() {
    let source = "id,text,\"a b\",c\n1,\"x, y\",\"2\",3\n";
    assert_eq!(
        with_columns(Format::Csv, source, &["a b", "text"]),
        "\"a b\",text,vader_pos,vader_compound,sentiment\n\"2\",\"x, y\",0.25,-0.5,negative\n"
    );
    // All columns in another order are a choice too.
    assert!(
        with_columns(Format::Csv, source, &["c", "a b", "text", "id"])
            .ends_with("\n3,\"2\",\"x, y\",1,0.25,-0.5,negative\n")
    );
}

#[test]
fn a_chosen_column_that_a_table_lacks_is_refused() {
    let mut layout = layout_of(Format::Csv, &names("text", None), b"id,text\n1,a\n");
    let error = layout.choose_columns(&["ids".into()]).unwrap_err();
    assert!(error.to_string().contains("did you mean \"id\""), "{error}");
}

proptest! {
    #[test]
    fn every_scalar_of_every_record_stands_in_its_column(
        rows in prop::collection::vec(prop::collection::vec(scalar(), 5), 1..5),
        order in Just([0_usize, 1, 2, 3, 4]).prop_shuffle(),
    ) {
        let columns = ["a", "b", "c.d", "e", "f"];
        let mut source = String::new();
        for row in &rows {
            let members = order.iter().filter_map(|&at| Some((columns[at], row[at].as_ref()?)));
            let mut object: serde_json::Map<_, _> = members.map(|(name, value)| (name.to_owned(), value.clone())).collect();
            object.insert("text".into(), "fine".into());
            source.push_str(&serde_json::Value::Object(object).to_string());
            source.push('\n');
        }
        let out = with_columns(Format::Jsonl, &source, &columns);
        let expected = rows.iter().map(|row| {
            row.iter().map(|value| match value {
                None | Some(serde_json::Value::Null) => String::new(),
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            }).collect::<Vec<_>>()
        });
        let source = format!("text,b1,b2,b3,b4,p,q,r\n{}", out.split_once('\n').unwrap().1);
        let layout = layout_of(Format::Csv, &names("text", None), source.as_bytes());
        let renderer = Renderer::new(Format::Jsonl, &layout, &models());
        let told = walk(&layout, &renderer, body(&layout, source.as_bytes()), 0, 0).told;
        prop_assert_eq!(told.len(), rows.len());
        for (told, expected) in told.iter().zip(expected) {
            let rendered = &told.record.as_ref().unwrap().rendered;
            let object: serde_json::Value = serde_json::from_slice(rendered).unwrap();
            let found = ["text", "b1", "b2", "b3", "b4"].map(|name| object[name].as_str().unwrap().to_owned());
            prop_assert_eq!(found.to_vec(), expected);
        }
    }
}

/// A field that may be missing.
fn scalar() -> impl Strategy<Value = Option<serde_json::Value>> {
    prop_oneof![
        Just(None),
        Just(Some(serde_json::Value::Null)),
        any::<bool>().prop_map(|value| Some(value.into())),
        any::<i32>().prop_map(|value| Some(value.into())),
        "[a\",\n\\\\é ]{0,6}".prop_map(|value| Some(value.into())),
    ]
}
