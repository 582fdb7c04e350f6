//! What may be seen of the supervisor's workers from outside.

use super::Supervisor;
use super::worker::State;
use crate::ids::WorkerId;

/// What a worker's slot is in, for those who look on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    /// The process was started and has not said that it is ready.
    Starting,
    /// It works, or waits for work.
    Ready,
    /// It finishes what it holds, and goes.
    Leaving,
    /// It has been told to go.
    Draining,
    /// It has been killed, and is about to end.
    Terminating,
    /// There is no process: the next one is started after a pause.
    Backoff,
}

impl WorkerState {
    /// Its name, in lower case.
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

/// A worker, as the supervisor sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotStatus {
    /// Which one it is.
    pub id: WorkerId,
    /// What it is in.
    pub state: WorkerState,
    /// How many shards it holds that it has not prepared.
    pub holds: usize,
}

impl Supervisor {
    /// The workers there are, or are to be again, by slot.
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
