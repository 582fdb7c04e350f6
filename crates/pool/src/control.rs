//! What the outside may see of a running pool, and say to it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use thiserror::Error;

use crate::black_box::Sample;
use crate::driver::Signal;
use crate::helper;
use crate::ids::ShardId;
use crate::pool::MAX_WORKERS;
#[cfg(doc)]
use crate::pool::PoolError;
use crate::supervisor::WorkerView;

/// How long to wait for the pool's answer; it is busy for milliseconds at the most.
const PATIENCE: Duration = Duration::from_secs(2);

/// A worker of a running pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStatus {
    /// What the supervisor knows of it.
    pub view: WorkerView,
    /// Its process, if there is one at the moment.
    pub process: Option<ProcessStatus>,
}

/// The process of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessStatus {
    /// Its id.
    pub pid: u32,
    /// How long ago it was started.
    pub age: Duration,
    /// What it is doing, once it has said hello.
    pub sample: Option<Sample>,
}

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
    signals: Sender<Signal>,
    stats: Arc<Stats>,
}

impl Control {
    pub(crate) fn new(signals: Sender<Signal>, stats: Arc<Stats>) -> Self {
        Self { signals, stats }
    }

    /// Takes no more input, finishes what is under way, and lets the workers go.
    pub fn drain(&self) {
        // A pool that is gone needs no draining.
        let _ = self.signals.send(Signal::Drain);
    }

    /// Ends the run at once: every worker is killed, and what was under way is lost. The run fails with
    /// [`Defeat::Aborted`](crate::supervisor::Defeat::Aborted).
    pub fn abort(&self) {
        let _ = self.signals.send(Signal::Abort);
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
        let _ = self.signals.send(Signal::Resize(workers));
        workers
    }

    /// Replaces every worker by a new process, one at a time and without a pause in the work.
    pub fn renew(&self) {
        let _ = self.signals.send(Signal::Renew);
    }

    /// Cancels a shard, unless it is done or the pool is ordered. If a worker has it, that worker is killed and
    /// replaced.
    pub(crate) fn cancel(&self, shard: ShardId) {
        let _ = self.signals.send(Signal::Cancel(shard));
    }

    /// Returns a channel that gets one message once every worker has started, and closes if the pool ends before.
    pub(crate) fn await_ready(&self) -> Receiver<()> {
        let (reply, ready) = bounded(1);
        let _ = self.signals.send(Signal::AwaitReady(reply));
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
        let asked = self.signals.send(Signal::Inspect(reply));
        asked.map_err(|_| Unanswered::Over)?;
        answer.recv_timeout(patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => Unanswered::Busy,
            RecvTimeoutError::Disconnected => Unanswered::Over,
        })
    }

    /// Starts a thread that belongs to the pool: if it panics, the run fails with [`PoolError::Panicked`].
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub fn spawn(&self, name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        helper::start(name.to_owned(), &self.signals, body)
    }

    /// What the pool is doing.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
}

/// Counters of a running pool, for a progress display.
#[derive(Debug, Default)]
pub struct Stats {
    alive: AtomicU64,
    restarts: AtomicU64,
    shards: AtomicU64,
}

impl Stats {
    /// How many worker processes there are.
    #[must_use]
    pub fn alive(&self) -> u64 {
        self.alive.load(Ordering::Relaxed)
    }

    /// How many workers were started in the place of others.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// How many shards are complete.
    #[must_use]
    pub fn shards(&self) -> u64 {
        self.shards.load(Ordering::Relaxed)
    }

    pub(crate) fn spawned(&self, incarnation: u32) {
        self.alive.fetch_add(1, Ordering::Relaxed);
        if incarnation > 0 {
            self.restarts.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn exited(&self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn completed(&self) {
        self.shards.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;

    use super::*;

    #[test]
    fn a_pool_that_is_busy_is_told_from_one_that_is_over() {
        let (signals, heard) = unbounded();
        let control = Control::new(signals, Arc::default());
        let asked = control.inspect_within(Duration::from_millis(1));
        assert_eq!(asked, Err(Unanswered::Busy));
        drop(heard);
        let asked = control.inspect_within(Duration::from_mins(1));
        assert_eq!(asked, Err(Unanswered::Over));
    }
}
