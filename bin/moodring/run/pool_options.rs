//! The number of workers and their limits.

use std::time::Duration;

use anyhow::anyhow;
use moodring_pool::process::WorkerCommand;
use moodring_pool::supervisor::Autoscale;
use moodring_pool::{Limits, Pool, PoolBuilder};
use moodring_record::MAX_RECORD;

use super::args::{PoolArgs, Workers};
use crate::exit::Failure;

/// What one worker may need with everything that is under way in it.
const WORKER_MEMORY: u64 = 48 << 20;

/// What a worker holds of a record while it works on it, at most, as a multiple of its size: the buffers that it is received,
/// decoded, rendered and sent in. Half of it would do: allocations fail beyond twice the limit.
const COPIES: u64 = 4;

/// What the flags of a pool mean.
#[derive(Debug)]
pub(crate) struct PoolOptions {
    /// At the beginning.
    pub(crate) workers: u32,
    /// Whether nobody chose that number.
    is_auto: bool,
    /// Between how many, if their number is to follow the work.
    range: Option<(u32, u32)>,
    record_timeout: Option<Duration>,
    io_timeout: Option<Duration>,
    max_crashes: u32,
    max_shards: Option<u64>,
    limits: Limits,
}

/// How long a worker may take for a record of a file.
pub(crate) const RECORD_TIMEOUT: Duration = Duration::from_mins(1);

impl PoolOptions {
    /// Understands the flags. A worker has `record_timeout` for a record unless they say otherwise.
    pub(crate) fn from_args(args: &PoolArgs, record_timeout: Duration) -> Self {
        Self {
            workers: worker_count(args.workers),
            is_auto: args.workers == Workers::Auto,
            range: match args.workers {
                Workers::Between(min, max) => Some((min, max)),
                Workers::Auto | Workers::Exactly(_) => None,
            },
            record_timeout: Some(args.record_timeout.unwrap_or(record_timeout))
                .filter(|timeout| !timeout.is_zero()),
            io_timeout: Some(args.io_timeout).filter(|timeout| !timeout.is_zero()),
            max_crashes: args.max_crashes,
            max_shards: args.max_shards,
            limits: Limits {
                nice: args.nice,
                pin: args.pin,
                max_memory: args.max_memory,
            },
        }
    }

    /// Starts no more workers than there are shards, unless their number was chosen: the others would have nothing to do.
    pub(crate) fn limit_to_shards(&mut self, shards: Option<u64>) {
        let most = shards.and_then(|shards| u32::try_from(shards.max(1)).ok());
        if let (true, Some(most)) = (self.is_auto, most) {
            self.workers = self.workers.min(most);
        }
    }

    /// Returns the rule for the number of workers, if it is to follow the work.
    pub(crate) fn autoscale(&self) -> Option<Autoscale> {
        self.range.map(|(min, max)| Autoscale::new(min, max))
    }

    /// Returns the size of the largest record, of which `typed` was asked for: what a worker makes of such a record fits into
    /// its memory, so that no record can end the run.
    pub(crate) fn max_record(&self, typed: Option<usize>) -> Result<usize, Failure> {
        let Some(memory) = self.limits.max_memory else {
            return Ok(typed.unwrap_or(MAX_RECORD));
        };
        let most = usize::try_from(memory / COPIES).unwrap_or(usize::MAX);
        match typed {
            Some(typed) if typed > most => Err(Failure::Usage(anyhow!(
                "a worker needs {COPIES} times the memory of a record: --max-record {typed} needs --max-memory {} at the least",
                COPIES * typed as u64
            ))),
            typed => Ok(typed.unwrap_or(MAX_RECORD.min(most))),
        }
    }

    /// Returns the builder of a pool whose workers run this program.
    pub(crate) fn builder(&self) -> PoolBuilder {
        let command = WorkerCommand::this_program("moodring", &["worker"]);
        Pool::builder(self.workers, command)
            .item_timeout(self.record_timeout)
            .io_timeout(self.io_timeout)
            .max_crashes(self.max_crashes)
            .max_shards(self.max_shards)
            .limits(self.limits)
    }
}

fn worker_count(typed: Workers) -> u32 {
    match typed {
        Workers::Exactly(count) => count,
        Workers::Between(min, _) => min,
        Workers::Auto => {
            let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            let by_memory =
                usize::try_from(available_memory() / WORKER_MEMORY).unwrap_or(usize::MAX);
            u32::try_from(cpus.min(by_memory.max(1))).unwrap_or(1)
        }
    }
}

/// The memory that this process may still take, its control group's limit respected.
fn available_memory() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else {
        return u64::MAX;
    };
    system.refresh_memory();
    let free = system.available_memory();
    match system.cgroup_limits() {
        Some(limits) => limits.free_memory.min(free),
        None => free,
    }
}
