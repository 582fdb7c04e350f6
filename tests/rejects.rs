//! A malformed record never stops a run, and is never lost.

use serde_json::Value;

use crate::util::{Running, Workspace, posts};

const MIXED: &str =
    "{\"text\":\"fine\"}\nnot json\n\n{\"id\":1}\n{\"text\":null}\n{\"text\":\"fine too\"}\n";

fn rejects(work: &Workspace, name: &str) -> Vec<Value> {
    work.read(name)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn malformed_records_are_set_aside_with_their_place() {
    let work = Workspace::new();
    work.file("posts.jsonl", MIXED);
    work.score("posts.jsonl -o scored.jsonl --shard-size 7");
    assert_eq!(work.read("scored.jsonl").lines().count(), 2);
    let rejects = rejects(&work, "scored.jsonl.rejects.jsonl");
    let places: Vec<_> = rejects
        .iter()
        .map(|reject| (reject["line"].as_u64(), reject["offset"].as_u64()))
        .collect();
    assert_eq!(
        places,
        [
            (Some(2), Some(16)),
            (Some(4), Some(26)),
            (Some(5), Some(35))
        ]
    );
    assert!(
        rejects
            .iter()
            .all(|reject| reject["source"] == "posts.jsonl" && reject["reason"].is_string())
    );
    assert_eq!(rejects[0]["raw"], "not json");
}

#[test]
fn without_rejects_there_is_no_rejects_file() {
    let work = Workspace::new();
    work.file("posts.jsonl", "{\"text\":\"fine\"}\n");
    work.score("posts.jsonl -o scored.jsonl");
    assert_eq!(work.listing(), ["posts.jsonl", "scored.jsonl"]);
}

#[test]
fn rejects_go_where_they_are_wanted() {
    let work = Workspace::new();
    work.file("posts.jsonl", MIXED);
    work.score("posts.jsonl -o scored.jsonl --rejects bad.jsonl");
    assert_eq!(rejects(&work, "bad.jsonl").len(), 3);
}

#[test]
fn ragged_rows_and_bad_utf8_are_rejects() {
    let work = Workspace::new();
    work.file("posts.csv", b"text,n\nfine,1\nragged\n\xff\xfe,2\n");
    work.score("posts.csv -o scored.csv");
    let rejects = rejects(&work, "scored.csv.rejects.jsonl");
    assert_eq!(rejects.len(), 2);
    assert_eq!(rejects[0]["raw"], "ragged");
    assert!(rejects[1]["raw_base64"].is_string());
}

#[test]
fn strict_stops_at_the_first_with_its_place() {
    let work = Workspace::new();
    work.file("posts.jsonl", MIXED);
    let said = work.score_fails(1, "posts.jsonl -o scored.jsonl --strict");
    assert!(said.contains("posts.jsonl: line 2 (byte 16)"), "{said}");
    assert_eq!(work.listing(), ["posts.jsonl"]);
}

/// Fifteen malformed lines, and two that are not.
fn mostly_bad() -> String {
    let bad = (0..15).map(|at| format!("bad {at}\n"));
    let good = "{\"text\":\"fine\"}\n";
    [good.to_owned()]
        .into_iter()
        .chain(bad)
        .chain([good.to_owned()])
        .collect()
}

#[test]
fn a_run_to_standard_output_tells_of_rejects_and_writes_no_file() {
    let work = Workspace::new();
    work.file("posts.jsonl", mostly_bad());
    // Files of that name were once ours to delete.
    work.file("moodring.rejects.jsonl", "precious");
    for more in [&[][..], &["-o", "-"], &["-o", "/dev/stdout", "--force"]] {
        let run = work.ok(&[&["score", "posts.jsonl", "--quiet"][..], more].concat());
        assert_eq!(String::from_utf8(run.stdout).unwrap().lines().count(), 2);
        let said = String::from_utf8(run.stderr).unwrap();
        let told = said.matches("moodring: rejected posts.jsonl: line ");
        assert_eq!(told.count(), 10, "{said}");
        assert!(
            said.contains("rejected posts.jsonl: line 2 (byte 16): "),
            "{said}"
        );
        let total = "15 records were rejected, of which the first 10 are named above";
        assert!(
            said.contains(total) && said.contains("--rejects FILE"),
            "{said}"
        );
        assert_eq!(work.listing(), ["moodring.rejects.jsonl", "posts.jsonl"]);
    }
    assert_eq!(work.read("moodring.rejects.jsonl"), "precious");
    let run = work.score("posts.jsonl --rejects bad.jsonl --quiet");
    // Only that most are rejected is said, as always.
    assert!(!said(&run).contains("rejected posts.jsonl"), "{run:?}");
    assert_eq!(rejects(&work, "bad.jsonl").len(), 15);
}

#[test]
fn a_run_to_standard_output_needs_no_folder() {
    let work = Workspace::new();
    let posts = work.file("posts.jsonl", MIXED);
    let moodring = env!("CARGO_BIN_EXE_moodring");
    let line = format!(
        "mkdir gone && cd gone && rmdir ../gone && '{moodring}' score '{}'",
        posts.display()
    );
    let run = std::process::Command::new("bash")
        .args(["-c", &line])
        .current_dir(work.path(""))
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    assert_eq!(String::from_utf8(run.stdout).unwrap().lines().count(), 2);
}

#[test]
fn a_complete_output_outlives_a_rejects_file_that_cannot_be_named() {
    let work = Workspace::new();
    let input = mostly_bad() + &posts(20_000);
    let args = [
        "score",
        "-",
        "--format",
        "jsonl",
        "-o",
        "scored.jsonl",
        "--rejects",
        "bad.jsonl",
    ];
    let mut run = Running::start(&work, &args);
    let mut stdin = run.0.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, input.as_bytes()).unwrap();
    while !work.path("bad.jsonl.part").exists() {
        assert!(run.0.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    // Somebody takes the name of the rejects file during the run.
    work.file("bad.jsonl", "taken");
    drop(stdin);
    let (code, said) = run.end();
    assert_eq!(code, 1, "{said}");
    assert_eq!(work.read("bad.jsonl"), "taken");
    assert_eq!(work.read("scored.jsonl.part").lines().count(), 20_002);
    assert_eq!(work.read("bad.jsonl.part").lines().count(), 15);
}

fn said(run: &std::process::Output) -> String {
    String::from_utf8(run.stderr.clone()).unwrap()
}

#[test]
fn a_run_that_scores_nothing_fails_and_says_why_however_quiet() {
    let work = Workspace::new();
    work.file(
        "posts.jsonl",
        "{\"id\":1,\"body\":\"what a day\"}\n".repeat(3),
    );
    let args = ["score", "posts.jsonl", "-o", "scored.jsonl", "-q"];
    let error = work.fails(1, &args);
    assert!(
        error.contains("nothing was scored: all records are rejected (3); the most frequent reason (3) is first met at posts.jsonl: line 1"),
        "{error}"
    );
    assert!(error.contains("the text field is missing"), "{error}");
    assert!(
        error.contains("`id`, `body`; name the text with --text-field, perhaps `body`"),
        "{error}"
    );
    // There is no output, and no journal that a later run could take for an unfinished one.
    assert_eq!(
        work.listing(),
        ["posts.jsonl", "scored.jsonl.rejects.jsonl"]
    );

    work.file("scored.jsonl", "precious");
    work.fails(1, &[&args[..], &["--force"]].concat());
    assert_eq!(work.read("scored.jsonl"), "precious");
    work.ok(&[&args[..], &["--force", "--text-field", "body"]].concat());
    assert_eq!(work.read("scored.jsonl").lines().count(), 3);

    let to_stdout = work.try_score("posts.jsonl -q");
    assert_eq!(to_stdout.status.code(), Some(1));
    assert!(
        said(&to_stdout).contains("nothing was scored"),
        "{to_stdout:?}"
    );

    work.file("empty.jsonl", "\n");
    work.score("empty.jsonl -q");
}

#[test]
fn a_run_that_scored_nothing_fails_in_the_same_way_when_it_is_resumed() {
    let work = Workspace::new();
    work.file("posts.jsonl", "{\"body\":\"what a day\"}\n".repeat(3));
    let args = [
        "score",
        "posts.jsonl",
        "-o",
        "scored.jsonl",
        "-q",
        "--resume",
    ];
    let first = work.fails(1, &args);
    let listing = work.listing();
    assert!(!work.path("scored.jsonl").exists());
    let rejects = work.read("scored.jsonl.rejects.jsonl");
    for _ in 0..2 {
        let again = work.fails(1, &args);
        let reason = "nothing was scored: all records are rejected (3)";
        assert!(first.contains(reason) && again.contains(reason), "{again}");
        assert!(
            again.contains("see `scored.jsonl.rejects.jsonl`"),
            "{again}"
        );
        assert_eq!(work.listing(), listing);
        assert_eq!(work.read("scored.jsonl.rejects.jsonl"), rejects);
    }
    // Rejects that are not those of the run are not taken for them.
    work.file("scored.jsonl.rejects.jsonl", "precious");
    let run = work.run(&args);
    assert_eq!(run.status.code(), Some(2));
    assert!(said(&run).contains("exists: add --force"), "{run:?}");
    assert_eq!(work.read("scored.jsonl.rejects.jsonl"), "precious");
}

#[test]
fn most_records_rejected_is_a_warning_however_quiet() {
    let work = Workspace::new();
    work.file(
        "posts.txt",
        "not json\n".repeat(3) + "{\"text\":\"fine\"}\n",
    );
    let args = [
        "score",
        "posts.txt",
        "--format",
        "jsonl",
        "-o",
        "scored.jsonl",
        "-q",
        "--log-level",
        "off",
    ];
    let run = work.ok(&args);
    let warning = "moodring: warning: 3 of 4 records are rejected; the most frequent reason (3) is first met at posts.txt: line 1: not a JSON object";
    assert!(said(&run).starts_with(warning), "{}", said(&run));
    assert_eq!(said(&run).lines().count(), 1);

    work.file("half.jsonl", "{\"text\":\"fine\"}\nnot json\n");
    let half = work.score("half.jsonl -q --rejects bad.jsonl");
    assert_eq!(said(&half), "");
}

#[test]
fn most_of_the_first_ten_thousand_rejected_is_told_during_the_run() {
    let work = Workspace::new();
    // Most of the first ones are bad, and few of all.
    let posts = "{\"id\":1}\n".repeat(9_000) + &"{\"text\":\"fine\"}\n".repeat(30_000);
    work.file("posts.jsonl", posts);
    let run = work.score("posts.jsonl -o scored.jsonl -q --shard-size 8K");
    let said = said(&run);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("records are rejected; the most frequent reason (9000) is first met at posts.jsonl: line 1"),
        "{said}"
    );
    assert!(said.contains(" of the first 10"), "{said}");
}

#[test]
fn an_unclosed_quote_costs_one_row_and_is_warned_of() {
    let work = Workspace::new();
    let rows = "9,a good day\n".repeat(2_000);
    work.file("posts.csv", format!("id,text\n7,fine\n8,\"oh no\n{rows}"));
    for (limit, reason) in [("16M", "never closed"), ("1K", "within 1024 bytes")] {
        let run = work.ok(&[
            "score",
            "posts.csv",
            "-o",
            "scored.csv",
            "--force",
            "--max-record",
            limit,
            "--shard-size",
            "5000",
        ]);
        assert_eq!(work.read("scored.csv").lines().count(), 2_002);
        let rejects = rejects(&work, "scored.csv.rejects.jsonl");
        assert_eq!(rejects.len(), 1);
        assert_eq!(rejects[0]["line"], 3);
        assert_eq!(rejects[0]["offset"], 15);
        assert_eq!(rejects[0]["raw"], "8,\"oh no");
        assert!(rejects[0]["reason"].as_str().unwrap().contains(reason));
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(
            said.contains("posts.csv: line 3 (byte 15): column 2 opens a quote"),
            "{said}"
        );
    }
}

#[test]
fn a_record_past_the_limit_is_kept_as_an_excerpt() {
    let work = Workspace::new();
    let long = "x".repeat(3 << 20);
    let lines = format!("{{\"text\":\"one\"}}\n{{\"text\":\"{long}\"}}\n{{\"text\":\"two\"}}\n");
    work.file("posts.jsonl", &lines);
    let args = ["-o", "scored.jsonl", "--force", "--max-record", "1M"];
    for input in ["posts.jsonl", "-"] {
        let run = work.pipe(&[&["score", input][..], &args].concat(), lines.as_bytes());
        assert!(run.status.success());
        assert_eq!(work.read("scored.jsonl").lines().count(), 2);
        let rejects = rejects(&work, "scored.jsonl.rejects.jsonl");
        assert_eq!(rejects.len(), 1);
        assert_eq!(rejects[0]["length"], long.len() + 12);
        assert_eq!(rejects[0]["line"], 2);
        assert_eq!(rejects[0]["excerpt"].as_str().unwrap().len(), 1024);
        assert!(rejects[0]["raw"].is_null());
    }
}
