//! Every decision of a pool, as a pure state machine.
//!
//! [`Supervisor`] has no clock, no processes and no channels: [`handle`](Supervisor::handle) takes what happened and
//! when, [`poll_action`](Supervisor::poll_action) gives what to do about it, and
//! [`poll_timeout`](Supervisor::poll_timeout) when to come back if nothing happens. Which shard goes to which worker,
//! when a worker is replaced, whose turn it is to be released, when to take more input and when to give up is decided
//! here and nowhere else. The tests drive it through seeded simulations of a hostile world.
//!
//! ```text
//!  a worker:  Starting ─▶ Ready ─▶ Leaving ─▶ Draining ─▶ Gone, or Starting in its place
//!                │  ▲       │          │          │
//!                ▼  └─Backoff◀── death ┘          │
//!             Terminating ◀───────────────────────┘ (too slow to start or to leave)
//! ```

mod restart;
mod vocabulary;
mod window;

use std::collections::VecDeque;
use std::time::Duration;

pub use restart::RestartPolicy;
use restart::{History, Verdict};
pub use vocabulary::{Action, Config, Defeat, Delivery, Event};
use window::{Release, Window};

use crate::black_box::{Phase as BoxPhase, Sample};
use crate::ids::{Scope, ShardId, WorkerId};
use crate::process::Exit;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
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
struct Worker {
    id: WorkerId,
    state: State,
    /// The shards it holds unreported, in the order it got them: it works on the first.
    out: VecDeque<ShardId>,
    duty: Duty,
    /// How many shards it has prepared.
    prepared: u64,
    progressed: bool,
    /// It was killed for making no progress.
    timed_out: bool,
    watch: Watch,
    history: History,
}

impl Worker {
    fn new(slot: u32, state: State) -> Self {
        Self {
            id: WorkerId {
                slot,
                incarnation: 0,
            },
            state,
            out: VecDeque::new(),
            duty: Duty::Fresh,
            prepared: 0,
            progressed: false,
            timed_out: false,
            watch: Watch::default(),
            history: History::default(),
        }
    }

    /// The next process in the same slot, of which nothing is known but what its predecessors died of.
    fn succeed(&mut self) -> WorkerId {
        let WorkerId { slot, incarnation } = self.id;
        let history = self.history;
        *self = Self::new(slot, State::Gone);
        self.id.incarnation = incarnation + 1;
        self.history = history;
        self.id
    }
}

/// What a worker may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duty {
    /// It has been given nothing yet, so that nothing it did can be the cause of anything.
    Fresh,
    /// Shards.
    Shards,
    /// It has one item to try, and gets nothing else meanwhile.
    Trial,
}

/// What was seen of a worker's progress.
#[derive(Debug, Clone, Copy, Default)]
struct Watch {
    sample: Option<Sample>,
    /// Since when the sample has been the same, or the worker has had something to do, whichever is later.
    since: Duration,
    /// When it was looked at last.
    looked: Duration,
}

/// What the input is known to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open { pulls: usize },
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Running,
    Finishing,
    GivingUp(Defeat),
}

/// The state machine; see the [module](self).
#[derive(Debug)]
pub struct Supervisor {
    config: Config,
    workers: Vec<Worker>,
    window: Window,
    input: Input,
    phase: Phase,
    last_progress: Option<Duration>,
    /// How many items were quarantined in a row with nothing achieved in between.
    barren_quarantines: u32,
    /// The slots whose workers are to be replaced, one at a time.
    renewals: VecDeque<u32>,
    /// The slot that is being renewed: until its new worker is ready.
    renewing: Option<u32>,
    actions: VecDeque<Action>,
}

impl Supervisor {
    /// A pool about to start; its first actions are there to be polled. Time is counted from any fixed moment.
    #[must_use]
    pub fn new(config: Config, now: Duration) -> Self {
        let window = Window::new(config.delivery, config.ordered, config.window);
        let mut supervisor = Self {
            workers: Vec::new(),
            window,
            input: Input::Open { pulls: 0 },
            phase: Phase::Running,
            last_progress: None,
            barren_quarantines: 0,
            renewals: VecDeque::new(),
            renewing: None,
            actions: VecDeque::new(),
            config,
        };
        supervisor.resize(now, supervisor.config.workers);
        supervisor.schedule(now);
        supervisor
    }

    /// Takes note of `event`, which happened at `now`.
    pub fn handle(&mut self, now: Duration, event: Event) {
        match event {
            Event::Ready(id) => self.ready(id),
            Event::Unfit(id, reason) => {
                if self.current(id).is_some() {
                    self.give_up(Defeat::Unfit(reason));
                }
            }
            Event::Prepared(id, shard) => self.prepared(now, id, shard),
            Event::Tried(id, shard) => self.tried(now, id, shard),
            Event::Committed(id, shard) => self.committed(now, id, shard),
            Event::Sampled(id, sample) => self.sampled(now, id, sample),
            Event::Exited(id, exit, sample) => self.exited(now, id, exit, sample),
            Event::Input => {
                if let Input::Open { pulls } = &mut self.input {
                    *pulls = pulls.saturating_sub(1);
                    self.window.push();
                }
            }
            Event::Resize(workers) => self.resize(now, workers.max(1)),
            Event::Oversize(id) => self.renew(id.slot),
            Event::Renew => (0..self.config.workers).for_each(|slot| self.renew(slot)),
            Event::InputEnd | Event::Drain => self.input = Input::Ended,
            Event::Abort => self.give_up(Defeat::Aborted),
            Event::Tick => {}
        }
        self.check_deadlines(now);
        self.schedule(now);
    }

