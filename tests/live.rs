//! `moodring live`: whatever is killed and however often it starts again, each post counts once.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::util::{Running, Workspace, children, signal};

/// How long a run may take to get anywhere on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A table of posts in the order of an hour, as they were recorded: up to 8 seconds out of order, some of them twice.
fn posts(count: u32) -> String {
    let texts = [
        "what a great day",
        "this is awful",
        "a train",
        "not bad at all!",
        "I love #rust",
    ];
    let mut table = "id,created,airline,text\n".to_owned();
    let mut random = 7_u32;
    for number in 0..count {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let at = (number * 3600 / count + random % 8).min(3599);
        let id = if random.is_multiple_of(20) {
            number / 2
        } else {
            number
        };
        let _ = writeln!(
            table,
            "{id},2026-01-05T10:{:02}:{:02}Z,airline {},{}",
            at / 60,
            at % 60,
            random % 3,
            texts[(random >> 8) as usize % texts.len()]
        );
    }
    table
}

const FIELDS: &str =
    "--time-field created --id-field id --window 10m --slide 5m --clean none --quiet";

/// Returns the arguments of `moodring live ARGS` with the fields of [`posts`].
fn live_args(args: &str) -> Vec<String> {
    let line = format!("live {args} {FIELDS}");
    line.split_ascii_whitespace().map(str::to_owned).collect()
}

fn live(work: &Workspace, args: &str) {
    let args = live_args(args);
    work.ok(&args.iter().map(String::as_str).collect::<Vec<_>>());
}

