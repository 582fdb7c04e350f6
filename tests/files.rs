//! No file that a run reads is written by it, and no file that it did not make is replaced unasked.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::process::{Command, Output, Stdio};

use crate::util::{Running, Workspace, journal_len, posts, signal};

/// Runs a line of bash, in which `moodring` is the binary.
fn bash(work: &Workspace, line: &str) -> Output {
    let moodring = env!("CARGO_BIN_EXE_moodring");
    Command::new("bash")
        .args([
            "-c",
            &format!("moodring() {{ '{moodring}' \"$@\"; }}; {line}"),
        ])
        .current_dir(work.path(""))
        .env("XDG_RUNTIME_DIR", work.sockets())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// A folder with posts under several names, a list of words, and what else a run might take for its own.
fn folder() -> Workspace {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(20));
    work.file("sub/other.jsonl", posts(10));
    work.file("words.tsv", "delayed\t-1.8\n");
    symlink("posts.jsonl", work.path("soft.jsonl")).unwrap();
    symlink("sub", work.path("folder")).unwrap();
    fs::hard_link(work.path("posts.jsonl"), work.path("hard.jsonl")).unwrap();
    work
}

/// The names and contents of all files.
fn contents(work: &Workspace) -> Vec<(String, Vec<u8>)> {
    let mut contents = Vec::new();
    for folder in ["", "sub/"] {
        for entry in fs::read_dir(work.path(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.metadata().unwrap().is_file() || entry.path().is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                contents.push((format!("{folder}{name}"), fs::read(entry.path()).unwrap()));
            }
        }
    }
    contents.sort();
    contents
}

/// Runs `args`, which must be refused with one line, before any file is changed.
fn refused(work: &Workspace, args: &[&str]) -> String {
    let before = contents(work);
    let said = work.fails(2, args);
    assert!(contents(work) == before, "{args:?} changed a file");
    said
}

#[test]
fn a_link_that_leads_nowhere_is_never_written() {
    let work = Workspace::new();
    work.file("posts.jsonl", "{\"text\":\"happy\"}\nbad\n");
    for target in [
        "out.jsonl.part",
        "out.jsonl.rejects.jsonl",
        "out.jsonl",
        "elsewhere",
    ] {
        symlink(target, work.path("link.jsonl")).unwrap();
        for flag in ["--rejects", "--quarantine", "-o"] {
            let output = match flag {
                "-o" => "",
                _ => "-o out.jsonl",
            };
            let args = format!("posts.jsonl --force {output} {flag} link.jsonl");
            let said = work.score_fails(2, &args);
            assert!(
                said.contains("`link.jsonl` is a link to a file that does not exist"),
                "{said}"
            );
            assert_eq!(work.listing(), ["link.jsonl", "posts.jsonl"]);
        }
        fs::remove_file(work.path("link.jsonl")).unwrap();
    }
}

#[test]
fn a_run_succeeds_though_its_journal_cannot_be_removed() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(40_000));
    let args = "posts.jsonl -o out.jsonl --shard-size 16K --workers 1";
    let mut run = Running::score(&work, args);
    while journal_len(&work, "out.jsonl") == 0 {
        std::thread::yield_now();
    }
    signal(run.pid(), "STOP");
    let journal = work.path("out.jsonl.journal");
    fs::remove_file(&journal).unwrap();
    fs::create_dir(&journal).unwrap();
    signal(run.pid(), "CONT");
    let (code, said) = run.end();
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("the output is complete, but its journal stays"),
        "{said}"
    );
    assert_eq!(work.read("out.jsonl").lines().count(), 40_000);
}

#[test]
fn the_reader_of_a_named_output_that_leaves_early_fails_the_run() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(20_000));
    let pipe = work.path("pipe");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    let mut run = Running::score(&work, "posts.jsonl -o pipe --output-format jsonl");
    let mut head = [0; 100];
    fs::File::open(&pipe)
        .unwrap()
        .read_exact(&mut head)
        .unwrap();
    let (code, said) = run.end();
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("the reader of \"pipe\" closed it before the output was complete"),
        "{said}"
    );
}

