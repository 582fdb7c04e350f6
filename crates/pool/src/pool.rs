//! The face of the pool: what it takes, what it gives, and how it is built.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use thiserror::Error;

use crate::control::{Control, Stats};
use crate::driver::{self, Signal};
use crate::ids::ShardId;
use crate::limits::Limits;
use crate::process::{Exit, WorkerCommand};
use crate::supervisor::{Config, Defeat, Delivery, TaskPolicy};
use crate::wire;

/// The most workers of a pool: more than any machine has CPUs for.
pub const MAX_WORKERS: u32 = 4096;

/// The longest time that is waited for anything: longer than any machine runs, and short enough to be added to.
const MAX_TIMEOUT: Duration = Duration::from_hours(100 * 365 * 24);

/// Any error of a feed or a sink; whoever started the pool knows what it is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where tasks come from.
pub trait Feed: Send {
    /// The next task, or `None` at the end. May block.
    ///
    /// # Errors
    /// Any error ends the run.
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError>;

    /// Returns how the task that [`next_task`](Self::next_task) just gave is to be done. Called once after each.
    fn policy(&mut self) -> TaskPolicy {
        TaskPolicy::default()
    }
}

/// Where results go.
pub trait Sink {
    /// Takes a shard, once each: in input order if the pool is ordered. The answer is the grant for the job's
    /// [`commit`](crate::Job::commit); it is not used with [`Delivery::Inline`].
    ///
    /// # Errors
    /// Any error ends the run.
    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError>;

    /// Learns that a released shard is complete: with [`Delivery::Commit`], that its result is where its grant said.
    /// Shards complete in any order.
    ///
    /// # Errors
    /// Any error ends the run.
    fn complete(&mut self, shard: ShardId) -> Result<(), BoxError> {
        let _ = shard;
        Ok(())
    }

    /// Learns that a shard was cancelled: it is never released.
    ///
    /// # Errors
    /// Any error ends the run.
    fn cancelled(&mut self, shard: ShardId) -> Result<(), BoxError> {
        let _ = shard;
        Ok(())
    }
}

/// A shard whose turn has come.
#[derive(Debug)]
pub struct Released<'a> {
    /// Which one it is.
    pub shard: ShardId,
    /// What the job reported of it.
    pub report: &'a [u8],
    /// The items that were left out, in ascending order, as workers died on them.
    pub quarantined: &'a [Quarantined],
}

/// An item on which workers died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Its number in its shard.
    pub item: u64,
    /// How the last of them ended.
    pub exit: Exit,
    /// How many they were.
    pub attempts: u32,
    /// What the last of them said on its standard error.
    pub last_words: String,
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How many shards were completed.
    pub shards: u64,
    /// How many workers were started in the place of dead ones.
    pub restarts: u64,
    /// Whether [`Control::drain`] ended it before the input did.
    pub drained: bool,
}

/// Why a run failed.
#[derive(Debug, Error)]
pub enum PoolError {
    /// The supervisor gave up.
    #[error("{0}")]
    Defeat(Defeat),
    /// A job met an error of its own.
    #[error("{0}")]
    Job(String),
    /// The feed failed.
    #[error(transparent)]
    Feed(BoxError),
    /// The sink failed.
    #[error(transparent)]
    Sink(BoxError),
    /// The job broke its promise: a shard that was done again gave another result.
    #[error(
        "{0} gave another result when it was done again after a worker's death; the job must be deterministic"
    )]
    Unstable(ShardId),
    /// A message could not be encoded.
    #[error(transparent)]
    Wire(#[from] wire::WireError),
    /// A thread of the supervisor panicked: a fault of the feed, or of this crate.
    #[error("the thread `{thread}` of the supervisor panicked: {message}")]
    Panicked {
        /// Its name.
        thread: String,
        /// What the panic said.
        message: String,
    },
    /// There are fewer file descriptors than the workers need.
    #[error(
        "{workers} workers need {need} file descriptors, and this process may open {limit}; raise the limit (`ulimit -n {need}`) or start at most {most} workers"
    )]
    Descriptors {
        /// How many workers were asked for.
        workers: u32,
        /// How many descriptors they need, with those that are open already.
        need: u64,
        /// The limit of the system for this process.
        limit: u64,
        /// How many workers it is enough for.
        most: u32,
    },
    /// Workers would have no way to reach this process.
    #[error("failed to open a socket for the workers: {0}")]
    Bootstrap(std::io::Error),
    /// The operating system refused a thread.
    #[error("failed to start a thread of the supervisor: {0}")]
    Thread(std::io::Error),
}

