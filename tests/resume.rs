//! A run that was cut off goes on, and ends with the same bytes.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use crate::util::{Running, Workspace, journal_len, posts, signal};

/// Posts with some malformed lines among them.
fn mixed(count: usize) -> String {
    let posts = posts(count);
    let line = |(at, line): (usize, &str)| {
        if at % 700 == 3 {
            format!("{{\"bad\": {at}\n")
        } else {
            format!("{line}\n")
        }
    };
    posts.lines().enumerate().map(line).collect()
}

/// Runs `args` again and again with `--resume`, and kills the supervisor each time when the journal has grown by `step`
/// lines, until a run gets through. Says how often it was killed.
fn run_through_kills(work: &Workspace, output: &str, args: &[&str], step: usize) -> usize {
    let args = [args, &["--resume", "--quiet"]].concat();
    for kills in 0.. {
        let mut run = Running::start(work, &args);
        let begin = journal_len(work, output);
        while run.0.try_wait().unwrap().is_none() {
            if journal_len(work, output) >= begin + step {
                signal(run.pid(), "KILL");
                break;
            }
        }
        let (code, said) = run.end();
        if code == 0 {
            return kills;
        }
        assert_eq!(code, 128 + 9, "{said}");
    }
    0
}

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    for (input, output, more) in [
        ("posts.jsonl", "scored.jsonl", &["--workers", "2"][..]),
        ("posts.jsonl", "scored.csv", &["--workers", "3"]),
        (
            "posts.jsonl",
            "scored.jsonl.gz",
            &["--model", "vader,textblob"],
        ),
        ("posts.jsonl", "scored.jsonl.zst", &["--workers", "1"]),
        ("posts.jsonl.gz", "scored.jsonl", &["--workers", "2"]),
    ] {
        let work = Workspace::new();
        let text = mixed(12_000);
        if input == "posts.jsonl.gz" {
            let file = fs::File::create(work.path(input)).unwrap();
            let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            gzip.write_all(text.as_bytes()).unwrap();
            gzip.finish().unwrap();
        } else {
            work.file(input, text);
        }
        let args = ["score", input, "--shard-size", "16K"];
        let args = [&args[..], more].concat();
        let calm = format!("calm-{output}");
        work.ok(&[&args[..], &["-o", &calm]].concat());
        let kills = run_through_kills(&work, output, &[&args[..], &["-o", output]].concat(), 9);
        assert!(kills > 0, "{output}: the run was never killed");
        let bytes = |name: &str| fs::read(work.path(name)).unwrap();
        assert!(
            bytes(output) == bytes(&calm),
            "{output} differs after {kills} kills"
        );
        let rejects = format!("{output}.rejects.jsonl");
        let calm_rejects = format!("{calm}.rejects.jsonl");
        assert!(bytes(&rejects) == bytes(&calm_rejects), "{rejects} differs");
        let left = work.listing();
        assert_eq!(
            left.len(),
            6,
            "only input, outputs, rejects and journal: {left:?}"
        );
    }
}

#[test]
fn without_order_each_record_is_there_once() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(12_000));
    work.score("posts.jsonl -o calm.jsonl");
    let args = [
        "score",
        "posts.jsonl",
        "-o",
        "scored.jsonl",
        "--unordered",
        "--workers",
        "4",
        "--shard-size",
        "16K",
    ];
    let kills = run_through_kills(&work, "scored.jsonl", &args, 7);
    assert!(kills > 0);
    let sorted = |name: &str| {
        let mut lines: Vec<_> = work.read(name).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert!(sorted("scored.jsonl") == sorted("calm.jsonl"));
}

/// A run of `scored.jsonl` that was killed with some shards done.
fn killed() -> Workspace {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(20_000));
    work.score("posts.jsonl -o calm.jsonl");
    let args = [
        "score",
        "posts.jsonl",
        "-o",
        "scored.jsonl",
        "--shard-size",
        "16K",
        "--quiet",
    ];
    let mut run = Running::start(&work, &args);
    while journal_len(&work, "scored.jsonl") < 20 {
        std::thread::yield_now();
    }
    signal(run.pid(), "KILL");
    run.end();
    work
}

const RESUME: [&str; 5] = ["score", "posts.jsonl", "-o", "scored.jsonl", "--resume"];

/// What there is when such a run is complete.
const COMPLETE: [&str; 4] = [
    "calm.jsonl",
    "posts.jsonl",
    "scored.jsonl",
    "scored.jsonl.journal",
];

#[test]
fn what_a_power_cut_took_is_done_again() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [Damage; 4] = [
        |part| part.truncate(part.len() / 3),
        |part| part.clear(),
        |part| part[10_000..90_000].fill(0),
        |part| part.extend_from_slice(b"more than was noted"),
    ];
    for damage in damages {
        let work = killed();
        let part = work.path("scored.jsonl.part");
        let mut bytes = fs::read(&part).unwrap();
        damage(&mut bytes);
        fs::write(&part, bytes).unwrap();
        work.ok(&RESUME);
        assert!(work.read("scored.jsonl") == work.read("calm.jsonl"));
        assert_eq!(work.listing(), COMPLETE);
    }
}