/// Scores a file and then a pipe, changes the file in between, and returns the exit code and what was said.
fn changed_meanwhile(work: &Workspace, change: impl FnOnce(&std::path::Path)) -> (i32, String) {
    let path = work.file("posts.jsonl", posts(10));
    let pipe = work.path("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
    let mut run = Running::score(work, "posts.jsonl pipe --format jsonl -o out.jsonl");
    // Opens when the run gets to the second input.
    let mut second = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    change(&path);
    second.write_all(posts(5).as_bytes()).unwrap();
    drop(second);
    run.end()
}

#[test]
fn an_input_that_grows_during_the_run_is_warned_of() {
    let work = Workspace::new();
    let (code, said) = changed_meanwhile(&work, |path| {
        let mut grown = fs::OpenOptions::new().append(true).open(path).unwrap();
        grown.write_all(posts(1).as_bytes()).unwrap();
    });
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("`posts.jsonl` changed during the run"),
        "{said}"
    );
}

#[test]
fn an_input_that_is_overwritten_during_the_run_fails_it() {
    let work = Workspace::new();
    let (code, said) = changed_meanwhile(&work, |path| {
        let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.write_all(b"{").unwrap();
    });
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("`posts.jsonl` was overwritten during the run"),
        "{said}"
    );
    assert!(!work.path("out.jsonl").exists());
}

#[test]
fn an_output_that_is_an_input_is_refused_whatever_its_name() {
    let work = folder();
    let absolute = work.path("posts.jsonl");
    let names = [
        "posts.jsonl",
        "./posts.jsonl",
        "sub/../posts.jsonl",
        "soft.jsonl",
        "hard.jsonl",
        absolute.to_str().unwrap(),
    ];
    for input in names {
        for output in names {
            let said = refused(&work, &["score", input, "-o", output, "--force"]);
            assert!(said.contains("the output") && said.contains("-o"), "{said}");
        }
    }
    for more in [&[][..], &["--resume"]] {
        let args = ["score", "posts.jsonl", "-o", "soft.jsonl"];
        refused(&work, &[&args[..], more].concat());
    }
    let said = refused(
        &work,
        &["score", "sub", "-o", "folder/other.jsonl", "--force"],
    );
    assert!(said.contains("are the same file"), "{said}");
    refused(
        &work,
        &["score", "s*/*.jsonl", "-o", "folder/other.jsonl", "--force"],
    );
}

#[test]
fn no_file_has_two_uses_in_a_run() {
    let work = folder();
    // What is written, by flag; among them the side files of an output `out.jsonl` that does not exist yet.
    for written in ["-o", "--rejects", "--quarantine"] {
        let more: &[&str] = match written {
            "-o" => &[],
            _ => &["-o", "out.jsonl"],
        };
        for read in ["posts.jsonl", "words.tsv"] {
            let name = if read == "words.tsv" {
                "./words.tsv"
            } else {
                "soft.jsonl"
            };
            let args = ["score", "posts.jsonl", "-m", "lexicon:words.tsv", "--force"];
            let said = refused(&work, &[&args[..], &[written, name], more].concat());
            assert!(said.contains(written), "{said}");
        }
    }
    for (rejects, quarantine) in [
        ("out.jsonl", "q.jsonl"),
        ("r.jsonl", "./out.jsonl"),
        ("out.jsonl.part", "q.jsonl"),
        ("r.jsonl", "out.jsonl.journal"),
        ("r.jsonl", "r.jsonl"),
        ("r.jsonl", "folder/../r.jsonl"),
        ("r.jsonl", "r.jsonl.part"),
        ("r.jsonl.part", "r.jsonl"),
        ("out.jsonl.quarantine.jsonl", "out.jsonl.quarantine.jsonl"),
    ] {
        let args = ["score", "posts.jsonl", "-o", "out.jsonl", "--force"];
        let asides = ["--rejects", rejects, "--quarantine", quarantine];
        refused(&work, &[&args[..], &asides].concat());
    }
}

