//! The messages of a run that scores posts.

use std::path::PathBuf;

use moodring_codec::Compression;
use moodring_record::OutputStyle;
use serde::{Deserialize, Serialize};

use super::reject::Reject;
use super::rows::{RowRules, Rows, TextRules};
use crate::findings::Findings;
use crate::model::Model;

/// How posts are scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreSetup {
    /// The models, in the order of their scores in the output. The first one decides the sentiment class.
    pub models: Vec<Model>,
    /// What stands before the names of the fields that are added.
    pub prefix: String,
    /// How scored records are rendered.
    pub output: OutputStyle,
    /// Which texts are scored, and what of them.
    pub texts: TextRules,
    /// How scored posts become rows for windows, if the run makes any.
    pub rows: Option<RowRules>,
    /// How rendered bytes are compressed, each shard as a member or frame of its own.
    pub compression: Compression,
    /// The file that workers write results into; without one they send them with the report.
    #[serde(with = "crate::path::optional")]
    pub part: Option<PathBuf>,
}

/// What the supervisor must know of a prepared shard.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Report<'a> {
    /// See [`Task::index`](crate::Task::index).
    pub index: u64,
    /// Which input it is from.
    pub source: u32,
    /// See [`Task::stored`](crate::Task::stored).
    pub stored: u64,
    /// Where it ends in the (decompressed) input.
    pub end: u64,
    /// Bytes of (decompressed) input.
    pub bytes: u64,
    /// Records scored.
    pub records: u64,
    /// Records that were left out, as they are in another language or have none of the tracked terms.
    pub filtered: u64,
    /// Empty lines skipped.
    pub blanks: u64,
    /// Line ends passed, which number the lines of the shards after this one.
    pub lines: u64,
    /// The number of the input's first line that is a record.
    pub first_line: u64,
    /// What the scored records show.
    pub findings: Findings,
    /// The scored records as rows, if the run makes windows of them.
    #[serde(borrow)]
    pub rows: Option<Rows<'a>>,
    /// The records that could not be read.
    pub rejects: Vec<Reject>,
    /// The records that were left out because workers died on them, in order; the pool knows the reasons.
    pub quarantined: Vec<Reject>,
    /// The CRC-32 of the rendered bytes, if the worker keeps them.
    pub checksum: u32,
    /// The rendered bytes, or how many there are.
    #[serde(borrow)]
    pub output: Delivered<'a>,
}

/// How the rendered bytes of a shard travel.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum Delivered<'a> {
    /// The worker keeps this many bytes and writes them itself once it has a [`Grant`].
    Deferred(u64),
    /// The bytes are in the report.
    Inline(#[serde(with = "serde_bytes", borrow)] &'a [u8]),
}

/// Where a worker may write the bytes it kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The offset in the part file.
    pub offset: u64,
}
