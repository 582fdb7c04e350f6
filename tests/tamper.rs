//! Whatever is done to the files of a run that was cut off, or of one that is complete: `--resume` makes the same bytes, or
//! refuses. It never makes others.

use std::fs;
use std::path::Path;

use crate::util::{Running, Workspace, journal_len, posts, signal};

/// What becomes of workers: they die of one record, which is set aside.
const DOOM: &str = "abort=doom";

/// The same, and another record is never done, so that the run cannot end.
const ABYSS: &str = "abort=doom;hang=abyss";

/// Posts with malformed lines and those records among them.
fn awkward(count: usize) -> String {
    let posts = posts(count);
    let line = |(at, line): (usize, &str)| match at {
        700 => "{\"text\": \"doom\"}\n".to_owned(),
        _ if at == count * 3 / 4 => "{\"text\": \"abyss\"}\n".to_owned(),
        _ if at % 500 == 3 => format!("{{\"bad\": {at}\n"),
        _ => format!("{line}\n"),
    };
    posts.lines().enumerate().map(line).collect()
}

const SIDES: [&str; 4] = [
    "scored.csv.gz.part",
    "scored.csv.gz.journal",
    "scored.csv.gz.rejects.jsonl.part",
    "scored.csv.gz.quarantine.jsonl.part",
];

const OUTPUTS: [&str; 3] = [
    "scored.csv.gz",
    "scored.csv.gz.rejects.jsonl",
    "scored.csv.gz.quarantine.jsonl",
];

fn args<'a>(output: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = [
        "score",
        "posts.jsonl",
        "-o",
        output,
        "--shard-size",
        "16K",
        "--workers",
        "2",
        "--quiet",
    ];
    [&args[..], more].concat()
}

/// Runs the command to its end.
fn run(work: &Workspace, args: &[&str]) -> std::process::Output {
    let mut command = work.command(args);
    command.env("MOODRING_FAULTS", DOOM).output().unwrap()
}

/// Starts the command, and kills it when its journal has some lines: of the header, of the shards up to the one with the
/// record that is set aside, and of some more.
fn cut_off(work: &Workspace, output: &str, more: &[&str]) {
    let mut command = work.command(&args(output, more));
    command.env("MOODRING_FAULTS", ABYSS);
    let mut run = Running::spawn(command);
    while journal_len(work, output) < 8 {
        assert!(run.0.try_wait().unwrap().is_none(), "it ended before");
        std::thread::yield_now();
    }
    signal(run.pid(), "KILL");
    run.end();
}

/// The outputs of a calm run, and the files of one that was cut off, of another model's and of a complete one.
struct Scene {
    work: Workspace,
    calm: Vec<Vec<u8>>,
    cut: Vec<Vec<u8>>,
    foreign: Vec<Vec<u8>>,
    complete: Vec<(&'static str, Vec<u8>)>,
}

impl Scene {
    fn set() -> Self {
        let work = Workspace::new();
        work.file("posts.jsonl", awkward(8_000));
        let bytes = |names: &[&str]| -> Vec<Vec<u8>> {
            let bytes = |name: &&str| fs::read(work.path(name)).unwrap();
            names.iter().map(bytes).collect()
        };
        cut_off(&work, "scored.csv.gz", &["--model", "textblob"]);
        let foreign = bytes(&SIDES);
        for name in SIDES {
            fs::remove_file(work.path(name)).unwrap();
        }
        cut_off(&work, "scored.csv.gz", &[]);
        let cut = bytes(&SIDES);
        let done = run(&work, &args("scored.csv.gz", &["--resume"]));
        assert!(done.status.success(), "{done:?}");
        let calm = bytes(&OUTPUTS);
        let names = [&OUTPUTS[..], &SIDES[1..2]].concat();
        let complete = names.iter().copied().zip(bytes(&names)).collect();
        // The run that was cut off and resumed is as a calm one.
        let done = run(&work, &args("calm.csv.gz", &[]));
        assert!(done.status.success(), "{done:?}");
        assert!(fs::read(work.path("calm.csv.gz")).unwrap() == calm[0]);
        Self {
            work,
            calm,
            cut,
            foreign,
            complete,
        }
    }

    /// Puts these files there and takes away all others of the run.
    fn put<'a>(&self, files: impl IntoIterator<Item = (&'a str, &'a Vec<u8>)>) {
        for name in OUTPUTS.iter().chain(&SIDES) {
            let _ = fs::remove_file(self.work.path(name));
        }
        for (name, bytes) in files {
            fs::write(self.work.path(name), bytes).unwrap();
        }
    }

    fn put_cut(&self) {
        self.put(SIDES.into_iter().zip(&self.cut));
    }

