//! Any name that the system has for a file works.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;

use serde_json::Value;

use crate::util::{Workspace, posts};

fn odd(name: &str) -> OsString {
    // Latin-1, as old archives have it.
    OsString::from_vec(name.chars().map(|letter| letter as u8).collect())
}

#[test]
fn file_names_need_not_be_utf8() {
    let work = Workspace::new();
    fs::write(
        work.path("").join(odd("café.jsonl")),
        posts(50) + "no json\n",
    )
    .unwrap();
    fs::write(work.path("").join(odd("wörter.tsv")), "delayed\t-1.8\n").unwrap();
    fs::create_dir(work.path("").join(odd("été"))).unwrap();
    let args = [
        "score",
        "café.jsonl",
        "-o",
        "été/ça.jsonl",
        "-m",
        "vader,lexicon:wörter.tsv",
    ];
    let more = ["--resume", "--summary", "json", "--shard-size", "1K"];
    let run = work
        .command(&[])
        .args(args.map(odd))
        .args(more)
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let written = fs::read_to_string(work.path("").join(odd("été/ça.jsonl"))).unwrap();
    assert_eq!(written.lines().count(), 50);
    let summary: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(summary["output"], r"\xE9t\xE9/\xE7a.jsonl");
    let rejects = work.path("").join(odd("été/ça.jsonl.rejects.jsonl"));
    let reject: Value = serde_json::from_slice(&fs::read(rejects).unwrap()).unwrap();
    assert_eq!(reject["source"], r"caf\xE9.jsonl");

    // Also where a folder or a glob finds them.
    for found in ["caf*.jsonl", "caf\u{e9}*", "."] {
        let mut run = work.command(&["score"]);
        let run = run.arg(odd(found)).args(["--quiet", "--force", "-o"]);
        let run = run.arg(odd("sörted.csv")).output().unwrap();
        assert_eq!(
            run.status.code(),
            Some(i32::from(found == ".") * 2),
            "{run:?}"
        );
    }
}
