//! What the outside may see of a running pool, and say to it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use thiserror::Error;

use crate::driver_event::DriverEvent;
use crate::helper;
use crate::ids::ShardId;
use crate::status::{Stats, WorkerStatus};
use crate::supervisor::MAX_WORKERS;

/// How long to wait for the pool's answer; it is busy for milliseconds at the most.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a pool does not say what its workers are doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unanswered {
    /// It does something that takes long, and may answer later.
    #[error("the pool is busy and did not answer in time")]
    Busy,
    /// It has ended.
    #[error("the pool is over")]
    Over,
}

/// A hand on a running pool, from any thread.
#[derive(Debug, Clone)]
pub struct Control {
    events: Sender<DriverEvent>,
    stats: Arc<Stats>,
}

impl Control {
    pub(crate) fn new(events: Sender<DriverEvent>, stats: Arc<Stats>) -> Self {
        Self { events, stats }
    }

    /// Takes no more input, finishes what is under way, and lets the workers go.
    pub fn drain(&self) {
        // A pool that is gone needs no draining.
        let _ = self.events.send(DriverEvent::Drain);
    }

    /// Ends the run at once: every worker is killed, and what was under way is lost. The run fails with
    /// [`RunFailure::Aborted`](crate::supervisor::RunFailure::Aborted).
    pub fn abort(&self) {
        let _ = self.events.send(DriverEvent::Abort);
    }

    /// Has so many workers from now on, at least one and at most [`MAX_WORKERS`]; returns how many. Those that are too
    /// many finish what they hold. If there are fewer file descriptors than so many need, there will be fewer workers,
    /// and a warning says so.
    #[expect(
        clippy::must_use_candidate,
        reason = "most callers ask for a number that is possible"
    )]
    pub fn resize(&self, workers: u32) -> u32 {
        let workers = workers.clamp(1, MAX_WORKERS);
        let _ = self.events.send(DriverEvent::Resize(workers));
        workers
    }

    /// Replaces every worker by a new process, one at a time and without a pause in the work.
    pub fn renew(&self) {
        let _ = self.events.send(DriverEvent::Renew);
    }

    /// Cancels a shard, unless it is done or the pool is ordered. If a worker has it, that worker is killed and
    /// replaced.
    pub(crate) fn cancel(&self, shard: ShardId) {
        let _ = self.events.send(DriverEvent::Cancel(shard));
    }

    /// Returns a channel that gets one message once every worker has started, and closes if the pool ends before.
    pub(crate) fn await_ready(&self) -> Receiver<()> {
        let (reply, ready) = bounded(1);
        let _ = self.events.send(DriverEvent::AwaitReady(reply));
        ready
    }

    /// What each worker is doing, by slot; nobody, if the pool is over or does not answer.
    #[must_use]
    pub fn workers(&self) -> Vec<WorkerStatus> {
        self.inspect().unwrap_or_default()
    }

    /// What each worker is doing, by slot.
    ///
    /// # Errors
    /// If the pool is over, or so busy that it does not answer for two seconds: its sink may be blocked.
    pub fn inspect(&self) -> Result<Vec<WorkerStatus>, Unanswered> {
        self.inspect_within(PATIENCE)
    }

    fn inspect_within(&self, patience: Duration) -> Result<Vec<WorkerStatus>, Unanswered> {
        let (reply, answer) = bounded(1);
        let asked = self.events.send(DriverEvent::Inspect(reply));
        asked.map_err(|_| Unanswered::Over)?;
        answer.recv_timeout(patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => Unanswered::Busy,
            RecvTimeoutError::Disconnected => Unanswered::Over,
        })
    }

    /// Starts a thread that belongs to the pool: if it panics, the run fails with [`PoolError::Panicked`](crate::PoolError::Panicked).
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub fn spawn(&self, name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        helper::start(name.to_owned(), &self.events, body)
    }

    /// What the pool is doing.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;

    use super::*;

    #[test]
    fn a_pool_that_is_busy_is_told_from_one_that_is_over() {
        let (events, heard) = unbounded();
        let control = Control::new(events, Arc::default());
        let asked = control.inspect_within(Duration::from_millis(1));
        assert_eq!(asked, Err(Unanswered::Busy));
        drop(heard);
        let asked = control.inspect_within(Duration::from_mins(1));
        assert_eq!(asked, Err(Unanswered::Over));
    }
}