    /// The next thing to do, if there is one.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Event::Tick`] is due if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let due = |worker: &Worker| match worker.state {
            State::Starting { deadline } | State::Draining { deadline } => Some(deadline),
            State::Backoff { until } => Some(until),
            State::Ready | State::Leaving | State::Terminating | State::Gone => None,
        };
        self.workers.iter().filter_map(due).min()
    }

    /// How the run ended, once it has: every worker is gone.
    ///
    /// # Errors
    /// Why it was given up, if it was.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<(), Defeat>> {
        let over = self
            .workers
            .iter()
            .all(|worker| worker.state == State::Gone);
        match &self.phase {
            Phase::Finishing if over => Some(Ok(())),
            Phase::GivingUp(defeat) if over => Some(Err(defeat.clone())),
            _ => None,
        }
    }

    /// How results are delivered.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.config.delivery
    }

    /// Whether this worker was killed for making no progress. Its death is still to be told.
    #[must_use]
    pub fn timed_out(&self, id: WorkerId) -> bool {
        let worker = self.workers.get(id.slot as usize);
        worker.is_some_and(|worker| worker.id == id && worker.timed_out)
    }

    /// The worker of that id, unless it is news of the dead.
    fn current(&mut self, id: WorkerId) -> Option<&mut Worker> {
        self.workers
            .get_mut(id.slot as usize)
            .filter(|worker| worker.id == id)
    }

    fn start(&mut self, id: WorkerId, now: Duration) {
        self.actions.push_back(Action::Spawn(id));
        self.set(
            id.slot,
            State::Starting {
                deadline: now + self.config.start_timeout,
            },
        );
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

    /// Has the first `workers` slots filled and the others emptied.
    fn resize(&mut self, now: Duration, workers: u32) {
        if self.phase != Phase::Running {
            return;
        }
        self.config.workers = workers;
        self.window.grow(4 * workers as usize + 8);
        for slot in 0..workers.max(self.slots()) {
            let known = self
                .workers
                .get(slot as usize)
                .map(|worker| (worker.id, worker.state));
            match known {
                None => {
                    let worker = Worker::new(slot, State::Gone);
                    let id = worker.id;
                    self.workers.push(worker);
                    self.start(id, now);
                }
                Some((_, State::Gone)) if slot < workers => self.succeed(slot, now),
                Some((_, State::Leaving)) if slot < workers => self.set(slot, State::Ready),
                Some((_, State::Ready)) if slot >= workers => self.set(slot, State::Leaving),
                Some((_, State::Backoff { .. })) if slot >= workers => self.set(slot, State::Gone),
                Some((id, State::Starting { .. })) if slot >= workers => {
                    self.set(slot, State::Terminating);
                    self.actions.push_back(Action::Kill(id));
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
    fn succeed(&mut self, slot: u32, now: Duration) {
        let id = self.workers[slot as usize].succeed();
        self.start(id, now);
    }

    /// Puts a slot's worker on the list of those to be replaced.
    fn renew(&mut self, slot: u32) {
        if !self.renewals.contains(&slot) && self.renewing != Some(slot) {
            self.renewals.push_back(slot);
        }
    }

    /// Begins the next renewal if none is under way, and lets go of workers that hold nothing more.
    fn let_go(&mut self, now: Duration) {
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
        let leaving = |worker: &&mut Worker| worker.state == State::Leaving;
        for worker in self.workers.iter_mut().filter(leaving) {
            let wanted = if others {
                self.window.holds(worker.id)
            } else {
                self.window.is_busy(worker.id)
            };
            if !wanted {
                let deadline = now + self.config.drain_timeout;
                worker.state = State::Draining { deadline };
                self.actions.push_back(Action::Retire(worker.id));
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
            self.renew(id.slot);
        }
        let Some(releases) = self.window.prepared(shard, id) else {
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
        if self.current(id).is_some() && self.window.committed(shard, id) {
            self.progress(now, id);
            self.actions.push_back(Action::Forget(shard));
        }
    }

    fn progress(&mut self, now: Duration, id: WorkerId) {
        self.last_progress = Some(now);
        self.barren_quarantines = 0;
        if let Some(worker) = self.current(id) {
            worker.progressed = true;
        }
    }

    fn tried(&mut self, now: Duration, id: WorkerId, shard: ShardId) {
        let Some(worker) = self.current(id) else {
            return;
        };
        worker.out.retain(|&out| out != shard);
        worker.duty = Duty::Shards;
        if self.window.tried(shard, id) {
            self.progress(now, id);
        }
    }

    /// Kills a worker that has something to do and is where it was for too long.
    fn sampled(&mut self, now: Duration, id: WorkerId, sample: Sample) {
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
            worker.timed_out = true;
            worker.state = State::Terminating;
            self.actions.push_back(Action::Kill(id));
        }
    }

    /// The worker has been given something: its time counts from here.
    fn touch(&mut self, now: Duration, id: WorkerId) {
        if let Some(worker) = self.current(id) {
            worker.watch.since = now;
        }
    }

    fn exited(&mut self, now: Duration, id: WorkerId, exit: Exit, sample: Option<Sample>) {
        let running = matches!(self.phase, Phase::Running);
        let Some(worker) = self.current(id) else {
            return;
        };
        let retired = matches!(worker.state, State::Draining { .. });
        let exit = if worker.timed_out {
            Exit::TimedOut
        } else {
            exit
        };
        let worked_on = worker.out.front().copied();
        worker.out.clear();
        worker.state = State::Gone;
        // An item that was begun may be what killed the worker; the ones before it were achieved.
        worker.progressed |= sample.is_some_and(|sample| sample.begun > 1);
        if worker.progressed {
            self.barren_quarantines = 0;
        }
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
            let at = sample
                .filter(|at| at.phase == BoxPhase::Preparing && at.shard == shard && at.begun > 0);
            let quarantined = at.is_some_and(|at| self.judge_item(id, shard, at.item, &exit));
            let deaths = if quarantined {
                0
            } else {
                self.window.count_death(shard)
            };
            if deaths >= self.config.max_shard_deaths {
                return self.give_up(Defeat::DeadlyShard {
                    shard,
                    deaths,
                    last: exit,
                });
            }
        }
        self.replace(now, id, exit);
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

    fn check_deadlines(&mut self, now: Duration) {
        for index in 0..self.workers.len() {
            let worker = &mut self.workers[index];
            match worker.state {
                State::Starting { deadline } | State::Draining { deadline } if deadline <= now => {
                    worker.state = State::Terminating;
                    self.actions.push_back(Action::Kill(worker.id));
                }
                State::Backoff { until } if until <= now => {
                    let slot = worker.id.slot;
                    self.succeed(slot, now);
                }
                _ => {}
            }
        }
    }

    /// Does whatever has become possible.
    fn schedule(&mut self, now: Duration) {
        if self.phase != Phase::Running {
            return;
        }
        self.let_go(now);
        while let Some(index) = self.for_trial() {
            let id = self.workers[index].id;
            let Some((shard, item)) = self.window.assign_trial(id) else {
                break;
            };
            self.assign(now, index, shard, Scope::Only(item));
        }
        while let Some(index) = self.least_busy() {
            let Some(shard) = self.window.assign(self.workers[index].id) else {
                break;
            };
            self.assign(now, index, shard, Scope::All);
        }
        self.pull();
        if self.input == Input::Ended && self.window.is_empty() {
            self.finish(now);
        }
    }

    fn assign(&mut self, now: Duration, index: usize, shard: ShardId, scope: Scope) {
        let worker = &mut self.workers[index];
        if worker.out.is_empty() {
            worker.watch.since = now;
        }
        worker.duty = match scope {
            Scope::All => Duty::Shards,
            Scope::Only(_) => Duty::Trial,
        };
        worker.out.push_back(shard);
        self.actions
            .push_back(Action::Assign(worker.id, shard, scope));
    }

    /// A worker to try a suspect item in, if one waits: a fresh one, so that nothing it did before can be the cause. If
    /// none is fresh nor about to be, an idle one must do.
    fn for_trial(&self) -> Option<usize> {
        if !self.window.has_trial() {
            return None;
        }
        let coming = |worker: &Worker| {
            matches!(worker.state, State::Starting { .. } | State::Backoff { .. })
        };
        let fresh_ones_come = self.workers.iter().any(coming);
        self.workers.iter().position(|worker| {
            let idle = worker.state == State::Ready && worker.out.is_empty();
            idle && (worker.duty == Duty::Fresh || !fresh_ones_come)
        })
    }

    /// The ready worker with the fewest shards out, if any has credit left.
    fn least_busy(&self) -> Option<usize> {
        let has_credit = |worker: &Worker| {
            worker.state == State::Ready
                && worker.duty != Duty::Trial
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
        let at_hand = self.config.workers as usize;
        while *pulls < self.window.room() && self.window.waiting() + *pulls < at_hand {
            *pulls += 1;
            self.actions.push_back(Action::Pull);
        }
    }

    /// All is done: lets the workers go.
    fn finish(&mut self, now: Duration) {
        self.phase = Phase::Finishing;
        for worker in &mut self.workers {
            match worker.state {
                State::Ready | State::Leaving => {
                    worker.state = State::Draining {
                        deadline: now + self.config.drain_timeout,
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

    fn give_up(&mut self, defeat: Defeat) {
        if matches!(self.phase, Phase::GivingUp(_)) {
            return;
        }
        self.phase = Phase::GivingUp(defeat);
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
