//! Why the supervisor gives a run up.

use thiserror::Error;

use crate::exit::Exit;
use crate::ids::ShardId;

/// Why a run was given up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunFailure {
    /// The workers of one slot crashed again and again while the pool made no progress; see
    /// [`RestartPolicy::max_crashes`](super::RestartPolicy::max_crashes).
    #[error("{crashes} workers in a row died before they achieved anything; the last one {last}")]
    CrashLoop {
        /// How many crashes there were in a row.
        crashes: u32,
        /// How the last worker ended.
        last: Exit,
    },
    /// Item after item killed its workers and was quarantined, and nothing else was achieved.
    #[error(
        "{quarantined} items in a row killed their workers and nothing else was done; the last worker {last}"
    )]
    QuarantineLoop {
        /// How many items were quarantined in a row.
        quarantined: u32,
        /// How the last worker ended.
        last: Exit,
    },
    /// Too many workers died on one shard; see [`Config::max_shard_deaths`](super::Config::max_shard_deaths).
    #[error("{deaths} workers died on {shard}; the last one {last}")]
    DeadlyShard {
        /// The shard.
        shard: ShardId,
        /// How many workers died on it.
        deaths: u32,
        /// How the last of them ended.
        last: Exit,
    },
    /// A worker reported that the job cannot start, for this reason.
    #[error("the workers cannot start: {0}")]
    StartupFailed(String),
    /// [`Control::abort`](crate::Control::abort) was called, or something outside the supervisor failed.
    #[error("the run was aborted")]
    Aborted,
}
