//! The messages of a run that folds posts as they come.

use std::borrow::Cow;

use moodring_record::{FramingError, Layout, OutputStyle};
use moodring_window::Timestamp;
use serde::{Deserialize, Serialize};

use super::reject::Reject;
use super::rows::{RowRules, Rows, TextRules};
use crate::model::Model;

/// How posts become rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveSetup {
    /// The models. Rows have the score of the first one; the others are in the rendered records only.
    pub models: Vec<Model>,
    /// Which texts are scored, and what of them.
    pub texts: TextRules,
    /// How they become rows.
    pub rows: RowRules,
    /// How scored records are rendered, if the run writes them.
    pub rendering: Option<Rendering>,
}

/// How scored records are rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rendering {
    /// What stands before the names of the fields that are added.
    pub prefix: String,
    /// The style.
    pub style: OutputStyle,
}

/// A block: segments of any sources, in the order in which they are folded.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct LiveTask<'a> {
    /// How records lie in their bytes, each layout once.
    pub layouts: Vec<Cow<'a, Layout>>,
    /// The segments.
    #[serde(borrow)]
    pub segments: Vec<LiveSegment<'a>>,
}

/// Whole records of one source.
#[derive(Debug, Serialize, Deserialize)]
pub struct LiveSegment<'a> {
    /// Which source it is from: an index into [`RowRules::sources`].
    pub source: u32,
    /// Whether posts come as they are written. If so, a post without an event time has the time of its arrival, and one
    /// from the future is clamped to it.
    pub is_live: bool,
    /// When the records arrived.
    pub arrival: Timestamp,
    /// Where the bytes begin in the source.
    pub offset: u64,
    /// The layout: an index into [`LiveTask::layouts`].
    pub layout: u32,
    /// The records.
    #[serde(with = "serde_bytes", borrow)]
    pub bytes: &'a [u8],
    /// The rejects that were found when the records were framed.
    pub framing_errors: Cow<'a, [FramingError]>,
}

/// What came of a block.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LiveReport<'a> {
    /// The scored posts of all segments, one segment after another.
    #[serde(borrow)]
    pub rows: Rows<'a>,
    /// What came of each segment, in their order.
    pub segments: Vec<LiveCounts>,
    /// The rendered records of all rows, one after another, if the run writes them.
    #[serde(with = "serde_bytes", borrow)]
    pub rendered: &'a [u8],
    /// Where the record of each row ends in [`rendered`](Self::rendered); empty if the run writes none.
    pub ends: Vec<u32>,
}

/// What came of a segment. Each of its records is a row, filtered, a reject, or quarantined.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LiveCounts {
    /// How many of the rows are its own.
    pub rows: u32,
    /// How many posts are in another language or have none of the tracked terms.
    pub filtered: u64,
    /// How many of the rows have the time of their arrival, as theirs was in the future.
    pub clamped: u64,
    /// The records that could not be read.
    pub rejects: Vec<Reject>,
    /// The records that were left out because workers died on them, in order; the pool knows the reasons.
    pub quarantined: Vec<Reject>,
}
