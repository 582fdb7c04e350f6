//! Records before they are parsed, and those that cannot be.

use crate::reject_reason::RejectReason;

/// Where a record begins, relative to the start of its shard; both counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// Bytes before it.
    pub offset: u64,
    /// Lines before it.
    pub line: u64,
}

/// A record that has been framed but not parsed: its bytes are known, but not what they say.
#[derive(Debug)]
pub struct RawRecord<'a>(Result<WholeRecord<'a>, MalformedRecord<'a>>);

/// The bytes of a record that ends where it should.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WholeRecord<'a> {
    pub(crate) location: Location,
    /// The record without its terminator.
    pub(crate) raw: &'a [u8],
    /// Its terminator, where the renderer may repeat it; else empty.
    pub(crate) terminator: &'a [u8],
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedRecord<'a> {
    /// Where it begins.
    pub location: Location,
    /// The record as it stands in the source, without its terminator; or its first bytes.
    pub raw: &'a [u8],
    /// The length of the record, including the end of its last line, if `raw` is only its beginning.
    pub len: Option<u64>,
    /// If a quote is at fault: how many lines of the record come before the one in which it was opened.
    pub quote_line: Option<u64>,
    /// What is wrong with it.
    pub reason: RejectReason,
}

impl<'a> RawRecord<'a> {
    #[inline]
    pub(crate) fn whole(record: WholeRecord<'a>) -> Self {
        RawRecord(Ok(record))
    }

    pub(crate) fn malformed(record: MalformedRecord<'a>) -> Self {
        RawRecord(Err(record))
    }

    /// Returns the record's bytes, or what framing found wrong with it.
    #[inline]
    pub(crate) fn into_whole(self) -> Result<WholeRecord<'a>, MalformedRecord<'a>> {
        self.0
    }

    /// Returns where the record begins.
    #[must_use]
    pub fn location(&self) -> Location {
        match &self.0 {
            Ok(whole) => whole.location,
            Err(malformed) => malformed.location,
        }
    }

    /// Returns the record as it stands in the source, without its terminator; or its first bytes.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        match &self.0 {
            Ok(whole) => whole.raw,
            Err(malformed) => malformed.raw,
        }
    }

    /// Returns the length of the record, including the end of its last line, if [`bytes`](Self::bytes) is only its
    /// beginning.
    #[must_use]
    pub fn len_if_cut(&self) -> Option<u64> {
        self.0.as_ref().err()?.len
    }
}

impl<'a> WholeRecord<'a> {
    /// Makes it a reject.
    #[cold]
    pub(crate) fn rejected(self, reason: RejectReason) -> MalformedRecord<'a> {
        MalformedRecord {
            location: self.location,
            raw: self.raw,
            len: None,
            quote_line: None,
            reason,
        }
    }
}
