//! What is known of one worker: the slot it fills, its state, what it holds, and what was seen of it.

use std::collections::VecDeque;
use std::time::Duration;

use super::restart::History;
use crate::black_box::Sample;
use crate::ids::{ShardId, WorkerId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Starting {
        deadline: Duration,
    },
    Ready,
    /// Gets nothing new, and is let go when it holds nothing more.
    Leaving,
    Backoff {
        until: Duration,
    },
    Draining {
        deadline: Duration,
    },
    Terminating,
    Gone,
}

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) id: WorkerId,
    pub(super) state: State,
    /// The shards it holds unreported, in the order it got them: it works on the first.
    pub(super) out: VecDeque<ShardId>,
    pub(super) assignment: Assignment,
    /// How many shards it has prepared.
    pub(super) prepared: u64,
    pub(super) progressed: bool,
    /// Why it was killed, if the supervisor did.
    pub(super) killed: Option<Killed>,
    pub(super) watch: Watch,
    pub(super) history: History,
}

impl Worker {
    pub(super) fn new(slot: u32, state: State) -> Self {
        Self {
            id: WorkerId {
                slot,
                incarnation: 0,
            },
            state,
            out: VecDeque::new(),
            assignment: Assignment::Fresh,
            prepared: 0,
            progressed: false,
            killed: None,
            watch: Watch::default(),
            history: History::default(),
        }
    }

    /// The next process in the same slot, of which nothing is known but what its predecessors died of.
    pub(super) fn become_successor(&mut self) -> WorkerId {
        let WorkerId { slot, incarnation } = self.id;
        let history = self.history;
        *self = Self::new(slot, State::Gone);
        self.id.incarnation = incarnation + 1;
        self.history = history;
        self.id
    }
}

/// Why a worker was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Killed {
    /// It made no progress.
    Hung,
    /// It was not wanted any more, and had not gone.
    Dismissed,
    /// Its shard was cancelled.
    Cancelled,
}

/// What a worker may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assignment {
    /// It has been given nothing yet, so that nothing it did can be the cause of anything.
    Fresh,
    /// Shards.
    Shards,
    /// It has one item to try, and gets nothing else meanwhile.
    Trial,
}

/// What was seen of a worker's progress.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Watch {
    pub(super) sample: Option<Sample>,
    /// Since when the sample has been the same, or the worker has had something to do, whichever is later.
    pub(super) since: Duration,
}
