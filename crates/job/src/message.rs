//! What supervisor and worker tell each other about posts: plain data, encoded by the pool's `wire`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use moodring_record::{Fault, Layout, Malformed, OutputStyle, Place, ReasonKind};
use serde::{Deserialize, Serialize};

use crate::compress::Compression;
use crate::eval::EvalSetup;
use crate::model::Model;
use crate::tally::Tally;

/// What every worker is told once: what to do, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Setup {
    /// Score posts.
    Score(ScoreSetup),
    /// Compare scores with labels.
    Eval(EvalSetup),
}

/// How posts are scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreSetup {
    /// The models, in the order of their figures in the output. The first one says the mood.
    pub models: Vec<Model>,
    /// What stands before the names of the fields that are added.
    pub prefix: String,
    /// How scored records are rendered.
    pub output: OutputStyle,
    /// How rendered bytes are compressed, each shard as a member or frame of its own.
    pub compression: Compression,
    /// The file that workers write results into; without one they send them with the report.
    #[serde(with = "crate::path::optional")]
    pub part: Option<PathBuf>,
}

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
    pub content: Content<'a>,
    /// The rejects that were found when the shard was cut.
    pub faults: Cow<'a, [Fault]>,
    /// How many bytes of the last one come after those of the shard, as it is too long to be read.
    pub skipped: u64,
}

/// The bytes of a shard.
#[derive(Debug, Serialize, Deserialize)]
pub enum Content<'a> {
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

/// What the supervisor must know of a prepared shard.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Report<'a> {
    /// See [`Task::index`].
    pub index: u64,
    /// Which input it is from.
    pub source: u32,
    /// See [`Task::stored`].
    pub stored: u64,
    /// Where it ends in the (decompressed) input.
    pub end: u64,
    /// Bytes of (decompressed) input.
    pub bytes: u64,
    /// Records scored.
    pub records: u64,
    /// Empty lines skipped.
    pub blanks: u64,
    /// Line ends passed, which number the lines of the shards after this one.
    pub lines: u64,
    /// The number of the input's first line that is a record.
    pub first_line: u64,
    /// The moods of the scored records.
    pub tally: Tally,
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
    /// The worker keeps so many bytes until it is told where to write them.
    Kept(u64),
    /// Here they are.
    Here(#[serde(with = "serde_bytes", borrow)] &'a [u8]),
}

/// A record that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Its first byte in the (decompressed) input.
    pub offset: u64,
    /// Its line within the shard, from 0.
    pub line: u64,
    /// What is wrong with it, as a sentence; empty for a quarantined one.
    pub reason: String,
    /// What kind of fault that is; none for a quarantined one.
    pub kind: Option<ReasonKind>,
    /// The record as it stands in the input, or its first bytes.
    #[serde(with = "serde_bytes")]
    pub raw: Vec<u8>,
    /// How long it is, if `raw` is only its beginning.
    pub len: Option<u64>,
    /// The line within the shard, from 0, in which a quote was opened that is at fault.
    pub quote_line: Option<u64>,
}

impl Reject {
    /// A well-formed record at `place` of a shard that begins at `offset` of its input.
    pub(crate) fn new(offset: u64, place: Place, raw: &[u8]) -> Self {
        Self {
            offset: offset + place.offset,
            line: place.line,
            reason: String::new(),
            kind: None,
            raw: raw.to_vec(),
            len: None,
            quote_line: None,
        }
    }

    /// A record that cannot be read, of a shard that begins at `offset` of its input.
    pub(crate) fn malformed(offset: u64, malformed: &Malformed<'_>) -> Self {
        Self {
            reason: malformed.reason.to_string(),
            kind: Some(malformed.reason.kind()),
            len: malformed.len,
            quote_line: malformed.quote_line.map(|line| malformed.place.line + line),
            ..Self::new(offset, malformed.place, malformed.raw)
        }
    }
}

/// Where a worker may write the bytes it kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The offset in the part file.
    pub offset: u64,
}
