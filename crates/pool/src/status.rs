//! What can be seen of a pool: its workers and counters while it runs, and how the run went.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::black_box::Sample;
use crate::supervisor::SlotStatus;

/// A worker of a running pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStatus {
    /// What the supervisor knows of it.
    pub slot: SlotStatus,
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

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How many shards were completed.
    pub shards: u64,
    /// How many workers were started in the place of dead ones.
    pub restarts: u64,
    /// Whether [`Control::drain`](crate::Control::drain) ended it before the input did.
    pub drained: bool,
}
