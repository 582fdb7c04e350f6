//! Deadlines measure work on a record: neither a slow disk nor a supervisor that was stopped costs a worker its life.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::util::{Running, Workspace, children, posts, signal};

/// Scores posts while a worker meets the fault at each point that has to do with the disk, with more arguments. The run must
/// succeed with the expected output. Returns the restarts of each run.
fn restarts_with_a_disk_that_is(fault: &str, more: &str) -> Vec<Value> {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3_000));
    work.score("posts.jsonl -o expected.jsonl");
    let args =
        "posts.jsonl -o scored.jsonl --force --workers 2 --summary json --record-timeout 0.4";
    let points = ["receive", "commit"].into_iter();
    let restarts = points.map(|point| {
        let token = work.file("token", "");
        let run = work
            .score_command(&format!("{args} {more}"))
            .env(
                "MOODRING_FAULTS",
                format!("{fault}@{point}#{}", token.display()),
            )
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{point}: {said}");
        assert!(!token.exists(), "{point} was not reached");
        assert!(work.read("scored.jsonl") == work.read("expected.jsonl"));
        let mut summary: Value = serde_json::from_slice(&run.stdout).unwrap();
        summary["restarts"].take()
    });
    restarts.collect()
}

#[test]
fn a_slow_disk_is_no_hung_record() {
    assert_eq!(restarts_with_a_disk_that_is("slow", ""), [0, 0]);
}

#[test]
fn a_disk_that_hangs_costs_the_worker_and_not_the_run() {
    let restarts = restarts_with_a_disk_that_is("stop", "--io-timeout 0.4");
    assert!(
        restarts.iter().all(|restarts| *restarts != 0),
        "{restarts:?}"
    );
}

#[test]
fn workers_outlive_a_stop_of_their_supervisor() {
    let work = Workspace::new();
    let args = "- --format jsonl -o scored.jsonl --workers 2 --summary json";
    let limits = "--record-timeout 0.1 --io-timeout 0.1";
    let mut run = Running::score(&work, &format!("{args} {limits}"));
    while run.workers().len() < 2 {}
    signal(run.pid(), "STOP");
    let workers = children(run.pid());
    // Longer than any of the limits.
    let stopped = Instant::now();
    while stopped.elapsed() < Duration::from_secs(1) {
        std::thread::yield_now();
    }
    signal(run.pid(), "CONT");
    work.ok(&["ctl", "status"]);
    assert_eq!(run.workers(), workers);
    let (code, said) = run.end();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_timeout_that_could_not_be_honored_is_refused() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3));
    for flag in ["--record-timeout", "--io-timeout"] {
        for wrong in ["0.001", "NaN", "1e300", "inf", "-1"] {
            let flag = format!("{flag}={wrong}");
            let said = work.fails(2, &["score", "posts.jsonl", &flag]);
            assert!(said.contains("from 0.01"), "{said}");
        }
    }
}
