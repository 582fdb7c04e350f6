//! Workers that hang and workers that die: who is killed, what a death tells of an item, and when the slot is filled
//! again.

use std::time::Duration;

use super::restart::Verdict;
use super::worker::{Killed, State};
use super::{Action, Defeat, Phase, Supervisor};
use crate::black_box::{Phase as BoxPhase, Sample};
use crate::ids::{ShardId, WorkerId};
use crate::process::Exit;

impl Supervisor {
    /// Kills a worker that has something to do and is where it was for too long.
    pub(super) fn sampled(&mut self, now: Duration, id: WorkerId, sample: Sample) {
        let Some(timeout) = self.config.item_timeout else {
            return;
        };
        let busy = self.window.is_busy(id);
        let Some(worker) = self
            .current(id)
            .filter(|worker| matches!(worker.state, State::Ready | State::Leaving))
        else {
            return;
        };
        let watch = &mut worker.watch;
        // If nobody looked for long, the worker may have moved and stopped again: the clock starts now.
        let unseen = now.saturating_sub(watch.looked) > timeout / 2;
        watch.looked = now;
        if !busy || unseen || watch.sample != Some(sample) {
            watch.sample = Some(sample);
            watch.since = now;
        } else if now.saturating_sub(watch.since) >= timeout {
            self.kill(id.slot, Killed::Hung);
        }
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
        let running = matches!(self.phase, Phase::Running);
        let Some(worker) = self.current(id) else {
            return;
        };
        let dismissed = worker.killed == Some(Killed::Dismissed);
        let retired = dismissed || matches!(worker.state, State::Draining { .. });
        let hung = worker.killed == Some(Killed::Hung);
        let exit = if hung { Exit::TimedOut } else { exit };
        let out = std::mem::take(&mut worker.out);
        worker.state = State::Gone;
        // An item that was begun may be what killed the worker; the ones before it were achieved.
        worker.progressed |= sample.is_some_and(|sample| sample.begun > 1);
        if worker.progressed {
            self.barren_quarantines = 0;
        }
        let worked_on = sample
            .map(|at| at.shard)
            .filter(|shard| out.contains(shard) || self.window.is_placed(*shard, id))
            .or(out.front().copied());
        self.window.lost(id);
        if self.renewing == Some(id.slot) && id.slot >= self.config.workers {
            self.renewing = None;
        }
        if !running {
            return;
        }
        if retired {
            if id.slot < self.config.workers {
                self.succeed(id.slot, now);
            }
            return;
        }
        if let Some(shard) = worked_on {
            let preparing = |at: &Sample| at.phase == BoxPhase::Preparing && at.shard == shard;
            let item = sample.filter(preparing).and_then(|at| at.item);
            if !item.is_some_and(|item| self.judge_item(id, shard, item, &exit))
                && let Some(defeat) = self.judge_shard(shard, &exit)
            {
                return self.give_up(defeat);
            }
        }
        self.replace(now, id, exit);
    }

    /// Counts a death on a shard, which nobody can do if there are too many.
    fn judge_shard(&mut self, shard: ShardId, exit: &Exit) -> Option<Defeat> {
        let deaths = self.window.count_death(shard);
        (deaths >= self.config.max_shard_deaths).then(|| Defeat::DeadlyShard {
            shard,
            deaths,
            last: exit.clone(),
        })
    }

    /// Decides what an item on which a worker died is in for; true if it is quarantined.
    fn judge_item(&mut self, id: WorkerId, shard: ShardId, item: u64, exit: &Exit) -> bool {
        let Some(attempts) = self.window.suspect(shard, item, exit.is_own_fault()) else {
            return false;
        };
        self.actions
            .push_back(Action::Quarantine(shard, item, attempts));
        self.barren_quarantines += 1;
        if let Some(worker) = self.current(id) {
            worker.history.clear();
        }
        true
    }

    /// Decides whether and when a dead worker's slot is filled again.
    fn replace(&mut self, now: Duration, id: WorkerId, last: Exit) {
        let (policy, last_progress) = (self.config.restart, self.last_progress);
        let (barren, wanted) = (self.barren_quarantines, self.config.workers);
        let Some(worker) = self.current(id) else {
            return;
        };
        let progressed = std::mem::take(&mut worker.progressed);
        match worker
            .history
            .judge(&policy, now, progressed, last_progress)
        {
            // A job that dies on whatever it is given would have everything quarantined.
            Verdict::RestartAt(_) if barren >= policy.max_crashes.saturating_mul(2) => {
                self.give_up(Defeat::CrashLoop {
                    crashes: barren.saturating_mul(2),
                    last,
                });
            }
            Verdict::RestartAt(_) if id.slot >= wanted => {}
            Verdict::RestartAt(until) => worker.state = State::Backoff { until },
            Verdict::GiveUp => {
                let crashes = worker.history.crashes;
                self.give_up(Defeat::CrashLoop { crashes, last });
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
                State::Backoff { until } if until <= now => self.succeed(slot, now),
                _ => {}
            }
        }
    }
}
