//! Carries the supervisor's decisions out: turns actions into processes and messages, and the world into events.
//!
//! It decides nothing. Its loop takes one `DriverEvent` at a time, tells the [`Supervisor`] of it, and does what
//! that answers: `observe` and `act` have the two halves. The feed runs in a thread of its own, as reading the
//! input may block.

mod act;
mod observe;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use tracing::debug;

use crate::descriptors;
use crate::driver_event::DriverEvent;
use crate::error::PoolError;
use crate::exit::Exit;
use crate::feed::Feed;
use crate::helper;
use crate::ids::{ShardId, WorkerId};
use crate::limits::{Limits, MemoryGauge};
use crate::process::bootstrap::{self, Relay};
use crate::process::{self, Forwarder, WorkerCommand, WorkerProcess};
use crate::sink::{Quarantined, Sink};
use crate::status::{Outcome, Stats};
use crate::supervisor::{
    Config, Event, LONGEST_WAIT, LoopClock, RunFailure, Supervisor, TaskPolicy,
};
use crate::transport;
use crate::wire::Payload;

/// What a pool is built with.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) command: WorkerCommand,
    pub(crate) limits: Limits,
    /// The bytes that each worker's job starts from.
    pub(crate) setup: Vec<u8>,
}

/// The queue of the driver's loop, both ends: others send into it while the loop receives.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) sender: Sender<DriverEvent>,
    pub(crate) receiver: Receiver<DriverEvent>,
}

/// Runs a pool to its end: see [`Pool::run`](crate::Pool::run).
pub(crate) fn run(
    settings: Settings,
    inbox: Inbox,
    stats: Arc<Stats>,
    feed: impl Feed + 'static,
    sink: &mut dyn Sink,
) -> Result<Outcome, PoolError> {
    process::await_children();
    descriptors::raise();
    check_descriptors(settings.config.workers)?;
    bootstrap::sweep();
    transport::prepare().map_err(PoolError::Bootstrap)?;
    let relay = Relay::new().map_err(PoolError::Bootstrap)?;
    let stderr = Forwarder::start(&inbox.sender).map_err(PoolError::Thread)?;
    let pulls = start_feed(feed, &inbox.sender).map_err(PoolError::Thread)?;
    let by_memory = settings.limits.max_memory.map(|_| MEMORY_PERIOD);
    let sample_period = settings.config.sample_period().or(by_memory);
    let mut driver = Driver {
        clock: LoopClock::new(settings.config.shortest_timeout()),
        now: Duration::ZERO,
        supervisor: Supervisor::new(settings.config, Duration::ZERO),
        began: Instant::now(),
        command: settings.command,
        relay: Arc::new(Mutex::new(relay)),
        stderr,
        limits: settings.limits,
        memory_gauge: settings.limits.max_memory.and_then(MemoryGauge::new),
        setup: settings.setup,
        workers: HashMap::new(),
        shards: HashMap::new(),
        cancelled_early: HashSet::new(),
        await_ready: Vec::new(),
        taken: 0,
        pulls,
        events_in: inbox.sender,
        stats,
        sample_period,
        next_sample: sample_period,
        last_exit: None,
        sink,
        failure: None,
        drained: false,
    };
    driver.run(&inbox.receiver)
}

/// Refuses to start more workers than there are file descriptors for.
fn check_descriptors(workers: u32) -> Result<(), PoolError> {
    let open = descriptors::open().map_err(PoolError::Proc)?;
    let most = descriptors::room(open);
    match descriptors::limit() {
        Some(limit) if most < workers => Err(PoolError::Descriptors {
            workers,
            need: descriptors::need(workers, open),
            limit,
            most,
        }),
        _ => Ok(()),
    }
}

/// Runs the feed in a thread: it answers each message on the returned channel with one `DriverEvent::Input`.
fn start_feed(
    mut feed: impl Feed + 'static,
    events: &Sender<DriverEvent>,
) -> std::io::Result<Sender<()>> {
    let (pulls, requests) = unbounded::<()>();
    let answers = events.clone();
    helper::start("feed".to_owned(), events, move || {
        for () in requests {
            let task = feed.next_task().map(|task| Some((task?, feed.policy())));
            let more = matches!(task, Ok(Some(_)));
            if answers.send(DriverEvent::Input(task)).is_err() || !more {
                return;
            }
        }
    })?;
    Ok(pulls)
}

/// What is kept of a shard until it is complete.
#[derive(Debug)]
struct InFlight {
    task: Vec<u8>,
    policy: TaskPolicy,
    /// How many times it was given to a worker.
    attempts: u32,
    report: Option<Payload>,
    grant: Vec<u8>,
    released: bool,
    quarantined: Vec<Quarantined>,
}

/// How often the workers' memory is looked at where nothing else is looked for.
const MEMORY_PERIOD: Duration = Duration::from_millis(500);

