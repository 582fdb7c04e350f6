//! What a run says about the posts at its end.

use serde_json::Value;

use crate::util::{Workspace, posts, signal};

/// What the posts show: everything in the summary that no worker, shard or clock may change.
fn shown(summary: &[u8]) -> Value {
    let mut summary: Value = serde_json::from_slice(summary).unwrap();
    let names = [
        "records",
        "rejects_by_reason",
        "models",
        "most_positive",
        "most_negative",
        "language_judged",
        "language_foreign",
    ];
    names
        .map(|name| (name, summary[name].take()))
        .into_iter()
        .collect()
}

#[test]
fn the_summary_does_not_depend_on_workers_or_shards() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3_000) + "not json\n{}\n[]\n");
    let summary = |more: &[&str]| {
        let args = [
            "score",
            "posts.jsonl",
            "-o",
            "out.jsonl",
            "--force",
            "--summary",
            "json",
            "-m",
            "vader,textblob",
        ];
        shown(&work.ok(&[&args[..], more].concat()).stdout)
    };
    let one = summary(&["--workers", "1"]);
    assert_eq!(one, summary(&["--workers", "3", "--shard-size", "1K"]));
    assert_eq!(one, summary(&["--shard-size", "7K", "--unordered"]));
    assert_eq!(one["rejects_by_reason"]["no text field"], 1);
    for model in one["models"].as_array().unwrap() {
        let bins = model["histogram"].as_array().unwrap();
        assert_eq!(
            bins.iter().map(|bin| bin.as_u64().unwrap()).sum::<u64>(),
            3_000
        );
    }
}

#[test]
fn the_summary_shows_the_posts_at_both_ends_by_the_scores_of_the_output() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(500));
    let run = work.score("posts.jsonl -o out.jsonl --summary json");
    let mut scored: Vec<(f64, usize, String)> = work
        .read("out.jsonl")
        .lines()
        .enumerate()
        .map(|(at, line)| {
            let post: Value = serde_json::from_str(line).unwrap();
            let text = post["text"].as_str().unwrap().to_owned();
            (post["vader"]["compound"].as_f64().unwrap(), at, text)
        })
        .collect();
    let summary = shown(&run.stdout);
    for (name, sign) in [("most_positive", -1.0), ("most_negative", 1.0)] {
        scored.sort_by(|a, b| (sign * a.0).total_cmp(&(sign * b.0)).then(a.1.cmp(&b.1)));
        for (shown, (score, _, text)) in summary[name].as_array().unwrap().iter().zip(&scored) {
            assert_eq!(shown["score"].as_f64(), Some(*score));
            assert_eq!(shown["text"], text.as_str());
        }
        assert_eq!(summary[name].as_array().unwrap().len(), 3);
    }
}

#[test]
fn control_characters_of_a_post_do_not_reach_the_terminal() {
    let work = Workspace::new();
    work.file("posts.jsonl", "{\"text\":\"a \\u001b[2J great \\n day\"}\n");
    let run = work.score("posts.jsonl -o out.jsonl");
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("a \\u{1b}[2J great \\n day"), "{said}");
    assert!(!said.contains('\u{1b}'));
    assert!(
        said.lines().all(|line| line.chars().count() <= 100),
        "{said}"
    );
}

#[test]
fn a_resumed_run_has_the_summary_of_a_calm_one() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(30_000) + "not json\n");
    let args = [
        "score",
        "posts.jsonl",
        "--shard-size",
        "4K",
        "--workers",
        "2",
        "--summary",
        "json",
    ];
    let calm = work.ok(&[&args[..], &["-o", "calm.jsonl"]].concat());
    let resumed = [&args[..], &["-o", "out.jsonl", "--resume"]].concat();
    let mut run = crate::util::Running::start(&work, &resumed);
    while crate::util::journal_len(&work, "out.jsonl") < 20 && run.0.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    signal(run.pid(), "KILL");
    run.end();
    let end = work.ok(&resumed);
    assert_eq!(shown(&end.stdout), shown(&calm.stdout));
    // The run is complete: the same command only tells of it.
    let again = work.ok(&resumed);
    assert_eq!(shown(&again.stdout), shown(&calm.stdout));
}

#[test]
fn a_run_over_posts_in_another_language_warns() {
    let work = Workspace::new();
    let german = "Der Zug war heute wieder zu spät, und niemand hat uns etwas gesagt\n";
    let english = "The train was late again today, and nobody has told us a thing\n";
    work.file("german.txt", german.repeat(20));
    work.file("mixed.txt", german.repeat(9) + &english.repeat(11));
    work.file("words.tsv", "spät\t-1.5\n");
    let said = |args: &[&str]| {
        let all = [&["score", "--force", "-o", "out.jsonl", "--quiet"], args].concat();
        String::from_utf8(work.ok(&all).stderr).unwrap()
    };
    assert!(said(&["german.txt"]).contains("20 of 20 sampled posts do not look English"));
    assert_eq!(said(&["mixed.txt"]), "");
    assert_eq!(said(&["german.txt", "--model", "lexicon:words.tsv"]), "");
}

#[test]
fn no_more_workers_are_started_than_there_are_shards_unless_asked_for() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(20));
    for (more, workers) in [("", 1), (" --workers 3", 3)] {
        let run = work.score(&format!(
            "posts.jsonl -o scored.jsonl --force --summary json{more}"
        ));
        let summary: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        assert_eq!(summary["workers"], workers);
    }
}
