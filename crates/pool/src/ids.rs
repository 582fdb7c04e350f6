//! Names for the things that the parts of a pool talk about.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of a task in input order, from 0. The unit of dispatch is called a shard: a piece of the input that one
/// worker works through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardId(pub u64);

impl ShardId {
    /// The shard after this one.
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

/// One worker process: the slot it fills and which process in that slot it is. News of an earlier incarnation is news
/// of the dead, and is ignored.
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

/// Which items of a shard a worker is to do. What an item is, a record say, is the job's affair; it numbers them from 0
/// in an order that is the same each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// All that are not quarantined.
    All,
    /// This one alone, to see whether it kills.
    Only(u64),
}
