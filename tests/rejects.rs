//! A malformed record never stops a run, and is never lost.

use serde_json::Value;

use crate::util::Workspace;

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
    work.ok(&[
        "score",
        "posts.jsonl",
        "-o",
        "scored.jsonl",
        "--shard-size",
        "7",
    ]);
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
    work.ok(&["score", "posts.jsonl", "-o", "scored.jsonl"]);
    assert_eq!(work.listing(), ["posts.jsonl", "scored.jsonl"]);
}

#[test]
fn rejects_go_where_they_are_wanted() {
    let work = Workspace::new();
    work.file("posts.jsonl", MIXED);
    work.ok(&[
        "score",
        "posts.jsonl",
        "-o",
        "scored.jsonl",
        "--rejects",
        "bad.jsonl",
    ]);
    assert_eq!(rejects(&work, "bad.jsonl").len(), 3);
}

#[test]
fn ragged_rows_and_bad_utf8_are_rejects() {
    let work = Workspace::new();
    work.file("posts.csv", b"text,n\nfine,1\nragged\n\xff\xfe,2\n");
    work.ok(&["score", "posts.csv", "-o", "scored.csv"]);
    let rejects = rejects(&work, "scored.csv.rejects.jsonl");
    assert_eq!(rejects.len(), 2);
    assert_eq!(rejects[0]["raw"], "ragged");
    assert!(rejects[1]["raw_base64"].is_string());
}

#[test]
fn strict_stops_at_the_first_with_its_place() {
    let work = Workspace::new();
    work.file("posts.jsonl", MIXED);
    let said = work.fails(
        1,
        &["score", "posts.jsonl", "-o", "scored.jsonl", "--strict"],
    );
    assert!(said.contains("posts.jsonl: line 2 (byte 16)"), "{said}");
    assert_eq!(work.listing(), ["posts.jsonl"]);
}
