//! Records on their way from a source into a stream.

use std::sync::Arc;

use moodring_record::{FramingError, Layout};
use moodring_window::{Timestamp, stable_hash};
use serde::{Deserialize, Serialize};

/// Where a source stands: everything before it has been delivered. Its source alone knows what it means.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// What `offset` counts in, such as the identity of a file as JSON. Bounded by the source to a few hundred bytes.
    pub context: String,
    /// How far the source is within the context. Grows with each segment of one context.
    pub offset: u64,
}

/// The client's key for a request that it may send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub u128);

impl IdempotencyKey {
    /// The key that a client wrote, as 128 bits of two independent hashes.
    #[must_use]
    pub fn of(key: &[u8]) -> Self {
        let mut salted = Vec::with_capacity(key.len() + 1);
        salted.push(0);
        salted.extend_from_slice(key);
        let high = u128::from(stable_hash(&salted));
        Self(high << 64 | u128::from(stable_hash(key)))
    }
}

/// Whole records of one source, at least one. Small enough to be folded as a whole: at most 256 KiB, or a single record.
#[derive(Debug, Clone)]
pub struct Segment {
    /// How the records lie in the bytes.
    pub layout: Arc<Layout>,
    /// The records, from the start of the first one to the end of the last one.
    pub bytes: Vec<u8>,
    /// The rejects that were found while the records were framed, with offsets as [`Segment::offset`] counts them.
    pub framing_errors: Vec<FramingError>,
    /// How many records there are; blank lines may be counted too.
    pub records: u32,
    /// Where the bytes begin in the (decompressed) source, for the places of rejects.
    pub offset: u64,
    /// When they arrived.
    pub arrival: Timestamp,
    /// Where the source stands once these records are counted. `None` if it has no position of its own.
    pub position: Option<Position>,
    /// The request that brought them, if the client named it.
    pub key: Option<IdempotencyKey>,
}
