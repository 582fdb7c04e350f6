//! Inspects and controls a running pool from other threads.

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

/// How long to wait for the pool's answer. Unless its sink blocks, it answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a pool did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unanswered {
    /// It did not answer within two seconds: its sink may be blocked. It may answer later.
    #[error("the pool is busy and did not answer in time")]
    Busy,
    /// The run has ended.
    #[error("the pool is over")]
    Over,
}

/// A handle for inspecting and controlling a pool from any thread. It does not keep the pool alive.
///
/// Requests are queued and handled between two calls of the sink, so they take effect a moment later; after the end
/// of the run they have none. None of the methods blocks, except [`workers`](Self::workers) and
/// [`inspect`](Self::inspect).
#[derive(Debug, Clone)]
pub struct Control {
    events: Sender<DriverEvent>,
    stats: Arc<Stats>,
}

impl Control {
    pub(crate) fn new(events: Sender<DriverEvent>, stats: Arc<Stats>) -> Self {
        Self { events, stats }
    }

    /// Ends the run early: takes no more input, finishes the tasks that were taken, and lets the workers leave. The
    /// run succeeds with [`Outcome::drained`](crate::Outcome::drained) set.
    pub fn drain(&self) {
        // A pool that is gone needs no draining.
        let _ = self.events.send(DriverEvent::Drain);
    }

    /// Ends the run at once: kills every worker, and loses what is not complete. The run fails with
    /// [`RunFailure::Aborted`](crate::supervisor::RunFailure::Aborted).
    pub fn abort(&self) {
        let _ = self.events.send(DriverEvent::Abort);
    }

    /// Sets the number of workers and returns it, clamped to 1 through [`MAX_WORKERS`]. Surplus workers finish what
    /// they hold and leave. If there are not enough file descriptors for this many, there will be fewer, and a
    /// warning is logged.
    #[expect(
        clippy::must_use_candidate,
        reason = "most callers ask for a number that is possible"
    )]
    pub fn resize(&self, workers: u32) -> u32 {
        let workers = workers.clamp(1, MAX_WORKERS);
        let _ = self.events.send(DriverEvent::Resize(workers));
        workers
    }

    /// Replaces every worker by a new process, one at a time. A worker finishes what it holds first.
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

    /// Returns what each worker is doing, by slot, or nothing if [`inspect`](Self::inspect) fails. Blocks for up to
    /// two seconds.
    #[must_use]
    pub fn workers(&self) -> Vec<WorkerStatus> {
        self.inspect().unwrap_or_default()
    }

    /// Returns what each worker is doing, by slot. Blocks until the pool answers, for up to two seconds.
    ///
    /// # Errors
    /// [`Unanswered::Over`] if the run has ended, [`Unanswered::Busy`] if the pool did not answer in time.
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

    /// Starts a thread whose panic ends the run with [`PoolError::Panicked`](crate::PoolError::Panicked).
    ///
    /// # Errors
    /// An error if the system refuses a thread.
    pub fn spawn(&self, name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        helper::start(name.to_owned(), &self.events, body)
    }

    /// Returns the counters of the pool, which change as it runs.
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
