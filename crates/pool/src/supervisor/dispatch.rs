//! Which shard goes to which worker, and when the input is asked for more.

use std::time::Duration;

use super::worker::{Assignment, State, Worker};
use super::{Action, Input, RunPhase, Supervisor};
use crate::ids::{Scope, ShardId};

impl Supervisor {
    /// Does whatever has become possible.
    pub(super) fn schedule(&mut self, now: Duration) {
        if self.phase != RunPhase::Running {
            return;
        }
        self.renew_and_retire(now);
        while let Some(index) = self.for_trial() {
            let id = self.workers[index].id;
            let Some((shard, item)) = self.buffer.assign_trial(id) else {
                break;
            };
            self.assign(now, index, shard, Scope::Only(item));
        }
        while let Some(index) = self.least_busy() {
            let Some(shard) = self.buffer.assign(self.workers[index].id) else {
                break;
            };
            self.assign(now, index, shard, Scope::All);
        }
        self.pull();
        if self.input == Input::Ended && self.buffer.is_empty() {
            self.finish(now);
        }
    }

    fn assign(&mut self, now: Duration, index: usize, shard: ShardId, scope: Scope) {
        let worker = &mut self.workers[index];
        if worker.out.is_empty() {
            worker.watch.since = now;
        }
        worker.assignment = match scope {
            Scope::All => Assignment::Shards,
            Scope::Only(_) => Assignment::Trial,
        };
        worker.out.push_back(shard);
        self.actions
            .push_back(Action::Assign(worker.id, shard, scope));
    }

    /// A worker to try a suspect item in, if one waits: a fresh one, so that nothing it did before can be the
    /// cause. If none is fresh nor about to be, an idle one must do.
    fn for_trial(&self) -> Option<usize> {
        if !self.buffer.has_trial() {
            return None;
        }
        let coming = |worker: &Worker| {
            matches!(worker.state, State::Starting { .. } | State::Backoff { .. })
        };
        let fresh_ones_come = self.workers.iter().any(coming);
        self.workers.iter().position(|worker| {
            let idle = worker.state == State::Ready && worker.out.is_empty();
            idle && (worker.assignment == Assignment::Fresh || !fresh_ones_come)
        })
    }

    /// The ready worker with the fewest shards out, if any has credit left.
    fn least_busy(&self) -> Option<usize> {
        let has_credit = |worker: &Worker| {
            worker.state == State::Ready
                && worker.assignment != Assignment::Trial
                && worker.out.len() < self.config.credits
        };
        let candidates = self
            .workers
            .iter()
            .enumerate()
            .filter(|(_, worker)| has_credit(worker));
        candidates
            .min_by_key(|(_, worker)| worker.out.len())
            .map(|(index, _)| index)
    }

    /// Asks for input while there is room for it and the workers would have to wait for it.
    fn pull(&mut self) {
        let Input::Open { pulls } = &mut self.input else {
            return;
        };
        // One each to be had at once, and one more: with one alone, the feed's thread and the driver's took turns
        // for each shard, which cost more than the shard.
        let at_hand = 2 * self.config.workers as usize;
        while *pulls < self.buffer.room() && self.buffer.waiting() + *pulls < at_hand {
            *pulls += 1;
            self.actions.push_back(Action::Pull);
        }
    }
}
