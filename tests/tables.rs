//! What CSV and TSV files look like in the wild.

use crate::util::{Workspace, gzip};

/// Rows that would be tied together by reading their quotes, first of them past the first MiB.
fn late_quotes() -> String {
    let plain = (0..40_000).map(|id| format!("{id}\ta good day, like any other\n"));
    let quoted = (40_000..40_100).map(|id| format!("{id}\t\"Great film\n"));
    let header = "id\ttext\n".to_owned();
    std::iter::once(header).chain(plain).chain(quoted).collect()
}

#[test]
fn auto_quoting_never_joins_lines_of_a_tsv() {
    let work = Workspace::new();
    work.file("posts.tsv", late_quotes());
    let run = work.score("posts.tsv -o scored.tsv");
    assert_eq!(work.read("scored.tsv").lines().count(), 40_101);
    assert_eq!(work.listing(), ["posts.tsv", "scored.tsv"]);
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("quotes in TSV were read as text"), "{said}");

    let run = work.score("posts.tsv -o scored.tsv --force --summary json");
    let summary: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(summary["quoting"], serde_json::json!({"tsv": "none"}));
}

#[test]
fn a_pipe_with_other_columns_is_refused() {
    let work = Workspace::new();
    work.file("one.csv", "id,text\n1,fine\n");
    for header in ["text,id", "id,text,more", "id"] {
        let args = [
            "score",
            "one.csv",
            "-",
            "--format",
            "csv",
            "-o",
            "scored.csv",
        ];
        let run = work.pipe(&args, format!("{header}\nx,y,z\n").as_bytes());
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(
            said.contains("different columns") || said.contains("no column"),
            "{said}"
        );
        assert_eq!(work.listing(), ["one.csv"]);
    }
}

#[test]
fn columns_are_compared_by_their_names() {
    let work = Workspace::new();
    work.file("one.csv", "id,text\n1,fine\n");
    work.file("two.csv", "\"id\",\"text\"\r\n2,good\r\n");
    let args = [
        "score",
        "one.csv",
        "two.csv",
        "-",
        "--format",
        "csv",
        "-o",
        "scored.csv",
    ];
    let run = work.pipe(&args, b"id,\"text\"\n3,bad\n");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let ids: Vec<String> = work
        .read("scored.csv")
        .lines()
        .map(|row| row[..1].to_owned())
        .collect();
    assert_eq!(ids, ["i", "1", "2", "3"]);
}

#[test]
fn the_header_comes_from_the_first_input_that_has_one() {
    let work = Workspace::new();
    work.file("empty.csv", "");
    let run = work.pipe(
        &[
            "score",
            "empty.csv",
            "-",
            "--format",
            "csv",
            "-o",
            "scored.csv",
        ],
        b"id,text\n3,bad\n",
    );
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    assert!(work.read("scored.csv").starts_with("id,text,vader_neg"));
}

#[test]
fn one_quoting_holds_in_a_table_from_mixed_inputs() {
    let work = Workspace::new();
    work.file("one.tsv", "text\n\"Great\" film\n");
    work.file("two.jsonl", "{\"text\":\"two\\nlines\"}\n");
    work.score("one.tsv two.jsonl -o scored.tsv");
    let scored = work.read("scored.tsv");
    assert!(scored.contains("\n\"\"\"Great\"\" film\"\t"), "{scored}");
    assert!(scored.contains("\n\"two\nlines\"\t"), "{scored}");
}

#[test]
fn semicolons_are_hinted_at_and_read() {
    let work = Workspace::new();
    work.file("posts.csv", "id;text\n1;fine, good\n");
    let said = work.score_fails(2, "posts.csv -o scored.csv");
    assert!(said.contains("--delimiter ';'"), "{said}");
    work.score("posts.csv -o scored.csv --delimiter ;");
    let scored = work.read("scored.csv");
    assert!(scored.starts_with("id;text;vader_neg;"), "{scored}");
    assert!(scored.contains("\n1;fine, good;0.0;"), "{scored}");
}

