//! What the supervisor is told and what it answers: plain data.

use std::fmt;
use std::time::Duration;

use super::RestartPolicy;
use crate::black_box::Sample;
use crate::exit::Exit;
use crate::ids::{Scope, ShardId, WorkerId};

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
    pub window: usize,
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
            window: window_for(workers),
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
pub(super) fn window_for(workers: u32) -> usize {
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

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A worker has started its job.
    Ready(WorkerId),
    /// A worker says that its job cannot start anywhere.
    Unfit(WorkerId, String),
    /// A worker has prepared a shard.
    Prepared(WorkerId, ShardId),
    /// A worker has survived the one item it was to try.
    Tried(WorkerId, ShardId),
    /// A worker has committed a shard.
    Committed(WorkerId, ShardId),
    /// What a worker's black box shows.
    Sampled(WorkerId, Sample),
    /// A worker is dead, and everything it ever said has been handled; what its black box showed last, if it had one.
    Exited(WorkerId, Exit, Option<Sample>),
    /// The input gave the shard that an [`Action::Pull`] asked for.
    Input(TaskPolicy),
    /// The result of this shard is not wanted any more. Ignored where the shard is done or the pool is ordered.
    Cancel(ShardId),
    /// The input has ended.
    InputEnd,
    /// Have so many workers from now on.
    Resize(u32),
    /// Replace this worker when it can be spared: it has grown too large.
    Oversize(WorkerId),
    /// Replace every worker, one at a time.
    Renew,
    /// Take no more input; finish what is under way.
    Drain,
    /// End at once: something outside failed.
    Abort,
    /// Time has passed.
    Tick,
}

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Start this worker.
    Spawn(WorkerId),
    /// Take one shard from the input; answer with [`Event::Input`] or [`Event::InputEnd`].
    Pull,
    /// Send a shard to a worker, or one item of it.
    Assign(WorkerId, ShardId, Scope),
    /// From now on, send a shard without this item: so many workers died on it, the last one just now.
    Quarantine(ShardId, u64, u32),
    /// The turn of a shard has come: give its report to the sink, and with [`Delivery::Commit`] send the sink's grant
    /// to the worker that holds the result.
    Release(ShardId, WorkerId),
    /// A shard that was released before is prepared again: send its old grant to this worker.
    Regrant(ShardId, WorkerId),
    /// A shard is complete: what was kept of it can go.
    Forget(ShardId),
    /// A shard was cancelled: what was kept of it can go. It is neither released nor completed.
    Discard(ShardId),
    /// Tell a worker that nothing more will come.
    Retire(WorkerId),
    /// Kill a worker.
    Kill(WorkerId),
}

/// Why a run was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defeat {
    /// One slot's workers died again and again while nothing progressed.
    CrashLoop {
        /// How many of them, in a row.
        crashes: u32,
        /// How the last one ended.
        last: Exit,
    },
    /// Item after item killed its workers and was quarantined, and nothing else was achieved.
    QuarantineLoop {
        /// How many items in a row.
        quarantined: u32,
        /// How the last worker ended.
        last: Exit,
    },
    /// Too many workers died on one shard.
    DeadlyShard {
        /// Which one.
        shard: ShardId,
        /// How many workers.
        deaths: u32,
        /// How the last one ended.
        last: Exit,
    },
    /// The job cannot start.
    Unfit(String),
    /// An [`Event::Abort`] came.
    Aborted,
}

impl fmt::Display for Defeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrashLoop { crashes, last } => {
                write!(
                    f,
                    "{crashes} workers in a row died before they achieved anything; the last one {last}"
                )
            }
            Self::QuarantineLoop { quarantined, last } => {
                write!(
                    f,
                    "{quarantined} items in a row killed their workers and nothing else was done; the last worker {last}"
                )
            }
            Self::DeadlyShard {
                shard,
                deaths,
                last,
            } => {
                write!(f, "{deaths} workers died on {shard}; the last one {last}")
            }
            Self::Unfit(reason) => write!(f, "the workers cannot start: {reason}"),
            Self::Aborted => f.write_str("the run was aborted"),
        }
    }
}
