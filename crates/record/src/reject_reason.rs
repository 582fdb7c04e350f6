//! What can be wrong with a record.

use serde::{Deserialize, Serialize};

/// What is wrong with a malformed record. Columns are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    /// The record is not UTF-8.
    #[error("bad UTF-8 at byte {column}")]
    BadUtf8 {
        /// Which of its bytes is the first bad one, counted from 1.
        column: usize,
    },
    /// The line does not hold JSON.
    #[error("bad JSON at byte {column}: {what}")]
    BadJson {
        /// Which of its bytes is the first bad one, counted from 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// The line holds something else.
    #[error("not a JSON object")]
    NotAnObject,
    /// The object lacks the text.
    #[error("the text field is missing")]
    TextMissing,
    /// The text is something else.
    #[error("the text field is {found}, not a string")]
    TextNotString {
        /// What it is.
        found: &'static str,
    },
    /// The object has a field of the name of one that is to be added.
    #[error("the record has a field `{name}` already, which would be replaced")]
    FieldTaken {
        /// The field.
        name: String,
    },
    /// The row does not fit the header.
    #[error("the row has {has} columns, the header has {header}")]
    Ragged {
        /// How many columns the row has.
        has: usize,
        /// How many columns the header has.
        header: usize,
    },
    /// A quoted field goes on after it ended.
    #[error("column {column} has text after its closing quote")]
    TextAfterQuote {
        /// The column.
        column: usize,
    },
    /// A quoted field takes the rest of the source.
    #[error("column {column} opens a quote that is never closed")]
    UnclosedQuote {
        /// The column.
        column: usize,
    },
    /// A quoted field makes its record too long.
    #[error(
        "column {column} opens a quote, and the record does not end within {limit} bytes (see --max-record)"
    )]
    QuoteTooLong {
        /// The column.
        column: usize,
        /// The longest record there may be.
        limit: usize,
    },
    /// The record is too long.
    #[error("the record does not end within {limit} bytes (see --max-record)")]
    TooLong {
        /// The longest record there may be.
        limit: usize,
    },
}

/// The kinds of reasons for which a record is rejected, to count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RejectKind {
    /// [`RejectReason::BadUtf8`].
    BadUtf8,
    /// [`RejectReason::BadJson`].
    BadJson,
    /// [`RejectReason::NotAnObject`].
    NotAnObject,
    /// [`RejectReason::TextMissing`].
    TextMissing,
    /// [`RejectReason::TextNotString`].
    TextNotString,
    /// [`RejectReason::FieldTaken`].
    FieldTaken,
    /// [`RejectReason::Ragged`].
    Ragged,
    /// [`RejectReason::TextAfterQuote`].
    TextAfterQuote,
    /// [`RejectReason::UnclosedQuote`].
    UnclosedQuote,
    /// [`RejectReason::QuoteTooLong`] or [`RejectReason::TooLong`].
    TooLong,
    /// The record does not say when it was written, or not in a way that can be read. Not found by a reader.
    Time,
    /// A model cannot score the text. Not found by a reader.
    NotScored,
}

impl RejectReason {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> RejectKind {
        match self {
            RejectReason::BadUtf8 { .. } => RejectKind::BadUtf8,
            RejectReason::BadJson { .. } => RejectKind::BadJson,
            RejectReason::NotAnObject => RejectKind::NotAnObject,
            RejectReason::TextMissing => RejectKind::TextMissing,
            RejectReason::TextNotString { .. } => RejectKind::TextNotString,
            RejectReason::FieldTaken { .. } => RejectKind::FieldTaken,
            RejectReason::Ragged { .. } => RejectKind::Ragged,
            RejectReason::TextAfterQuote { .. } => RejectKind::TextAfterQuote,
            RejectReason::UnclosedQuote { .. } => RejectKind::UnclosedQuote,
            RejectReason::QuoteTooLong { .. } | RejectReason::TooLong { .. } => RejectKind::TooLong,
        }
    }
}