#[test]
fn what_was_done_is_not_done_again() {
    let work = killed();
    let run = work.ok(&[&RESUME[..], &["--summary", "json"]].concat());
    let summary: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(summary["records"], 20_000);
    let before = summary["records_before"].as_u64().unwrap();
    assert!(before > 500 && before < 20_000, "{before}");
}

#[test]
fn a_run_without_resume_starts_over() {
    let work = killed();
    work.score("posts.jsonl -o scored.jsonl --model textblob");
    assert!(work.read("scored.jsonl").contains("\"textblob\""));
    assert_eq!(
        work.listing(),
        ["calm.jsonl", "posts.jsonl", "scored.jsonl"]
    );
}

#[test]
fn other_inputs_or_options_are_refused_with_the_difference() {
    let refused = |work: &Workspace, more: &[&str]| {
        let run = work.run(&[&RESUME[..], more].concat());
        assert_eq!(run.status.code(), Some(2), "{run:?}");
        String::from_utf8(run.stderr).unwrap()
    };
    let work = killed();
    let said = refused(&work, &["--model", "textblob"]);
    assert!(
        said.contains("the model was vader and is textblob"),
        "{said}"
    );
    let said = refused(&work, &["--text-field", "id"]);
    assert!(said.contains("the text field was text and is id"), "{said}");
    let said = refused(&work, &["--unordered"]);
    assert!(
        said.contains("the order was the input's and is none"),
        "{said}"
    );
    work.ok(&RESUME);

    let work = killed();
    let mut more = fs::OpenOptions::new()
        .append(true)
        .open(work.path("posts.jsonl"))
        .unwrap();
    more.write_all(b"{\"text\":\"one more\"}\n").unwrap();
    let said = refused(&work, &[]);
    assert!(
        said.contains("the input posts.jsonl was") && said.contains("bytes, changed at"),
        "{said}"
    );
    work.score("posts.jsonl -o scored.jsonl");
}

#[test]
fn a_full_disk_keeps_what_is_done() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(20_000));
    work.score("posts.jsonl -o calm.jsonl");
    // The limit of the size of a file stands in for a disk that fills up.
    let moodring = env!("CARGO_BIN_EXE_moodring");
    let script = format!(
        "ulimit -f 400; exec '{moodring}' score posts.jsonl -o scored.jsonl --shard-size 16K"
    );
    let run = Command::new("bash")
        .args(["-c", &script])
        .current_dir(work.path(""))
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(
        said.contains("cannot grow any further") && said.contains("with --resume to continue"),
        "{said}"
    );
    work.ok(&RESUME);
    assert!(work.read("scored.jsonl") == work.read("calm.jsonl"));
}

#[test]
fn an_interrupted_run_that_may_be_resumed_is_kept() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(40_000));
    work.score("posts.jsonl -o calm.jsonl");
    let mut run = Running::start(&work, &[&RESUME[..], &["--shard-size", "16K"]].concat());
    while journal_len(&work, "scored.jsonl") < 5 {
        std::thread::yield_now();
    }
    signal(run.pid(), "INT");
    let (code, said) = run.end();
    assert_eq!(code, 130, "{said}");
    assert!(work.listing().contains(&"scored.jsonl.journal".to_owned()));
    work.ok(&RESUME);
    assert!(work.read("scored.jsonl") == work.read("calm.jsonl"));
}

#[test]
fn a_run_that_only_lacks_its_name_gets_it() {
    let work = killed();
    // Somebody takes the name while the run goes on: it cannot be given, and everything else is done.
    let before = journal_len(&work, "scored.jsonl");
    let mut run = Running::start(&work, &RESUME);
    let taken = work.path("scored.jsonl");
    while journal_len(&work, "scored.jsonl") < before + 2 {
        std::thread::yield_now();
    }
    fs::write(&taken, "taken").unwrap();
    let (code, said) = run.end();
    assert_eq!(code, 1, "{said}");
    assert_eq!(
        work.run(&RESUME).status.code(),
        Some(2),
        "the name is still taken"
    );
    fs::remove_file(&taken).unwrap();
    work.ok(&RESUME);
    assert!(work.read("scored.jsonl") == work.read("calm.jsonl"));
    assert_eq!(work.listing(), COMPLETE);
}

