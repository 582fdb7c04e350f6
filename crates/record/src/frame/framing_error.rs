//! Records whose end cannot be found.

use serde::{Deserialize, Serialize};

use crate::reject_reason::RejectReason;

/// How many bytes of a long reject are kept.
pub(crate) const EXCERPT_LEN: usize = 1 << 10;

/// A record whose end cannot be found. It becomes a reject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FramingError {
    /// Where it begins in the (decompressed) source.
    pub offset: u64,
    /// How many bytes it has, with the end of its last line.
    pub len: u64,
    /// How many lines it has.
    pub lines: u64,
    /// How many lines of it come before the one in which the quote was opened.
    pub quote_line: u64,
    /// The column that the quote opens, counted from 1; `None` if no quote is at fault.
    pub column: Option<u64>,
    /// What is wrong.
    pub kind: FramingErrorKind,
    /// The first bytes of a record that is longer than the limit; empty for others, whose shard has the bytes.
    pub excerpt: Vec<u8>,
}

/// What is wrong with a record whose end cannot be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FramingErrorKind {
    /// Something other than a delimiter or a line end follows a closing quote.
    TextAfterQuote,
    /// The source ends inside quotes.
    UnclosedQuote,
    /// The record does not end within the limit.
    TooLong,
}

impl FramingError {
    /// Returns the error of a line that is longer than the limit. `bytes` is its beginning and longer than the limit.
    #[must_use]
    pub fn long_line(offset: u64, len: u64, bytes: &[u8], limit: usize) -> FramingError {
        FramingError {
            offset,
            len,
            lines: 1,
            quote_line: 0,
            column: None,
            kind: FramingErrorKind::TooLong,
            excerpt: bytes[..bytes.len().min(limit).min(EXCERPT_LEN)].to_vec(),
        }
    }

    pub(crate) fn reason(&self, limit: usize) -> RejectReason {
        let column = self
            .column
            .map_or(0, |column| usize::try_from(column).unwrap_or(usize::MAX));
        match self.kind {
            FramingErrorKind::TextAfterQuote => RejectReason::TextAfterQuote { column },
            FramingErrorKind::UnclosedQuote => RejectReason::UnclosedQuote { column },
            FramingErrorKind::TooLong if column > 0 => RejectReason::QuoteTooLong { column, limit },
            FramingErrorKind::TooLong => RejectReason::TooLong { limit },
        }
    }
}
