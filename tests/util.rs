//! Shared by all tests: a folder to work in, the binary, and posts to score.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A folder of its own for a test, gone with it, and one for the sockets of its runs.
pub(crate) struct Workspace(tempfile::TempDir, tempfile::TempDir);

impl Workspace {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The folder of the sockets.
    pub(crate) fn sockets(&self) -> PathBuf {
        self.1.path().join("moodring")
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in the folder, sorted.
    pub(crate) fn listing(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The binary, to be run in this folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moodring"));
        command
            .current_dir(self.0.path())
            .env("XDG_RUNTIME_DIR", self.1.path())
            .args(args)
            .stdin(Stdio::null());
        command
    }

    /// `moodring score` with arguments that blanks separate, to be run in this folder.
    pub(crate) fn score_command(&self, args: &str) -> Command {
        self.command(&score_args(args))
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs the binary, which must succeed.
    pub(crate) fn ok(&self, args: &[&str]) -> Output {
        let output = self.run(args);
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    /// Runs the binary, which must fail with `code` and say one line; gives that line.
    pub(crate) fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        stderr
    }

    /// Runs `moodring score` with arguments that blanks separate. It must succeed.
    pub(crate) fn score(&self, args: &str) -> Output {
        self.ok(&score_args(args))
    }

    /// Runs `moodring score` as [`score`](Self::score) does, to whatever end.
    pub(crate) fn try_score(&self, args: &str) -> Output {
        self.run(&score_args(args))
    }

    /// Runs `moodring score` as [`score`](Self::score) does. It must fail with `code` and say one line; returns that line.
    pub(crate) fn score_fails(&self, code: i32, args: &str) -> String {
        self.fails(code, &score_args(args))
    }

    /// Runs the binary with `input` on its standard input.
    pub(crate) fn pipe(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        output
    }
}

/// Returns the arguments of `moodring score ARGS`.
fn score_args(args: &str) -> Vec<&str> {
    let args = args.split_ascii_whitespace();
    ["score"].into_iter().chain(args).collect()
}

/// A run in the background, killed when the test is done with it.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(workspace: &Workspace, args: &[&str]) -> Self {
        Self::spawn(workspace.command(args))
    }

    /// Starts `moodring score` with arguments that blanks separate.
    pub(crate) fn score(workspace: &Workspace, args: &str) -> Self {
        Self::start(workspace, &score_args(args))
    }

    /// Starts a command of a [`Workspace`].
    pub(crate) fn spawn(mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// A run that cannot end by itself: it has much to do, and its input stays open.
    pub(crate) fn endless(work: &Workspace) -> Self {
        let args = "- --format jsonl -o scored.jsonl --workers 3";
        let mut run = Self::score(work, args);
        let stdin = run.0.stdin.as_mut().unwrap();
        stdin.write_all(posts(40_000).as_bytes()).unwrap();
        run
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    /// Waits until it has at least one worker, and gives their process ids; none if it has ended.
    pub(crate) fn workers(&mut self) -> Vec<i32> {
        loop {
            let workers = children(self.pid());
            if !workers.is_empty() || self.0.try_wait().unwrap().is_some() {
                return workers;
            }
            std::thread::yield_now();
        }
    }

    /// Waits for its end; gives the exit code, or 128 and the signal, and what it said.
    pub(crate) fn end(&mut self) -> (i32, String) {
        use std::os::unix::process::ExitStatusExt;
        drop(self.0.stdin.take());
        let mut said = String::new();
        self.0
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        let status = self.0.wait().unwrap();
        (
            status
                .code()
                .or(status.signal().map(|signal| 128 + signal))
                .unwrap(),
            said,
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many lines the journal of `output` has.
pub(crate) fn journal_len(work: &Workspace, output: &str) -> usize {
    let journal = fs::read(work.path(&format!("{output}.journal"))).unwrap_or_default();
    journal
        .split(|&byte| byte == b'\n')
        .count()
        .saturating_sub(1)
}

/// The live children of a process: those whose parent `/proc` says it is.
pub(crate) fn children(parent: i32) -> Vec<i32> {
    let pids = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| parent_of(pid) == Some(parent)).collect()
}

/// The parent of a process that lives: `/proc/PID/stat`, field 4, unless field 3 says it is a zombie.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    (fields.next()? != "Z").then(|| fields.next()?.parse().ok())?
}

/// Whether a process lives.
pub(crate) fn alive(pid: i32) -> bool {
    parent_of(pid).is_some()
}

pub(crate) fn signal(pid: i32, name: &str) {
    Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .unwrap();
}

/// `count` lines of JSON with texts that differ in sentiment and length.
pub(crate) fn posts(count: usize) -> String {
    const WORDS: [&str; 12] = [
        "good",
        "BAD",
        "the train",
        "not",
        "very",
        "happy!",
        "sad :(",
        "coffee",
        "but",
        "\\\"great\\\"",
        "na\\u00efve",
        "🙂",
    ];
    let line = |id: usize| {
        let words = (0..3 + id % 9).map(|at| WORDS[(id * 7 + at * at) % WORDS.len()]);
        let text: Vec<_> = words.collect();
        format!("{{\"id\": {id}, \"text\": \"{}\"}}\n", text.join(" "))
    };
    (0..count).map(line).collect()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn gunzip(path: &Path) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(fs::File::open(path).unwrap())
        .read_to_end(&mut plain)
        .unwrap();
    plain
}

pub(crate) fn unzstd(path: &Path) -> Vec<u8> {
    zstd::decode_all(fs::File::open(path).unwrap()).unwrap()
}
