//! Workers come and go during a run, and the output stays the same.

use std::io::Write;

use crate::util::{Running, Workspace, posts, signal};

/// Waits until the run's workers are as wanted.
fn until(run: &mut Running, wanted: impl Fn(&[i32]) -> bool) {
    while !wanted(&run.workers()) {
        assert!(run.0.try_wait().unwrap().is_none(), "the run has ended");
        std::thread::yield_now();
    }
}

#[test]
fn signals_add_take_away_and_renew_workers() {
    let work = Workspace::new();
    let more = posts(20_000);
    let mut run = Running::endless(&work);
    until(&mut run, |workers| workers.len() == 3);
    // Signals that come too fast are one signal.
    while run.workers().len() < 5 {
        signal(run.pid(), "TTIN");
    }
    let before = run.workers();
    signal(run.pid(), "HUP");
    until(&mut run, |workers| {
        before.iter().all(|pid| !workers.contains(pid))
    });
    run.0
        .stdin
        .as_mut()
        .unwrap()
        .write_all(more.as_bytes())
        .unwrap();
    while run.workers().len() > 1 {
        signal(run.pid(), "TTOU");
    }
    let (code, said) = run.end();
    assert_eq!(code, 0, "{said}");
    work.file("posts.jsonl", posts(40_000) + &more);
    work.ok(&["score", "posts.jsonl", "-o", "expected.jsonl"]);
    assert!(work.read("scored.jsonl") == work.read("expected.jsonl"));
}

#[test]
fn limits_change_nothing_but_the_workers() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(10_000));
    work.ok(&["score", "posts.jsonl", "-o", "expected.jsonl"]);
    let limits: [&[&str]; 3] = [
        &["--max-shards", "2"],
        &["--nice", "5", "--pin"],
        &["--max-memory", "30M"],
    ];
    for limit in limits {
        let args = [
            "score",
            "posts.jsonl",
            "-o",
            "scored.jsonl",
            "--force",
            "--shard-size",
            "10K",
            "--workers",
            "2",
        ];
        work.ok(&[&args, limit].concat());
        assert!(
            work.read("scored.jsonl") == work.read("expected.jsonl"),
            "{limit:?}"
        );
    }
}
