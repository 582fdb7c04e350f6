//! Calls that misbehave when they are asked to.

use std::path::PathBuf;
use std::process::{abort, exit};
use std::{fs, thread};

use moodring_pool::{BoxError, Call, Workers};
use serde::{Deserialize, Serialize, Serializer};

/// What a call is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Ask {
    Echo(u64),
    /// How many calls there were since the start.
    Count,
    /// The process id.
    Pid,
    /// Wait until this file exists.
    Await(PathBuf),
    Fail,
    Panic,
    Abort,
    Exit(i32),
    /// Die as if somebody else had killed the worker.
    Kill,
    Hang,
    Overflow,
    /// Cannot be encoded.
    Secret(#[serde(serialize_with = "refuse")] u64),
}

fn refuse<T, S: Serializer>(_: &T, _: S) -> Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom("it is a secret"))
}

/// How the start goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mood {
    Willing,
    Refusing,
    Panicking,
}

#[derive(Debug, thiserror::Error)]
#[error("not today")]
struct NotToday(#[source] std::fmt::Error);

pub(crate) struct Moody {
    calls: u64,
}

impl Call for Moody {
    type Setup = Mood;
    type Input = Ask;
    type Output = u64;

    fn start(mood: Mood) -> Result<Self, BoxError> {
        match mood {
            Mood::Willing => Ok(Self { calls: 0 }),
            Mood::Refusing => Err("there is no such model".into()),
            Mood::Panicking => panic!("the model is upside down"),
        }
    }

    fn call(&mut self, ask: Ask) -> Result<u64, BoxError> {
        self.calls += 1;
        match ask {
            Ask::Echo(n) | Ask::Secret(n) => return Ok(n),
            Ask::Count => return Ok(self.calls),
            Ask::Pid => return Ok(std::process::id().into()),
            Ask::Await(path) => {
                while !fs::exists(&path)? {
                    thread::yield_now();
                }
            }
            Ask::Fail => return Err(Box::new(NotToday(std::fmt::Error))),
            Ask::Panic => panic!("out of tune"),
            Ask::Abort => {
                eprintln!("farewell");
                abort();
            }
            Ask::Exit(code) => exit(code),
            Ask::Kill => {
                let _ = rustix::process::kill_process(
                    rustix::process::getpid(),
                    rustix::process::Signal::KILL,
                );
            }
            Ask::Hang => loop {
                thread::park();
            },
            Ask::Overflow => return Ok(overflow(1)),
        }
        Ok(0)
    }
}

fn overflow(n: u64) -> u64 {
    let frame = std::hint::black_box([n; 512]);
    if n == 0 {
        0
    } else {
        overflow(n + 1) + frame[1]
    }
}

/// A call that wants workers of its own.
pub(crate) struct Parent;

impl Call for Parent {
    type Setup = ();
    type Input = ();
    type Output = ();

    fn start((): ()) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn call(&mut self, (): ()) -> Result<(), BoxError> {
        Workers::<Moody>::start(1, Mood::Willing)?;
        Ok(())
    }
}

/// A call that `main` does not serve.
pub(crate) struct Unserved;

impl Call for Unserved {
    type Setup = ();
    type Input = ();
    type Output = ();

    fn start((): ()) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn call(&mut self, (): ()) -> Result<(), BoxError> {
        Ok(())
    }
}

pub(crate) fn willing(workers: u32) -> Workers<Moody> {
    Workers::start(workers, Mood::Willing).unwrap()
}

/// The live children of this process: `/proc/PID/stat`, fields 3 (state) and 4 (parent).
pub(crate) fn children() -> Vec<u32> {
    let pids = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| parent(*pid) == Some(std::process::id()))
        .collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    (fields.next()? != "Z").then(|| fields.next()?.parse().ok())?
}

/// Waits for a condition; the test runner ends a test that waits for ever.
pub(crate) fn until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}
