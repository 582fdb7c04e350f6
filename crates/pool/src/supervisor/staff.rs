//! Which slots are filled: workers started, taken away, and replaced one at a time.

use std::time::Duration;

use super::worker::{Killed, State, Worker};
use super::{Action, Phase, Supervisor};
use crate::ids::WorkerId;

impl Supervisor {
    fn start(&mut self, id: WorkerId, now: Duration) {
        self.actions.push_back(Action::Spawn(id));
        self.set(
            id.slot,
            State::Starting {
                deadline: now + self.config.start_timeout,
            },
        );
    }

    /// Has the first `workers` slots filled and the others emptied.
    pub(super) fn resize(&mut self, now: Duration, workers: u32) {
        if self.phase != Phase::Running {
            return;
        }
        self.config.workers = workers;
        self.window.grow(4 * workers as usize + 8);
        for slot in 0..workers.max(self.slots()) {
            let known = self.workers.get(slot as usize).map(|worker| worker.state);
            match known {
                None => {
                    let worker = Worker::new(slot, State::Gone);
                    let id = worker.id;
                    self.workers.push(worker);
                    self.start(id, now);
                }
                Some(State::Gone) if slot < workers => self.succeed(slot, now),
                Some(State::Leaving) if slot < workers => self.set(slot, State::Ready),
                Some(State::Ready) if slot >= workers => self.set(slot, State::Leaving),
                Some(State::Backoff { .. }) if slot >= workers => self.set(slot, State::Gone),
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
    pub(super) fn succeed(&mut self, slot: u32, now: Duration) {
        let id = self.workers[slot as usize].succeed();
        self.start(id, now);
    }

    /// Puts a slot's worker on the list of those to be replaced.
    pub(super) fn renew(&mut self, slot: u32) {
        if !self.renewals.contains(&slot) && self.renewing != Some(slot) {
            self.renewals.push_back(slot);
        }
    }

    /// Begins the next renewal if none is under way, and lets go of workers that hold nothing more.
    pub(super) fn let_go(&mut self, now: Duration) {
        while self.renewing.is_none()
            && let Some(slot) = self.renewals.pop_front()
        {
            let worker = &mut self.workers[slot as usize];
            if worker.state == State::Ready && slot < self.config.workers {
                worker.state = State::Leaving;
                self.renewing = Some(slot);
            }
        }
        // What a worker holds prepared may wait for a shard that nobody is left to do. Then it goes all the same, and
        // what it held is done again.
        let at_work = |worker: &Worker| {
            let coming = matches!(worker.state, State::Starting { .. } | State::Backoff { .. });
            coming || worker.state == State::Ready
        };
        let others = self.workers.iter().any(at_work);
        for worker in &mut self.workers {
            let wanted = if others {
                self.window.holds(worker.id)
            } else {
                self.window.is_busy(worker.id)
            };
            if worker.state == State::Leaving && !wanted {
                let deadline = now + self.config.drain_timeout;
                worker.state = State::Draining { deadline };
                self.actions.push_back(Action::Retire(worker.id));
            }
        }
    }
}