#[test]
fn an_input_with_the_name_of_a_side_file_is_refused() {
    for name in [
        "out.jsonl.part",
        "out.jsonl.journal",
        "out.jsonl.rejects.jsonl",
        "out.jsonl.rejects.jsonl.part",
        "out.jsonl.quarantine.jsonl",
    ] {
        let work = folder();
        work.file(name, posts(5));
        for more in [&[][..], &["--force"], &["--resume"]] {
            let args = ["score", name, "--format", "jsonl", "-o", "out.jsonl"];
            refused(&work, &[&args[..], more].concat());
        }
    }
    // Without an output nothing has such a name.
    let work = folder();
    work.file("moodring.rejects.jsonl", posts(5));
    let before = contents(&work);
    work.score("moodring.rejects.jsonl");
    assert!(contents(&work) == before);
}

#[test]
fn redirections_onto_an_input_are_refused() {
    let work = folder();
    let before = contents(&work);
    for line in [
        "moodring score posts.jsonl >> posts.jsonl",
        "moodring score posts.jsonl >> hard.jsonl",
        "moodring score - --format jsonl < posts.jsonl -o posts.jsonl --force",
        "moodring score /dev/stdin --format jsonl < posts.jsonl -o ./posts.jsonl --force",
        "moodring score - --format jsonl < posts.jsonl 1<> soft.jsonl",
        "moodring score posts.jsonl -o /dev/stdout >> posts.jsonl",
        "moodring score posts.jsonl -o /dev/fd/3 3>> posts.jsonl",
        "moodring score posts.jsonl -o /proc/self/fd/3 3<> posts.jsonl",
        "moodring score posts.jsonl -o out.jsonl --rejects /dev/stderr 2>> posts.jsonl",
        "moodring score posts.jsonl -o out.jsonl --summary json >> posts.jsonl",
        "moodring score posts.jsonl -o out.jsonl 2>> posts.jsonl",
        "moodring score posts.jsonl 2>> posts.jsonl >> posts.jsonl",
        "moodring score posts.jsonl -m lexicon:words.tsv >> words.tsv",
        "moodring eval posts.jsonl --label-field id >> posts.jsonl",
        "moodring eval posts.jsonl --label-field id 2>> posts.jsonl",
        "moodring score sub/other.jsonl --rejects /dev/stdin --force < posts.jsonl",
        "moodring score sub/other.jsonl -o /dev/stdin --output-format jsonl --force < posts.jsonl",
        "moodring score /dev/fd/4 --format jsonl -o /dev/fd/3 3< posts.jsonl 4< sub/other.jsonl",
    ] {
        let run = bash(&work, line);
        assert_eq!(run.status.code(), Some(2), "{line}: {run:?}");
        assert!(contents(&work) == before, "{line} changed a file");
    }
    // The shell empties the file before the run begins; then at least nothing is written into it.
    let run = bash(&work, "moodring score hard.jsonl > posts.jsonl");
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("standard output"), "{said}");
    assert_eq!(work.read("posts.jsonl"), "");
}

#[test]
fn standard_output_and_standard_error_may_be_one() {
    let work = folder();
    let run = bash(&work, "moodring score posts.jsonl > all.log 2>&1");
    assert!(run.status.success(), "{run:?}");
    let run = bash(
        &work,
        "moodring score posts.jsonl -o out.jsonl --summary json > all.log 2>&1",
    );
    assert!(run.status.success(), "{run:?}");
    let devices = ["--rejects", "/dev/null", "--quarantine", "/dev/null"];
    work.ok(&[&["score", "posts.jsonl", "-o", "/dev/null"][..], &devices].concat());
    // Rejects that are appended by the shell leave what was there.
    work.file("bad.jsonl", "not json\n");
    work.file("log", "precious\n");
    let run = bash(
        &work,
        "moodring score bad.jsonl -o out2.jsonl --rejects /dev/fd/3 3>> log",
    );
    assert!(
        work.read("log").starts_with("precious\n{\"source\":"),
        "{run:?}"
    );
}