struct Driver<'a> {
    supervisor: Supervisor,
    began: Instant,
    clock: LoopClock,
    /// The time that counts, as of the last look at the clock.
    now: Duration,
    command: WorkerCommand,
    relay: Arc<Mutex<Relay>>,
    /// Gets what workers write to standard error.
    stderr: Forwarder,
    limits: Limits,
    memory_gauge: Option<MemoryGauge>,
    setup: Vec<u8>,
    workers: HashMap<WorkerId, WorkerProcess>,
    shards: HashMap<ShardId, InFlight>,
    /// Shards that were cancelled before they came from the feed's thread.
    cancelled_early: HashSet<ShardId>,
    /// Who waits for every worker to have started.
    await_ready: Vec<Sender<()>>,
    /// How many shards were taken from the feed; the next one's id.
    taken: u64,
    pulls: Sender<()>,
    events_in: Sender<DriverEvent>,
    stats: Arc<Stats>,
    /// How often the black boxes are looked at, and when next.
    sample_period: Option<Duration>,
    next_sample: Option<Duration>,
    /// How the last worker ended that did, and its last words.
    last_exit: Option<(Exit, String)>,
    sink: &'a mut dyn Sink,
    /// The first error that ended the run from outside the supervisor.
    failure: Option<PoolError>,
    drained: bool,
}

impl Driver<'_> {
    fn run(&mut self, events: &Receiver<DriverEvent>) -> Result<Outcome, PoolError> {
        loop {
            while let Some(action) = self.supervisor.poll_action() {
                self.act(action);
            }
            self.tell_ready();
            if let Some(outcome) = self.supervisor.outcome() {
                return self.conclude(outcome);
            }
            let event = match self.next_event(events) {
                Some(event) => self.observe(event),
                None => Some(Event::Tick),
            };
            self.sample();
            if let Some(event) = event {
                self.supervisor.handle(self.now, event);
            }
        }
    }

    /// Notes the time after something that was to take no longer than `planned`.
    fn look_at_clock(&mut self, planned: Duration) {
        self.now = self.clock.look(self.began.elapsed(), planned);
    }

    fn conclude(&mut self, outcome: Result<(), RunFailure>) -> Result<Outcome, PoolError> {
        self.stderr.flush();
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        outcome.map_err(PoolError::GivenUp)?;
        Ok(Outcome {
            shards: self.stats.shards(),
            restarts: self.stats.restarts(),
            drained: self.drained,
        })
    }

    /// The next event, or `None` when a deadline of the supervisor or the next look at the workers comes first.
    fn next_event(&mut self, events: &Receiver<DriverEvent>) -> Option<DriverEvent> {
        self.look_at_clock(Duration::ZERO);
        // What is there already needs no time to come.
        if let Ok(event) = events.try_recv() {
            return Some(event);
        }
        let due = [self.supervisor.poll_timeout(), self.next_sample];
        let due = due.into_iter().flatten().min();
        let wait = due.map(|due| due.saturating_sub(self.now).min(LONGEST_WAIT));
        let received = match wait {
            Some(wait) => events.recv_timeout(wait),
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        self.look_at_clock(wait.unwrap_or(Duration::MAX));
        received.ok()
    }

    /// Looks at the black boxes when that is due.
    fn sample(&mut self) {
        let now = self.now;
        if self.next_sample.is_none_or(|due| due > now) {
            return;
        }
        self.next_sample = self.sample_period().map(|period| now + period);
        for (&id, worker) in &self.workers {
            self.supervisor
                .handle(now, Event::Sampled(id, worker.black_box.read()));
        }
        if let Some(memory_gauge) = &mut self.memory_gauge {
            let workers = self
                .workers
                .iter()
                .map(|(&id, worker)| (worker.pid(), id))
                .collect();
            for id in memory_gauge.oversize(&workers) {
                debug!(worker = %id, "worker holds too much memory and is replaced");
                self.supervisor.handle(now, Event::Oversize(id));
            }
        }
    }

    /// How often to look: as often as the shortest timeout asks for.
    fn sample_period(&self) -> Option<Duration> {
        let shards = self.shards.values();
        let own = shards.filter_map(|kept| kept.policy.sample_period());
        own.chain(self.sample_period).min()
    }

    /// Answers those who wait for the workers to have started, if they have.
    fn tell_ready(&mut self) {
        if !self.await_ready.is_empty() && self.supervisor.all_ready() {
            for waiting in self.await_ready.drain(..) {
                // Whoever asked may have stopped waiting.
                let _ = waiting.send(());
            }
        }
    }
}

impl Drop for Driver<'_> {
    /// Not even a panic of the sink leaves workers behind.
    fn drop(&mut self) {
        for worker in self.workers.values() {
            worker.kill();
        }
    }
}
