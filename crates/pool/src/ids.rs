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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// How many workers died while they worked on a shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt(pub u32);