#[test]
fn a_side_file_that_is_not_ours_is_replaced_only_by_force() {
    for name in [
        "out.jsonl.part",
        "out.jsonl.journal",
        "out.jsonl.rejects.jsonl.part",
    ] {
        let work = folder();
        work.file(name, "the only copy of a thesis\n");
        for more in [&[][..], &["--resume"]] {
            let args = ["score", "posts.jsonl", "-o", "out.jsonl"];
            let said = refused(&work, &[&args[..], more].concat());
            assert!(said.contains(name) && said.contains("--force"), "{said}");
        }
        // By force only the name is taken: what is linked to the same file stays.
        fs::hard_link(work.path(name), work.path("linked")).unwrap();
        work.score("posts.jsonl -o out.jsonl --force");
        assert_eq!(work.read("linked"), "the only copy of a thesis\n");
        assert_eq!(work.read("out.jsonl").lines().count(), 20);
    }
}

#[test]
fn what_is_no_file_in_the_place_of_a_side_file_is_refused() {
    for name in [
        "out.jsonl.part",
        "out.jsonl.journal",
        "out.jsonl.rejects.jsonl.part",
        "out.jsonl.quarantine.jsonl.part",
    ] {
        for kind in ["link", "dangling link", "pipe", "folder"] {
            let work = folder();
            work.file("precious", "precious");
            let path = work.path(name);
            match kind {
                "link" => symlink("precious", &path).unwrap(),
                "dangling link" => symlink("nowhere", &path).unwrap(),
                "folder" => fs::create_dir(&path).unwrap(),
                _ => {
                    let made = Command::new("mkfifo").arg(&path).status().unwrap();
                    assert!(made.success());
                }
            }
            for more in [&[][..], &["--force"], &["--resume"]] {
                let args = ["score", "posts.jsonl", "-o", "out.jsonl"];
                let said = work.fails(2, &[&args[..], more].concat());
                assert!(said.contains(name), "{kind}: {said}");
                assert_eq!(work.read("precious"), "precious");
                assert!(!work.path("nowhere").exists() && !work.path("out.jsonl").exists());
            }
        }
    }
}

#[test]
fn what_a_killed_run_left_is_recognized() {
    for args in [
        &["score", "many.jsonl", "--shard-size", "16K"][..],
        &["score", "-", "--format", "jsonl"],
    ] {
        let work = folder();
        let mut text = "no json\n".to_owned();
        text.push_str(&posts(40_000));
        work.file("many.jsonl", &text);
        let args = [args, &["-o", "out.jsonl", "--workers", "2", "--quiet"]].concat();
        let mut run = Running::start(&work, &args);
        // Where the input is a pipe it stays open, so that the run cannot end before it is killed.
        let mut stdin = run.0.stdin.take().unwrap();
        let writer = std::thread::spawn(move || {
            let _ = std::io::Write::write_all(&mut stdin, text.as_bytes());
            stdin
        });
        let left = || {
            ["out.jsonl.part", "out.jsonl.rejects.jsonl.part"]
                .iter()
                .all(|name| fs::metadata(work.path(name)).is_ok_and(|part| part.len() > 0))
        };
        while !left() {
            assert!(
                run.0.try_wait().unwrap().is_none(),
                "the run ended too soon"
            );
            std::thread::yield_now();
        }
        signal(run.pid(), "KILL");
        run.0.wait().unwrap();
        drop(writer.join().unwrap());
        assert!(left());
        work.score("posts.jsonl -o out.jsonl");
        assert_eq!(work.read("out.jsonl").lines().count(), 20);
        let names = work.listing();
        assert!(
            !names.iter().any(|name| name.starts_with("out.jsonl.")),
            "{names:?}"
        );
    }
}

