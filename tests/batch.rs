//! Files in, scored files out.

use serde_json::Value;

use crate::util::{Workspace, gunzip, gzip, posts, unzstd};

#[test]
fn every_input_object_stands_in_the_output_as_it_was_with_its_scores() {
    let work = Workspace::new();
    let input = posts(5_000);
    work.file("posts.jsonl", &input);
    work.score("posts.jsonl -o scored.jsonl --workers 3");
    let output = work.read("scored.jsonl");
    assert_eq!(output.lines().count(), 5_000);
    for (before, after) in input.lines().zip(output.lines()) {
        assert!(
            after.starts_with(before.strip_suffix('}').unwrap()),
            "{after}"
        );
        let object: Value = serde_json::from_str(after).unwrap();
        let compound = object["vader"]["compound"].as_f64().unwrap();
        let sentiment = match compound {
            c if c >= 0.05 => "positive",
            c if c <= -0.05 => "negative",
            _ => "neutral",
        };
        assert_eq!(object["sentiment"], sentiment);
    }
}

#[test]
fn the_scores_are_those_of_the_reference() {
    let work = Workspace::new();
    // Computed with vaderSentiment 3.3.2.
    work.file(
        "posts.txt",
        "VADER is smart, handsome, and funny.\nnot good at all\n",
    );
    let output = work.score("posts.txt").stdout;
    let expected = concat!(
        r#"{"text":"VADER is smart, handsome, and funny.","vader":{"neg":0.0,"neu":0.254,"pos":0.746,"compound":0.8316},"sentiment":"positive"}"#,
        "\n",
        r#"{"text":"not good at all","vader":{"neg":0.445,"neu":0.555,"pos":0.0,"compound":-0.3412},"sentiment":"negative"}"#,
        "\n",
    );
    assert_eq!(String::from_utf8(output).unwrap(), expected);
}

#[test]
fn csv_keeps_its_columns_and_gains_five() {
    let work = Workspace::new();
    work.file("posts.csv", "id,text,n\r\n1,\"so,\nhappy\",2\r\n2,plain,3");
    work.score("posts.csv -o scored.csv");
    let output = work.read("scored.csv");
    let expected = "id,text,n,vader_neg,vader_neu,vader_pos,vader_compound,sentiment\r\n\
        1,\"so,\nhappy\",2,0.0,0.213,0.787,0.5719,positive\r\n\
        2,plain,3,0.0,1.0,0.0,0.0,neutral\r\n";
    assert_eq!(output, expected);
}

#[test]
fn scoring_a_scored_file_anew_changes_nothing() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(300));
    work.score("posts.jsonl -o once.jsonl");
    work.score("once.jsonl -o twice.jsonl --replace");
    assert_eq!(work.read("once.jsonl"), work.read("twice.jsonl"));
}

#[test]
fn compressed_output_holds_the_same_bytes() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3_000));
    work.score("posts.jsonl -o plain.jsonl");
    work.score("posts.jsonl -o packed.jsonl.gz --shard-size 9K");
    work.score("posts.jsonl -o packed.jsonl.zst --shard-size 9K");
    let plain = work.read("plain.jsonl");
    assert_eq!(gunzip(&work.path("packed.jsonl.gz")), plain.as_bytes());
    assert_eq!(unzstd(&work.path("packed.jsonl.zst")), plain.as_bytes());
}

#[test]
fn folders_globs_and_files_are_read_in_order() {
    let work = Workspace::new();
    work.file("in/b/2.txt", "second\n");
    work.file("in/a.jsonl", "{\"text\":\"first\"}\n");
    work.file("in/notes.md", "no posts\n");
    work.file("late-1.txt.gz", gzip(b"third\n"));
    work.file("late-2.csv", "text\nfourth\n");
    let output = work.score("in late-*").stdout;
    let texts: Vec<_> = output
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            serde_json::from_slice::<Value>(line).unwrap()["text"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(texts, ["first", "second", "third", "fourth"]);
}

#[test]
fn nothing_in_gives_nothing_out() {
    let work = Workspace::new();
    work.file("empty.jsonl", "");
    work.score("empty.jsonl -o scored.jsonl");
    assert_eq!(work.read("scored.jsonl"), "");
    work.score("empty.jsonl -o scored.jsonl.gz");
    assert_eq!(gunzip(&work.path("scored.jsonl.gz")), b"");
    work.score("empty.jsonl -o scored.jsonl.zst");
    assert_eq!(unzstd(&work.path("scored.jsonl.zst")), b"");
}

#[test]
fn a_record_may_be_large() {
    let work = Workspace::new();
    let text = "good but ".repeat(1 << 20);
    work.file(
        "posts.jsonl",
        format!("{{\"text\":\"one\"}}\n{{\"text\":\"{text}\"}}\n{{\"text\":\"three\"}}"),
    );
    work.score("posts.jsonl -o scored.jsonl --workers 2 --max-record 32M");
    let output = work.read("scored.jsonl");
    assert_eq!(output.lines().count(), 3);
    assert!(output.len() > text.len());
}

#[test]
fn unordered_output_holds_the_same_records() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(4_000));
    work.score("posts.jsonl -o ordered.jsonl");
    work.score("posts.jsonl -o any.jsonl --unordered --workers 4 --shard-size 2K");
    let sorted = |name| {
        let mut lines: Vec<_> = work.read(name).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted("ordered.jsonl"), sorted("any.jsonl"));
}

#[test]
fn the_summary_for_machines_adds_up() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(1_000) + "\nnot json\n");
    let output = work.score("posts.jsonl -o scored.jsonl --summary json --workers 2");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(count("records"), 1_000);
    assert_eq!(
        count("positive") + count("neutral") + count("negative"),
        1_000
    );
    assert_eq!(
        (count("rejects"), count("blank_lines"), count("workers")),
        (1, 1, 2)
    );
    assert!(output.stderr.is_empty());
}

#[test]
fn help_completions_and_the_manual_are_there() {
    let work = Workspace::new();
    assert!(
        String::from_utf8(work.score("--help").stdout)
            .unwrap()
            .contains("Examples:")
    );
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(work.ok(&["completions", shell]).stdout).unwrap();
        for known in ["textblob", "jsonl"] {
            assert!(script.contains(known), "{shell}: {known}");
        }
        assert!(!script.contains("Serve a supervisor"), "{shell}");
        assert!(
            !script.contains("moodring__worker") && !script.contains("ADDRESS"),
            "{shell}"
        );
    }
    let page = String::from_utf8(work.ok(&["man", "ctl", "top"]).stdout).unwrap();
    assert!(
        page.contains(".TH moodring-ctl-top 1") && page.contains("EXIT STATUS"),
        "{page}"
    );
    assert!(
        work.fails(2, &["man", "scroe"])
            .contains("choose one of score")
    );
    assert!(
        String::from_utf8(work.ok(&["man"]).stdout)
            .unwrap()
            .contains(".TH")
    );
}

#[test]
fn a_complete_run_succeeds_though_its_summary_cannot_be_printed() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(100));
    let mut command = work.command(&["score", "posts.jsonl", "-o", "scored.jsonl"]);
    let full = std::fs::File::create("/dev/full").unwrap();
    let status = command.stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(work.read("scored.jsonl").lines().count(), 100);
}

#[test]
fn an_empty_gzip_file_is_an_error() {
    let work = Workspace::new();
    work.file("posts.jsonl.gz", "");
    let said = work.score_fails(1, "posts.jsonl.gz -o scored.jsonl");
    assert!(said.contains("posts.jsonl.gz"), "{said}");
}
