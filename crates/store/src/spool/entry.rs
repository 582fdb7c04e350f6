//! What goes into a spool and comes out of it.

use std::sync::Arc;

use super::error::SpoolError;

/// Records that are to be kept until they are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// What is needed to understand the records, such as their layout: bytes of the caller. Entries that have the same one
    /// share it on the disk.
    pub context: Arc<[u8]>,
    /// When they arrived, in microseconds.
    pub arrival: i64,
    /// The request that brought them.
    pub key: Option<u128>,
    /// The records, as bytes of the caller.
    pub bytes: Vec<u8>,
}

/// An entry that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, counted from 0 without a gap.
    pub number: u64,
    /// See [`NewEntry::context`].
    pub context: Arc<[u8]>,
    /// When it arrived, in microseconds.
    pub arrival: i64,
    /// The request that brought it.
    pub key: Option<u128>,
    /// The records.
    pub bytes: Vec<u8>,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is on the disk, with this number.
    Stored(u64),
    /// A request with its key was taken before, and is on the disk. It was not taken again.
    Repeated,
}

/// An entry that could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Failed {
    /// What went wrong.
    pub error: SpoolError,
    /// The entry, which may be appended again.
    pub entry: NewEntry,
}

/// Called by the thread that writes once it is known what became of an entry. It must not block, nor panic.
pub type OnDurable = Box<dyn FnOnce(Result<Appended, Failed>) + Send>;

/// An entry that was not taken, and why.
pub struct NotTaken {
    /// Why.
    pub why: Refusal,
    /// The entry.
    pub entry: NewEntry,
    /// What would have been called.
    pub on_durable: OnDurable,
}

impl std::fmt::Debug for NotTaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NotTaken")
            .field("why", &self.why)
            .finish_non_exhaustive()
    }
}

/// Why an entry was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no room at present.
    #[error("the spool is full")]
    NoRoom,
    /// It is larger than an entry may ever be.
    #[error("an entry of {len} bytes is too large for the spool, whose limit is {max}")]
    TooLarge {
        /// How many bytes it has.
        len: usize,
        /// How many it may have.
        max: usize,
    },
    /// The spool is closed, or the thread that writes is gone.
    #[error(transparent)]
    Broken(#[from] SpoolError),
}
