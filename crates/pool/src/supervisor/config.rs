//! How a pool and each of its tasks are run.

use std::time::Duration;

use super::restart::RestartPolicy;

/// How a result gets from a worker to the sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The report is the whole result: once it is here, the worker is not needed for it.
    Inline,
    /// The report only describes the result. The worker keeps it until its turn comes, and then writes it where the
    /// sink's grant says.
    Commit,
}

/// The most workers of a pool: more than any machine has CPUs for.
pub const MAX_WORKERS: u32 = 4096;

/// How a pool is run.
#[derive(Debug, Clone)]
pub struct Config {
    /// How many worker processes.
    pub workers: u32,
    /// How many unreported shards a worker holds at most: one to work on and the next ones at hand. A blocked send is
    /// the other side's death or slowness, so this is kept small.
    pub credits: usize,
    /// How many shards there are at most between the input and the output.
    pub max_in_flight: usize,
    /// Whether results are released in input order, or as they come.
    pub ordered: bool,
    /// How results are delivered.
    pub delivery: Delivery,
    /// When to replace a dead worker.
    pub restart: RestartPolicy,
    /// So many workers may die while they work on the same shard.
    pub max_shard_deaths: u32,
    /// A worker that has something to do and begins no new item for so long is killed.
    pub item_timeout: Option<Duration>,
    /// A worker that reads what it needs for its first item, or writes its result, for so long is killed: a slow disk is
    /// no hung item.
    pub io_timeout: Option<Duration>,
    /// A worker is replaced after so many shards, when it can be spared.
    pub max_shards: Option<u64>,
    /// How long a worker may take from its start until it is ready.
    pub start_timeout: Duration,
    /// How long a retired worker may take to leave.
    pub drain_timeout: Duration,
}

impl Config {
    /// What suits `workers` workers.
    #[must_use]
    pub fn new(workers: u32) -> Self {
        Self {
            workers: workers.max(1),
            credits: 2,
            max_in_flight: max_in_flight_for(workers),
            ordered: true,
            delivery: Delivery::Inline,
            restart: RestartPolicy::default(),
            max_shard_deaths: 20,
            item_timeout: None,
            io_timeout: Some(IO_TIMEOUT),
            max_shards: None,
            start_timeout: Duration::from_secs(20),
            drain_timeout: Duration::from_secs(2),
        }
    }
}

/// No disk that works takes longer.
const IO_TIMEOUT: Duration = Duration::from_mins(10);

/// The black boxes are looked at this often at least, and at most.
const MAX_SAMPLE_PERIOD: Duration = Duration::from_millis(500);
const MIN_SAMPLE_PERIOD: Duration = Duration::from_millis(1);

impl Config {
    /// The shortest timeout of a worker.
    #[must_use]
    pub fn shortest_timeout(&self) -> Duration {
        let always = self.start_timeout.min(self.drain_timeout);
        let timeouts = [self.item_timeout, self.io_timeout];
        timeouts.into_iter().flatten().fold(always, Duration::min)
    }

    /// How often to look at the black boxes to notice a worker that hangs soon enough, if that is to be noticed at all.
    #[must_use]
    pub fn sample_period(&self) -> Option<Duration> {
        let timeouts = [self.item_timeout, self.io_timeout];
        timeouts.into_iter().flatten().min().map(sample_period)
    }
}

/// How often to look, to notice soon enough that this time is up.
fn sample_period(timeout: Duration) -> Duration {
    (timeout / 8).clamp(MIN_SAMPLE_PERIOD, MAX_SAMPLE_PERIOD)
}

/// The window that suits so many workers: what they hold, and as much again that waits for its turn.
pub(super) fn max_in_flight_for(workers: u32) -> usize {
    4 * workers as usize + 8
}

/// How one task is to be done, where that differs from the pool's [`Config`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TaskPolicy {
    /// Replaces [`Config::item_timeout`].
    pub timeout: Option<Duration>,
    /// How many times an item may be begun at most. The attempt after which it is quarantined is the last, whoever
    /// killed the worker, and no attempt is a trial whose result is not used. For tasks of one item and
    /// [`Delivery::Inline`]: others in the task, and a result that is not committed, are begun again. If `None`, an item on which a worker died is tried alone.
    pub max_attempts: Option<u32>,
}

impl TaskPolicy {
    /// How often to look at the black boxes for its own timeout.
    #[must_use]
    pub fn sample_period(&self) -> Option<Duration> {
        self.timeout.map(sample_period)
    }
}
