//! Runs are looked at and steered from another process.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use serde_json::Value;

use crate::util::{Running, Workspace, posts, signal};

/// What `moodring ctl status` says, as soon as `wanted` holds.
fn status(work: &Workspace, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let run = work.ok(&["ctl", "status", "--json"]);
        if let Ok(status) = serde_json::from_slice(&run.stdout)
            && wanted(&status)
        {
            return status;
        }
    }
}

fn processes(status: &Value) -> usize {
    let workers = status["workers"].as_array().unwrap();
    workers
        .iter()
        .filter(|worker| worker["pid"].is_u64())
        .count()
}

#[test]
fn a_run_tells_how_far_it_is() {
    let work = Workspace::new();
    let run = Running::endless(&work);
    // The rest of its input waits for the block to be full.
    let status = status(&work, |status| status["records"].as_u64() > Some(20_000));
    assert_eq!(status["pid"], run.pid());
    assert_eq!(status["command"], "score");
    assert_eq!(status["output"], "scored.jsonl");
    assert_eq!(status["workers_wanted"], 3);
    let workers = status["workers"].as_array().unwrap();
    assert_eq!(workers.len(), 3);
    for worker in workers {
        assert_eq!(worker["state"], "ready");
        assert!(worker["rss_bytes"].as_u64().unwrap() > 100_000, "{worker}");
    }
    let records: u64 = workers
        .iter()
        .filter_map(|worker| worker["records"].as_u64())
        .sum();
    assert!(records > 20_000);
    let page = String::from_utf8(work.ok(&["ctl", "status"]).stdout).unwrap();
    assert!(page.contains("to scored.jsonl\n"), "{page}");
    assert!(page.contains("3 of 3 workers"), "{page}");
}

#[test]
fn a_run_is_scaled_and_ends_with_the_same_output() {
    let work = Workspace::new();
    let mut run = Running::endless(&work);
    for count in [6, 1, 2] {
        let said = work.ok(&["ctl", "scale", &count.to_string()]).stdout;
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains(&format!(": set to {count} worker")), "{said}");
        let status = status(&work, |status| processes(status) == count);
        assert_eq!(status["workers_wanted"], count);
    }
    let (code, said) = run.end();
    assert_eq!(code, 0, "{said}");
    work.file("posts.jsonl", posts(40_000));
    work.score("posts.jsonl -o expected.jsonl");
    assert!(work.read("scored.jsonl") == work.read("expected.jsonl"));
    assert_eq!(fs::read_dir(work.sockets()).unwrap().count(), 0);
}

#[test]
fn a_drained_stream_is_complete_up_to_there() {
    let work = Workspace::new();
    let mut run = Running::endless(&work);
    status(&work, |status| status["records"].as_u64() > Some(20_000));
    work.ok(&["ctl", "drain"]);
    // Its input stays open all the while.
    let code = run.0.wait().unwrap().code();
    assert_eq!(code, Some(0));
    work.file("posts.jsonl", posts(40_000));
    work.score("posts.jsonl -o expected.jsonl");
    let (scored, expected) = (work.read("scored.jsonl"), work.read("expected.jsonl"));
    assert!(scored.lines().count() > 20_000 && expected.starts_with(&scored));
}

#[test]
fn a_drained_run_over_files_is_kept_to_be_gone_on_with() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(60_000));
    let args = [
        "score",
        "posts.jsonl",
        "-o",
        "scored.jsonl",
        "--shard-size",
        "16K",
    ];
    let mut run = Running::start(&work, &args);
    status(&work, |status| status["records"].as_u64() > Some(500));
    work.ok(&["ctl", "drain"]);
    let (code, said) = run.end();
    assert_eq!(code, 143, "{said}");
    assert!(said.contains("with --resume to continue"), "{said}");
    work.score("posts.jsonl -o scored.jsonl --resume");
    assert_eq!(work.read("scored.jsonl").lines().count(), 60_000);
}

#[test]
fn a_stopped_run_leaves_nothing() {
    let work = Workspace::new();
    let mut run = Running::endless(&work);
    status(&work, |_| true);
    work.ok(&["ctl", "stop"]);
    assert_eq!(run.end().0, 143);
    assert_eq!(work.listing(), [""; 0]);
    assert_eq!(fs::read_dir(work.sockets()).unwrap().count(), 0);
}