    /// Resumes. Says whether the outputs are those of a calm run, where it did not refuse.
    fn resumes(&self, damage: &str) -> bool {
        let before = fs::read(self.work.path(OUTPUTS[0]));
        let done = run(&self.work, &args("scored.csv.gz", &["--resume"]));
        let said = String::from_utf8_lossy(&done.stderr);
        if done.status.success() {
            for (name, calm) in OUTPUTS.iter().zip(&self.calm) {
                let bytes = fs::read(self.work.path(name)).unwrap_or_default();
                assert!(bytes == *calm, "{damage}: {name} is wrong; {said}");
            }
            return true;
        }
        assert!(
            matches!(done.status.code(), Some(1 | 2)),
            "{damage}: {said}"
        );
        assert!(said.contains("moodring: "), "{damage}: {said}");
        let after = fs::read(self.work.path(OUTPUTS[0]));
        assert!(
            before.ok() == after.ok(),
            "{damage}: refused, but wrote; {said}"
        );
        false
    }
}

/// A small generator of numbers that look random, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).unwrap()
    }
}

/// Damages a file in the way of that number; says how.
fn damage(path: &Path, way: usize, foreign: &[u8], dice: &mut Dice) -> String {
    let mut bytes = fs::read(path).unwrap();
    let at = dice.roll(bytes.len());
    let said = match way {
        0 => {
            bytes[at] ^= 1 << dice.roll(8);
            "a flipped bit"
        }
        1 => {
            bytes.truncate(at);
            "truncated"
        }
        2 => {
            bytes.extend_from_slice(b"more than was noted\n");
            "extended"
        }
        3 => {
            let end = bytes.len().min(at + 512);
            bytes[at..end].fill(0);
            "a block of zeros"
        }
        4 => {
            bytes = foreign.to_vec();
            "of another run"
        }
        _ => {
            fs::remove_file(path).unwrap();
            return format!("{} removed", path.display());
        }
    };
    fs::write(path, bytes).unwrap();
    format!("{} {said} at {at}", path.display())
}

#[test]
fn tampered_files_give_the_same_bytes_or_a_refusal() {
    let scene = Scene::set();
    let mut dice = Dice(0x5eed);
    for (side, name) in SIDES.iter().enumerate() {
        for way in 0..6 {
            scene.put_cut();
            let path = scene.work.path(name);
            let said = damage(&path, way, &scene.foreign[side], &mut dice);
            let resumed = scene.resumes(&said);
            // What the journal still says is true; if it speaks of another run, or not at all, it is not for us to tell
            // what the other files are.
            assert!(resumed || *name == SIDES[1], "{said}");
        }
    }
}

#[test]
fn a_complete_run_is_believed_only_if_its_files_bear_it_out() {
    let scene = Scene::set();
    let mut dice = Dice(0xd1ce);
    let complete = || scene.complete.iter().map(|(name, bytes)| (*name, bytes));
    scene.put(complete());
    assert!(scene.resumes("nothing"), "it is complete");
    for (side, name) in OUTPUTS.iter().enumerate() {
        for way in 0..6 {
            scene.put(complete());
            let said = damage(&scene.work.path(name), way, &scene.foreign[side], &mut dice);
            // Without the output the run starts over: but what stands in its way is not overwritten.
            assert!(!scene.resumes(&said), "{said}");
        }
    }
    for way in 0..6 {
        scene.put(complete());
        let said = damage(
            &scene.work.path(SIDES[1]),
            way,
            &scene.foreign[1],
            &mut dice,
        );
        scene.resumes(&said);
    }
}

#[test]
fn a_run_that_was_killed_between_two_renames_is_resumed() {
    let scene = Scene::set();
    let mut dice = Dice(0xca1f);
    let journal = (SIDES[1], &scene.complete[3].1);
    let [rejects, quarantine] = [(OUTPUTS[1], SIDES[2]), (OUTPUTS[2], SIDES[3])];
    for names in [
        [SIDES[0], rejects.1, quarantine.1],
        [SIDES[0], rejects.0, quarantine.1],
        [SIDES[0], rejects.0, quarantine.0],
    ] {
        let is_unnamed = names.iter().all(|name| SIDES.contains(name));
        let files = || names.into_iter().zip(&scene.calm).chain([journal]);
        scene.put(files());
        assert!(scene.resumes("no damage"), "{names:?}");
        for (name, foreign) in names.iter().zip([0, 2, 3]) {
            scene.put(files());
            let way = dice.roll(6);
            let said = damage(
                &scene.work.path(name),
                way,
                &scene.foreign[foreign],
                &mut dice,
            );
            let resumed = scene.resumes(&format!("{names:?}: {said}"));
            // What has its name, and is not as it was written, may be somebody else's.
            assert!(resumed || !is_unnamed, "{said}");
        }
    }
}
