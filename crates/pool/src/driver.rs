//! Carries the supervisor's decisions out: turns actions into processes and messages, and the world into events.
//!
//! It decides nothing. Its loop takes one `Signal` at a time, tells the [`Supervisor`] of it, and does what that
//! answers. The feed runs in a thread of its own, as reading the input may block.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use tracing::{debug, warn};

use crate::control::{ProcessStatus, Stats, WorkerStatus};
use crate::descriptors;
use crate::helper;
use crate::ids::{Scope, ShardId, WorkerId};
use crate::limits::{Limits, Scale};
use crate::pool::{BoxError, Feed, Outcome, Pool, PoolError, Quarantined, Released, Sink};
use crate::process::bootstrap::{self, Relay};
use crate::process::{self, Exit, WorkerCommand, WorkerProcess};
use crate::supervisor::{
    Action, Defeat, Delivery, Event, LONGEST_WAIT, LoopClock, Supervisor, TaskPolicy, WorkerView,
};
use crate::wire::{self, Payload, Report, ToWorker};

/// Something that reached the driver's loop.
#[derive(Debug)]
pub(crate) enum Signal {
    Said(WorkerId, Report),
    Garbled(WorkerId, String),
    /// A worker cannot be talked to.
    Broken(WorkerId, String),
    Exited(WorkerId, Exit, String),
    Input(Result<Option<(Vec<u8>, TaskPolicy)>, BoxError>),
    Cancel(ShardId),
    /// A thread of that name panicked with that message.
    Panicked(String, String),
    Drain,
    Abort,
    Resize(u32),
    Renew,
    Inspect(Sender<Vec<WorkerStatus>>),
    /// Send one message once every worker has started.
    AwaitReady(Sender<()>),
}

/// Runs a pool to its end: see [`Pool::run`].
pub(crate) fn run(
    pool: Pool,
    feed: impl Feed + 'static,
    sink: &mut dyn Sink,
) -> Result<Outcome, PoolError> {
    process::await_children();
    descriptors::raise();
    check_descriptors(pool.config.workers)?;
    bootstrap::sweep();
    let relay = Relay::new().map_err(PoolError::Bootstrap)?;
    let pulls = start_feed(feed, &pool.signals_in).map_err(PoolError::Thread)?;
    let by_memory = pool.limits.max_memory.map(|_| MEMORY_PERIOD);
    let sample_period = pool.config.sample_period().or(by_memory);
    let mut driver = Driver {
        clock: LoopClock::new(pool.config.shortest_timeout()),
        now: Duration::ZERO,
        supervisor: Supervisor::new(pool.config, Duration::ZERO),
        began: Instant::now(),
        command: pool.command,
        relay: Arc::new(Mutex::new(relay)),
        limits: pool.limits,
        scale: pool.limits.max_memory.and_then(Scale::new),
        setup: pool.setup,
        workers: HashMap::new(),
        shards: HashMap::new(),
        cancelled_early: HashSet::new(),
        await_ready: Vec::new(),
        taken: 0,
        pulls,
        signals_in: pool.signals_in,
        stats: pool.stats,
        sample_period,
        next_sample: sample_period,
        last_exit: None,
        sink,
        failure: None,
        drained: false,
    };
    driver.run(&pool.signals)
}

/// Refuses to start more workers than there are file descriptors for.
fn check_descriptors(workers: u32) -> Result<(), PoolError> {
    let most = descriptors::room();
    match descriptors::limit() {
        Some(limit) if most < workers => Err(PoolError::Descriptors {
            workers,
            need: descriptors::need(workers),
            limit,
            most,
        }),
        _ => Ok(()),
    }
}