#[test]
fn of_several_runs_one_must_be_named() {
    let work = Workspace::new();
    let said = work.fails(1, &["ctl", "drain"]);
    assert!(said.contains("there is no run"), "{said}");
    let first = Running::endless(&work);
    status(&work, |_| true);
    let other = Workspace::new();
    let mut second = other
        .command(&["score", "-", "--format", "jsonl"])
        .env("XDG_RUNTIME_DIR", work.sockets().parent().unwrap())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while fs::read_dir(work.sockets()).unwrap().count() < 2 {
        std::thread::yield_now();
    }
    let said = work.fails(2, &["ctl", "scale", "2"]);
    let pids = [first.pid().to_string(), second.id().to_string()];
    assert!(pids.iter().all(|pid| said.contains(pid)), "{said}");
    work.ok(&["ctl", "scale", "2", "--pid", &pids[0]]);
    drop(second.stdin.take());
    second.wait().unwrap();
}

#[test]
fn only_the_owner_reaches_a_run_and_a_dead_one_is_forgotten() {
    let work = Workspace::new();
    let mut run = Running::endless(&work);
    status(&work, |_| true);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let socket = work.sockets().join(format!("{}.sock", run.pid()));
    assert_eq!((mode(&work.sockets()), mode(&socket)), (0o700, 0o600));
    signal(run.pid(), "KILL");
    run.end();
    assert!(socket.exists(), "a killed run cannot clean up");
    let page = String::from_utf8(work.ok(&["ctl", "status"]).stdout).unwrap();
    assert_eq!(page, "there is no run\n");
    assert!(!socket.exists());
}

#[test]
fn top_shows_a_run_until_it_ends() {
    let work = Workspace::new();
    let mut run = Running::endless(&work);
    status(&work, |_| true);
    let top = work
        .command(&["ctl", "top", "--interval", "0.1"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    status(&work, |status| status["records"].as_u64() > Some(20_000));
    run.end();
    let page = String::from_utf8(top.wait_with_output().unwrap().stdout).unwrap();
    assert!(page.starts_with("score "), "{page}");
    assert!(page.ends_with("the run has ended\n"), "{page}");
    assert!(
        !page.contains('\u{1b}'),
        "no terminal, no control characters"
    );
}

#[test]
fn a_stopped_run_is_shown_as_not_responding() {
    let work = Workspace::new();
    let run = Running::endless(&work);
    status(&work, |_| true);
    signal(run.pid(), "STOP");
    let page = String::from_utf8(work.ok(&["ctl", "status"]).stdout).unwrap();
    assert!(
        page.starts_with(&format!("run {}: not responding", run.pid())),
        "{page}"
    );
    let said = work.fails(1, &["ctl", "drain"]);
    assert!(said.contains("takes effect when it continues"), "{said}");
    signal(run.pid(), "CONT");
}

#[test]
fn a_run_that_answers_nonsense_is_shown() {
    let work = Workspace::new();
    impostor(&work, |mut client| {
        let _ = client.write_all(b"nonsense\n");
    });
    let page = String::from_utf8(work.ok(&["ctl", "status"]).stdout).unwrap();
    assert!(
        page.starts_with("run 7: not responding (cannot understand"),
        "{page}"
    );
    let line = work.ok(&["ctl", "status", "--json"]).stdout;
    let line: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(line["state"], "not responding");
}

#[test]
fn a_run_with_a_range_of_workers_begins_with_the_least() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(20_000));
    work.score("posts.jsonl -o expected.jsonl");
    let run = work.score("posts.jsonl -o scored.jsonl --workers 2..5 --summary json");
    let summary: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(summary["workers"], 2);
    assert!(work.read("scored.jsonl") == work.read("expected.jsonl"));
}

/// Gives a path its mode.
fn close_to(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Something that claims to be the run with process id 7, and answers each client with `answer`.
fn impostor(work: &Workspace, answer: impl Fn(UnixStream) + Send + 'static) {
    fs::create_dir(work.sockets()).unwrap();
    close_to(&work.sockets(), 0o700);
    let path = work.sockets().join("7.sock");
    let listener = UnixListener::bind(&path).unwrap();
    close_to(&path, 0o600);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // One that closes before it has read the question would break the pipe. Who only looks asks nothing.
            let _ = (&client).read(&mut [0; 64]);
            answer(client);
        }
    });
}

