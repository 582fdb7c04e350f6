//! One shard of the input, as the supervisor hands it to a worker.

use std::borrow::Cow;
use std::path::Path;

use moodring_record::{FramingError, Layout};
use serde::{Deserialize, Serialize};

/// One shard of the input.
#[derive(Debug, Serialize, Deserialize)]
pub struct Task<'a> {
    /// Its number in the run, which is the same each time the inputs are cut in the same way; handed back.
    pub index: u64,
    /// Which input it is from.
    pub source: u32,
    /// How that input's records lie in its bytes.
    pub layout: Layout,
    /// How much of the input, as stored, this shard stands for; handed back for the progress display.
    pub stored: u64,
    /// Where the bytes are.
    #[serde(borrow)]
    pub content: TaskContent<'a>,
    /// The rejects that were found when the shard was cut.
    pub framing_errors: Cow<'a, [FramingError]>,
    /// How many bytes of the last one come after those of the shard, as it is too long to be read.
    pub skipped: u64,
}

/// The bytes of a shard.
#[derive(Debug, Serialize, Deserialize)]
pub enum TaskContent<'a> {
    /// A range of a file, which the worker reads itself. Of a line-cut layout it holds each line that starts in it.
    Range {
        /// The file.
        #[serde(with = "crate::path::borrowed", borrow)]
        path: &'a Path,
        /// Its first byte.
        start: u64,
        /// The byte after its last.
        end: u64,
    },
    /// Whole records.
    Block {
        /// Where they begin in the (decompressed) input.
        offset: u64,
        /// The records.
        #[serde(with = "serde_bytes", borrow)]
        bytes: &'a [u8],
    },
}