#[test]
fn two_runs_cannot_write_the_same_file() {
    let work = folder();
    work.file("bad.jsonl", "not json\n");
    let mut first = Running::endless(&work);
    while !work.path("scored.jsonl.part").exists() {
        assert!(first.0.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    for more in [&[][..], &["--force"]] {
        let args = ["score", "posts.jsonl", "-o", "scored.jsonl"];
        let said = work.fails(2, &[&args[..], more].concat());
        assert!(said.contains("another run is writing"), "{said}");
    }
    let (code, said) = first.end();
    assert_eq!(code, 0, "{said}");
    assert_eq!(work.read("scored.jsonl").lines().count(), 40_000);
}

#[test]
fn a_folder_that_a_glob_matches_is_warned_of() {
    let work = folder();
    let said = String::from_utf8(work.score("s* -o out.jsonl").stderr).unwrap();
    assert!(
        said.contains("warning: skipped the folder sub, which a glob matches"),
        "{said}"
    );
}

#[test]
fn two_runs_cannot_share_a_rejects_or_quarantine_file() {
    let work = folder();
    work.file("other.jsonl", "bad\n{\"text\":\"fine\"}\n");
    for flag in ["--rejects", "--quarantine"] {
        // Waits for its input until the other run has been refused.
        let pipe = work.path(&format!("pipe{flag}"));
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        let args = format!("pipe{flag} --format jsonl -o one{flag}.jsonl {flag} shared --force");
        let mut run = Running::score(&work, &args);
        let mut input = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        while !work.path(&format!("one{flag}.jsonl.journal")).exists() {
            std::thread::yield_now();
        }
        let said = work.score_fails(
            2,
            &format!("other.jsonl -o two.jsonl {flag} shared --force"),
        );
        assert!(said.contains("another run is writing"), "{said}");
        assert!(said.contains("shared"), "{said}");
        assert!(!work.listing().iter().any(|name| name.starts_with("two")));
        input.write_all(b"bad\n{\"text\":\"fine\"}\n").unwrap();
        drop(input);
        let (code, said) = run.end();
        assert_eq!(code, 0, "{said}");
        assert_eq!(work.path("shared").exists(), flag == "--rejects");
    }
}

#[test]
fn a_file_of_another_user_in_a_sticky_folder_is_refused_before_the_run() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    // Only root can act as two users.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let nobody = 65_534;
    let work = folder();
    for place in [work.path(""), work.path("sticky")] {
        fs::create_dir_all(&place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let sticky = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(work.path("sticky"), sticky).unwrap();
    work.file("sticky/theirs.jsonl", "theirs\n");
    // The binary may lie where others may not go.
    let binary = work.path("moodring");
    fs::copy(env!("CARGO_BIN_EXE_moodring"), &binary).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let run = |output: &str| {
        let mut command = Command::new(&binary);
        command
            .args(["score", "posts.jsonl", "--force", "-o", output])
            .current_dir(work.path(""))
            .env_remove("XDG_RUNTIME_DIR")
            .uid(nobody)
            .gid(nobody);
        command.output().unwrap()
    };
    let refused = run("sticky/theirs.jsonl");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("is another user's"), "{said}");
    assert_eq!(work.read("sticky/theirs.jsonl"), "theirs\n");
    assert_eq!(fs::read_dir(work.path("sticky")).unwrap().count(), 1);
    let allowed = run("sticky/mine.jsonl");
    assert!(allowed.status.success(), "{allowed:?}");
    let again = run("sticky/mine.jsonl");
    assert!(again.status.success(), "{again:?}");
}
