//! Which slots are filled: workers started, taken away, and replaced one at a time.

use std::time::Duration;

use super::worker::{Killed, State, Worker};
use super::{Action, RunPhase, Supervisor};
use crate::ids::WorkerId;

impl Supervisor {
    fn start(&mut self, id: WorkerId, now: Duration) {
        self.actions.push_back(Action::Spawn(id));
        self.set(
            id.slot,
            State::Starting {
                deadline: now.saturating_add(self.config.start_timeout),
            },
        );
    }

    /// Has the first `workers` slots filled and the others emptied.
    pub(super) fn resize(&mut self, now: Duration, workers: u32) {
        if self.phase != RunPhase::Running {
            return;
        }
        self.config.workers = workers;
        for slot in 0..workers.max(self.slots()) {
            let known = self.workers.get(slot as usize).map(|worker| worker.state);
            match known {
                None => {
                    let worker = Worker::new(slot, State::Gone);
                    let id = worker.id;
                    self.workers.push(worker);
                    self.start(id, now);
                }
                Some(State::Gone) if slot < workers => self.start_successor(slot, now),
                // One that is being renewed continues to leave.
                Some(State::Leaving) if slot < workers && self.renewing != Some(slot) => {
                    self.set(slot, State::Ready);
                }
                Some(State::Ready) if slot >= workers => self.set(slot, State::Leaving),
                Some(State::Backoff { .. }) if slot >= workers => {
                    self.set(slot, State::Gone);
                    self.renewing = self.renewing.filter(|&renewing| renewing != slot);
                }
                Some(State::Starting { .. }) if slot >= workers => {
                    self.kill(slot, Killed::Dismissed);
                }
                Some(_) => {}
            }
        }
    }

    fn slots(&self) -> u32 {
        u32::try_from(self.workers.len()).unwrap_or(u32::MAX)
    }

    fn set(&mut self, slot: u32, state: State) {
        self.workers[slot as usize].state = state;
    }

    /// Fills a slot with a new process.
    pub(super) fn start_successor(&mut self, slot: u32, now: Duration) {
        let id = self.workers[slot as usize].become_successor();
        self.start(id, now);
    }

    /// Puts a worker on the list of those to be replaced, unless it is dead.
    pub(super) fn renew(&mut self, id: WorkerId) {
        let renewing = self.renewing == Some(id.slot) || self.renewals.contains(&id);
        if !renewing && self.current(id).is_some() {
            self.renewals.push_back(id);
        }
    }

    pub(super) fn renew_all(&mut self) {
        for index in 0..self.workers.len() {
            self.renew(self.workers[index].id);
        }
    }

    /// Begins the next renewal if none is under way, and lets go of workers that hold nothing more.
    pub(super) fn renew_and_retire(&mut self, now: Duration) {
        while self.renewing.is_none()
            && let Some(id) = self.renewals.pop_front()
        {
            let wanted = id.slot < self.config.workers;
            let ready = |worker: &&mut Worker| worker.state == State::Ready;
            if wanted && let Some(worker) = self.current(id).filter(ready) {
                worker.state = State::Leaving;
                self.renewing = Some(id.slot);
            }
        }
        // What a worker holds prepared may wait for a shard that nobody is left to do. Then it goes all the same, and
        // what it held is done again.
        let at_work = |worker: &Worker| {
            let coming = matches!(worker.state, State::Starting { .. } | State::Backoff { .. });
            coming || worker.state == State::Ready
        };
        let others = self.workers.iter().any(at_work);
        let leaving = |worker: &&mut Worker| worker.state == State::Leaving;
        for worker in self.workers.iter_mut().filter(leaving) {
            let wanted = if others {
                self.buffer.holds(worker.id)
            } else {
                self.buffer.is_busy(worker.id)
            };
            if !wanted {
                let deadline = now.saturating_add(self.config.drain_timeout);
                worker.state = State::Draining { deadline };
                self.actions.push_back(Action::Retire(worker.id));
            }
        }
    }
}
