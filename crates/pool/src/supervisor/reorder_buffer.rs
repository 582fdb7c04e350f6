//! The shards between the input and the output: which are waiting, which are out, whose turn it is.
//!
//! A shard enters when it is taken from the input and leaves when it is complete, so the number of shards in it
//! bounds the memory of a run: nothing is taken from the input while the window is full. In an ordered run one
//! shard that takes long fills it, as those behind it wait for their turn; without order they pass it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Delivery, TaskPolicy};
use crate::ids::{ShardId, WorkerId};

/// Where a shard is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// For a worker to have room.
    Waiting,
    /// With a worker that has not reported yet.
    Out(WorkerId),
    /// Reported; waits for its turn.
    Prepared(WorkerId),
    /// Its turn came; the worker has its grant.
    Placed(WorkerId),
}

#[derive(Debug, Clone)]
struct Shard {
    stage: Stage,
    /// Its turn came once, so that its place in the output is fixed even if it has to be prepared again.
    released: bool,
    /// How many workers died working on it, since one of its items was quarantined.
    deaths: u32,
    /// An item on which a worker died, and which has to be tried alone before the rest of the shard.
    suspect: Option<Suspect>,
    /// The items at which workers ran out of memory, and how often: no more than there were deaths.
    starved: Vec<(u64, u32)>,
    /// How many items were quarantined for that.
    starved_out: u32,
    policy: TaskPolicy,
    /// Where attempts are limited: how many of them failed, at an item that is not quarantined.
    failed: u32,
}

#[derive(Debug, Clone, Copy)]
struct Suspect {
    item: u64,
    /// How many workers died on it when it was tried alone.
    deaths_alone: u32,
}

/// So many workers must die on an item alone before it is quarantined, if each may as well have been killed from
/// outside: someone who kills workers at random hits the same short trial once, but not time after time.
const DEATHS_BY_OTHERS: u32 = 4;

/// So many workers must run out of memory at an item before it is quarantined, even if it does no harm alone: there is
/// room for it or for the rest of its shard.
const DEATHS_BY_MEMORY: u32 = 3;

/// Where more items of a shard than this would have to go for that, the shard as a whole is too large.
const MOST_STARVED_OUT: u32 = 5;

/// What a death on an item proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The worker ended in a way that it brought upon itself.
    OwnFault,
    /// It ran out of the memory that it may have.
    Memory,
    /// It may have been killed from outside.
    Weak,
}

/// What follows from a worker's death on an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// It is tried alone before the rest of the shard.
    Trial,
    /// The shard goes out again, item and all.
    Retry,
    /// The shard continues without it: this many workers died on it.
    Quarantine(u32),
}

/// Where a shard was that was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancelled {
    Waiting,
    /// With this worker.
    Out(WorkerId),
}

/// A prepared shard that may move on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    /// Its turn has come.
    First(ShardId, WorkerId),
    /// Its turn came before its worker died; it was prepared again and goes to the same place.
    Again(ShardId, WorkerId),
}

impl Shard {
    /// Notes that a worker ran out of memory at an item; gives how often that was.
    fn starve(&mut self, item: u64) -> u32 {
        if let Some((_, times)) = self.starved.iter_mut().find(|(known, _)| *known == item) {
            *times += 1;
            return *times;
        }
        self.starved.push((item, 1));
        1
    }
}

#[derive(Debug)]
pub(super) struct ReorderBuffer {
    delivery: Delivery,
    ordered: bool,
    capacity: usize,
    /// Those that are not complete.
    shards: BTreeMap<ShardId, Shard>,
    /// The id of the next shard to be taken in.
    next: ShardId,
    /// The shards in stage `Waiting`, oldest first: a shard that lost its worker goes out before newer ones.
    waiting: BTreeSet<ShardId>,
    /// Those of them that have a suspect item to be tried first.
    trials: BTreeSet<ShardId>,
    /// In an ordered run: the shard whose turn is next.
    turn: ShardId,
}

impl ReorderBuffer {
    pub(super) fn new(delivery: Delivery, ordered: bool, capacity: usize) -> Self {
        let first = ShardId(0);
        Self {
            delivery,
            ordered,
            capacity: capacity.max(1),
            shards: BTreeMap::new(),
            next: first,
            waiting: BTreeSet::new(),
            trials: BTreeSet::new(),
            turn: first,
        }
    }

