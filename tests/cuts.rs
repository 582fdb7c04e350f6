//! However the input is cut, packed and shared out, the output is the same to the byte.

use proptest::prelude::*;

use crate::util::{Workspace, gunzip, gzip, unzstd};

/// Fields that are awkward to cut through.
fn field() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "good", "not", "bad", " ", "\"", "\n", ",", "\t", "é", "🙂", "'", "", "but", "GREAT!", "\r",
    ]);
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

#[derive(Debug, Clone)]
struct File {
    extension: &'static str,
    content: Vec<u8>,
}

fn jsonl() -> impl Strategy<Value = File> {
    let record = (any::<bool>(), field()).prop_map(|(sound, text)| {
        if sound {
            serde_json::json!({"n": text.len(), "text": text}).to_string()
        } else {
            text.replace('\n', "")
        }
    });
    // A file in which every record is malformed is an error; that has its own tests.
    let records = prop::collection::vec(record, 0..30).prop_map(|mut records| {
        records.insert(0, r#"{"text":"good"}"#.to_owned());
        records
    });
    lines("jsonl", records)
}

fn text() -> impl Strategy<Value = File> {
    lines(
        "txt",
        prop::collection::vec(field().prop_map(|text| text.replace('\n', " ")), 0..30),
    )
}

fn lines(
    extension: &'static str,
    records: impl Strategy<Value = Vec<String>>,
) -> impl Strategy<Value = File> {
    (records, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        move |(records, bom, crlf, last)| {
            let end = if crlf { "\r\n" } else { "\n" };
            let mut content = if bom {
                "\u{feff}".to_owned()
            } else {
                String::new()
            };
            content += &records.join(end);
            if last && !records.is_empty() {
                content += end;
            }
            File {
                extension,
                content: content.into_bytes(),
            }
        },
    )
}

fn csv() -> impl Strategy<Value = File> {
    let row = (field(), any::<u8>(), prop::bool::weighted(0.9));
    (prop::collection::vec(row, 0..30), any::<bool>()).prop_map(|(rows, last)| {
        let mut lines = vec!["text,n".to_owned(), "good,1".to_owned()];
        lines.extend(rows.iter().map(|(text, n, whole)| {
            let quoted = format!("\"{}\"", text.replace('"', "\"\""));
            if *whole {
                format!("{quoted},{n}")
            } else {
                quoted
            }
        }));
        let content = lines.join("\n") + if last { "\n" } else { "" };
        File {
            extension: "csv",
            content: content.into_bytes(),
        }
    })
}

/// The output of one way to score the file.
fn scored(work: &Workspace, file: &File, name: &str, output: &str, more: &[&str]) -> Vec<u8> {
    let path = work.path(output);
    let path = path.to_str().unwrap();
    let args = [&["score", name, "-o", path, "--force", "--quiet"], more].concat();
    if name == "-" {
        let run = work.pipe(
            &[&args[..], &["--format", file.extension]].concat(),
            &file.content,
        );
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
    } else {
        work.ok(&args);
    }
    match output.rsplit_once('.').unwrap().1 {
        "gz" => gunzip(&work.path(output)),
        "zst" => unzstd(&work.path(output)),
        _ => std::fs::read(path).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_output_does_not_depend_on_the_way(
        file in prop_oneof![jsonl(), text(), csv()],
        shard in prop_oneof![1_u64..50, 50_u64..2_000],
        to_csv: bool,
    ) {
        let work = Workspace::new();
        let (plain, packed) = (format!("in.{}", file.extension), format!("in.{}.gz", file.extension));
        work.file(&plain, &file.content);
        work.file(&packed, gzip(&file.content));
        let out = if to_csv { "out.csv" } else { "out.jsonl" };
        let shard = shard.to_string();
        let shard = ["--shard-size", &shard];
        let whole = scored(&work, &file, &plain, out, &["--workers", "1", "--shard-size", "1G"]);
        let ways: [(&str, String, &[&str]); 5] = [
            (&plain, out.to_owned(), &["--workers", "2"]),
            (&plain, out.to_owned(), &["--workers", "7"]),
            (&packed, format!("{out}.zst"), &["--workers", "2"]),
            ("-", format!("{out}.gz"), &["--workers", "2"]),
            (&plain, out.to_owned(), &["--in-process"]),
        ];
        for (input, output, more) in ways {
            let bytes = scored(&work, &file, input, &output, &[&shard, more].concat());
            prop_assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&whole), "{} {:?}", input, more);
        }
    }
}

