//! Ctrl-C, polite termination, and a reader that has seen enough.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::util::{Running, Workspace, alive, posts, signal};

#[test]
fn an_interrupted_run_commits_nothing_and_leaves_nobody() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let work = Workspace::new();
        let mut run = Running::endless(&work);
        let workers = run.workers();
        signal(run.pid(), name);
        assert_eq!(run.end().0, code);
        assert_eq!(work.listing(), [""; 0], "after SIG{name}");
        assert!(workers.into_iter().all(|pid| !alive(pid)));
    }
}

#[test]
fn a_second_signal_ends_a_run_that_cannot_drain() {
    let work = Workspace::new();
    let mut run = Running::endless(&work);
    // A stopped worker never finishes its shard, so the run can only be ended the hard way.
    for worker in run.workers() {
        signal(worker, "STOP");
    }
    signal(run.pid(), "INT");
    while run.0.try_wait().unwrap().is_none() {
        signal(run.pid(), "INT");
    }
    assert_eq!(run.end().0, 130);
    assert_eq!(work.listing(), [""; 0]);
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_run_quietly() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(50_000));
    let mut run = work
        .score_command("posts.jsonl")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(run.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.contains("vader"));
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_second_signal_ends_a_run_whose_output_is_not_read() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(50_000));
    let mut command = work.score_command("posts.jsonl");
    let mut run = Running(
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let stdout = run.0.stdout.take().unwrap();
    // Half of what a pipe holds: there is far more to come, and nobody reads it.
    while rustix::io::ioctl_fionread(&stdout).unwrap() < 32 << 10 {
        std::thread::yield_now();
    }
    while run.0.try_wait().unwrap().is_none() {
        signal(run.pid(), "TERM");
    }
    assert_eq!(run.end().0, 143);
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_from_the_first_byte_on() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(10));
    let moodring = env!("CARGO_BIN_EXE_moodring");
    let script = format!("ulimit -f 0; exec '{moodring}' score posts.jsonl -o scored.jsonl");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).current_dir(work.path(""));
    let run = shell.output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(
        matches!(run.status.code(), Some(1 | 2)),
        "{:?}: {said}",
        run.status
    );
    assert!(said.contains("File too large"), "{said}");
}

#[test]
fn an_interrupted_run_says_what_became_of_its_output() {
    for (more, expected, kept) in [
        ("", "removed the unfinished out.jsonl", false),
        ("--resume", "the finished part of out.jsonl is kept", true),
    ] {
        let work = Workspace::new();
        work.file("posts.jsonl", posts(100_000));
        let args = format!("posts.jsonl -o out.jsonl --shard-size 4K {more}");
        let mut run = Running::score(&work, &args);
        while crate::util::journal_len(&work, "out.jsonl") < 5 {
            std::thread::yield_now();
        }
        signal(run.pid(), "INT");
        let (code, said) = run.end();
        assert_eq!(code, 130, "{said}");
        assert!(said.contains(expected), "{said}");
        assert_eq!(work.path("out.jsonl.part").exists(), kept);
    }
}

#[test]
fn the_log_tells_the_life_of_a_run() {
    let work = Workspace::new();
    let args = "- --format jsonl -o out.jsonl --workers 2 --log-level info --log-format json";
    let mut run = Running::score(&work, args);
    let first = run.workers()[0];
    signal(first, "KILL");
    // Its successor has another process id.
    while run.workers().iter().all(|&pid| pid <= first) || crate::util::alive(first) {
        std::thread::yield_now();
    }
    let (code, said) = run.end();
    assert_eq!(code, 0, "{said}");
    for told in [
        "run started",
        "worker started",
        "worker ended",
        "signal 9",
        "run finished",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}