    /// How many more shards may be taken from the input.
    pub(super) fn room(&self) -> usize {
        self.capacity.saturating_sub(self.shards.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shards.is_empty()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes in the next shard of the input.
    pub(super) fn push(&mut self, policy: TaskPolicy) -> ShardId {
        let id = self.next;
        self.next = id.next();
        let shard = Shard {
            stage: Stage::Waiting,
            released: false,
            deaths: 0,
            suspect: None,
            starved: Vec::new(),
            starved_out: 0,
            policy,
            failed: 0,
        };
        self.shards.insert(id, shard);
        self.waiting.insert(id);
        id
    }

    /// How a shard is to be done.
    pub(super) fn policy(&self, id: ShardId) -> TaskPolicy {
        let shard = self.shards.get(&id);
        shard.map_or_else(TaskPolicy::default, |shard| shard.policy)
    }

    /// Removes a shard that is not done. `None` if there is none, or if the run is ordered: there each shard has its
    /// turn.
    pub(super) fn cancel(&mut self, id: ShardId) -> Option<Cancelled> {
        let shard = self.shards.get(&id)?;
        if self.ordered || shard.released {
            return None;
        }
        let cancelled = match shard.stage {
            Stage::Waiting => Cancelled::Waiting,
            Stage::Out(worker) => Cancelled::Out(worker),
            Stage::Prepared(_) | Stage::Placed(_) => return None,
        };
        self.shards.remove(&id);
        self.waiting.remove(&id);
        self.trials.remove(&id);
        Some(cancelled)
    }

    /// Hands the oldest waiting shard to `worker`.
    pub(super) fn assign(&mut self, worker: WorkerId) -> Option<ShardId> {
        let id = self.waiting.pop_first()?;
        if let Some(shard) = self.get_mut(id) {
            shard.stage = Stage::Out(worker);
        }
        Some(id)
    }

    /// Whether a suspect item waits for a worker to be tried in.
    pub(super) fn has_trial(&self) -> bool {
        !self.trials.is_empty()
    }

    /// Hands the oldest suspect item to `worker`, alone.
    pub(super) fn assign_trial(&mut self, worker: WorkerId) -> Option<(ShardId, u64)> {
        let id = self.trials.pop_first()?;
        let shard = self.get_mut(id)?;
        shard.stage = Stage::Out(worker);
        shard.suspect.map(|suspect| (id, suspect.item))
    }

    /// Notes that a suspect item did no harm alone. False if it was not with that worker.
    pub(super) fn trial_passed(&mut self, id: ShardId, worker: WorkerId) -> bool {
        let out = |shard: &&mut Shard| shard.stage == Stage::Out(worker) && shard.suspect.is_some();
        let Some(shard) = self.get_mut(id).filter(out) else {
            return false;
        };
        shard.suspect = None;
        shard.stage = Stage::Waiting;
        self.waiting.insert(id);
        true
    }

    /// Judges an item on which a worker died, after [`ReorderBuffer::lost`]. It is tried alone next; if it has
    /// killed alone too, it is quarantined. Where attempts are limited, they are counted instead.
    pub(super) fn suspect(&mut self, id: ShardId, item: u64, evidence: Evidence) -> Suspicion {
        // A shard whose turn has come was done once without harm, so all of its items are innocent.
        let Some(shard) = self
            .get_mut(id)
            .filter(|shard| shard.stage == Stage::Waiting && !shard.released)
        else {
            return Suspicion::Trial;
        };
        if let Some(most) = shard.policy.max_attempts {
            shard.failed += 1;
            let failed = shard.failed;
            if failed < most {
                return Suspicion::Retry;
            }
            shard.failed = 0;
            return Suspicion::Quarantine(failed);
        }
        let mut suspect = Suspect {
            item,
            deaths_alone: 0,
        };
        if let Some(known) = shard.suspect.filter(|known| known.item == item) {
            suspect.deaths_alone = known.deaths_alone + 1;
        }
        let enough = match evidence {
            Evidence::OwnFault | Evidence::Memory => 1,
            Evidence::Weak => DEATHS_BY_OTHERS,
        };
        let alone = (suspect.deaths_alone >= enough).then_some(suspect.deaths_alone + 1);
        let starved = (evidence == Evidence::Memory)
            .then(|| shard.starve(item))
            .filter(|&times| times >= DEATHS_BY_MEMORY && shard.starved_out < MOST_STARVED_OUT);
        if let Some(attempts) = alone.or(starved) {
            if alone.is_none() {
                shard.starved_out += 1;
            }
            shard.suspect = None;
            shard.deaths = 0;
            self.trials.remove(&id);
            self.waiting.insert(id);
            return Suspicion::Quarantine(attempts);
        }
        shard.suspect = Some(suspect);
        self.waiting.remove(&id);
        self.trials.insert(id);
        Suspicion::Trial
    }

    /// Makes room for at least this many shards.
    pub(super) fn grow(&mut self, capacity: usize) {
        self.capacity = self.capacity.max(capacity);
    }

    /// Whether anything would be lost with `worker`.
    pub(super) fn holds(&self, worker: WorkerId) -> bool {
        self.is_busy(worker)
            || self.delivery == Delivery::Commit
                && self
                    .shards
                    .values()
                    .any(|shard| shard.stage == Stage::Prepared(worker))
    }

    /// Whether `worker` has the grant of that shard and has not committed it.
    pub(super) fn is_placed(&mut self, id: ShardId, worker: WorkerId) -> bool {
        self.get_mut(id)
            .is_some_and(|shard| shard.stage == Stage::Placed(worker))
    }

    /// Whether `worker` has anything to do.
    pub(super) fn is_busy(&self, worker: WorkerId) -> bool {
        let busy =
            |stage| matches!(stage, Stage::Out(holder) | Stage::Placed(holder) if holder == worker);
        self.shards.values().any(|shard| busy(shard.stage))
    }

    /// Notes that `worker` has prepared a shard and gives the shards that may move on because of it. `None` if the
    /// shard was not with that worker.
    pub(super) fn prepared(&mut self, id: ShardId, worker: WorkerId) -> Option<Vec<Release>> {
        let shard = self
            .get_mut(id)
            .filter(|shard| shard.stage == Stage::Out(worker))?;
        if shard.released {
            shard.stage = Stage::Placed(worker);
            return Some(vec![Release::Again(id, worker)]);
        }
        shard.stage = Stage::Prepared(worker);
        let mut releases = Vec::new();
        if self.ordered {
            while let Some(next) = self.release(self.turn) {
                releases.push(next);
                self.turn = self.turn.next();
            }
        } else {
            releases.extend(self.release(id));
        }
        Some(releases)
    }

    /// Moves a prepared shard on, if it is one.
    fn release(&mut self, id: ShardId) -> Option<Release> {
        let delivery = self.delivery;
        let shard = self.get_mut(id)?;
        let Stage::Prepared(worker) = shard.stage else {
            return None;
        };
        shard.released = true;
        shard.stage = Stage::Placed(worker);
        if delivery == Delivery::Inline {
            self.shards.remove(&id);
        }
        Some(Release::First(id, worker))
    }

    /// Notes that `worker` has committed a shard. False if that shard was not placed with that worker.
    pub(super) fn committed(&mut self, id: ShardId, worker: WorkerId) -> bool {
        let placed = |shard: &mut Shard| shard.stage == Stage::Placed(worker);
        let known = self.get_mut(id).is_some_and(placed);
        if known {
            self.shards.remove(&id);
        }
        known
    }

    /// Takes back everything that `worker` held: it is dead.
    pub(super) fn lost(&mut self, worker: WorkerId) {
        for (&id, shard) in &mut self.shards {
            let lost = match shard.stage {
                Stage::Out(holder) | Stage::Placed(holder) => holder == worker,
                // With inline delivery the report already is the result, and the driver has it.
                Stage::Prepared(holder) => holder == worker && self.delivery == Delivery::Commit,
                Stage::Waiting => false,
            };
            if lost {
                shard.stage = Stage::Waiting;
                let queue = if shard.suspect.is_some() {
                    &mut self.trials
                } else {
                    &mut self.waiting
                };
                queue.insert(id);
            }
        }
    }

    /// Counts a death on a shard; gives how many there have been.
    pub(super) fn count_death(&mut self, id: ShardId) -> u32 {
        self.get_mut(id).map_or(0, |shard| {
            shard.deaths += 1;
            shard.deaths
        })
    }

    fn get_mut(&mut self, id: ShardId) -> Option<&mut Shard> {
        self.shards.get_mut(&id)
    }
}
