//! Whatever is killed, and when: the output does not change by a byte, and nobody is left behind.

use crate::util::{Running, Workspace, alive, children, posts, signal};

#[test]
fn killed_workers_cost_nothing_but_time() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(40_000));
    work.score("posts.jsonl -o calm.jsonl");
    for (output, more) in [
        ("stormy.jsonl", "--quiet"),
        ("stormy-too.jsonl", "--unordered"),
    ] {
        let args = [
            "score",
            "posts.jsonl",
            "-o",
            output,
            "--workers",
            "3",
            "--shard-size",
            "20K",
            "--quiet",
            more,
        ];
        let mut run = Running::start(&work, &args[..if more == "--quiet" { 9 } else { 10 }]);
        let mut killed = Vec::new();
        while killed.len() < 12 && run.0.try_wait().unwrap().is_none() {
            let victims = children(run.pid());
            if let Some(&victim) = victims.iter().find(|pid| !killed.contains(*pid)) {
                signal(victim, "KILL");
                killed.push(victim);
            }
        }
        let (code, said) = run.end();
        assert_eq!(code, 0, "{said}");
        assert!(!killed.is_empty());
        let sorted = |name: &str| {
            let mut lines: Vec<_> = work.read(name).lines().map(str::to_owned).collect();
            if more == "--unordered" {
                lines.sort();
            }
            lines
        };
        assert!(sorted(output) == sorted("calm.jsonl"), "{output} differs");
    }
}

#[test]
fn compressed_outputs_are_the_same_bytes_whatever_dies_and_however_many_workers_there_are() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(20_000));
    for extension in ["gz", "zst"] {
        let calm = format!("calm.jsonl.{extension}");
        work.ok(&["score", "posts.jsonl", "-o", &calm, "--workers", "1"]);
        let calm = std::fs::read(work.path(&calm)).unwrap();
        for (workers, deaths) in [("2", 0), ("5", 0), ("3", 9)] {
            let output = format!("stormy-{workers}.jsonl.{extension}");
            let args = ["score", "posts.jsonl", "-o", &output, "--workers", workers];
            let mut run = Running::start(&work, &[&args[..], &["--quiet"]].concat());
            let mut killed = Vec::new();
            while killed.len() < deaths && run.0.try_wait().unwrap().is_none() {
                let victims = children(run.pid());
                if let Some(&victim) = victims.iter().find(|pid| !killed.contains(*pid)) {
                    signal(victim, "KILL");
                    killed.push(victim);
                }
            }
            let (code, said) = run.end();
            assert_eq!(code, 0, "{said}");
            let bytes = std::fs::read(work.path(&output)).unwrap();
            assert!(bytes == calm, "{output} differs after {killed:?} died");
        }
    }
}

#[test]
fn workers_do_not_outlive_a_killed_supervisor() {
    let work = Workspace::new();
    let mut run = Running::endless(&work);
    let workers = run.workers();
    signal(run.pid(), "KILL");
    assert_eq!(run.end().0, 128 + 9);
    while workers.iter().any(|&pid| alive(pid)) {
        std::thread::yield_now();
    }
    // What the dead run left does not stop the next one.
    work.file("posts.jsonl", posts(10));
    work.score("posts.jsonl -o scored.jsonl");
    assert_eq!(work.read("scored.jsonl").lines().count(), 10);
}
