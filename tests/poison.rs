//! Records that kill: they are found, set aside, and cost nobody else anything.

use serde_json::Value;

use crate::util::{Workspace, gzip, posts};

/// `count` posts, those at `poison` with a text that the worker's faults are set on.
fn poisoned(count: usize, poison: &[usize]) -> String {
    let lines = posts(count);
    let line = |(at, line): (usize, &str)| {
        if poison.contains(&at) {
            format!("{{\"id\": {at}, \"text\": \"POISON {at}\"}}\n")
        } else {
            format!("{line}\n")
        }
    };
    lines.lines().enumerate().map(line).collect()
}

/// Scores a file with poison in it and one without; the outputs must be the same, and exactly the poison set aside.
fn only_poison_is_lost(cause: &str, poison: &[usize], more: &[&str]) {
    let work = Workspace::new();
    let input = poisoned(3_000, poison);
    let innocent = |line: &&str| !line.contains("POISON");
    let clean: Vec<_> = input.lines().filter(innocent).collect();
    work.file("posts.jsonl", &input);
    work.file("clean.jsonl", clean.join("\n"));
    work.score("clean.jsonl -o expected.jsonl");
    let args = [
        "score",
        "posts.jsonl",
        "-o",
        "scored.jsonl",
        "--workers",
        "2",
        "--shard-size",
        "20K",
    ];
    let mut command = work.command(&[&args[..], more].concat());
    let run = command
        .env("MOODRING_FAULTS", format!("{cause}=POISON"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{cause}: {said}");
    assert!(
        work.read("scored.jsonl") == work.read("expected.jsonl"),
        "{cause}: the output differs"
    );

    let lines: Vec<_> = input.lines().collect();
    let quarantine = work.read("scored.jsonl.quarantine.jsonl");
    let set_aside: Vec<Value> = quarantine
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(set_aside.len(), poison.len(), "{cause}: {quarantine}");
    for (record, &at) in set_aside.iter().zip(poison) {
        assert_eq!(record["line"], at + 1);
        assert_eq!(record["raw"], lines[at]);
        // A signal that may have come from outside needs more evidence.
        assert_eq!(record["attempts"], if cause == "kill" { 5 } else { 2 });
        if cause == "oom" {
            assert_eq!(record["cause"], "exceeded --max-memory");
        }
        if ["hang", "stop"].contains(&cause) {
            assert_eq!(record["cause"], "made no progress and was killed");
        }
        if cause == "panic" {
            assert!(
                record["stderr"]
                    .as_str()
                    .unwrap()
                    .contains("a fault was asked for")
            );
        }
    }
}

#[test]
fn a_record_that_crashes_workers_is_quarantined_after_two_deaths() {
    for cause in ["segv", "abort", "exit0", "exit1", "panic", "overflow"] {
        only_poison_is_lost(cause, &[0, 1, 1_500, 2_999], &[]);
    }
}

#[test]
fn a_record_that_crashes_workers_in_parsing_is_quarantined_alone() {
    only_poison_is_lost("parse:segv", &[0, 1, 1_500, 2_999], &[]);
}

/// Lines, of which the third and the fifth kill workers in parsing, in different ways. The third is also malformed.
const KILL_IN_PARSING: [&str; 6] = [
    r#"{"text": "what a good day", "label": "positive"}"#,
    "malformed",
    "FIRST and malformed",
    r#"{"text": "what a bad day", "label": "negative"}"#,
    r#"{"text": "SECOND", "label": "negative"}"#,
    r#"{"text": "a day", "label": "neutral"}"#,
];
const FAULTS_IN_PARSING: &str = "parse:exit1=FIRST;parse:abort=SECOND";

#[test]
fn each_record_quarantined_in_scoring_has_its_own_cause() {
    let work = Workspace::new();
    work.file("posts.jsonl", KILL_IN_PARSING.join("\n"));
    let run = work
        .command(&["score", "posts.jsonl", "-o", "scored.jsonl"])
        .env("MOODRING_FAULTS", FAULTS_IN_PARSING)
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let quarantine = work.read("scored.jsonl.quarantine.jsonl");
    let set_aside: Vec<Value> = quarantine
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(set_aside.len(), 2, "{quarantine}");
    assert_eq!(set_aside[0]["line"], 3);
    assert_eq!(set_aside[0]["raw"], KILL_IN_PARSING[2]);
    assert_eq!(set_aside[0]["cause"], "exited with code 1");
    assert_eq!(set_aside[1]["line"], 5);
    assert_eq!(set_aside[1]["raw"], KILL_IN_PARSING[4]);
    assert_eq!(set_aside[1]["cause"], "was killed by signal 6");
    assert_eq!(work.read("scored.jsonl").lines().count(), 3);
    assert_eq!(
        work.read("scored.jsonl.rejects.jsonl").lines().count(),
        1,
        "the malformed record that kills nobody"
    );
}

#[test]
fn each_record_quarantined_in_an_evaluation_has_its_own_cause() {
    let work = Workspace::new();
    work.file("posts.jsonl", KILL_IN_PARSING.join("\n"));
    let run = work
        .command(&["eval", "posts.jsonl", "--json"])
        .env("MOODRING_FAULTS", FAULTS_IN_PARSING)
        .output()
        .unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.success(), "{said}");
    let told: Vec<_> = said
        .lines()
        .filter(|line| line.contains("workers died on it"))
        .collect();
    assert_eq!(told.len(), 2, "{said}");
    assert!(told[0].contains("line 3 "), "{said}");
    assert!(told[0].contains("exited with code 1"), "{said}");
    assert!(told[1].contains("line 5 "), "{said}");
    assert!(told[1].contains("was killed by signal 6"), "{said}");
    let page: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(page["quarantined"], 2);
    assert_eq!(page["rejects"], 1);
}

#[test]
fn a_record_that_gets_workers_killed_needs_more_evidence() {
    only_poison_is_lost("kill", &[1_234], &[]);
}

#[test]
fn a_record_that_takes_more_memory_than_there_is_is_quarantined() {
    only_poison_is_lost("oom", &[0, 2_000], &["--max-memory", "60M"]);
}

#[test]
fn a_record_for_which_its_shard_leaves_no_memory_is_quarantined() {
    let work = Workspace::new();
    work.file("posts.jsonl", poisoned(300, &[100, 200]));
    let args = [
        "score",
        "posts.jsonl",
        "-o",
        "scored.jsonl",
        "--workers",
        "2",
        "--max-memory",
        "60M",
    ];
    // Each of the two takes 64 MiB of the 120 MB that a worker can have.
    let run = work
        .command(&args)
        .env("MOODRING_FAULTS", "hoard=POISON")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    let quarantine = work.read("scored.jsonl.quarantine.jsonl");
    // The other one too, if it was tried in a worker that had done the first.
    let aside = quarantine.lines().count();
    assert!((1..=2).contains(&aside), "{quarantine}");
    assert_eq!(work.read("scored.jsonl").lines().count(), 300 - aside);
    assert!(quarantine.lines().all(|line| line.contains("POISON")));
    assert!(quarantine.contains("exceeded --max-memory"), "{quarantine}");
}

#[test]
fn a_record_that_hangs_is_quarantined_after_the_timeout() {
    for cause in ["hang", "stop"] {
        only_poison_is_lost(cause, &[700, 2_000], &["--record-timeout", "0.5"]);
    }
}

#[test]
fn workers_that_always_die_end_the_run_with_what_they_said() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3_000));
    let args = [
        "score",
        "posts.jsonl",
        "-o",
        "scored.jsonl",
        "--workers",
        "2",
        "--log-level",
        "off",
    ];
    let run = work
        .command(&args)
        .env("MOODRING_FAULTS", "panic=")
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(3));
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(
        said.lines()
            .last()
            .unwrap()
            .contains("exited with code 101"),
        "{said}"
    );
    assert!(said.contains("a fault was asked for"));
    assert_eq!(work.listing(), ["posts.jsonl"]);
}

