//! Cutting bytes as they come into pieces of whole records.

use std::sync::Arc;

use moodring_record::{Boundary, Framer, FramingError, Layout};
use moodring_window::Timestamp;

use crate::segment::{Position, Segment};

/// The most bytes of a piece that holds more than one record.
pub(crate) const MAX_BYTES: usize = 256 << 10;

/// The most records of a piece: as many as a block takes.
pub(crate) const MAX_RECORDS: u32 = 512;

/// How much room a reader gets at a time.
const ROOM: usize = 1 << 20;

/// How much is kept of the bytes at the start of a source, and of those that were last passed.
pub(crate) const TRACE_LEN: usize = 1 << 10;

/// Whole records, at least one: no more than 512 of them and 256 KiB, or a single one.
#[derive(Debug)]
pub(crate) struct Piece {
    /// From the start of the first record to the end of the last one. Empty for a reject beyond the record limit.
    pub(crate) bytes: Vec<u8>,
    /// The rejects among them that framing found.
    pub(crate) framing_errors: Vec<FramingError>,
    /// How many there are, with blank lines.
    pub(crate) records: u32,
    /// Where they begin in the source.
    pub(crate) offset: u64,
    /// Where the next piece begins in the source.
    pub(crate) end: u64,
}

impl Piece {
    pub(crate) fn into_segment(
        self,
        layout: &Arc<Layout>,
        arrival: Timestamp,
        position: Option<Position>,
    ) -> Segment {
        Segment {
            layout: Arc::clone(layout),
            bytes: self.bytes,
            framing_errors: self.framing_errors,
            records: self.records,
            offset: self.offset,
            arrival,
            position,
            key: None,
        }
    }
}

/// The bytes that have been read of a source and not yet been cut. Holds at most the longest record and one reading.
#[derive(Debug)]
pub(crate) struct RecordBuffer {
    layout: Arc<Layout>,
    framer: Framer,
    bytes: Vec<u8>,
    /// The part of `bytes` that is in use.
    start: usize,
    end: usize,
    /// Where `start` is in the source.
    offset: u64,
    /// The reject beyond the record limit whose end has not been found.
    oversized: Option<FramingError>,
    trace: Trace,
}

/// The first bytes of a source, and the last ones before its next piece, to recognize it by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    /// At most [`TRACE_LEN`].
    pub(crate) head: Vec<u8>,
    /// At most [`TRACE_LEN`].
    pub(crate) tail: Vec<u8>,
}

impl Trace {
    /// Adds the bytes that come next.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        let missing = TRACE_LEN - self.head.len();
        self.head
            .extend_from_slice(&bytes[..missing.min(bytes.len())]);
        let last = &bytes[bytes.len().saturating_sub(TRACE_LEN)..];
        let kept = self.tail.len().min(TRACE_LEN - last.len());
        self.tail.drain(..self.tail.len() - kept);
        self.tail.extend_from_slice(last);
    }
}

impl RecordBuffer {
    /// A buffer of a source whose bytes from `offset` on will be read. A record begins there, and `trace` is of what is
    /// before it.
    pub(crate) fn new(layout: Arc<Layout>, offset: u64, trace: Trace) -> RecordBuffer {
        RecordBuffer {
            framer: Framer::new(&layout, offset),
            layout,
            bytes: Vec::new(),
            start: 0,
            end: 0,
            offset,
            oversized: None,
            trace,
        }
    }

    pub(crate) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Where the next piece begins in the source.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the bytes begin that have not been read.
    pub(crate) fn read_offset(&self) -> u64 {
        self.offset + (self.end - self.start) as u64
    }

    /// The bytes that have been read and not been cut.
    pub(crate) fn uncut(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Room for the bytes at [`read_offset`](Self::read_offset); tell [`filled`](Self::filled) how much of it was used.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.start > 0 && self.bytes.len() - self.end < ROOM {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let wanted = self.end + ROOM;
        // It grows by half, and what a long record needed is given back.
        if self.bytes.len() < wanted || self.bytes.len() > 2 * wanted {
            let mut bytes = vec![0; wanted + self.end / 2];
            bytes[..self.end].copy_from_slice(&self.bytes[..self.end]);
            self.bytes = bytes;
        }
        &mut self.bytes[self.end..wanted]
    }

    pub(crate) fn filled(&mut self, len: usize) {
        self.end += len;
    }

    /// Passes over bytes that belong to no record.
    pub(crate) fn skip(&mut self, len: usize) {
        self.consume(len);
        self.framer = Framer::new(&self.layout, self.offset);
    }

    /// The next piece of whole records, if there is one. `ended` says that nothing comes after what has been read, so that
    /// what is left is a record too.
    pub(crate) fn next_piece(&mut self, ended: bool) -> Option<Piece> {
        if self.oversized.is_some() {
            return self.pass_oversized(ended);
        }
        let (mut len, mut records) = (0, 0);
        while records < MAX_RECORDS {
            let window = &self.bytes[self.start..self.end];
            match self.framer.next(window, ended, len + 1) {
                Boundary::End(end) if end > MAX_BYTES && len > 0 => {
                    return Some(self.cut_at(len, records));
                }
                Boundary::End(end) if end > len => (len, records) = (end, records + 1),
                Boundary::Oversized(_) if len == 0 => {
                    self.oversized = Some(self.framer.oversized(window));
                    return self.pass_oversized(ended);
                }
                Boundary::End(_) | Boundary::Oversized(_) | Boundary::NeedMore => break,
            }
        }
        if len == 0 {
            return None;
        }
        self.framer.discard(len);
        let framing_errors = self.framer.take_errors();
        Some(self.take(len, records, framing_errors))
    }

    /// A piece that ends before the record that the framer has found last. That one is framed anew.
    fn cut_at(&mut self, len: usize, records: u32) -> Piece {
        let end = self.offset + len as u64;
        let mut framing_errors = self.framer.take_errors();
        framing_errors.retain(|error| error.offset < end);
        self.framer = Framer::new(&self.layout, end);
        self.take(len, records, framing_errors)
    }

    fn take(&mut self, len: usize, records: u32, framing_errors: Vec<FramingError>) -> Piece {
        let offset = self.offset;
        let bytes = self.bytes[self.start..self.start + len].to_vec();
        self.consume(len);
        Piece {
            bytes,
            framing_errors,
            records,
            offset,
            end: self.offset,
        }
    }

    /// Passes over a reject beyond the record limit, as far as it has been read; a piece of its own once its end is found.
    fn pass_oversized(&mut self, ended: bool) -> Option<Piece> {
        let mut error = self.oversized.take()?;
        // Its known part, in which no line end counts, is still in the buffer at the first call.
        let passed = self.offset - error.offset;
        let known = usize::try_from(error.len - passed).unwrap_or(usize::MAX);
        let uncut = self.uncut();
        let known = known.min(uncut.len());
        let newline = memchr::memchr(b'\n', &uncut[known..]);
        let len = newline.map_or(uncut.len(), |newline| known + newline + 1);
        self.consume(len);
        error.len = self.offset - error.offset;
        if newline.is_none() && !ended {
            self.oversized = Some(error);
            return None;
        }
        self.framer = Framer::new(&self.layout, self.offset);
        Some(Piece {
            bytes: Vec::new(),
            offset: error.offset,
            framing_errors: vec![error],
            records: 1,
            end: self.offset,
        })
    }

    fn consume(&mut self, len: usize) {
        self.trace.pass(&self.bytes[self.start..self.start + len]);
        self.start += len;
        self.offset += len as u64;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }
}