/// A CSV whose quotes are anything but in order.
fn stray_quotes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "good", "\"", "\"\"", ",", "\n", "\r\n", ",\"", "\"\n", "\n\"", "bad day",
    ]);
    prop::collection::vec(piece, 0..60)
        .prop_map(|pieces| ["text,n\ngood,1\n", &pieces.concat()].concat().into_bytes())
}

/// The rejects of the run that wrote `output`, without the names of their sources.
fn rejects(work: &Workspace, output: &str) -> Vec<serde_json::Value> {
    let Ok(lines) = std::fs::read_to_string(work.path(&format!("{output}.rejects.jsonl"))) else {
        return Vec::new();
    };
    let parsed = lines.lines().map(|line| {
        let mut reject: serde_json::Value = serde_json::from_str(line).unwrap();
        reject["source"] = "".into();
        reject
    });
    parsed.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_rejected_does_not_depend_on_the_way(
        content in stray_quotes(),
        shard in prop_oneof![1_u64..50, 50_u64..2_000],
        limit in prop_oneof![8_u64..60, Just(1 << 24)],
        lines: bool,
    ) {
        let work = Workspace::new();
        let file = File { extension: if lines { "txt" } else { "csv" }, content };
        let (plain, packed) = (format!("in.{}", file.extension), format!("in.{}.gz", file.extension));
        work.file(&plain, &file.content);
        work.file(&packed, gzip(&file.content));
        let (shard, limit) = (shard.to_string(), limit.to_string());
        let limit = ["--max-record", &limit];
        let shard = [&limit[..], &["--shard-size", &shard]].concat();
        let whole = [&limit[..], &["--workers", "1", "--shard-size", "1G"]].concat();
        let expected = scored(&work, &file, &plain, "out.csv", &whole);
        let rejected = rejects(&work, "out.csv");
        for (input, workers) in [(&*plain, "1"), (&plain, "3"), (&packed, "2"), ("-", "2")] {
            let more = [&shard[..], &["--workers", workers]].concat();
            let output = scored(&work, &file, input, "out.csv", &more);
            prop_assert_eq!(String::from_utf8_lossy(&output), String::from_utf8_lossy(&expected), "{} {}", input, workers);
            prop_assert_eq!(&rejects(&work, "out.csv"), &rejected, "{} {}", input, workers);
        }
    }
}

#[test]
fn a_shard_is_never_so_large_that_its_result_fits_no_message() {
    let work = Workspace::new();
    let pad = "x".repeat(1 << 20);
    let line = format!("{{\"text\":\"fine\",\"pad\":\"{pad}\"}}\n");
    work.file("posts.jsonl", line.repeat(20));
    let args = ["score", "posts.jsonl", "--shard-size", "1G"];
    let more = ["--workers", "1", "-q", "--summary", "json"];
    let args = [&args[..], &more].concat();
    let to_pipe = work.ok(&args);
    let summary: serde_json::Value = serde_json::from_slice(&to_pipe.stderr).unwrap();
    assert_eq!(summary["shards"], 3);
    let output = String::from_utf8(to_pipe.stdout).unwrap();
    assert_eq!(output.lines().count(), 20);
    let to_file = work.ok(&[&args[..], &["-o", "scored.jsonl"]].concat());
    let summary: serde_json::Value = serde_json::from_slice(&to_file.stdout).unwrap();
    assert_eq!(summary["shards"], 2);
}
