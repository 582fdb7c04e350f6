//! What a run is started in: closed streams, odd folders for temporary files, few descriptors, ignored signals.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::util::{Workspace, posts};

const SCORE: [&str; 6] = [
    "score",
    "posts.jsonl",
    "-o",
    "scored.jsonl",
    "--force",
    "-q",
];

/// A folder with posts, and what they come to.
fn scored() -> (Workspace, String) {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(2_000));
    work.ok(&SCORE);
    let expected = work.read("scored.jsonl");
    fs::remove_file(work.path("scored.jsonl")).unwrap();
    (work, expected)
}

/// Scores the posts in a shell that has done `first` before, with more arguments.
fn score_after(work: &Workspace, first: &str, more: &str) -> Output {
    let line = format!("{first}; exec \"$@\" {more}");
    let program = work.command(&[]).get_program().to_owned();
    let mut shell = Command::new("sh");
    for (name, value) in work.command(&[]).get_envs() {
        shell.env(name, value.unwrap());
    }
    shell
        .current_dir(work.path("."))
        .args(["-c", &line, "sh"])
        .arg(program)
        .args(SCORE)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_log_that_nobody_reads_to_its_end_ends_no_run() {
    let (work, expected) = scored();
    let mut run = work
        .command(
            &[
                &SCORE[..],
                &["--log-level", "debug", "--shard-size", "4KiB"],
            ]
            .concat(),
        )
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut log = BufReader::new(run.stderr.take().unwrap());
    log.read_line(&mut line).unwrap();
    assert!(line.contains("run started"), "{line}");
    drop(log);
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!(work.read("scored.jsonl"), expected);
}

#[test]
fn closed_streams_change_no_output() {
    let (work, expected) = scored();
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let output = score_after(&work, ":", &format!("--log-level debug {closed}"));
        assert_eq!(
            output.status.code(),
            Some(0),
            "{closed}: {}",
            stderr(&output)
        );
        assert_eq!(work.read("scored.jsonl"), expected, "{closed}");
        fs::remove_file(work.path("scored.jsonl")).unwrap();
    }
}

#[test]
fn a_closed_stream_that_a_run_needs_is_an_error() {
    let (work, _) = scored();
    let moodring = env!("CARGO_BIN_EXE_moodring");
    for (args, said) in [
        ("score posts.jsonl >&-", "standard output is closed"),
        ("score posts.jsonl -o - >&-", "standard output is closed"),
        (
            "score posts.jsonl -o out.jsonl --summary json >&-",
            "standard output is closed",
        ),
        (
            "score - -f jsonl -o out.jsonl <&-",
            "standard input is closed",
        ),
        ("score - -f jsonl </dev/null", ""),
    ] {
        let command = format!("'{moodring}' {args}");
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(work.path("."))
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(if said.is_empty() { 0 } else { 2 }),
            "{args}"
        );
        assert!(
            stderr(&output).contains(said),
            "{args}: {}",
            stderr(&output)
        );
        assert!(!work.path("out.jsonl").exists());
    }
}

#[test]
fn no_folder_for_temporary_files_stops_a_run() {
    let (work, expected) = scored();
    let long = work.path(&"x".repeat(200)).join("y".repeat(100));
    fs::create_dir_all(&long).unwrap();
    let odd = work
        .path(".")
        .join(OsString::from_vec(b"\xff\xfe".to_vec()));
    fs::create_dir(&odd).unwrap();
    let locked = work.path("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    let file = work.path("posts.jsonl");
    let folders = [
        long,
        odd,
        locked,
        file,
        work.path("missing"),
        PathBuf::new(),
    ];
    for folder in folders {
        let output = work
            .command(&SCORE)
            .env_remove("XDG_RUNTIME_DIR")
            .env("TMPDIR", &folder)
            .output()
            .unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{folder:?}: {said}");
        assert!(!said.contains("panicked"), "{folder:?}: {said}");
        assert_eq!(work.read("scored.jsonl"), expected, "{folder:?}");
        let left = fs::read_dir(&folder).into_iter().flatten().flatten();
        let left = left.filter(|entry| entry.file_name().to_string_lossy().ends_with("-start"));
        assert_eq!(left.count(), 0, "{folder:?}");
        fs::remove_file(work.path("scored.jsonl")).unwrap();
    }
}

#[test]
fn what_a_killed_start_left_is_removed_by_the_next() {
    let (work, _) = scored();
    let user = rustix::process::geteuid().as_raw();
    let sockets = work
        .sockets()
        .with_file_name(format!("moodring-{user}-start"));
    assert!(!sockets.exists(), "a run left it");
    fs::create_dir(&sockets).unwrap();
    fs::set_permissions(&sockets, fs::Permissions::from_mode(0o700)).unwrap();
    // A process that is gone, one that has the id of one that is gone, and one that may be starting just now.
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let me = std::process::id();
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let started = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19);
    let live = format!("{me}-{}-0", started.unwrap());
    for name in [&format!("{}-77-0", gone.id()), &format!("{me}-1-0"), &live] {
        fs::write(sockets.join(name), "").unwrap();
    }
    work.ok(&SCORE);
    let left: Vec<_> = fs::read_dir(&sockets)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left, [live.as_str()]);
    fs::remove_file(sockets.join(&live)).unwrap();
    work.ok(&SCORE);
    assert!(!sockets.exists());
}