fn start(work: &Workspace, args: &str) -> Running {
    let args = live_args(args);
    Running::start(work, &args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// All that a state tells of windows and counts.
fn told(work: &Workspace, state: &str) -> String {
    let ask = |what| {
        let output = work.ok(&["query", state, what, "--format", "jsonl"]);
        String::from_utf8(output.stdout).unwrap()
    };
    ask("windows") + &ask("sources")
}

/// How many posts of all sources are saved in a state.
fn saved(work: &Workspace, state: &str) -> u64 {
    let output = work.run(&["query", state, "sources", "--format", "jsonl"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let count = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        row["received"].as_u64().unwrap()
    };
    text.lines().map(count).sum()
}

/// Waits until more than this many posts are saved.
fn wait_for(work: &Workspace, run: &mut Running, state: &str, more_than: u64) {
    let since = Instant::now();
    while saved(work, state) <= more_than {
        assert!(run.0.try_wait().unwrap().is_none(), "it has ended");
        assert!(since.elapsed() < PATIENCE, "nothing was saved");
    }
}

const WHOLE: &str = "--source replay:posts.csv?speed=max --until-end";

#[test]
fn windows_are_the_same_with_any_number_of_workers_and_in_a_batch() {
    let work = Workspace::new();
    work.file("posts.csv", posts(4000));
    for workers in [1, 2, 5] {
        live(
            &work,
            &format!("{WHOLE} --workers {workers} --state {workers}.db"),
        );
    }
    let one = told(&work, "1.db");
    assert!(one.contains("\"count\":"), "{one}");
    assert!(!one.contains("provisional"), "the end closes all windows");
    assert_eq!(told(&work, "2.db"), one);
    assert_eq!(told(&work, "5.db"), one);

    let csv = |args: &[&str]| String::from_utf8(work.ok(args).stdout).unwrap();
    let live = csv(&["query", "1.db", "--format", "csv"]);
    work.score(
        "posts.csv -o scored.csv --time-field created --id-field id --window 10m --slide 5m --clean none \
         --windows windows.csv --quiet",
    );
    let figures = |table: &str| {
        let lines = table.lines();
        // The number of the series is that of a state.
        let mut lines: Vec<_> = lines
            .map(|line| line.split_once(',').unwrap().1.to_owned())
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(figures(&live), figures(&work.read("windows.csv")));
}

#[test]
fn a_supervisor_that_is_killed_loses_nothing_and_counts_nothing_twice() {
    let work = Workspace::new();
    work.file("posts.csv", posts(6000));
    live(&work, &format!("{WHOLE} --state calm.db"));
    let mut last = 0;
    for _ in 0..3 {
        // An hour takes 18 seconds, so that it is killed between two of several commits.
        let mut run = start(
            &work,
            "--source replay:posts.csv?speed=200 --until-end --state stormy.db",
        );
        wait_for(&work, &mut run, "stormy.db", last);
        signal(run.pid(), "KILL");
        run.0.wait().unwrap();
        last = saved(&work, "stormy.db");
    }
    assert!(last < 6000, "it was killed before its end");
    live(&work, &format!("{WHOLE} --state stormy.db"));
    assert_eq!(told(&work, "stormy.db"), told(&work, "calm.db"));
}

#[test]
fn workers_that_are_killed_all_the_time_change_nothing() {
    let work = Workspace::new();
    work.file("posts.csv", posts(6000));
    live(&work, &format!("{WHOLE} --state calm.db"));
    // Many die before they have started, which no machine does to them.
    let mut run = start(
        &work,
        "--source replay:posts.csv?speed=1000 --until-end --workers 3 --max-crashes 1000 --state stormy.db",
    );
    let mut killed = Vec::new();
    while run.0.try_wait().unwrap().is_none() {
        let victim = children(run.pid())
            .into_iter()
            .find(|pid| !killed.contains(pid));
        if let Some(victim) = victim.filter(|_| killed.len() < 40) {
            signal(victim, "KILL");
            killed.push(victim);
        }
    }
    let (code, said) = run.end();
    assert_eq!(code, 0, "{said}");
    assert!(killed.len() > 10, "{}", killed.len());
    assert_eq!(told(&work, "stormy.db"), told(&work, "calm.db"));
}

#[test]
fn a_signal_ends_the_run_with_everything_saved_and_open_windows_provisional() {
    let work = Workspace::new();
    let table = posts(2000);
    let half = table.len() / 2 + table[table.len() / 2..].find('\n').unwrap() + 1;
    work.file("posts.csv", &table[..half]);
    let lines = table[..half].lines().count() as u64 - 1;
    let mut run = start(&work, "--source file:posts.csv --state s.db");
    wait_for(&work, &mut run, "s.db", lines - 1);
    signal(run.pid(), "TERM");
    let (code, said) = run.end();
    assert_eq!(code, 0, "{said}");
    assert_eq!(saved(&work, "s.db"), lines);
    assert!(told(&work, "s.db").contains("provisional"));

    work.file("posts.csv", &table);
    live(
        &work,
        "--source file:posts.csv?follow=no --until-end --state s.db",
    );
    live(
        &work,
        "--source file:posts.csv?follow=no --until-end --state calm.db",
    );
    assert_eq!(told(&work, "s.db"), told(&work, "calm.db"));
}

#[test]
fn records_from_a_pipe_survive_the_process_that_took_them() {
    let work = Workspace::new();
    let table = posts(500);
    let args = live_args("--source stdin:?format=csv --until-end --state s.db");
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let output = work.pipe(&args, table.as_bytes());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(saved(&work, "s.db"), 500);
    work.file("posts.csv", &table);
    live(
        &work,
        "--source file:posts.csv?follow=no&name=stdin: --until-end --state calm.db",
    );
    let windows = |state| {
        let output = work.ok(&["query", state, "--format", "jsonl"]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(windows("s.db"), windows("calm.db"));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let work = Workspace::new();
    work.file("posts.csv", posts(10));
    let refused = |code, args: &str| {
        let args = live_args(args);
        work.fails(code, &args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let twice =
        "--source file:posts.csv --source replay:posts.csv?name=file:posts.csv --state s.db";
    assert!(refused(2, twice).contains("two sources are called `file:posts.csv`"));
    assert!(refused(2, "--state s.db").contains("--source"));
    assert!(
        refused(2, "--source file:posts.csv --group-by track --state s.db").contains("--track")
    );
    assert!(refused(2, "--source files:posts.csv --state s.db").contains("file"));
    assert_eq!(work.listing(), ["posts.csv"]);

    let mut run = start(&work, "--source file:posts.csv --state s.db");
    wait_for(&work, &mut run, "s.db", 0);
    assert!(refused(1, "--source file:posts.csv --state s.db").contains("another run"));
}

#[test]
fn other_rules_begin_a_new_series_and_positions_continue() {
    let work = Workspace::new();
    work.file("posts.csv", posts(100));
    live(&work, &format!("{WHOLE} --state s.db"));
    let first = told(&work, "s.db");
    work.file("more.csv", posts(100));
    live(&work, &format!("{WHOLE} --group-by source --state s.db"));
    assert_eq!(saved(&work, "s.db"), 100, "nothing is read again");
    let output = work.ok(&["query", "s.db", "--series", "1", "--format", "jsonl"]);
    let again = String::from_utf8(output.stdout).unwrap();
    assert!(first.starts_with(&again), "the old series stays as it was");
}

#[test]
fn every_flag_can_stand_in_a_file() {
    let work = Workspace::new();
    work.file("posts.csv", posts(1000));
    live(&work, &format!("{WHOLE} --state typed.db"));
    work.file(
        "live.toml",
        "until-end = true\nstate = \"file.db\"\ntime-field = \"created\"\nid-field = \"id\"\nwindow = \"10m\"\n\
         slide = \"5m\"\nclean = \"none\"\nquiet = true\n[[source]]\nuri = \"replay:posts.csv\"\nspeed = \"max\"\n",
    );
    work.ok(&["live", "--config", "live.toml"]);
    assert_eq!(told(&work, "file.db"), told(&work, "typed.db"));
    work.file("bad.toml", "windos = \"10m\"\n");
    assert!(
        work.fails(2, &["live", "--config", "bad.toml"])
            .contains("`windos`")
    );
}
