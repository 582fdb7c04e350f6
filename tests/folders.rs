//! What a folder holds that is no input.

use crate::util::{Workspace, posts};

#[test]
fn a_folder_can_be_scored_into_itself_again_and_again() {
    let work = Workspace::new();
    work.file("dumps/a.jsonl", posts(20) + "no json\n");
    work.file("dumps/deep/b.jsonl", posts(10));
    work.file("dumps/.git/c.jsonl", posts(10));
    work.file("dumps/old.csv.journal", "of an interrupted run");
    for (output, more) in [
        ("dumps/scored.jsonl", &[][..]),
        ("dumps/scored.jsonl", &["--force"]),
        ("dumps/scored.csv.gz", &["--force"]),
    ] {
        if output.ends_with("gz") {
            std::fs::rename(work.path("dumps/scored.jsonl"), work.path("scored.jsonl")).unwrap();
        }
        for arg in ["dumps", "dumps/**/*.jsonl"] {
            let args = ["score", arg, "-o", output, "--summary", "json"];
            let force = if arg == "dumps" { more } else { &["--force"] };
            let run = work.ok(&[&args[..], force].concat());
            let summary: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
            assert_eq!(
                (summary["records"].as_u64(), summary["rejects"].as_u64()),
                (Some(30), Some(1))
            );
        }
    }
}

#[test]
fn the_output_of_an_earlier_run_is_not_scored_unless_it_is_named() {
    for output in [
        "dumps/scored.jsonl",
        "dumps/scored.csv",
        "dumps/scored.tsv.zst",
    ] {
        let work = Workspace::new();
        work.file("dumps/a.jsonl", posts(20));
        work.ok(&["score", "dumps", "-o", output]);
        for args in [
            &["score", "dumps", "-o", "dumps/again.jsonl"][..],
            &["score", "dumps/*", "-m", "textblob"],
            &["eval", "dumps", "--label-field", "id"],
        ] {
            let said = work.fails(2, args);
            assert!(
                said.contains(output) && said.contains("scored already"),
                "{said}"
            );
        }
        for more in [&["--replace"][..], &["--prefix", "second_"]] {
            let args = ["score", "dumps", "-o", "again.jsonl", "--force"];
            work.ok(&[&args[..], more].concat());
            assert_eq!(work.read("again.jsonl").lines().count(), 40, "{more:?}");
        }
        work.score("dumps/a.jsonl -o dumps/again.jsonl");
    }
}

#[test]
fn an_output_that_is_somebody_elses_file_in_the_folder_is_refused() {
    let work = Workspace::new();
    work.file("dumps/a.jsonl", posts(20));
    work.file("dumps/b.jsonl", posts(20));
    for arg in ["dumps", "dumps/*"] {
        let said = work.fails(2, &["score", arg, "-o", "dumps/b.jsonl", "--force"]);
        assert!(said.contains("`dumps/b.jsonl` is also the input"), "{said}");
        assert_eq!(work.read("dumps/b.jsonl"), posts(20));
    }
}