#[test]
fn a_missing_umask_lets_nobody_in() {
    let (work, expected) = scored();
    let output = score_after(&work, "umask 000", "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(work.read("scored.jsonl"), expected);
    // A folder that others may enter is not used.
    let user = rustix::process::geteuid().as_raw();
    let sockets = work
        .sockets()
        .with_file_name(format!("moodring-{user}-start"));
    fs::create_dir(&sockets).unwrap();
    fs::set_permissions(&sockets, fs::Permissions::from_mode(0o777)).unwrap();
    work.ok(&SCORE);
    assert!(fs::read_dir(&sockets).unwrap().next().is_none());
    assert_eq!(
        fs::metadata(&sockets).unwrap().permissions().mode() & 0o777,
        0o777
    );
}

#[test]
fn too_few_descriptors_are_refused_with_the_way_out() {
    let (work, expected) = scored();
    let output = score_after(&work, "ulimit -n 28", "--workers 4");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("4 workers need")
            && said.contains("may open 28; raise the limit (`ulimit -n "),
        "{said}"
    );
    assert!(!work.path("scored.jsonl").exists());

    // The soft limit is ours to raise.
    let output = score_after(&work, "ulimit -Sn 40", "--workers 20 --shard-size 4KiB");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(work.read("scored.jsonl"), expected);
}

#[cfg(feature = "faults")]
#[test]
fn a_death_is_told_though_sigchld_was_inherited_as_ignored() {
    let work = Workspace::new();
    work.file(
        "posts.jsonl",
        posts(20) + "{\"text\": \"a poisoned post\"}\n",
    );
    let faults = "trap '' CHLD; export MOODRING_FAULTS=abort=poisoned";
    let output = score_after(&work, faults, "--workers 1");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let quarantine = work.read("scored.jsonl.quarantine.jsonl");
    assert!(
        quarantine.contains("was killed by signal 6"),
        "{quarantine}"
    );
}

#[test]
fn a_log_whose_reader_has_stopped_stops_no_run() {
    let (work, expected) = scored();
    let (reader, writer) = std::io::pipe().unwrap();
    // Fills the pipe.
    let status = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, status | rustix::fs::OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, &[b'x'; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, status).unwrap();
    let args = ["--log-level", "debug", "--shard-size", "4KiB"];
    let mut run = work
        .command(&[&SCORE[..], &args].concat())
        .stderr(writer)
        .spawn()
        .unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!(work.read("scored.jsonl"), expected);
    drop(reader);
}

#[test]
fn a_result_that_nobody_could_get_is_refused() {
    let work = Workspace::new();
    for (args, closed) in [
        ("explain fine", ">&-"),
        ("ctl status", ">&-"),
        ("ctl top", ">&-"),
        ("man", ">&-"),
        ("completions bash", ">&-"),
        ("--help", ">&-"),
        ("--version", ">&-"),
        ("explain", "<&-"),
    ] {
        let program = work.command(&[]).get_program().to_owned();
        let run = Command::new("sh")
            .args(["-c", &format!("exec \"$@\" {closed}"), "sh"])
            .arg(program)
            .args(args.split(' '))
            .env("XDG_RUNTIME_DIR", work.path("."))
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(2), "{args}: {run:?}");
        assert!(stderr(&run).contains("is closed"), "{args}: {run:?}");
    }
    // Writes files, and prints nothing.
    let run = Command::new("sh")
        .args(["-c", "exec \"$@\" >&-", "sh"])
        .arg(work.command(&[]).get_program())
        .args(["man", "--dir", "pages"])
        .current_dir(work.path("."))
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
}

#[test]
fn a_runtime_folder_that_is_relative_or_missing_is_not_made() {
    let (work, expected) = scored();
    for folder in ["relative".into(), work.path("missing")] {
        let folder: PathBuf = folder;
        let run = work
            .command(&SCORE)
            .env("XDG_RUNTIME_DIR", folder)
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        assert_eq!(work.read("scored.jsonl"), expected);
        assert_eq!(work.listing(), ["posts.jsonl", "scored.jsonl"]);
    }
}