#[test]
fn utf_16_without_a_mark_is_refused_by_name() {
    let work = Workspace::new();
    for (name, text) in [
        ("posts.jsonl", "{\"text\":\"fine\"}\n"),
        ("posts.csv", "id,text\n1,fine\n"),
        ("posts.txt", "a fine day\n"),
    ] {
        for (order, encoding) in [
            (u16::to_le_bytes as fn(u16) -> [u8; 2], "UTF-16LE"),
            (u16::to_be_bytes, "UTF-16BE"),
        ] {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(order).collect();
            work.file(name, &bytes);
            let said = work.fails(2, &["score", name, "-o", "scored.jsonl"]);
            assert!(said.contains(encoding), "{said}");
            let run = work.pipe(&["score", "-"], &bytes);
            assert_eq!(run.status.code(), Some(2));
        }
    }
}

#[test]
fn lines_as_python_writes_them_are_scored() {
    let work = Workspace::new();
    let line = r#"{"text": "good \ud83d day", "score": NaN, "range": [-Infinity, Infinity]}"#;
    work.file("posts.jsonl", format!("{line}\n"));
    work.score("posts.jsonl -o scored.jsonl");
    let scored = work.read("scored.jsonl");
    assert!(scored.starts_with(&line[..line.len() - 1]), "{scored}");
    assert_eq!(work.listing(), ["posts.jsonl", "scored.jsonl"]);
}

#[test]
fn columns_are_chosen_by_name() {
    let work = Workspace::new();
    work.file(
        "posts.jsonl",
        "{\"id\":7,\"text\":\"fine\",\"user\":{\"name\":\"Ann\"}}\n",
    );
    work.file("posts.csv", "text,user.name,id,more\nbad,Bob,8,x\n");
    let args = ["score", "posts.jsonl", "posts.csv", "-o"];
    let columns = ["--columns", "id,user.name"];
    work.ok(&[&args[..], &["scored.csv"], &columns].concat());
    let scored = work.read("scored.csv");
    let lines: Vec<_> = scored.lines().collect();
    assert!(lines[0].starts_with("id,user.name,vader_neg,"), "{scored}");
    assert!(lines[1].starts_with("7,Ann,"), "{scored}");
    assert!(lines[2].starts_with("8,Bob,"), "{scored}");
    for (output, columns, reason) in [
        ("other.jsonl", "id", "this one is JSONL"),
        ("other.csv", "id,id", "`id` twice"),
        ("other.csv", "id,", "an empty name"),
        ("other.csv", "sentiment", "name of a score"),
        ("other.csv", "ids", "did you mean"),
    ] {
        let run = work.run(&[&args[..], &[output, "--columns", columns]].concat());
        assert_eq!(run.status.code(), Some(2), "{columns}");
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(said.contains(reason), "{said}");
        assert!(!work.path(output).exists());
    }
}

#[test]
fn a_table_made_of_json_keeps_every_field_with_a_single_value() {
    let work = Workspace::new();
    work.file(
        "a.jsonl",
        "{\"id\":7,\"text\":\"fine\",\"user\":{\"name\":\"Ann\"},\"n.b\":null,\"tags\":[1]}\n",
    );
    work.file(
        "b.jsonl",
        "{\"text\":\"bad, very\",\"likes\":1.50,\"ok\":true,\"id\":\"x\\u0041\"}\n{\"text\":\"so\",\"likes\":2}\n",
    );
    for workers in ["1", "3"] {
        let args = [
            "score", "a.jsonl", "b.jsonl", "-o", "out.csv", "--force", "-w", workers,
        ];
        work.ok(&args);
        let scored = work.read("out.csv");
        let lines: Vec<_> = scored.lines().collect();
        assert!(
            lines[0].starts_with("id,text,n.b,likes,ok,vader_neg,"),
            "{scored}"
        );
        assert!(lines[1].starts_with("7,fine,,,,"), "{scored}");
        assert!(
            lines[2].starts_with("xA,\"bad, very\",,1.50,true,"),
            "{scored}"
        );
        assert!(lines[3].starts_with(",so,,2,,"), "{scored}");
    }
    let piped = work.pipe(
        &["score", "-", "--format", "jsonl", "--output-format", "csv"],
        work.read("b.jsonl").as_bytes(),
    );
    let piped = String::from_utf8(piped.stdout).unwrap();
    assert!(piped.starts_with("text,likes,ok,id,vader_neg,"), "{piped}");
}

