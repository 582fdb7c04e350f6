//! Asks runs what they do.

use std::io;
use std::thread;

use anyhow::{anyhow, bail};

use super::protocol::{Reply, Request, RunStatus};
use super::socket;

/// A run, as far as it can be seen.
#[derive(Debug)]
pub(super) enum Seen {
    /// It answered.
    Running(Box<RunStatus>),
    /// It is there, but gave no answer in time, as one that is stopped, or none that makes sense.
    NotResponding {
        /// Its process.
        pid: u32,
        /// What came instead of an answer.
        why: String,
    },
}

impl Seen {
    pub(super) fn pid(&self) -> u32 {
        match self {
            Self::Running(status) => status.pid,
            Self::NotResponding { pid, .. } => *pid,
        }
    }
}

/// Returns what the run of that process is doing, or all runs. They are asked side by side, so that one that does not
/// respond delays the others only once.
pub(super) fn look(pid: Option<u32>) -> anyhow::Result<Vec<Seen>> {
    let pids = pid.map_or_else(socket::runs, |pid| Ok(vec![pid]))?;
    let answers: Vec<_> = thread::scope(|scope| {
        let asked: Vec<_> = pids
            .iter()
            .map(|&pid| scope.spawn(move || ask(pid)))
            .collect();
        let lost = || Err(anyhow!("the question could not be asked"));
        let answers = asked
            .into_iter()
            .map(|asked| asked.join().unwrap_or_else(|_| lost()));
        answers.collect()
    });
    // One that has ended since it was found has no socket any more.
    let left = if answers.iter().any(Result::is_err) {
        socket::runs()?
    } else {
        Vec::new()
    };
    let mut runs = Vec::new();
    for (asked, answer) in pids.into_iter().zip(answers) {
        match answer {
            Ok(seen) => runs.push(seen),
            Err(error) if pid.is_some() => return Err(error),
            Err(error) if left.contains(&asked) => runs.push(Seen::NotResponding {
                pid: asked,
                why: format!("{error:#}"),
            }),
            Err(_) => {}
        }
    }
    Ok(runs)
}

fn ask(pid: u32) -> anyhow::Result<Seen> {
    match socket::ask(pid, Request::Status) {
        Ok(Reply::Status(status)) => Ok(Seen::Running(status)),
        Ok(_) => bail!("the run with process id {pid} gave no sensible answer"),
        Err(error) if is_timeout(&error) => Ok(Seen::NotResponding {
            pid,
            why: "no answer in time; is it stopped by SIGSTOP or Ctrl-Z?".to_owned(),
        }),
        Err(error) => Err(error),
    }
}

/// Returns whether the other side did not answer in time.
pub(super) fn is_timeout(error: &anyhow::Error) -> bool {
    let mut causes = error.chain();
    causes.any(|cause| {
        let cause = cause.downcast_ref::<io::Error>();
        cause.is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut)
    })
}
