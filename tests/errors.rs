//! An error is one line that says what to do, and leaves nothing half-written.

use std::fs::OpenOptions;

use crate::util::{Workspace, gzip, posts};

#[test]
fn a_missing_file_is_named() {
    let work = Workspace::new();
    assert!(
        work.score_fails(2, "nowhere.jsonl")
            .contains("nowhere.jsonl")
    );
}

#[test]
fn a_glob_without_a_match_is_an_error() {
    let work = Workspace::new();
    assert!(work.score_fails(2, "*.jsonl").contains("*.jsonl"));
}

#[test]
fn a_missing_column_is_found_before_anything_is_written() {
    let work = Workspace::new();
    work.file("posts.csv", "id,txt\n1,fine\n");
    let said = work.score_fails(2, "posts.csv -o scored.csv");
    assert!(said.contains("text") && said.contains("txt"), "{said}");
    assert_eq!(work.listing(), ["posts.csv"]);
}

#[test]
fn an_output_that_exists_is_kept_unless_forced() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3));
    work.file("scored.jsonl", "precious");
    assert!(
        work.score_fails(2, "posts.jsonl -o scored.jsonl")
            .contains("--force")
    );
    assert_eq!(work.read("scored.jsonl"), "precious");
    work.score("posts.jsonl -o scored.jsonl --force");
    assert_eq!(work.read("scored.jsonl").lines().count(), 3);
}

#[test]
fn an_output_of_unknown_format_is_an_error() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3));
    assert!(
        work.score_fails(2, "posts.jsonl -o scored.parquet")
            .contains("--output-format")
    );
}

#[test]
fn an_unknown_model_or_flag_value_is_a_usage_error() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3));
    assert!(
        work.score_fails(2, "posts.jsonl --model vaider")
            .contains("vaider")
    );
    for wrong in [
        ["--workers", "0"],
        ["--workers", "many"],
        ["--shard-size", "0"],
        ["--format", "xml"],
    ] {
        let said = work.fails(2, &["score", "posts.jsonl", wrong[0], wrong[1]]);
        assert!(said.contains(wrong[0]) && said.contains(wrong[1]), "{said}");
    }
    assert!(
        work.score_fails(2, "posts.jsonl --wrokers 2")
            .contains("--workers")
    );
    let said = work.fails(2, &["score"]);
    assert!(said.contains("were not provided: <INPUT>..."), "{said}");
    let said = work.fails(2, &["posts.jsonl"]);
    assert!(said.contains("run `moodring score posts.jsonl`"), "{said}");
}

#[test]
fn a_truncated_archive_is_an_error_and_leaves_no_output() {
    let work = Workspace::new();
    let mut packed = gzip(posts(2_000).as_bytes());
    packed.truncate(packed.len() / 2);
    work.file("posts.jsonl.gz", packed);
    assert!(
        work.score_fails(1, "posts.jsonl.gz -o scored.jsonl")
            .contains("posts.jsonl.gz")
    );
    assert_eq!(work.listing(), ["posts.jsonl.gz"]);
}

#[test]
fn tables_with_different_columns_cannot_share_a_csv() {
    let work = Workspace::new();
    work.file("a.csv", "text,a\nfine,1\n");
    work.file("b.csv", "text,b\nfine,1\n");
    let said = work.score_fails(2, "a.csv b.csv -o scored.csv");
    assert!(said.contains("a.csv") && said.contains("b.csv"), "{said}");
    work.score("a.csv b.csv -o scored.jsonl");
}

#[test]
fn a_full_device_ends_the_run_with_a_sentence() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(2_000));
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = work
        .command(&["score", "posts.jsonl"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("space"));
}

#[test]
fn a_field_that_json_posts_do_not_have_is_told_with_those_they_have() {
    let work = Workspace::new();
    work.file(
        "posts.jsonl",
        "{\"ident\":1,\"text\":\"good\",\"mood\":\"positive\"}\n",
    );
    let said = work.fails(2, &["eval", "posts.jsonl", "--label-field", "moods"]);
    assert!(
        said.contains("its fields are `ident`, `text`, `mood`; did you mean --label-field mood"),
        "{said}"
    );
    let args = [
        "score",
        "posts.jsonl",
        "-q",
        "-o",
        "out.csv",
        "--id-field",
        "id",
    ];
    let said = String::from_utf8(work.ok(&args).stderr).unwrap();
    assert!(
        said.contains("has no field `id`; its fields are `ident`"),
        "{said}"
    );
}
