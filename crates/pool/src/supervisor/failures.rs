//! Workers that hang and workers that die: who is killed, what a death tells of an item, and when the slot is filled
//! again.

use std::time::Duration;

use super::reorder_buffer::{Evidence, Suspicion};
use super::restart::{Death, History, Verdict};
use super::worker::{Killed, State};
use super::{Action, RunFailure, RunPhase, Supervisor};
use crate::black_box::{Phase, Sample};
use crate::exit::Exit;
use crate::ids::{ShardId, WorkerId};

impl Supervisor {
    /// Kills a worker that has something to do and is where it was for too long. What it reads and writes takes as
    /// long as the disk does, so that has a limit of its own.
    pub(super) fn sampled(&mut self, now: Duration, id: WorkerId, sample: Sample) {
        let timeout = if sample.is_in_io() {
            self.config.io_timeout
        } else {
            self.timeout_of(id)
        };
        let busy = self.buffer.is_busy(id);
        let Some(worker) = self
            .current(id)
            .filter(|worker| matches!(worker.state, State::Ready | State::Leaving))
        else {
            return;
        };
        let watch = &mut worker.watch;
        if !busy || watch.sample != Some(sample) {
            watch.sample = Some(sample);
            watch.since = now;
        } else if timeout.is_some_and(|timeout| now.saturating_sub(watch.since) >= timeout) {
            self.kill(id.slot, Killed::Hung);
        }
    }

    /// How long an item of the shard that a worker is at may take.
    fn timeout_of(&mut self, id: WorkerId) -> Option<Duration> {
        let shard = self.current(id)?.out.front().copied();
        let own = shard.and_then(|shard| self.buffer.policy(shard).timeout);
        own.or(self.config.item_timeout)
    }

    pub(super) fn kill(&mut self, slot: u32, why: Killed) {
        let worker = &mut self.workers[slot as usize];
        worker.killed = Some(why);
        worker.state = State::Terminating;
        self.actions.push_back(Action::Kill(worker.id));
    }

    /// The worker has been given something: its time counts from here.
    pub(super) fn touch(&mut self, now: Duration, id: WorkerId) {
        if let Some(worker) = self.current(id) {
            worker.watch.since = now;
        }
    }

    pub(super) fn exited(
        &mut self,
        now: Duration,
        id: WorkerId,
        exit: Exit,
        sample: Option<Sample>,
    ) {
        let exit = self.cause_of(id, exit);
        let running = matches!(self.phase, RunPhase::Running);
        let Some(worker) = self.current(id) else {
            return;
        };
        // The death of a worker that was killed on request tells nothing.
        let requested = matches!(worker.killed, Some(Killed::Dismissed | Killed::Cancelled));
        let retired = requested || matches!(worker.state, State::Draining { .. });
        let out = std::mem::take(&mut worker.out);
        worker.state = State::Gone;
        // An item that was begun may be what killed the worker; the ones before it were achieved.
        worker.progressed |= sample.is_some_and(|sample| sample.begun > 1);
        if worker.progressed {
            self.unproductive_quarantines = 0;
        }
        let worked_on = sample
            .map(|at| at.shard)
            .filter(|shard| out.contains(shard) || self.buffer.is_placed(*shard, id))
            .or(out.front().copied());
        self.buffer.lost(id);
        if self.renewing == Some(id.slot) && id.slot >= self.config.workers {
            self.renewing = None;
        }
        if !running {
            return;
        }
        if retired {
            if let Some(worker) = self.current(id).filter(|worker| worker.progressed) {
                worker.history = History::default();
            }
            if id.slot < self.config.workers {
                self.start_successor(id.slot, now);
            }
            return;
        }
        if let Some(shard) = worked_on {
            // Where attempts are limited, one that was finished counts too if its report was lost with the worker.
            let limited = self.buffer.policy(shard).max_attempts.is_some();
            let begun =
                |at: &Sample| at.shard == shard && (limited || at.phase == Phase::Preparing);
            let item = sample.filter(begun).and_then(|at| at.item);
            if !item.is_some_and(|item| self.judge_item(id, shard, item, &exit))
                && let Some(failure) = self.judge_shard(shard, &exit)
            {
                return self.give_up(failure);
            }
        }
        self.replace(now, id, exit);
    }

    /// Counts a death on a shard, which nobody can do if there are too many.
    fn judge_shard(&mut self, shard: ShardId, exit: &Exit) -> Option<RunFailure> {
        let deaths = self.buffer.count_death(shard);
        (deaths >= self.config.max_shard_deaths).then(|| RunFailure::DeadlyShard {
            shard,
            deaths,
            last: exit.clone(),
        })
    }

    /// Decides what an item on which a worker died is in for; true if that settles the death: the item is quarantined,
    /// or begun again as its task's policy says.
    fn judge_item(&mut self, id: WorkerId, shard: ShardId, item: u64, exit: &Exit) -> bool {
        let evidence = match exit {
            Exit::OutOfMemory => Evidence::Memory,
            exit if exit.is_own_fault() => Evidence::OwnFault,
            _ => Evidence::Weak,
        };
        match self.buffer.suspect(shard, item, evidence) {
            Suspicion::Trial => return false,
            Suspicion::Retry => {}
            Suspicion::Quarantine(attempts) => {
                self.actions
                    .push_back(Action::Quarantine(shard, item, attempts));
                self.unproductive_quarantines += 1;
            }
        }
        if let Some(worker) = self.current(id) {
            worker.history = History::default();
        }
        true
    }

    /// Decides whether and when a dead worker's slot is filled again.
    fn replace(&mut self, now: Duration, id: WorkerId, last: Exit) {
        let (policy, last_progress) = (self.config.restart, self.last_progress);
        let (unproductive, wanted) = (self.unproductive_quarantines, self.config.workers);
        let Some(worker) = self.current(id) else {
            return;
        };
        let death = Death {
            at: now,
            progressed: std::mem::take(&mut worker.progressed),
            pool_progress: last_progress,
        };
        let (history, verdict) = policy.judge(worker.history, death);
        worker.history = history;
        match verdict {
            // A job that dies on whatever it is given would have everything quarantined.
            Verdict::RestartAt(_) if unproductive >= policy.max_crashes.saturating_mul(2) => {
                self.give_up(RunFailure::QuarantineLoop {
                    quarantined: unproductive,
                    last,
                });
            }
            Verdict::RestartAt(_) if id.slot >= wanted => {}
            Verdict::RestartAt(until) => worker.state = State::Backoff { until },
            Verdict::GiveUp => {
                let crashes = history.fruitless;
                self.give_up(RunFailure::CrashLoop { crashes, last });
            }
        }
    }

    pub(super) fn check_deadlines(&mut self, now: Duration) {
        for index in 0..self.workers.len() {
            let worker = &mut self.workers[index];
            let slot = worker.id.slot;
            match worker.state {
                State::Starting { deadline } if deadline <= now => self.kill(slot, Killed::Hung),
                State::Draining { deadline } if deadline <= now => {
                    self.kill(slot, Killed::Dismissed);
                }
                State::Backoff { until } if until <= now => self.start_successor(slot, now),
                _ => {}
            }
        }
    }
}
