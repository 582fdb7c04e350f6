//! The world around the supervisor: a virtual clock, news under way, and workers to whom things happen.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use moodring_pool::process::Exit;
use moodring_pool::supervisor::{Action, Event, LONGEST_WAIT, LoopClock, RunFailure, Supervisor};
use moodring_pool::{Config, Delivery, ShardId, TaskPolicy, WorkerId};

use crate::checks::Checks;
use crate::dice::Dice;
use crate::faults::{Faults, Poison};
use crate::worker::SimWorker;

/// A run in which nothing has been done for so long is stuck: all timeouts and pauses are shorter.
const PATIENCE: Duration = Duration::from_secs(30);

/// A run of so many events goes round in circles.
const MOST_EVENTS: u32 = 200_000;

/// The clock's smallest step.
pub(crate) const TICK: Duration = Duration::from_micros(1);

/// News on its way to the supervisor, in the order of their arrival.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Message {
    arrives: Duration,
    number: u64,
    said: Duration,
    from: Option<WorkerId>,
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) faults: Faults,
    pub(crate) now: Duration,
    clock: LoopClock,
    /// The time that counts for the supervisor.
    heard: Duration,
    supervisor: Supervisor,
    pub(crate) checks: Checks,
    pub(crate) workers: BTreeMap<WorkerId, SimWorker>,
    messages: BinaryHeap<Reverse<Message>>,
    contents: BTreeMap<u64, Event>,
    pub(crate) posted: u64,
    input_left: u64,
    /// When the feed's last answer arrives: it answers in order.
    last_input: Duration,
    pub(crate) item_timeout: Option<Duration>,
    pub(crate) io_timeout: Option<Duration>,
    /// How often the black boxes are looked at, if workers that hang are to be noticed.
    period: Option<Duration>,
    /// How every shard is to be done.
    policy: TaskPolicy,
    /// When the black boxes are looked at next.
    next_look: Option<Duration>,
    /// When something was done last.
    last_action: Duration,
    pub(crate) traced: bool,
}

impl World {
    pub(crate) fn new(seed: u64, shards: u64, config: Config, faults: Faults) -> Self {
        Self::under(TaskPolicy::default(), seed, shards, config, faults)
    }

    /// A world in which every shard is to be done in this way.
    pub(crate) fn under(
        policy: TaskPolicy,
        seed: u64,
        shards: u64,
        config: Config,
        faults: Faults,
    ) -> Self {
        let item_timeout = policy.timeout.or(config.item_timeout);
        let faults = Faults {
            hangs: item_timeout.is_some(),
            ..faults
        };
        let watched = Config {
            item_timeout,
            ..config.clone()
        };
        let period = watched.sample_period().filter(|_| faults.hangs);
        Self {
            dice: Dice(seed),
            faults,
            now: Duration::ZERO,
            clock: LoopClock::new(config.shortest_timeout()),
            heard: Duration::ZERO,
            checks: Checks::new(&config, policy, faults),
            workers: BTreeMap::new(),
            messages: BinaryHeap::new(),
            contents: BTreeMap::new(),
            posted: 0,
            input_left: shards,
            last_input: Duration::ZERO,
            item_timeout,
            io_timeout: config.io_timeout,
            policy,
            period,
            next_look: period,
            last_action: Duration::ZERO,
            traced: std::env::var_os("MOODRING_SEED").is_some(),
            supervisor: Supervisor::new(config, Duration::ZERO),
        }
    }

    /// Goes on until the run ends, and tells how.
    pub(crate) fn run(&mut self) -> Result<(), RunFailure> {
        for _ in 0..MOST_EVENTS {
            while let Some(action) = self.supervisor.poll_action() {
                self.act(action);
            }
            if let Some(outcome) = self.supervisor.outcome() {
                self.checks.judge_end();
                return outcome;
            }
            let event = self.next_event();
            self.tell(event);
            self.look();
            self.disturb();
        }
        panic!("the run neither progresses nor ends: {:?}", self.supervisor);
    }

    /// Whether an item has each worker hang that does it.
    pub(crate) fn hangs_on(&self, shard: ShardId, item: u64) -> bool {
        self.faults.poison(shard, item) == Some(Poison::Hangs)
    }

    fn tell(&mut self, event: Event) {
        self.trace(&event);
        self.checks.hear(&event);
        self.supervisor.handle(self.heard, event);
    }

    fn trace(&self, what: &dyn std::fmt::Debug) {
        if self.traced {
            eprintln!("{:>12.3?} {what:?}", self.now);
        }
    }

    /// What the supervisor hears next. Time goes on to that, and by chance far beyond it, as where the supervisor is
    /// stopped.
    fn next_event(&mut self) -> Event {
        loop {
            self.look_at_clock(Duration::ZERO);
            let arrives = self.messages.peek().map(|Reverse(message)| message.arrives);
            let due = [self.supervisor.poll_timeout(), self.next_look];
            let due = due.into_iter().flatten().min();
            assert!(
                arrives.or(due).is_some(),
                "nothing will ever happen again: {:?}",
                self.supervisor
            );
            let wait = due.map(|due| due.saturating_sub(self.heard).min(LONGEST_WAIT));
            let is_there = arrives.is_some_and(|arrives| arrives <= self.now);
            let wakes = wait.map(|wait| self.now + wait);
            let next = arrives.into_iter().chain(wakes).min().unwrap_or(self.now);
            self.now = self.now.max(next);
            if self.dice.strikes(self.faults.stall) {
                let stall = self.dice.micros(60_000);
                self.now += stall;
                self.last_action += stall;
            }
            let planned = if is_there { Some(Duration::ZERO) } else { wait };
            self.look_at_clock(planned.unwrap_or(Duration::MAX));
            self.checks.late = self.clock.late();
            assert!(
                self.now < self.last_action + PATIENCE,
                "nothing happens any more: {:?}",
                self.supervisor
            );
            if arrives != Some(next) {
                return Event::Tick;
            }
            let Some(Reverse(message)) = self.messages.pop() else {
                continue;
            };
            if let Some(content) = self.open(&message) {
                return content;
            }
        }
    }

