//! A record that is not scored, as it travels to the supervisor.

use moodring_record::{Location, MalformedRecord, Post, RawRecord, RejectKind};
use serde::{Deserialize, Serialize};

/// Why a well-formed record cannot be used: it has no time, or a model cannot score it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// What is wrong, as a sentence.
    pub(crate) reason: String,
    /// What kind of fault that is.
    pub(crate) kind: RejectKind,
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
    pub kind: Option<RejectKind>,
    /// The record as it stands in the input, or its first bytes.
    #[serde(with = "serde_bytes")]
    pub raw: Vec<u8>,
    /// How long it is, if `raw` is only its beginning.
    pub len: Option<u64>,
    /// The line within the shard, from 0, in which a quote was opened that is at fault.
    pub quote_line: Option<u64>,
}

impl Reject {
    /// A record on which workers died, of a shard that begins at `offset` of its input.
    pub(crate) fn quarantined(offset: u64, record: &RawRecord<'_>) -> Self {
        Self {
            offset: offset + record.location().offset,
            line: record.location().line,
            reason: String::new(),
            kind: None,
            raw: record.bytes().to_vec(),
            len: record.len_if_cut(),
            quote_line: None,
        }
    }

    /// A record that cannot be parsed, of a shard that begins at `offset` of its input.
    pub(crate) fn malformed(offset: u64, malformed: &MalformedRecord<'_>) -> Self {
        let Location { offset: at, line } = malformed.location;
        Self {
            offset: offset + at,
            line,
            reason: malformed.reason.to_string(),
            kind: Some(malformed.reason.kind()),
            raw: malformed.raw.to_vec(),
            len: malformed.len,
            quote_line: malformed.quote_line.map(|quote| line + quote),
        }
    }

    /// A record that cannot be used, of a shard that begins at `offset` of its input.
    pub(crate) fn unfit(offset: u64, post: &Post<'_>, unfit: Unfit) -> Self {
        let Location { offset: at, line } = post.location();
        Self {
            offset: offset + at,
            line,
            reason: unfit.reason,
            kind: Some(unfit.kind),
            raw: post.raw().to_vec(),
            len: None,
            quote_line: None,
        }
    }
}
