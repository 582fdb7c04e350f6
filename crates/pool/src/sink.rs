//! The destination of a pool's results.

use crate::error::BoxError;
use crate::exit::Exit;
use crate::ids::ShardId;

/// The destination of a pool's results.
///
/// All methods are called in the thread that called [`Pool::run`](crate::Pool::run), one at a time. While a call
/// blocks, workers finish what they hold, but they get no new tasks, dead ones are not restarted, and no worker is
/// killed for a timeout: the time of the call does not count.
///
/// An error from any method ends the run with [`PoolError::Sink`](crate::PoolError::Sink) and kills all workers.
/// Calls that were due at the same moment may still follow it. A panic kills all workers and unwinds out of
/// `Pool::run`.
pub trait Sink {
    /// Takes the result of a shard.
    ///
    /// Called exactly once for each shard that is not cancelled: in input order if the pool is ordered, otherwise
    /// in the order in which results arrive. If a worker dies afterwards, its shard is prepared again, but not
    /// released again.
    ///
    /// With [`Delivery::Commit`](crate::Delivery::Commit), the returned bytes are the grant that the worker passes to
    /// [`Job::commit`](crate::Job::commit). With [`Delivery::Inline`](crate::Delivery::Inline) they are ignored.
    ///
    /// # Errors
    /// Any error ends the run.
    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError>;

    /// Learns that a shard is complete.
    ///
    /// Called exactly once after each [`release`](Self::release), in any order: with
    /// [`Delivery::Inline`](crate::Delivery::Inline) right after it, with
    /// [`Delivery::Commit`](crate::Delivery::Commit) when a worker has committed the result. The default does
    /// nothing.
    ///
    /// # Errors
    /// Any error ends the run.
    fn complete(&mut self, shard: ShardId) -> Result<(), BoxError> {
        let _ = shard;
        Ok(())
    }

    /// Learns that a shard was cancelled. It is neither released nor completed. Only pools of
    /// [typed calls](crate::typed) cancel shards. The default does nothing.
    ///
    /// # Errors
    /// Any error ends the run.
    fn cancelled(&mut self, shard: ShardId) -> Result<(), BoxError> {
        let _ = shard;
        Ok(())
    }
}

/// The result of a shard, as [`Sink::release`] gets it.
#[derive(Debug)]
pub struct Released<'a> {
    /// The shard.
    pub shard: ShardId,
    /// What [`Job::prepare`](crate::Job::prepare) appended to its report.
    pub report: &'a [u8],
    /// The items that were left out because workers died on them, in ascending order.
    pub quarantined: &'a [Quarantined],
}

/// An item that was left out because workers died on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The number of the item in its shard, from 0.
    pub item: u64,
    /// How the last of the workers ended.
    pub exit: Exit,
    /// How many workers died on it.
    pub attempts: u32,
    /// The end of what the last of the workers wrote to standard error: 2 KiB at most.
    pub last_words: String,
}
