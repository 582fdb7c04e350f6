//! What can be seen of a pool: its workers and counters while it runs, and how the run went.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::black_box::Sample;
use crate::supervisor::SlotStatus;

/// A worker of a running pool, as [`Control::inspect`](crate::Control::inspect) returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStatus {
    /// The state of its slot.
    pub slot: SlotStatus,
    /// Its process; `None` while there is none, as in a pause before a restart.
    pub process: Option<ProcessStatus>,
}

/// The process of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessStatus {
    /// The process id.
    pub pid: u32,
    /// How long ago it was started.
    pub age: Duration,
    /// What it is doing.
    pub sample: Option<Sample>,
}

/// Counters of a pool. Reading one never blocks.
#[derive(Debug, Default)]
pub struct Stats {
    alive: AtomicU64,
    restarts: AtomicU64,
    shards: AtomicU64,
}

impl Stats {
    /// Returns how many worker processes there are.
    #[must_use]
    pub fn alive(&self) -> u64 {
        self.alive.load(Ordering::Relaxed)
    }

    /// Returns how many workers were started to replace others, for whatever reason.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Returns how many shards are complete.
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

/// The result of a run that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How many shards were completed.
    pub shards: u64,
    /// How many workers were started to replace others, for whatever reason.
    pub restarts: u64,
    /// Whether [`Control::drain`](crate::Control::drain) was called, so that input may be left.
    pub drained: bool,
}
