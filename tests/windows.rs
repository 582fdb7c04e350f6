//! Windows of event time over files.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::util::Workspace;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/posts.jsonl");
/// Made by `scripts/reference windows samples/posts.jsonl --window 1h --slide 20m`, in Python, with the reference VADER.
const REFERENCE: &str = include_str!("golden/windows.csv");

/// The rows of a CSV of windows, as text by column.
fn rows(csv: &str, columns: &[&str]) -> BTreeSet<Vec<String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names = reader.headers().unwrap().clone();
    let at = |column: &&str| names.iter().position(|name| name == *column).unwrap();
    let at: Vec<_> = columns.iter().map(at).collect();
    let normal = |cell: &str| match cell.parse::<f64>() {
        Ok(number) => number.to_string(),
        Err(_) => cell.to_owned(),
    };
    let records = reader.records().map(Result::unwrap);
    records
        .map(|row| at.iter().map(|&at| normal(&row[at])).collect())
        .collect()
}

const COMPARED: [&str; 12] = [
    "group", "start", "end", "count", "mean", "std", "positive", "neutral", "negative", "p10",
    "p50", "p90",
];

#[test]
fn windows_over_a_file_are_those_of_a_plain_computation() {
    let work = Workspace::new();
    let mut first: Option<String> = None;
    for flags in ["--workers 1", "--workers 3 --shard-size 16K"] {
        work.score(&format!(
            "{SAMPLE} -o out.jsonl --time-field time --windows w.csv --window 1h --slide 20m {flags} --force"
        ));
        let found = work.read("w.csv");
        assert_eq!(rows(&found, &COMPARED), rows(REFERENCE, &COMPARED));
        let states = rows(&found, &["state", "rev", "series"]);
        assert_eq!(states.len(), 1);
        assert_eq!(first.get_or_insert_with(|| found.clone()), &found);
    }
}

#[test]
fn a_post_whose_id_was_there_before_counts_once_and_stays_in_the_output() {
    let work = Workspace::new();
    let post = |id: &str, text: &str| {
        format!("{{\"id\":\"{id}\",\"text\":\"{text}\",\"t\":\"2026-01-01T00:00:01Z\"}}\n")
    };
    let one = post("a", "great") + &post("b", "bad") + &post("a", "great");
    work.file("one.jsonl", &one);
    // Ids are unique within an input.
    work.file("two.jsonl", post("a", "great"));
    let scored = work.score(
        "one.jsonl two.jsonl -o out.jsonl --id-field id --time-field t --windows w.jsonl --window 1h --group-by all \
         --group-by source --summary json",
    );
    let summary: Value = serde_json::from_slice(&scored.stdout).unwrap();
    assert_eq!(summary["window_duplicates"], 1);
    assert_eq!(summary["windows"], 3);
    assert_eq!(work.read("out.jsonl").lines().count(), 4);
    let windows = work.read("w.jsonl");
    let windows: Vec<Value> = windows
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let counts = windows.iter().map(|window| {
        (
            window["group"].as_str().unwrap(),
            window["count"].as_u64().unwrap(),
        )
    });
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [("", 3), ("one.jsonl", 2), ("two.jsonl", 1)]
    );
    assert_eq!(windows[0]["most_positive"][0]["text"], "great");
    assert_eq!(windows[0]["state"], "final");
}

#[test]
fn a_post_without_a_readable_time_is_a_reject() {
    let work = Workspace::new();
    work.file("in.jsonl", "{\"text\":\"fine\",\"t\":\"2026-01-01\"}\n{\"text\":\"fine\"}\n{\"text\":\"fine\",\"t\":\"soon\"}\n");
    work.score("in.jsonl -o out.jsonl --time-field t --windows w.csv --window 1h");
    assert_eq!(rows(&work.read("w.csv"), &["count"]).len(), 1);
    assert_eq!(work.read("out.jsonl").lines().count(), 1);
    let rejects = work.read("out.jsonl.rejects.jsonl");
    assert!(
        rejects.contains("the time field is missing") && rejects.contains("`soon` is no time"),
        "{rejects}"
    );
}

#[test]
fn windows_that_cannot_be_made_are_refused_before_anything_is_written() {
    let work = Workspace::new();
    work.file("in.jsonl", "{\"text\":\"fine\",\"t\":\"2026-01-01\"}\n");
    let before = work.listing();
    for (flags, told) in [
        ("--windows w.csv --time-field t", "--window"),
        ("--windows w.csv --window 1h", "--time-field"),
        (
            "--windows w.csv --window 1h --slide 7m --time-field t",
            "multiple of --slide",
        ),
        (
            "--windows w.csv --window 100d --slide 1s --time-field t",
            "10000 times",
        ),
        (
            "--windows w.txt --window 1h --time-field t",
            ".csv or .jsonl",
        ),
        (
            "--windows w.csv --window 1h --time-field t --resume",
            "--resume",
        ),
        (
            "--windows w.csv --window 1h --time-field t --unordered",
            "--unordered",
        ),
        (
            "--windows out.jsonl --window 1h --time-field t",
            "also the windows file",
        ),
        (
            "--windows in.jsonl --window 1h --time-field t --force",
            "in.jsonl",
        ),
        (
            "--windows w.csv --window 1h --align Europe/Berlin --time-field t",
            "whole number of days",
        ),
        (
            "--windows w.csv --window 1h --group-by mood --time-field t",
            "nothing to group by",
        ),
        ("--window 1h", "--windows FILE"),
        ("--group-by tag", "--windows FILE"),
    ] {
        let error = work.score_fails(2, &format!("in.jsonl -o out.jsonl {flags}"));
        assert!(error.contains(told), "{flags}: {error}");
        assert_eq!(work.listing(), before, "{flags}");
    }
}

#[test]
fn posts_are_grouped_by_fields_of_theirs() {
    let work = Workspace::new();
    work.file(
        "a.csv",
        "text,t,\"air line\"\nbad,2026-01-01T00:00:01Z,A\ngood,2026-01-01T00:00:02Z,\n",
    );
    work.file(
        "b.jsonl",
        concat!(
            "{\"text\":\"bad\",\"t\":1767225601,\"air line\":[\"A\",\"B\",\"A\"]}\n",
            "{\"text\":\"good\",\"t\":1767225602}\n",
        ),
    );
    for (input, expected) in [
        ("a.csv", &[("", "1"), ("A", "1")][..]),
        ("b.jsonl", &[("", "1"), ("A", "1"), ("B", "1")]),
    ] {
        work.ok(&[
            "score",
            input,
            "-o",
            "scored.jsonl",
            "--force",
            "--time-field",
            "t",
            "--windows",
            "w.csv",
            "--window",
            "1h",
            "--group-by",
            "field:air line",
        ]);
        let expected: BTreeSet<_> = expected
            .iter()
            .map(|&(group, count)| {
                vec![
                    "field:air line".to_owned(),
                    group.to_owned(),
                    count.to_owned(),
                ]
            })
            .collect();
        let found = rows(&work.read("w.csv"), &["group_by", "group", "count"]);
        assert_eq!(found, expected, "{input}");
    }
}
