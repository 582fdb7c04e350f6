//! Asks runs what they do.

use std::io;
use std::thread;

use anyhow::bail;

use super::protocol::{Reply, Request, RunStatus};
use super::socket;

/// A run, as far as it can be seen.
#[derive(Debug)]
pub(super) enum Seen {
    /// It answered.
    Running(Box<RunStatus>),
    /// It did not answer in time, as one that is stopped.
    NotResponding(u32),
}

impl Seen {
    pub(super) fn pid(&self) -> u32 {
        match self {
            Self::Running(status) => status.pid,
            Self::NotResponding(pid) => *pid,
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
        let answers = asked.into_iter().filter_map(|asked| asked.join().ok());
        answers.collect()
    });
    let mut runs = Vec::new();
    for answer in answers {
        match answer {
            Ok(seen) => runs.push(seen),
            Err(error) if pid.is_some() => return Err(error),
            // It has ended since it was found.
            Err(_) => {}
        }
    }
    Ok(runs)
}

fn ask(pid: u32) -> anyhow::Result<Seen> {
    match socket::ask(pid, Request::Status) {
        Ok(Reply::Status(status)) => Ok(Seen::Running(status)),
        Ok(_) => bail!("the run with process id {pid} gave no sensible answer"),
        Err(error) if is_timeout(&error) => Ok(Seen::NotResponding(pid)),
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
