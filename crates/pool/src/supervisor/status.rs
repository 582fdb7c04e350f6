//! The state of each worker, for callers of the supervisor.

use super::Supervisor;
use super::worker::State;
use crate::ids::WorkerId;

/// The state of a worker slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    /// The process was started, and its job has not started yet.
    Starting,
    /// The worker works or waits for work.
    Ready,
    /// The worker gets nothing new, and leaves when it holds nothing.
    Leaving,
    /// The worker was told to leave.
    Draining,
    /// The worker was killed, and has not ended yet.
    Terminating,
    /// There is no process. The next one is started after a pause.
    Backoff,
}

impl WorkerState {
    /// Returns the name of the state in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Leaving => "leaving",
            Self::Draining => "draining",
            Self::Terminating => "terminating",
            Self::Backoff => "backoff",
        }
    }
}

/// A worker slot that is filled or about to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotStatus {
    /// The worker.
    pub id: WorkerId,
    /// The state of the slot.
    pub state: WorkerState,
    /// How many shards the worker holds that it has not prepared.
    pub holds: usize,
}

impl Supervisor {
    /// Returns the slots that are filled or about to be.
    pub fn workers(&self) -> impl Iterator<Item = SlotStatus> {
        self.workers.iter().filter_map(|worker| {
            let state = match worker.state {
                State::Starting { .. } => WorkerState::Starting,
                State::Ready => WorkerState::Ready,
                State::Leaving => WorkerState::Leaving,
                State::Draining { .. } => WorkerState::Draining,
                State::Terminating => WorkerState::Terminating,
                State::Backoff { .. } => WorkerState::Backoff,
                State::Gone => return None,
            };
            Some(SlotStatus {
                id: worker.id,
                state,
                holds: worker.out.len(),
            })
        })
    }
}
