//! Where the results of a pool go.

use crate::error::BoxError;
use crate::exit::Exit;
use crate::ids::ShardId;

/// Where results go.
pub trait Sink {
    /// Takes a shard, once each: in input order if the pool is ordered. The answer is the grant for the job's
    /// [`commit`](crate::Job::commit); it is not used with [`Delivery::Inline`](crate::Delivery::Inline).
    ///
    /// # Errors
    /// Any error ends the run.
    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError>;

    /// Learns that a released shard is complete: with [`Delivery::Commit`](crate::Delivery::Commit), that its result is where its grant said.
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