    fn look_at_clock(&mut self, planned: Duration) {
        self.heard = self.clock.look(self.now, planned);
    }

    /// What a message says. What a worker had not said when it died or stopped is never heard, nor is a death that
    /// something else forestalled; one that was foreseen is heard after all that the worker said meanwhile.
    fn open(&mut self, message: &Message) -> Option<Event> {
        let content = self.contents.remove(&message.number)?;
        let Some(worker) = message.from.and_then(|id| self.workers.get_mut(&id)) else {
            return Some(content);
        };
        let Event::Exited(id, exit, _) = content else {
            return worker.is_heard(message.said).then_some(content);
        };
        if worker.obituary != Some(message.number) {
            return None;
        }
        let after = worker.last_word();
        let content = Event::Exited(id, exit, worker.black_box(self.now));
        if after < message.arrives {
            return Some(content);
        }
        worker.obituary = Some(self.posted + 1);
        self.deliver(message.from, message.said, after + TICK, content);
        None
    }

    /// Shows the supervisor the black boxes when that is due.
    fn look(&mut self) {
        let (Some(due), Some(period)) = (self.next_look, self.period) else {
            return;
        };
        if due > self.heard {
            return;
        }
        self.next_look = Some(self.heard + period);
        for id in self.checks.ready() {
            let shown = self
                .workers
                .get(&id)
                .and_then(|worker| worker.black_box(self.now));
            if let Some(sample) = shown {
                self.tell(Event::Sampled(id, sample));
            }
        }
    }

    /// Has things happen that nobody inside has a hand in.
    fn disturb(&mut self) {
        if self.dice.strikes(self.faults.kill) {
            let alive = self.those(SimWorker::is_alive);
            if let Some(id) = self.dice.pick(&alive) {
                self.die(id, self.now, Exit::Signal(9), false);
                if self.dice.strikes(self.faults.loss) {
                    let lost = self.now.saturating_sub(self.dice.micros(400));
                    self.workers
                        .get_mut(&id)
                        .into_iter()
                        .for_each(|worker| worker.lose(lost));
                }
            }
        }
        if self.dice.strikes(self.faults.stop) {
            let well = self.those(|worker, now| worker.is_well(now) && !worker.on_trial);
            if let Some(id) = self.dice.pick(&well) {
                self.stop(id, self.now);
            }
        }
        if self.dice.strikes(self.faults.oversize) {
            let any = self.checks.ever_started();
            if let Some(id) = self.dice.pick(&any) {
                self.tell(Event::Oversize(id));
            }
        }
    }

    fn those(&self, are: impl Fn(&SimWorker, Duration) -> bool) -> Vec<WorkerId> {
        let workers = self.workers.values().filter(|worker| are(worker, self.now));
        workers.map(|worker| worker.id).collect()
    }

    /// Something said from outside, which the supervisor hears a while later.
    pub(crate) fn post(&mut self, said: Duration, content: Event) {
        let arrives = said + self.dice.micros(300);
        self.deliver(None, said, arrives, content);
    }

    pub(crate) fn deliver(
        &mut self,
        from: Option<WorkerId>,
        said: Duration,
        arrives: Duration,
        content: Event,
    ) {
        self.posted += 1;
        self.contents.insert(self.posted, content);
        self.messages.push(Reverse(Message {
            arrives,
            number: self.posted,
            said,
            from,
        }));
    }

    fn act(&mut self, action: Action) {
        self.last_action = self.now;
        self.trace(&action);
        let about = match action {
            Action::Kill(id) => self.workers.get(&id),
            _ => None,
        };
        self.checks.judge(self.now, action, about);
        match action {
            Action::Spawn(id) => self.spawn(id),
            Action::Pull => self.pull(),
            Action::Assign(id, shard, scope) => self.prepare(id, shard, scope),
            Action::Release(shard, id) | Action::Regrant(shard, id)
                if self.supervisor.delivery() == Delivery::Commit =>
            {
                self.commit(id, shard);
            }
            Action::Release(..)
            | Action::Regrant(..)
            | Action::Forget(_)
            | Action::Discard(_)
            | Action::Quarantine(..) => {}
            Action::Retire(id) => self.leave(id),
            Action::Kill(id) => self.die(id, self.now, Exit::Signal(9), false),
        }
    }

    fn pull(&mut self) {
        let content = if self.input_left == 0 {
            Event::InputEnd
        } else {
            self.input_left -= 1;
            Event::Input(self.policy)
        };
        self.last_input = self.last_input.max(self.now) + self.dice.micros(300);
        self.deliver(None, self.now, self.last_input, content);
    }
}