#[test]
fn an_answer_without_end_is_given_up() {
    let work = Workspace::new();
    impostor(
        &work,
        |mut client| {
            while client.write_all(&[b'x'; 1 << 12]).is_ok() {}
        },
    );
    let said = work.fails(1, &["ctl", "status", "--pid", "7"]);
    assert!(said.contains("more than 4194304 bytes"), "{said}");
}

#[test]
fn what_others_wrote_is_printed_without_control_characters() {
    let work = Workspace::new();
    impostor(&work, |mut client| {
        let _ = client.write_all(b"{\"refused\":\"\\u001b[2Jno\xc2\x9b\"}\n");
    });
    let said = work.fails(1, &["ctl", "drain", "--pid", "7"]);
    assert!(said.contains("\\u{1b}[2Jno\\u{9b}"), "{said}");

    let work = Workspace::new();
    let mut run = Running::start(
        &work,
        &["score", "-", "--format", "jsonl", "-o", "\u{1b}[31m.jsonl"],
    );
    let status = status(&work, |_| true);
    assert_eq!(status["output"], r"\x1B[31m.jsonl");
    let page = String::from_utf8(work.ok(&["ctl", "status"]).stdout).unwrap();
    assert!(page.contains(" to \\x1B[31m.jsonl\n"), "{page}");
    run.end();
}

#[test]
fn nothing_is_asked_where_others_could_answer() {
    let work = Workspace::new();
    impostor(&work, |mut client| {
        let _ = client.write_all(b"\"done\"\n");
    });
    let (folder, path) = (work.sockets(), work.sockets().join("7.sock"));
    let drain = ["ctl", "drain", "--pid", "7"];
    work.ok(&drain);
    for (path, mode, well) in [(&folder, 0o711, 0o700), (&path, 0o660, 0o600)] {
        close_to(path, mode);
        let said = work.fails(1, &drain);
        assert!(said.contains("that only you may"), "{said}");
        close_to(path, well);
    }
    let real = folder.with_extension("real");
    fs::rename(&folder, &real).unwrap();
    symlink(&real, &folder).unwrap();
    let said = work.fails(1, &["ctl", "status"]);
    assert!(said.contains("that only you may enter"), "{said}");
    fs::remove_file(&folder).unwrap();
    fs::rename(&real, &folder).unwrap();
    fs::rename(&path, folder.join("real")).unwrap();
    symlink("real", &path).unwrap();
    let said = work.fails(1, &drain);
    assert!(said.contains("is not a socket of yours"), "{said}");
}

#[test]
fn clients_that_say_nothing_or_too_much_do_not_keep_others() {
    let work = Workspace::new();
    let run = Running::endless(&work);
    status(&work, |_| true);
    let path = work.sockets().join(format!("{}.sock", run.pid()));
    let silent: Vec<_> = (0..3)
        .map(|_| UnixStream::connect(&path).unwrap())
        .collect();
    let mut loud = UnixStream::connect(&path).unwrap();
    while loud.write_all(&[b'x'; 1 << 12]).is_ok() {}
    work.ok(&["ctl", "status"]);
    drop(silent);
}

#[test]
fn a_run_that_had_no_descriptors_left_answers_when_it_has() {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

    let work = Workspace::new();
    let run = Running::endless(&work);
    status(&work, |_| true);
    let pid = Pid::from_raw(run.pid());
    let none = Rlimit {
        current: Some(3),
        ..getrlimit(Resource::Nofile)
    };
    let before = prlimit(pid, Resource::Nofile, none).unwrap();
    let path = work.sockets().join(format!("{}.sock", run.pid()));
    let waiting: Vec<_> = (0..8)
        .map(|_| UnixStream::connect(&path).unwrap())
        .collect();
    let answered = std::thread::scope(|scope| {
        let asked = scope.spawn(|| work.ok(&["ctl", "status"]));
        drop(waiting);
        prlimit(pid, Resource::Nofile, before).unwrap();
        asked.join().unwrap()
    });
    assert!(!answered.stdout.is_empty());
}
