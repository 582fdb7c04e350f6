//! The ids of shards, workers and items.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of a task in input order, from 0. The unit of dispatch is called a shard: a piece of the input that one
/// worker works through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardId(pub u64);

impl ShardId {
    /// Returns the id of the next shard.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {}", self.0)
    }
}

/// The id of a worker process: the slot it fills, and how many processes filled that slot before. Messages of an
/// earlier incarnation are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkerId {
    /// The place in the pool, from 0.
    pub slot: u32,
    /// How many processes filled the slot before this one.
    pub incarnation: u32,
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {}.{}", self.slot, self.incarnation)
    }
}

/// Which items of a shard a worker is to process. The job decides what an item is, such as a record, and numbers
/// them from 0 in the same order each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// All that are not quarantined.
    All,
    /// Only this one, to see whether it kills the worker.
    Only(u64),
}