/// Runs the feed in a thread: it answers each message on the returned channel with one `Signal::Input`.
fn start_feed(
    mut feed: impl Feed + 'static,
    signals: &Sender<Signal>,
) -> std::io::Result<Sender<()>> {
    let (pulls, requests) = unbounded::<()>();
    let answers = signals.clone();
    helper::start("feed".to_owned(), signals, move || {
        for () in requests {
            let task = feed.next_task().map(|task| Some((task?, feed.policy())));
            let more = matches!(task, Ok(Some(_)));
            if answers.send(Signal::Input(task)).is_err() || !more {
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
    limits: Limits,
    scale: Option<Scale>,
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
    signals_in: Sender<Signal>,
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
    fn run(&mut self, signals: &Receiver<Signal>) -> Result<Outcome, PoolError> {
        loop {
            while let Some(action) = self.supervisor.poll_action() {
                self.act(action);
            }
            self.tell_ready();
            if let Some(outcome) = self.supervisor.outcome() {
                return self.conclude(outcome);
            }
            let event = match self.next_signal(signals) {
                Some(signal) => self.observe(signal),
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

    fn conclude(&mut self, outcome: Result<(), Defeat>) -> Result<Outcome, PoolError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        outcome.map_err(PoolError::Defeat)?;
        Ok(Outcome {
            shards: self.stats.shards(),
            restarts: self.stats.restarts(),
            drained: self.drained,
        })
    }

    /// The next signal, or `None` when a deadline of the supervisor or the next look at the workers comes first.
    fn next_signal(&mut self, signals: &Receiver<Signal>) -> Option<Signal> {
        self.look_at_clock(Duration::ZERO);
        // What is there already needs no time to come.
        if let Ok(signal) = signals.try_recv() {
            return Some(signal);
        }
        let due = [self.supervisor.poll_timeout(), self.next_sample];
        let due = due.into_iter().flatten().min();
        let wait = due.map(|due| due.saturating_sub(self.now).min(LONGEST_WAIT));
        let received = match wait {
            Some(wait) => signals.recv_timeout(wait),
            None => signals.recv().map_err(|_| RecvTimeoutError::Disconnected),
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
        if let Some(scale) = &mut self.scale {
            let workers = self
                .workers
                .iter()
                .map(|(&id, worker)| (worker.pid(), id))
                .collect();
            for id in scale.oversize(&workers) {
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

    /// What a signal means to the supervisor.
    fn observe(&mut self, signal: Signal) -> Option<Event> {
        Some(match signal {
            Signal::Said(id, Report::Ready) => Event::Ready(id),
            Signal::Said(id, Report::Unfit(reason)) => Event::Unfit(id, reason),
            Signal::Said(id, Report::Prepared(shard, report)) => {
                self.prepared(id, shard, report)?
            }
            Signal::Said(id, Report::Tried(shard)) => Event::Tried(id, shard),
            Signal::Said(id, Report::Committed(shard)) => Event::Committed(id, shard),
            Signal::Said(_, Report::Failed(_, reason)) => self.fail(PoolError::Job(reason)),
            Signal::Garbled(id, error) => {
                warn!(worker = %id, error, "a worker sent garbage and is killed for it");
                self.workers.get(&id)?.kill();
                return None;
            }
            Signal::Broken(id, error) => {
                warn!(worker = %id, error, "a worker cannot be talked to and is killed");
                let worker = self.workers.get_mut(&id)?;
                worker.fault = Some(error);
                worker.kill();
                return None;
            }
            Signal::Panicked(thread, message) => self.fail(PoolError::Panicked { thread, message }),
            Signal::Abort => Event::Abort,
            Signal::Exited(id, exit, last_words) => {
                let worker = self.workers.remove(&id);
                if worker.is_some() {
                    self.stats.exited();
                }
                let sample = worker.as_ref().map(|worker| worker.black_box.read());
                let fault = worker.and_then(|worker| worker.fault);
                // The signal that ended it may have been ours.
                let exit = match fault {
                    _ if self.supervisor.has_hung(id) => Exit::TimedOut,
                    Some(fault) => Exit::NotStarted(fault),
                    None => exit.explained_by(&last_words, &self.limits),
                };
                self.last_exit = Some((exit.clone(), last_words));
                Event::Exited(id, exit, sample)
            }
            Signal::Input(Ok(Some((task, policy)))) => self.take_in(task, policy),
            Signal::Input(Ok(None)) => Event::InputEnd,
            Signal::Input(Err(error)) => self.fail(PoolError::Feed(error)),
            // The signal of its input is still on its way from the feed's thread.
            Signal::Cancel(shard) if shard.0 >= self.taken => {
                self.cancelled_early.insert(shard);
                return None;
            }
            Signal::Cancel(shard) => Event::Cancel(shard),
            Signal::AwaitReady(waiting) => {
                self.await_ready.push(waiting);
                return None;
            }
            Signal::Resize(workers) => Event::Resize(self.within_descriptors(workers)),
            Signal::Renew => Event::Renew,
            Signal::Inspect(reply) => {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(self.inspect());
                return None;
            }
            Signal::Drain => {
                self.drained = true;
                Event::Drain
            }
        })
    }

    /// So many workers, or as many as there are file descriptors for.
    fn within_descriptors(&self, workers: u32) -> u32 {
        let have = u32::try_from(self.workers.len()).unwrap_or(u32::MAX);
        if workers <= have {
            return workers;
        }
        let most = have.saturating_add(descriptors::room()).max(1);
        if workers > most {
            warn!(
                workers,
                most, "there are not enough file descriptors for so many workers; see `ulimit -n`"
            );
        }
        workers.min(most)
    }

    fn inspect(&self) -> Vec<WorkerStatus> {
        let process = |id| {
            let worker = self.workers.get(&id)?;
            Some(ProcessStatus {
                pid: worker.pid(),
                age: worker.started.elapsed(),
                sample: Some(worker.black_box.read()),
            })
        };
        let status = |view: WorkerView| WorkerStatus {
            process: process(view.id),
            view,
        };
        self.supervisor.workers().map(status).collect()
    }

    fn fail(&mut self, error: PoolError) -> Event {
        self.failure.get_or_insert(error);
        Event::Abort
    }

    /// Keeps a task; once the supervisor wants no more input, late ones are dropped here as they are there.
    fn take_in(&mut self, task: Vec<u8>, policy: TaskPolicy) -> Event {
        if !self.drained {
            let shard = ShardId(self.taken);
            self.shards.insert(
                shard,
                InFlight {
                    task,
                    policy,
                    attempts: 0,
                    report: None,
                    grant: Vec::new(),
                    released: false,
                    quarantined: Vec::new(),
                },
            );
            self.taken += 1;
            if self.cancelled_early.remove(&shard) {
                // This event comes first.
                let _ = self.signals_in.send(Signal::Cancel(shard));
            }
            if let Some(period) = policy.sample_period() {
                let due = self.now + period;
                self.next_sample = Some(self.next_sample.map_or(due, |next| next.min(due)));
            }
        }
        Event::Input(policy)
    }

    /// Keeps a report. One that comes again after its shard was released must be the same.
    fn prepared(&mut self, id: WorkerId, shard: ShardId, report: Payload) -> Option<Event> {
        let kept = self.shards.get_mut(&shard)?;
        let same = kept
            .report
            .as_ref()
            .is_some_and(|known| known.as_slice() == report.as_slice());
        if kept.released && !same {
            return Some(self.fail(PoolError::Unstable(shard)));
        }
        kept.report = Some(report);
        Some(Event::Prepared(id, shard))
    }

    fn act(&mut self, action: Action) {
        let done = match action {
            Action::Spawn(id) => self.spawn(id),
            Action::Pull => {
                // The feed is gone once it has ended, of which its last signal tells.
                let _ = self.pulls.send(());
                Ok(())
            }
            Action::Assign(id, shard, scope) => self.assign(id, shard, scope),
            Action::Quarantine(shard, item, attempts) => {
                self.quarantine(shard, item, attempts);
                Ok(())
            }
            Action::Release(shard, id) => self.release(shard, id),
            Action::Regrant(shard, id) => self.grant(shard, id),
            Action::Forget(shard) => {
                self.shards.remove(&shard);
                self.stats.completed();
                self.sink.complete(shard).map_err(PoolError::Sink)
            }
            Action::Discard(shard) => {
                self.shards.remove(&shard);
                self.sink.cancelled(shard).map_err(PoolError::Sink)
            }
            Action::Retire(id) => self.send(id, &ToWorker::Retire),
            Action::Kill(id) => {
                if let Some(worker) = self.workers.get(&id) {
                    worker.kill();
                }
                Ok(())
            }
        };
        if let Err(error) = done {
            let event = self.fail(error);
            self.supervisor.handle(self.now, event);
        }
    }

    fn spawn(&mut self, id: WorkerId) -> Result<(), PoolError> {
        let setup = wire::encode(&ToWorker::Setup {
            worker: id,
            setup: &self.setup,
        })?;
        match WorkerProcess::start(
            &self.command,
            &self.limits,
            id,
            &self.relay,
            &self.signals_in,
        ) {
            Ok(worker) => {
                debug!(worker = %id, pid = worker.pid(), "worker started");
                self.stats.spawned(id.incarnation);
                worker.send(setup);
                self.workers.insert(id, worker);
            }
            Err(error) => {
                let _ = self.signals_in.send(Signal::Exited(
                    id,
                    Exit::NotStarted(error.to_string()),
                    String::new(),
                ));
            }
        }
        Ok(())
    }

    fn assign(&mut self, id: WorkerId, shard: ShardId, scope: Scope) -> Result<(), PoolError> {
        if let Some(kept) = self.shards.get_mut(&shard) {
            kept.attempts = kept.attempts.saturating_add(1);
        }
        let Some(kept) = self.shards.get(&shard) else {
            return Ok(());
        };
        let quarantined = kept
            .quarantined
            .iter()
            .map(|quarantined| quarantined.item)
            .collect();
        self.send(
            id,
            &ToWorker::Assign {
                shard,
                scope,
                attempt: kept.attempts,
                quarantined,
                task: &kept.task,
            },
        )
    }

    /// Notes that a shard goes on without an item, on which the worker that ended last has died.
    fn quarantine(&mut self, shard: ShardId, item: u64, attempts: u32) {
        let Some(kept) = self.shards.get_mut(&shard) else {
            return;
        };
        let (exit, last_words) = self
            .last_exit
            .clone()
            .unwrap_or((Exit::Unknown, String::new()));
        warn!(%shard, item, attempts, %exit, "an item that kills workers is quarantined");
        let at = kept.quarantined.partition_point(|known| known.item < item);
        kept.quarantined.insert(
            at,
            Quarantined {
                item,
                exit,
                attempts,
                last_words,
            },
        );
    }

    /// Gives a report to the sink, and the sink's grant to the worker.
    fn release(&mut self, shard: ShardId, id: WorkerId) -> Result<(), PoolError> {
        let Some(kept) = self.shards.get_mut(&shard) else {
            return Ok(());
        };
        let report = kept.report.as_ref().map_or(&[][..], Payload::as_slice);
        let released = Released {
            shard,
            report,
            quarantined: &kept.quarantined,
        };
        kept.grant = self.sink.release(&released).map_err(PoolError::Sink)?;
        kept.released = true;
        self.grant(shard, id)
    }

    fn grant(&self, shard: ShardId, id: WorkerId) -> Result<(), PoolError> {
        let Some(kept) = self.shards.get(&shard) else {
            return Ok(());
        };
        if self.supervisor.delivery() == Delivery::Commit {
            self.send(
                id,
                &ToWorker::Commit {
                    shard,
                    grant: &kept.grant,
                },
            )?;
        }
        Ok(())
    }

    fn send(&self, id: WorkerId, message: &ToWorker<'_>) -> Result<(), PoolError> {
        if let Some(worker) = self.workers.get(&id) {
            worker.send(wire::encode(message)?);
        }
        Ok(())
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
