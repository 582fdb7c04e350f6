//! Misfortune on demand, for tests of the pool: compiled in only with the `faults` feature.
//!
//! `MOODRING_FAULTS` holds entries separated by `;`.
//!
//! - `CAUSE=TEXT`: a worker that is about to score a post whose text contains `TEXT` meets the cause instead.
//! - `parse:CAUSE=TEXT`: the same for a worker that is about to parse a record whose bytes contain `TEXT`.
//! - `CAUSE@POINT#FILE`: the first worker to come to the point meets the cause; it removes the file, without which
//!   nothing happens.
//!
//! A cause is `kill`, `segv`, `abort`, `exit0`, `exit1`, `panic`, `overflow` (of the stack), `oom` (takes memory until
//! there is none), `hoard` (takes 64 MiB and keeps them), `hang` (an endless loop), `stop` (as by SIGSTOP), `slow`
//! (two seconds of waiting, as for a disk) or `garbage` (for its next message). For the points see [`Point`].

use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, process, thread};

use moodring_pool::{Job, JobError, ShardId, Work, worker};
use moodring_record::Post;

use crate::any_job::AnyJob;
use crate::records::RecordObserver;

/// Places in a worker's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    /// Before it has said hello: `hello`.
    Hello,
    /// It has the setup, and has not said that it is ready: `setup`.
    Setup,
    /// It has received a shard: `receive`.
    Receive,
    /// It has scored half of the shard: `score`.
    Score,
    /// It is sending the report: `send`.
    Send,
    /// It has sent the report, and no grant has come: `sent`.
    Sent,
    /// It is about to write a result to its place: `commit`.
    Commit,
    /// It has been retired: `exit`.
    Exit,
}

impl Point {
    fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Setup => "setup",
            Self::Receive => "receive",
            Self::Score => "score",
            Self::Send => "send",
            Self::Sent => "sent",
            Self::Commit => "commit",
            Self::Exit => "exit",
        }
    }
}

/// What is to happen, and where.
pub(crate) struct Faults {
    /// Causes and the texts that call for them.
    texts: Vec<(String, String)>,
    /// Causes and the bytes that call for them in parsing.
    records: Vec<(String, String)>,
    /// Causes, points, and the files that permit them.
    points: Vec<(String, String, PathBuf)>,
}

impl Faults {
    /// Those that the environment asks for.
    fn from_environment() -> Self {
        let typed = std::env::var("MOODRING_FAULTS").unwrap_or_default();
        let mut faults = Self {
            texts: Vec::new(),
            records: Vec::new(),
            points: Vec::new(),
        };
        for entry in typed.split(';') {
            if let Some((cause, place)) = entry.split_once('@')
                && let Some((point, file)) = place.split_once('#')
            {
                let entry = (cause.to_owned(), point.to_owned(), file.into());
                faults.points.push(entry);
            } else if let Some((cause, text)) = entry.split_once('=') {
                let (list, cause) = match cause.strip_prefix("parse:") {
                    Some(cause) => (&mut faults.records, cause),
                    None => (&mut faults.texts, cause),
                };
                list.push((cause.to_owned(), text.to_owned()));
            }
        }
        faults
    }

    /// Meets the misfortune that waits at the point, if any.
    fn strike_at(&self, point: Point) {
        for (cause, place, file) in &self.points {
            if place == point.name() && fs::remove_file(file).is_ok() {
                self.at(point, cause.clone());
            }
        }
    }

    /// What comes after the job's own work can be met only by another thread.
    #[expect(clippy::unused_self, reason = "reads as what it belongs to")]
    fn at(&self, point: Point, cause: String) {
        let delay = match point {
            Point::Send => Duration::ZERO,
            Point::Sent => Duration::from_millis(2),
            _ => return meet(&cause),
        };
        thread::spawn(move || {
            thread::sleep(delay);
            // A panic ends only its thread.
            if cause == "panic" {
                process::exit(101);
            }
            meet(&cause);
        });
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::from_environment()
    }
}

impl RecordObserver for Faults {
    fn parsing(&self, raw: &[u8]) {
        for (cause, trigger) in &self.records {
            if memchr::memmem::find(raw, trigger.as_bytes()).is_some() {
                meet(cause);
            }
        }
    }

    fn scoring(&self, post: &Post<'_>, shard_len: usize) {
        if post.location().offset > shard_len as u64 / 2 {
            self.strike_at(Point::Score);
        }
        for (cause, trigger) in &self.texts {
            if post.text().contains(trigger) {
                meet(cause);
            }
        }
    }
}

/// A job that meets the misfortunes of its steps. The job that it wraps has [`Faults`] as its observer, which strike
/// at single records.
struct FaultyJob<J> {
    job: J,
    faults: Faults,
}

impl<J: Job> Job for FaultyJob<J> {
    fn start(setup: &[u8]) -> Result<Self, JobError> {
        let job = J::start(setup)?;
        let faults = Faults::from_environment();
        faults.strike_at(Point::Setup);
        Ok(Self { job, faults })
    }

    fn prepare(&mut self, work: &Work<'_>, report: &mut Vec<u8>) -> Result<(), JobError> {
        self.faults.strike_at(Point::Receive);
        self.job.prepare(work, report)?;
        self.faults.strike_at(Point::Send);
        self.faults.strike_at(Point::Sent);
        Ok(())
    }

    fn commit(&mut self, shard: ShardId, grant: &[u8]) -> Result<(), JobError> {
        self.faults.strike_at(Point::Commit);
        self.job.commit(shard, grant)
    }
}

impl<J> Drop for FaultyJob<J> {
    fn drop(&mut self) {
        self.faults.strike_at(Point::Exit);
    }
}

/// Serves the supervisor at `address` with a worker that meets the misfortunes which the environment asks for.
#[must_use]
pub fn serve(address: &str) -> ExitCode {
    Faults::from_environment().strike_at(Point::Hello);
    worker::serve::<FaultyJob<AnyJob<Faults>>>(address)
}

fn meet(cause: &str) {
    match cause {
        "kill" => raise("KILL"),
        // Rust's handler, which looks for a stack overflow, lets the first one pass for the faulting instruction to
        // be tried again. Here there is none.
        "segv" => {
            raise("SEGV");
            raise("SEGV");
        }
        "stop" => raise("STOP"),
        "abort" => process::abort(),
        "exit0" => process::exit(0),
        "exit1" => process::exit(1),
        "panic" => panic!("a fault was asked for"),
        "overflow" => drop(black_box(overflow(black_box(0)))),
        "oom" => loop {
            black_box(vec![1_u8; 16 << 20].leak());
        },
        "hoard" => drop(black_box(vec![1_u8; 64 << 20].leak())),
        "garbage" => {
            moodring_pool::worker::SEND_BAD_FRAME.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        "slow" => thread::sleep(Duration::from_secs(2)),
        "hang" => loop {
            black_box(());
        },
        _ => {}
    }
}

fn raise(signal: &str) {
    let pid = process::id().to_string();
    let _ = process::Command::new("kill")
        .args([&format!("-{signal}"), &pid])
        .status();
}

/// Goes on until the stack is full.
#[expect(unconditional_recursion, reason = "that is what it is for")]
fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    overflow(depth + 1) + frame[0]
}
