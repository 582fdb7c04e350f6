//! Every decision of a pool, as a pure state machine.
//!
//! [`Supervisor`] has no clock, no processes and no channels: [`handle`](Supervisor::handle) takes what happened and
//! when, [`poll_action`](Supervisor::poll_action) gives what to do about it, and
//! [`poll_timeout`](Supervisor::poll_timeout) when to come back if nothing happens. Which shard goes to which worker,
//! when a worker is replaced, whose turn it is to be released, when to take more input and when to give up is decided
//! here and nowhere else. Whoever drives it takes the time from a [`LoopClock`]. The tests drive it through seeded
//! simulations of a hostile world.
//!
//! ```text
//!  a worker:  Starting ─▶ Ready ─▶ Leaving ─▶ Draining ─▶ Gone, or Starting in its place
//!                │  ▲       │          │          │
//!                ▼  └─Backoff◀── death ┘          │
//!             Terminating ◀───────────────────────┘ (too slow to start or to leave)
//! ```
//!
//! This file has the state and the events of shards. `worker` has the state of one worker; `slots` starts and
//! replaces workers; `dispatch` assigns shards; `failures` handles workers that hang or die; `reorder_buffer` has
//! the shards that are not complete.

mod autoscale;
mod clock;
mod config;
mod dispatch;
mod events;
mod failures;
mod reorder_buffer;
mod restart;
mod run_failure;
mod slots;
mod status;
mod worker;

use std::collections::VecDeque;
use std::time::Duration;

pub use autoscale::{Autoscale, Load};
pub use clock::{LONGEST_WAIT, LoopClock};
use config::max_in_flight_for;
pub use config::{Config, Delivery, MAX_WORKERS, TaskPolicy};
pub use events::{Action, Event};
use reorder_buffer::{Cancelled, Release, ReorderBuffer};
pub use restart::RestartPolicy;
pub use run_failure::RunFailure;
pub use status::{SlotStatus, WorkerState};
use worker::{Assignment, Killed, State, Worker};

use crate::exit::Exit;
use crate::ids::{ShardId, WorkerId};

/// What the input is known to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open { pulls: usize },
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum RunPhase {
    Running,
    Finishing,
    GivingUp(RunFailure),
}

/// The state machine; see the [module](self).
#[derive(Debug)]
pub struct Supervisor {
    config: Config,
    workers: Vec<Worker>,
    buffer: ReorderBuffer,
    input: Input,
    phase: RunPhase,
    last_progress: Option<Duration>,
    /// How many items were quarantined in a row without progress in between.
    unproductive_quarantines: u32,
    /// The workers to be replaced, one at a time.
    renewals: VecDeque<WorkerId>,
    /// The slot that is being renewed: until its new worker is ready.
    renewing: Option<u32>,
    actions: VecDeque<Action>,
}

impl Supervisor {
    /// Returns the supervisor of a pool that is about to start. Its first actions can be polled. Times are
    /// durations since any fixed moment.
    #[must_use]
    pub fn new(config: Config, now: Duration) -> Self {
        let buffer = ReorderBuffer::new(config.delivery, config.ordered, config.max_in_flight);
        let mut supervisor = Self {
            workers: Vec::new(),
            buffer,
            input: Input::Open { pulls: 0 },
            phase: RunPhase::Running,
            last_progress: None,
            unproductive_quarantines: 0,
            renewals: VecDeque::new(),
            renewing: None,
            actions: VecDeque::new(),
            config,
        };
        supervisor.resize(now, supervisor.config.workers);
        supervisor.schedule(now);
        supervisor
    }

    /// Handles an event that happened at `now`, which must not be earlier than in the last call. Actions follow
    /// from it: poll them all before the next event.
    pub fn handle(&mut self, now: Duration, event: Event) {
        match event {
            Event::Ready(id) => self.ready(id),
            Event::StartupFailed(id, reason) => {
                // Once all is done, nobody needs to start.
                if self.phase == RunPhase::Running && self.current(id).is_some() {
                    self.give_up(RunFailure::StartupFailed(reason));
                }
            }
            Event::Prepared(id, shard) => self.prepared(now, id, shard),
            Event::TrialPassed(id, shard) => self.trial_passed(now, id, shard),
            Event::Committed(id, shard) => self.committed(now, id, shard),
            Event::Sampled(id, sample) => self.sampled(now, id, sample),
            Event::Exited(id, exit, sample) => self.exited(now, id, exit, sample),
            Event::Input(policy) => {
                if let Input::Open { pulls } = &mut self.input {
                    *pulls = pulls.saturating_sub(1);
                    self.buffer.push(policy);
                }
            }
            Event::Resize(workers) => {
                self.buffer.grow(max_in_flight_for(workers));
                self.resize(now, workers.max(1));
            }
            Event::Cancel(shard) => self.cancel(shard),
            Event::Oversize(id) => self.renew(id),
            Event::Renew => self.renew_all(),
            Event::InputEnd | Event::Drain => self.input = Input::Ended,
            Event::Abort => self.give_up(RunFailure::Aborted),
            Event::Tick => {}
        }
        self.check_deadlines(now);
        self.schedule(now);
    }