#[test]
fn what_cannot_be_resumed_is_said_before_anything_is_done() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(10));
    let run = work.try_score("posts.jsonl --resume");
    assert_eq!(run.status.code(), Some(2));
    assert!(
        String::from_utf8(run.stderr)
            .unwrap()
            .contains("name it with -o")
    );
    let run = work.try_score("- --format jsonl -o scored.jsonl --resume");
    assert_eq!(run.status.code(), Some(2));
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("cannot be read a second time"), "{said}");
    // Nothing to go on with is a run like any other.
    work.ok(&RESUME);
    assert_eq!(work.listing(), [&COMPLETE[1..]].concat());
}

#[test]
fn a_complete_run_is_resumed_with_success_as_often_as_wanted() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3_000));
    let again = [&RESUME[..], &["--summary", "json"]].concat();
    work.ok(&again);
    let scored = work.read("scored.jsonl");
    for _ in 0..2 {
        let run = work.ok(&again);
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(said.contains("\"scored.jsonl\" is complete"), "{said}");
        let summary: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        assert_eq!(summary["records"], 3_000);
        assert_eq!(summary["records_before"], 3_000);
        assert!(work.read("scored.jsonl") == scored);
        assert_eq!(work.listing(), [&COMPLETE[1..]].concat());
    }
    let said = work.fails(2, &[&RESUME[..], &["--model", "textblob"]].concat());
    assert!(
        said.contains("the model was vader and is textblob"),
        "{said}"
    );
    work.file("posts.jsonl", posts(3_001));
    let said = work.fails(2, &RESUME);
    assert!(said.contains("the input posts.jsonl was"), "{said}");
    assert!(work.read("scored.jsonl") == scored);
}

#[test]
fn an_output_that_is_gone_or_changed_is_not_called_complete() {
    let work = Workspace::new();
    work.file("posts.jsonl", posts(3_000));
    work.ok(&RESUME);
    let scored = work.read("scored.jsonl");
    fs::remove_file(work.path("scored.jsonl")).unwrap();
    work.ok(&RESUME);
    assert!(work.read("scored.jsonl") == scored);
    work.file("scored.jsonl", scored.replacen("positive", "negative", 1));
    let said = work.fails(2, &RESUME);
    assert!(
        said.contains("is not as the run that is complete left it"),
        "{said}"
    );
    work.ok(&[&RESUME[..], &["--force"]].concat());
    assert!(work.read("scored.jsonl") == scored);
    // Without the journal nobody knows what it is.
    fs::remove_file(work.path("scored.jsonl.journal")).unwrap();
    let said = work.fails(2, &RESUME);
    assert!(said.contains("\"scored.jsonl\" exists"), "{said}");
}

#[test]
fn a_strict_run_that_stops_at_a_reject_keeps_those_of_the_run_that_it_resumes() {
    let work = Workspace::new();
    work.file("posts.jsonl", mixed(20_000));
    let args = ["score", "posts.jsonl", "--shard-size", "16K", "--quiet"];
    work.ok(&[&args[..], &["-o", "calm.jsonl"]].concat());
    let args = [&args[..], &["-o", "scored.jsonl", "--resume"]].concat();
    let strict = [&args[..], &["--strict"]].concat();
    let mut run = Running::start(&work, &args);
    while journal_len(&work, "scored.jsonl") < 20 {
        std::thread::yield_now();
    }
    signal(run.pid(), "KILL");
    run.end();
    let rejects = || fs::read(work.path("scored.jsonl.rejects.jsonl.part")).unwrap();
    let before = rejects();
    let said = work.fails(1, &strict);
    assert!(said.contains("of its records are malformed"), "{said}");
    assert!(rejects() == before);
    // The journal says less than is there: the strict run itself meets the reject, and keeps what was done before it.
    let journal = fs::read(work.path("scored.jsonl.journal")).unwrap();
    let terms = journal
        .split_inclusive(|&byte| byte == b'\n')
        .next()
        .unwrap();
    fs::write(work.path("scored.jsonl.journal"), terms).unwrap();
    let said = work.fails(1, &strict);
    assert!(said.contains("posts.jsonl: line 4 "), "{said}");
    work.ok(&args);
    assert!(work.read("scored.jsonl") == work.read("calm.jsonl"));
    let rejects = |output: &str| work.read(&format!("{output}.rejects.jsonl"));
    assert!(rejects("scored.jsonl") == rejects("calm.jsonl"));
}

#[test]
fn an_input_that_was_changed_under_its_old_time_is_not_resumed_unasked() {
    let work = Workspace::new();
    let path = work.file("posts.jsonl", posts(100));
    work.score("posts.jsonl -o scored.jsonl --resume");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let text = work.read("posts.jsonl").replacen("good", "GOOD", 1);
    fs::write(&path, text).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(time).unwrap();
    let said = work.score_fails(2, "posts.jsonl -o scored.jsonl --resume");
    assert!(
        said.contains(
            "`posts.jsonl` has the size and the time that it had, but was changed or replaced since"
        ),
        "{said}"
    );
    let run = work.score("posts.jsonl -o scored.jsonl --resume --force");
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("the run is continued"), "{said}");
}
