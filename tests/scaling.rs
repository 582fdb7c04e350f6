//! Workers come and go during a run, and the output stays the same.

use std::io::Write;
use std::process::Stdio;

use crate::util::{Running, Workspace, children, posts, signal};

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
        signal(run.pid(), "USR1");
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
        signal(run.pid(), "USR2");
    }
    let (code, said) = run.end();
    assert_eq!(code, 0, "{said}");
    work.file("posts.jsonl", posts(40_000) + &more);
    work.score("posts.jsonl -o expected.jsonl");
    assert!(work.read("scored.jsonl") == work.read("expected.jsonl"));
}

/// The state of a process: proc(5), such as `T` for a stopped one.
fn state(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[test]
fn a_background_job_that_reads_its_terminal_is_stopped_and_breeds_no_workers() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let work = Workspace::new();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let open = || {
        let mut options = std::fs::File::options();
        let options = options.read(true).write(true);
        Stdio::from(options.open(name.to_str().unwrap()).unwrap())
    };
    // With job control, as in a shell that a person types at. It must outlive the job: `wait` would end when the job stops.
    let script =
        "set -m; \"$0\" score - --format jsonl -o scored.jsonl --workers 2 & exec sleep 600";
    let mut shell = work.command(&[]);
    let moodring = shell.get_program().to_owned();
    shell = std::process::Command::new("setsid");
    shell
        .args(["--ctty", "sh", "-c", script])
        .arg(moodring)
        .current_dir(work.path(""))
        .env("XDG_RUNTIME_DIR", work.sockets().parent().unwrap())
        .stdin(open())
        .stdout(open())
        .stderr(open());
    let mut shell = Running(shell.spawn().unwrap());
    let job = loop {
        if let [job] = shell.workers()[..] {
            break job;
        }
    };
    let job = Killed(job);
    while state(job.0) != Some('T') {
        let workers = children(job.0).len();
        assert!(workers <= 2, "{workers} workers");
        std::thread::yield_now();
    }
}

/// A process that is killed when the test is done with it.
struct Killed(i32);

impl Drop for Killed {
    fn drop(&mut self) {
        signal(self.0, "KILL");
    }
}

#[test]
fn limits_change_nothing_but_the_workers() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(10_000));
    work.score("posts.jsonl -o expected.jsonl");
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