#[test]
fn a_worker_that_answers_garbage_is_replaced() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3_000));
    work.score("posts.jsonl -o expected.jsonl");
    for point in ["hello", "setup", "receive", "score"] {
        let token = work.file("token", "");
        let args = [
            "score",
            "posts.jsonl",
            "-o",
            "scored.jsonl",
            "--workers",
            "2",
            "--force",
        ];
        let run = work
            .command(&[&args[..], &["--shard-size", "20K", "--summary", "json"]].concat())
            .env(
                "MOODRING_FAULTS",
                format!("garbage@{point}#{}", token.display()),
            )
            .output()
            .unwrap();
        assert!(run.status.success(), "{point}: {run:?}");
        assert!(!token.exists(), "{point} was not reached");
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(said.contains("a worker sent garbage"), "{point}: {said}");
        assert!(
            work.read("scored.jsonl") == work.read("expected.jsonl"),
            "{point}"
        );
    }
}

#[test]
fn a_run_to_standard_output_tells_of_records_that_kill() {
    let work = Workspace::new();
    work.file("posts.jsonl", poisoned(300, &[7]));
    let run = work
        .command(&["score", "posts.jsonl", "--quiet"])
        .env("MOODRING_FAULTS", "exit1=POISON")
        .output()
        .unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.success(), "{said}");
    assert!(
        said.contains("moodring: quarantined posts.jsonl: line 8 (byte "),
        "{said}"
    );
    assert!(
        said.contains("2 workers died on it; the last one exited with code 1"),
        "{said}"
    );
    assert!(
        said.contains("1 record was quarantined; add --quarantine FILE"),
        "{said}"
    );
    assert_eq!(work.listing(), ["posts.jsonl"]);
}

