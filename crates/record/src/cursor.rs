//! Walks the bytes of a shard from record to record.

use memchr::memchr;

use crate::frame::{Boundary, EXCERPT_LEN, Framer, Framing, FramingError};
use crate::raw_record::{Location, MalformedRecord, RawRecord, WholeRecord};
use crate::reject_reason::RejectReason;

/// The bytes of a shard, and how far they have been read.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    /// The bytes as text, if all of them are UTF-8, as they almost always are. Checking them at once is fastest.
    text: Option<&'a str>,
    at: usize,
    lines: u64,
    blanks: u64,
    /// The longest record, in bytes with its line end.
    limit: usize,
    /// The framing errors that were found when the shard was cut and have not been passed.
    known_errors: &'a [FramingError],
    /// Where the shard begins in the source.
    offset: u64,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(
        bytes: &'a [u8],
        limit: usize,
        offset: u64,
        known_errors: &'a [FramingError],
    ) -> Self {
        Cursor {
            bytes,
            text: simdutf8::basic::from_utf8(bytes).ok(),
            at: 0,
            lines: 0,
            blanks: 0,
            limit,
            known_errors,
            offset,
        }
    }

    /// Returns how many line ends have been passed.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Returns how many empty lines have been skipped.
    pub(crate) fn blanks(&self) -> u64 {
        self.blanks
    }

    /// Returns the longest record, in bytes with its line end.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Returns where the next record begins.
    pub(crate) fn location(&self) -> Location {
        Location {
            offset: self.at as u64,
            line: self.lines,
        }
    }

    /// Returns the bytes that have not been passed.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Passes the next record, of this many bytes and lines.
    pub(crate) fn pass(&mut self, len: usize, lines: u64) {
        self.at += len;
        self.lines += lines;
    }

    /// Returns the next line that is not blank, without its terminator; `None` at the end of the shard.
    #[inline]
    pub(crate) fn next_line(&mut self, is_blank: impl Fn(&[u8]) -> bool) -> Option<RawRecord<'a>> {
        loop {
            let location = self.location();
            let rest = self.rest();
            let line = match memchr(b'\n', rest) {
                Some(newline) => &rest[..=newline],
                None if rest.is_empty() => return self.next_known_error(),
                None => rest,
            };
            self.pass(line.len(), 1);
            if line.len() > self.limit {
                return Some(self.long_line(location, line));
            }
            let raw = &line[..line.len() - terminator(line).len()];
            if !is_blank(raw) {
                return Some(RawRecord::whole(WholeRecord {
                    location,
                    raw,
                    terminator: b"",
                }));
            }
            self.blanks += 1;
        }
    }

    /// Passes empty lines.
    pub(crate) fn skip_empty_lines(&mut self) {
        let rest = self.rest();
        let mut after = rest;
        while let [b'\n', behind @ ..] | [b'\r', b'\n', behind @ ..] = after {
            self.lines += 1;
            self.blanks += 1;
            after = behind;
        }
        self.at += rest.len() - after.len();
    }

    /// Returns and passes the framing error that was found here when the shard was cut.
    #[inline]
    pub(crate) fn next_known_error(&mut self) -> Option<RawRecord<'a>> {
        // Almost no shard has any.
        if self.known_errors.is_empty() {
            return None;
        }
        self.known_error_here()
    }

    #[cold]
    fn known_error_here(&mut self) -> Option<RawRecord<'a>> {
        let (error, others) = self.known_errors.split_first()?;
        if error.offset != self.offset + self.at as u64 {
            return None;
        }
        self.known_errors = others;
        let mut malformed = self.malformed(error);
        if !error.excerpt.is_empty() {
            malformed.raw = within_characters(&error.excerpt);
        }
        Some(RawRecord::malformed(malformed))
    }

    /// Returns and passes the framing error at the start of the bytes that have not been passed.
    #[cold]
    pub(crate) fn next_error(&mut self, framing: Framing) -> RawRecord<'a> {
        let error = first_error(framing, self.limit, self.rest());
        RawRecord::malformed(self.malformed(&error))
    }

    #[cold]
    fn long_line(&self, location: Location, line: &'a [u8]) -> RawRecord<'a> {
        let (raw, len) = excerpt(line, line.len() as u64, self.limit);
        RawRecord::malformed(MalformedRecord {
            location,
            raw,
            len,
            quote_line: None,
            reason: RejectReason::TooLong { limit: self.limit },
        })
    }

    /// Passes a framing error.
    fn malformed(&mut self, error: &FramingError) -> MalformedRecord<'a> {
        let (location, rest) = (self.location(), self.rest());
        let len = usize::try_from(error.len).unwrap_or(usize::MAX);
        let record = &rest[..len.min(rest.len())];
        self.pass(record.len(), error.lines);
        let (raw, len) = excerpt(record, error.len, self.limit);
        MalformedRecord {
            location,
            raw,
            len,
            quote_line: error.column.map(|_| error.quote_line),
            reason: error.reason(self.limit),
        }
    }

    /// Returns a record of this shard as text.
    #[inline]
    pub(crate) fn text_of(&self, raw: &'a [u8]) -> Result<&'a str, RejectReason> {
        if let Some(text) = self.text {
            let start = raw.as_ptr().addr() - self.bytes.as_ptr().addr();
            return Ok(&text[start..start + raw.len()]);
        }
        simdutf8::compat::from_utf8(raw).map_err(|error| {
            let column = error.valid_up_to() + 1;
            RejectReason::BadUtf8 { column }
        })
    }
}

/// Returns the terminator that `bytes` end with: `\r\n`, `\n` or none.
fn terminator(bytes: &[u8]) -> &[u8] {
    let len = match bytes {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    };
    &bytes[bytes.len() - len..]
}

/// Returns the framing error at the start of the rest of a source.
fn first_error(framing: Framing, limit: usize, rest: &[u8]) -> FramingError {
    let mut framer = Framer::with(framing, limit, 0);
    let boundary = framer.next(rest, true, 1);
    if let Some(error) = framer.take_errors().into_iter().next() {
        return error;
    }
    debug_assert!(matches!(boundary, Boundary::Oversized(0)), "{boundary:?}");
    let mut error = framer.oversized(rest);
    let known = usize::try_from(error.len).unwrap_or(usize::MAX);
    let end = memchr(b'\n', &rest[known..]);
    error.len = end.map_or(rest.len(), |end| known + end + 1) as u64;
    error.excerpt.clear();
    error
}

/// Returns the bytes that are kept of a record of this length, and that length if they are not all.
fn excerpt(record: &[u8], len: u64, limit: usize) -> (&[u8], Option<u64>) {
    if len > limit as u64 {
        let kept = record.len().min(limit).min(EXCERPT_LEN);
        return (within_characters(&record[..kept]), Some(len));
    }
    let raw = &record[..record.len() - terminator(record).len()];
    match raw.get(..EXCERPT_LEN) {
        Some(kept) if kept.len() < raw.len() => (within_characters(kept), Some(len)),
        _ => (raw, None),
    }
}

/// Removes the start of a character at the end.
fn within_characters(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    }
}