#[test]
fn fields_beyond_those_that_a_table_can_have_are_told_of() {
    let work = Workspace::new();
    let fields: Vec<String> = (0..40).map(|at| format!("\"f{at}\":{at}")).collect();
    let record = format!("{{{},\"text\":\"fine\"}}\n", fields.join(","));
    work.file("wide.jsonl", record);
    let run = work.ok(&["score", "wide.jsonl", "-o", "wide.csv"]);
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(
        said.contains("leaves out") && said.contains("--columns"),
        "{said}"
    );
    let scored = work.read("wide.csv");
    let header = scored.lines().next().unwrap();
    assert!(
        header.starts_with("f0,f1,") && header.contains(",text,"),
        "{header}"
    );
}

#[test]
fn a_field_that_appears_behind_the_head_is_counted_and_warned_of() {
    let work = Workspace::new();
    let plain = "{\"id\":1,\"text\":\"a good day\",\"nested\":{\"lang\":1}}\n".repeat(4_000);
    let late = "{\"id\":2,\"text\":\"fine\",\"lang\" : \"en\",\"more\":1}\n";
    work.file("posts.jsonl", plain.clone() + late + &plain + late);
    let args = "posts.jsonl -o scored.csv --force --summary json --shard-size 16K";
    for more in ["", " --workers 1"] {
        let run = work.score(&format!("{args}{more}"));
        let said = String::from_utf8(run.stderr).unwrap();
        let expected = "2 records have fields that are not in the table, `lang` first";
        assert!(said.contains(expected), "{said}");
        let summary: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        assert_eq!(summary["records_without_column"], 2);
    }
    // Nothing is lost in JSON, with chosen columns, or where the value is null.
    for more in ["--output-format jsonl", "--columns id,text"] {
        let run = work.score(&format!("{args} {more}"));
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(!said.contains("not in the table"), "{said}");
    }
    let null = "{\"id\":2,\"text\":\"fine\",\"lang\":null}\n";
    work.file("posts.jsonl", plain + null);
    let said = String::from_utf8(work.score(args).stderr).unwrap();
    assert!(!said.contains("not in the table"), "{said}");
}

#[test]
fn a_column_that_no_record_seems_to_have_is_warned_of() {
    let work = Workspace::new();
    let posts = "{\"id\":1,\"text\":\"fine\",\"user\":{\"name\":\"ann\"}}\n{\"text\":\"sad\",\"lang\":\"en\"}\n";
    work.file("posts.jsonl", posts);
    work.file("posts.jsonl.gz", gzip(posts.as_bytes()));
    work.file("other.jsonl", "{\"text\":\"fine\",\"place\":1}\n");
    for input in ["posts.jsonl", "posts.jsonl.gz", "other.jsonl posts.jsonl"] {
        let run = work.score(&format!(
            "{input} -o scored.csv --force --columns id,langg,text,user.name,user.nam,user"
        ));
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(said.matches("--columns has").count(), 2, "{said}");
        assert!(
            said.contains(
                "--columns has `langg`, which is in no record at the beginning of the inputs; \
                the column may stay empty; did you mean `lang`?"
            ),
            "{said}"
        );
        assert!(said.contains("`user.nam`"), "{said}");
    }
    let run = work.score("other.jsonl posts.jsonl -o scored.csv --force --columns place,lang,text");
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(!said.contains("--columns has"), "{said}");
}