/// Builds a [`Pool`].
#[derive(Debug)]
pub struct PoolBuilder {
    config: Config,
    pub(crate) command: WorkerCommand,
    limits: Limits,
    setup: Vec<u8>,
}

impl PoolBuilder {
    /// What each worker may take of the machine.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Releases results as they come instead of in input order.
    #[must_use]
    pub fn unordered(mut self, unordered: bool) -> Self {
        self.config.ordered = !unordered;
        self
    }

    /// How results are delivered; [`Delivery::Inline`] unless said.
    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.config.delivery = delivery;
        self
    }

    /// A worker that makes no progress for so long is killed, and the item it was at suspected.
    #[must_use]
    pub fn item_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.config.item_timeout = timeout;
        self
    }

    /// A worker that reads or writes for so long is killed; ten minutes unless said. Before the first item of a task, and
    /// in a commit, this is the limit and not the [`item_timeout`](PoolBuilder::item_timeout).
    #[must_use]
    pub fn io_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.config.io_timeout = timeout;
        self
    }

    /// A worker is replaced after so many shards, when it can be spared.
    #[must_use]
    pub fn max_shards(mut self, shards: Option<u64>) -> Self {
        self.config.max_shards = shards;
        self
    }

    /// How long a worker may take from its start until its job has started; 20 seconds unless said.
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.config.start_timeout = timeout.min(MAX_TIMEOUT);
        self
    }

    /// How many tasks a worker holds at most, the one it works on included; two unless said. With one alone, no task
    /// waits behind a slow one while another worker is free, at the price of a round trip between two tasks.
    #[must_use]
    pub fn credits(mut self, credits: usize) -> Self {
        self.config.credits = credits.max(1);
        self
    }

    /// How many tasks there are at most from the oldest that is not complete to the newest. Where results are large or
    /// wait for their turn this bounds the memory of the run; four for each worker and eight more unless said.
    #[must_use]
    pub fn window(mut self, tasks: usize) -> Self {
        self.config.window = tasks.max(1);
        self
    }

    /// This many crashes of one worker slot since the pool last progressed end the run; see
    /// [`RestartPolicy`](crate::supervisor::RestartPolicy).
    #[must_use]
    pub fn max_crashes(mut self, crashes: u32) -> Self {
        self.config.restart.max_crashes = crashes.max(1);
        self
    }

    /// The bytes that every worker's [`Job::start`](crate::Job::start) gets.
    #[must_use]
    pub fn setup(mut self, setup: Vec<u8>) -> Self {
        self.setup = setup;
        self
    }

    /// Ready to run.
    #[must_use]
    pub fn build(self) -> Pool {
        let (signals_in, signals) = unbounded();
        let stats = Arc::new(Stats::default());
        Pool {
            config: self.config,
            command: self.command,
            limits: self.limits,
            setup: self.setup,
            signals_in,
            signals,
            stats,
        }
    }
}

/// N supervised worker processes.
#[derive(Debug)]
pub struct Pool {
    pub(crate) config: Config,
    pub(crate) command: WorkerCommand,
    pub(crate) limits: Limits,
    pub(crate) setup: Vec<u8>,
    pub(crate) signals_in: Sender<Signal>,
    pub(crate) signals: Receiver<Signal>,
    pub(crate) stats: Arc<Stats>,
}

impl Pool {
    /// A pool of `workers` processes started by `command`; at least one, and at most [`MAX_WORKERS`].
    #[must_use]
    pub fn builder(workers: u32, command: WorkerCommand) -> PoolBuilder {
        PoolBuilder {
            config: Config::new(workers.clamp(1, MAX_WORKERS)),
            command,
            limits: Limits::default(),
            setup: Vec::new(),
        }
    }

    /// A hand on the pool for other threads.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(self.signals_in.clone(), Arc::clone(&self.stats))
    }

    /// Runs every task of `feed` and gives the results to `sink`. Blocks until all workers are gone; call it from a
    /// thread that lives that long.
    ///
    /// Two things of this process change for good, where they stand in the way of workers: the soft limit of open file
    /// descriptors is raised to the hard one (the workers keep the one before), and SIGCHLD is no longer ignored.
    ///
    /// # Errors
    /// See [`PoolError`]. Whatever the error, no worker is left behind.
    pub fn run(self, feed: impl Feed + 'static, sink: &mut dyn Sink) -> Result<Outcome, PoolError> {
        driver::run(self, feed, sink)
    }
}
