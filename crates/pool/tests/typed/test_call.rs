//! Calls that misbehave when they are asked to. Both the tests and the worker program have this module.

use std::io::Write;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::process::{abort, exit};
use std::{env, fs, thread};

use moodring_pool::{BoxError, Call, Context, Workers};
use serde::de::DeserializeOwned;
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
    /// Append a byte to this file, then do that.
    Log(PathBuf, Box<Ask>),
    /// Abort unless this is at least that attempt; gives which it is.
    DieBefore(u32),
    /// The incarnation of the worker.
    Incarnation,
    /// The value of an environment variable.
    Env(String),
    /// Whether this is the working folder: 1 or 0.
    IsCurrentDir(PathBuf),
    /// Cannot be encoded.
    Secret(#[serde(serialize_with = "refuse")] u64),
}

fn refuse<T, S: Serializer>(_: &T, _: S) -> Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom("it is a secret"))
}

/// How the start goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Startup {
    Succeeds,
    /// Starts when this file exists.
    WaitsFor(PathBuf),
    Fails,
    Panics,
}

#[derive(Debug, thiserror::Error)]
#[error("not today")]
struct NotToday(#[source] std::fmt::Error);

pub(crate) struct TestCall {
    calls: u64,
}

impl Call for TestCall {
    type Setup = Startup;
    type Input = Ask;
    type Output = u64;

    fn name() -> &'static str {
        "test-call"
    }

    fn start(startup: Startup) -> Result<Self, BoxError> {
        match startup {
            Startup::Succeeds => Ok(Self { calls: 0 }),
            Startup::WaitsFor(path) => {
                wait_for(&path)?;
                Ok(Self { calls: 0 })
            }
            Startup::Fails => Err("there is no such model".into()),
            Startup::Panics => panic!("the model is upside down"),
        }
    }

    fn call(&mut self, ask: Ask) -> Result<u64, BoxError> {
        self.calls += 1;
        match ask {
            Ask::Echo(n) | Ask::Secret(n) => return Ok(n),
            Ask::Count => return Ok(self.calls),
            Ask::Pid => return Ok(std::process::id().into()),
            Ask::Await(path) => wait_for(&path)?,
            Ask::Log(path, then) => {
                let mut file = fs::File::options().append(true).create(true).open(path)?;
                file.write_all(b".")?;
                return self.call(*then);
            }
            Ask::DieBefore(attempt) => {
                let current = context()?.attempt;
                if current < attempt {
                    abort();
                }
                return Ok(current.into());
            }
            Ask::Incarnation => return Ok(context()?.worker.incarnation.into()),
            Ask::Env(name) => return Ok(env::var(name)?.parse()?),
            Ask::IsCurrentDir(path) => {
                return Ok((env::current_dir()? == path.canonicalize()?).into());
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

fn wait_for(path: &Path) -> std::io::Result<()> {
    while !fs::exists(path)? {
        thread::yield_now();
    }
    Ok(())
}

fn context() -> Result<Context, BoxError> {
    Context::current().ok_or_else(|| "this is no worker".into())
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

    fn name() -> &'static str {
        "parent"
    }

    fn start((): ()) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn call(&mut self, (): ()) -> Result<(), BoxError> {
        Workers::<TestCall>::start(1, Startup::Succeeds)?;
        Ok(())
    }
}

/// A call that takes anything and gives nothing.
pub(crate) struct Carrier<T>(PhantomData<T>);

impl<T: Serialize + DeserializeOwned> Call for Carrier<T> {
    type Setup = ();
    type Input = T;
    type Output = ();

    fn name() -> &'static str {
        "carrier"
    }

    fn start((): ()) -> Result<Self, BoxError> {
        Ok(Self(PhantomData))
    }

    fn call(&mut self, _: T) -> Result<(), BoxError> {
        Ok(())
    }
}

/// A call whose output leaves a field out.
pub(crate) struct Giver;

impl Call for Giver {
    type Setup = ();
    type Input = u64;
    type Output = Sparse;

    fn name() -> &'static str {
        "giver"
    }

    fn start((): ()) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn call(&mut self, second: u64) -> Result<Sparse, BoxError> {
        let first = None;
        Ok(Sparse { first, second })
    }
}

/// What is left out when it is encoded is missed when it is decoded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sparse {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<u64>,
    pub(crate) second: u64,
}

/// What it is, its data must tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Untagged {
    Number(u64),
    Text(String),
}
