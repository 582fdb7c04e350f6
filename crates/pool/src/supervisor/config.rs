//! How a pool and each of its tasks are run.

use std::time::Duration;

use super::restart::RestartPolicy;

/// How a result gets from a worker to its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// In the report. Once the report has arrived, the worker may die without a loss.
    Inline,
    /// By the worker itself. The report only describes the result; the worker keeps it until the sink releases the
    /// shard, and then writes it where the sink's grant says. Large results need not pass through the supervisor.
    Commit,
}

/// The largest number of workers of a pool: more than any machine has CPUs for.
pub const MAX_WORKERS: u32 = 4096;

/// The settings of a pool; [`PoolBuilder`](crate::PoolBuilder) sets them.
#[derive(Debug, Clone)]
pub struct Config {
    /// The number of worker processes.
    pub workers: u32,
    /// The largest number of shards that a worker holds without having prepared them: the one it works on and the
    /// next ones.
    pub credits: usize,
    /// The largest number of shards that may be incomplete at a time.
    pub max_in_flight: usize,
    /// Whether results are released in input order instead of as they arrive.
    pub ordered: bool,
    /// How results are delivered.
    pub delivery: Delivery,
    /// When to replace a dead worker.
    pub restart: RestartPolicy,
    /// After this many deaths on one shard the run fails with
    /// [`RunFailure::DeadlyShard`](super::RunFailure::DeadlyShard). The count restarts when an item is quarantined.
    pub max_shard_deaths: u32,
    /// How long a worker may take for one item before it is killed; `None` means no limit.
    pub item_timeout: Option<Duration>,
    /// How long a worker may read before the first item of a shard, or write in a commit, before it is killed;
    /// `None` means no limit. It is separate because a slow disk is not a hung item.
    pub io_timeout: Option<Duration>,
    /// After how many shards a worker is replaced, once it holds nothing; `None` means never.
    pub max_shards: Option<u64>,
    /// How long a worker may take from its start until its job has started, before it is killed.
    pub start_timeout: Duration,
    /// How long a worker may take to end after it was told to leave, before it is killed.
    pub drain_timeout: Duration,
}

impl Config {
    /// Returns the default settings for `workers` workers; at least one.
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

/// Longer than any working disk takes.
const IO_TIMEOUT: Duration = Duration::from_mins(10);

/// The bounds of the period in which progress is sampled.
const MAX_SAMPLE_PERIOD: Duration = Duration::from_millis(500);
const MIN_SAMPLE_PERIOD: Duration = Duration::from_millis(1);

impl Config {
    /// Returns the shortest of the timeouts.
    #[must_use]
    pub fn shortest_timeout(&self) -> Duration {
        let always = self.start_timeout.min(self.drain_timeout);
        let timeouts = [self.item_timeout, self.io_timeout];
        timeouts.into_iter().flatten().fold(always, Duration::min)
    }

    /// Returns how often to sample the progress of workers to notice one that hangs; `None` if nothing limits their
    /// time.
    #[must_use]
    pub fn sample_period(&self) -> Option<Duration> {
        let timeouts = [self.item_timeout, self.io_timeout];
        timeouts.into_iter().flatten().min().map(sample_period)
    }
}

/// Returns how often to sample progress to notice a timeout of this length soon enough.
fn sample_period(timeout: Duration) -> Duration {
    (timeout / 8).clamp(MIN_SAMPLE_PERIOD, MAX_SAMPLE_PERIOD)
}

/// Returns how many shards to have incomplete with this many workers: what they hold, and as much again that waits.
pub(super) fn max_in_flight_for(workers: u32) -> usize {
    4 * workers as usize + 8
}

/// How one task is run, where that differs from the pool's [`Config`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TaskPolicy {
    /// Overrides [`Config::item_timeout`]; `None` leaves it.
    pub timeout: Option<Duration>,
    /// The largest number of times that an item is begun. An item whose worker died at its last attempt is
    /// quarantined, whatever killed the worker. The limit holds for tasks of one item with [`Delivery::Inline`];
    /// other items of a task, and results that are not committed, may be begun more often. If `None`, an item on
    /// which a worker died is tried alone in another worker, and quarantined if it kills that one too.
    pub max_attempts: Option<u32>,
}

impl TaskPolicy {
    /// Returns how often to sample progress for the task's own timeout; `None` if it has none.
    #[must_use]
    pub fn sample_period(&self) -> Option<Duration> {
        self.timeout.map(sample_period)
    }
}