#[test]
fn a_record_too_large_for_the_memory_of_a_worker_does_not_end_the_run() {
    // Past what a worker may hold, and below what may be tried.
    for (size, is_tried) in [(10 << 20, false), (1 << 20, true)] {
        let work = Workspace::new();
        let text = "good bad ".repeat(size / 9);
        let json =
            format!("{{\"text\":\"happy\"}}\n{{\"text\":\"{text}\"}}\n{{\"text\":\"sad\"}}\n");
        work.file("posts.jsonl", &json);
        work.file("posts.jsonl.gz", gzip(json.as_bytes()));
        work.file("posts.csv", format!("text\nhappy\n\"{text}\"\nsad\n"));
        for input in ["posts.jsonl", "posts.jsonl.gz", "posts.csv"] {
            work.score(&format!(
                "{input} -o scored.jsonl --force --max-memory 5M --workers 1"
            ));
            let scored = work.read("scored.jsonl");
            let lines = 3 - usize::from(!is_tried || scored.len() < size);
            assert_eq!(scored.lines().count(), lines, "{input}");
            assert!(scored.contains("\"happy\"") && scored.contains("\"sad\""));
            let rejects = work.path("scored.jsonl.rejects.jsonl");
            assert_eq!(rejects.exists(), !is_tried, "{input}");
        }
    }
}

#[test]
fn limits_that_cannot_go_together_are_refused() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3));
    let said = work.score_fails(2, "posts.jsonl -o scored.jsonl --max-memory 1K");
    assert!(said.contains("a worker needs 4M at the least"), "{said}");
    let args = "posts.jsonl -o scored.jsonl --max-memory 20M --max-record 8M";
    let said = work.score_fails(2, args);
    assert!(
        said.contains("needs --max-memory 33554432 at the least"),
        "{said}"
    );
    work.score("posts.jsonl -o scored.jsonl --max-memory 32M --max-record 8M");
}