    /// Returns the next action to carry out, if there is one.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Returns when [`Event::Tick`] is due if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let due = |worker: &Worker| match worker.state {
            State::Starting { deadline } | State::Draining { deadline } => Some(deadline),
            State::Backoff { until } => Some(until),
            State::Ready | State::Leaving | State::Terminating | State::Gone => None,
        };
        self.workers.iter().filter_map(due).min()
    }

    /// Returns how the run ended, or `None` while any worker is left.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<(), RunFailure>> {
        let over = self
            .workers
            .iter()
            .all(|worker| worker.state == State::Gone);
        match &self.phase {
            RunPhase::Finishing if over => Some(Ok(())),
            RunPhase::GivingUp(failure) if over => Some(Err(failure.clone())),
            _ => None,
        }
    }

    /// Returns why a worker ended whose process ended like this: [`Exit::TimedOut`] if the supervisor killed it
    /// because it made no progress.
    #[must_use]
    pub fn cause_of(&self, id: WorkerId, exit: Exit) -> Exit {
        let mut workers = self.workers.iter();
        let hung = workers.any(|worker| worker.id == id && worker.killed == Some(Killed::Hung));
        if hung { Exit::TimedOut } else { exit }
    }

    /// Returns whether the job has started in every worker that is wanted.
    #[must_use]
    pub fn all_ready(&self) -> bool {
        let mut wanted = self.workers.iter().take(self.config.workers as usize);
        wanted.all(|worker| matches!(worker.state, State::Ready | State::Leaving))
    }

    /// Returns how results are delivered.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.config.delivery
    }

    /// Returns the worker of that id, unless another one has its slot now.
    fn current(&mut self, id: WorkerId) -> Option<&mut Worker> {
        self.workers
            .get_mut(id.slot as usize)
            .filter(|worker| worker.id == id)
    }

    fn ready(&mut self, id: WorkerId) {
        if let Some(worker) = self
            .current(id)
            .filter(|worker| matches!(worker.state, State::Starting { .. }))
        {
            worker.state = State::Ready;
            if self.renewing == Some(id.slot) {
                self.renewing = None;
            }
        }
    }

    fn prepared(&mut self, now: Duration, id: WorkerId, shard: ShardId) {
        let most = self.config.max_shards;
        let Some(worker) = self.current(id) else {
            return;
        };
        worker.out.retain(|&out| out != shard);
        worker.prepared += 1;
        let worn_out = most.is_some_and(|most| worker.prepared >= most);
        if worn_out {
            self.renew(id);
        }
        let Some(releases) = self.buffer.prepared(shard, id) else {
            return;
        };
        self.progress(now, id);
        for release in releases {
            match release {
                Release::First(shard, holder) => {
                    self.touch(now, holder);
                    self.actions.push_back(Action::Release(shard, holder));
                    if self.config.delivery == Delivery::Inline {
                        self.actions.push_back(Action::Forget(shard));
                    }
                }
                Release::Again(shard, holder) => {
                    self.touch(now, holder);
                    self.actions.push_back(Action::Regrant(shard, holder));
                }
            }
        }
    }

    fn committed(&mut self, now: Duration, id: WorkerId, shard: ShardId) {
        if self.current(id).is_some() && self.buffer.committed(shard, id) {
            self.progress(now, id);
            self.actions.push_back(Action::Forget(shard));
        }
    }

    /// Drops a shard that is not done. A worker that has it is killed, as there is no other way to stop its job.
    fn cancel(&mut self, shard: ShardId) {
        if self.phase != RunPhase::Running {
            return;
        }
        let Some(cancelled) = self.buffer.cancel(shard) else {
            return;
        };
        self.actions.push_back(Action::Discard(shard));
        if let Cancelled::Out(id) = cancelled
            && let Some(worker) = self.current(id)
            && matches!(worker.state, State::Ready | State::Leaving)
        {
            self.kill(id.slot, Killed::Cancelled);
        }
    }

    fn progress(&mut self, now: Duration, id: WorkerId) {
        self.last_progress = Some(now);
        self.unproductive_quarantines = 0;
        if let Some(worker) = self.current(id) {
            worker.progressed = true;
        }
    }

    fn trial_passed(&mut self, now: Duration, id: WorkerId, shard: ShardId) {
        let Some(worker) = self.current(id) else {
            return;
        };
        worker.out.retain(|&out| out != shard);
        worker.assignment = Assignment::Shards;
        if self.buffer.trial_passed(shard, id) {
            self.progress(now, id);
        }
    }

    /// Tells the workers to leave, as all is done.
    fn finish(&mut self, now: Duration) {
        self.phase = RunPhase::Finishing;
        for worker in &mut self.workers {
            match worker.state {
                State::Ready | State::Leaving => {
                    worker.state = State::Draining {
                        deadline: now.saturating_add(self.config.drain_timeout),
                    };
                    self.actions.push_back(Action::Retire(worker.id));
                }
                State::Starting { .. } => {
                    worker.state = State::Terminating;
                    self.actions.push_back(Action::Kill(worker.id));
                }
                State::Backoff { .. } => worker.state = State::Gone,
                State::Draining { .. } | State::Terminating | State::Gone => {}
            }
        }
    }

    fn give_up(&mut self, failure: RunFailure) {
        if matches!(self.phase, RunPhase::GivingUp(_)) {
            return;
        }
        self.phase = RunPhase::GivingUp(failure);
        for worker in &mut self.workers {
            match worker.state {
                State::Starting { .. } | State::Ready | State::Leaving | State::Draining { .. } => {
                    worker.state = State::Terminating;
                    self.actions.push_back(Action::Kill(worker.id));
                }
                State::Backoff { .. } => worker.state = State::Gone,
                State::Terminating | State::Gone => {}
            }
        }
    }
}
