//! What goes wrong in a world.

use std::time::Duration;

use moodring_pool::process::Exit;
use moodring_pool::{Scope, ShardId};

use crate::dice::Dice;

/// How many items each shard of a world has.
pub(crate) const ITEMS: u64 = 7;

/// How often what goes wrong: once in so many times, or never.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    /// A process cannot be started, or dies or hangs before it is ready.
    pub(crate) start: Option<u64>,
    /// From when on: no start fails before.
    pub(crate) start_from: Duration,
    /// A worker says that its job cannot start.
    pub(crate) startup_failed: Option<u64>,
    /// An item does harm to each worker that does it: every so manieth one. See [`Poison`].
    pub(crate) poison: Option<u64>,
    /// An item kills the worker that does it with others, but not alone.
    pub(crate) company: Option<u64>,
    /// The commit of a shard kills or hangs each worker that does it.
    pub(crate) commit: Option<u64>,
    /// A worker dies or hangs at a step of its work: as it begins a shard, at an item, as it reports, as it commits.
    /// Trials are spared: an item on which two workers come to grief by themselves *is* poison, for all that anybody
    /// can tell.
    pub(crate) step: Option<u64>,
    /// At every event, a worker is killed from outside, whatever it is doing.
    pub(crate) kill: Option<u64>,
    /// At every event, a worker is stopped for good, whatever it is doing but for a trial.
    pub(crate) stop: Option<u64>,
    /// At every event, a worker of now or of before is said to hold too much memory.
    pub(crate) oversize: Option<u64>,
    /// What a killed worker said last never arrives.
    pub(crate) loss: Option<u64>,
    /// An item takes nearly as long as it may.
    pub(crate) slow: Option<u64>,
    /// Reading or writing takes nearly as long as it may, which is longer than an item may take.
    pub(crate) slow_io: Option<u64>,
    /// The supervisor's loop is stopped for up to 60 ms, many times as long as anything may take.
    pub(crate) stall: Option<u64>,
    /// A retired worker hangs, or ends in some other way than it should.
    pub(crate) leave: Option<u64>,
    /// Whether workers that hang are found out; else none hangs while it has something to do.
    pub(crate) hangs: bool,
}

/// What an item does to each worker that does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Poison {
    /// It ends in a way that is its own fault.
    Dies,
    /// It is killed as if from outside, by a kernel short of memory say.
    IsKilled,
    /// It hangs.
    Hangs,
    /// It takes what memory there is, if it is not alone.
    Starves,
}

/// What becomes of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    Dies(Exit),
    Hangs,
}

impl Faults {
    /// What an item does, if it is a poisonous one.
    pub(crate) fn poison(&self, shard: ShardId, item: u64) -> Option<Poison> {
        let number = shard.0 * ITEMS + item;
        let every = self.poison?;
        (number % every == every - 1).then_some(match number / every % 5 {
            1 if self.hangs => Poison::Hangs,
            2 => Poison::IsKilled,
            3 => Poison::Starves,
            _ => Poison::Dies,
        })
    }

    /// What becomes of a worker that does an item.
    pub(crate) fn fault_at(&self, shard: ShardId, item: u64, scope: Scope) -> Option<Fault> {
        let lonely = matches!(scope, Scope::Only(_));
        let company = |every| (shard.0 * ITEMS + item) % every == every - 1;
        match self.poison(shard, item) {
            Some(Poison::Hangs) => Some(Fault::Hangs),
            Some(Poison::IsKilled) => Some(Fault::Dies(Exit::Signal(9))),
            Some(Poison::Dies) => Some(Fault::Dies(Exit::Signal(11))),
            Some(Poison::Starves) => (!lonely).then_some(Fault::Dies(Exit::OutOfMemory)),
            None if !lonely && self.company.is_some_and(company) => {
                Some(Fault::Dies(Exit::Signal(6)))
            }
            None => None,
        }
    }

    /// What becomes of a worker that commits a shard.
    pub(crate) fn fault_in_commit(&self, shard: ShardId) -> Option<Fault> {
        let every = self.commit.filter(|every| shard.0 % every == every - 1)?;
        let hangs = self.hangs && shard.0 / every % 2 == 1;
        Some(if hangs {
            Fault::Hangs
        } else {
            Fault::Dies(Exit::Signal(7))
        })
    }

    /// What becomes of a worker at any step of its work, by chance.
    pub(crate) fn sporadic_fault(&self, dice: &mut Dice) -> Option<Fault> {
        dice.strikes(self.step).then(|| self.any_fault(dice))
    }

    /// Any of the ends a worker can come to.
    pub(crate) fn any_fault(&self, dice: &mut Dice) -> Fault {
        match dice.roll(if self.hangs { 6 } else { 4 }) {
            0 => Fault::Dies(Exit::Code(0)),
            1 => Fault::Dies(Exit::Code(101)),
            2 => Fault::Dies(Exit::Signal(11)),
            3 => Fault::Dies(Exit::Signal(9)),
            _ => Fault::Hangs,
        }
    }
}
