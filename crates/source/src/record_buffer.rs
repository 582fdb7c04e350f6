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

#[cfg(test)]
mod tests {
    use moodring_record::{Format, Reader};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::style;

    const FORMATS: [Format; 3] = [Format::Text, Format::Jsonl, Format::Csv];

    /// The records of a source, read as a whole, with what is wrong with them and where they begin.
    fn records(
        layout: &Layout,
        bytes: &[u8],
        offset: u64,
        errors: &[FramingError],
    ) -> Vec<(u64, String)> {
        let mut reader = Reader::of_shard(layout, bytes, offset, errors);
        let mut found = Vec::new();
        while let Some(record) = reader.next_raw() {
            let at = offset + record.location().offset;
            let len = record.len_if_cut();
            found.push((
                at,
                format!("{:?} {len:?}", record.bytes().escape_ascii().to_string()),
            ));
        }
        found
    }

    proptest! {
        #[test]
        fn pieces_hold_the_records_of_the_whole_however_the_bytes_come(
            format in prop::sample::select(&FORMATS[..]),
            body in "[ab\",\r\n]{0,400}",
            max_record in 2_usize..60,
            steps in prop::collection::vec(1_usize..50, 1..20),
        ) {
            let content = match format {
                Format::Csv => format!("text,time\n{body}"),
                _ => body,
            };
            let mut style = style(format);
            style.reading.max_record = max_record;
            let layout = Arc::new(style.layout(content.as_bytes(), true).unwrap().unwrap());
            let start = usize::try_from(layout.body_start()).unwrap();
            let body = &content.as_bytes()[start..];

            let mut buffer = RecordBuffer::new(Arc::clone(&layout), layout.body_start(), Trace::default());
            let (mut found, mut next) = (Vec::new(), layout.body_start());
            let mut take = |buffer: &mut RecordBuffer, ended| {
                while let Some(piece) = buffer.next_piece(ended) {
                    prop_assert_eq!(piece.offset, next);
                    next = piece.end;
                    prop_assert_eq!(next, buffer.offset());
                    prop_assert!(piece.records > 0);
                    found.extend(records(&layout, &piece.bytes, piece.offset, &piece.framing_errors));
                }
                Ok(())
            };
            let mut rest = body;
            for step in steps.iter().cycle() {
                let (piece, after) = rest.split_at((*step).min(rest.len()));
                if piece.is_empty() {
                    break;
                }
                buffer.room()[..piece.len()].copy_from_slice(piece);
                buffer.filled(piece.len());
                take(&mut buffer, false)?;
                rest = after;
            }
            take(&mut buffer, true)?;
            let whole = records(&layout, body, layout.body_start(), &[]);
            prop_assert_eq!(found, whole);
            prop_assert_eq!(buffer.offset(), content.len() as u64);
        }
    }

    fn pieces(content: &str) -> Vec<Piece> {
        let layout = style(Format::Text)
            .layout(content.as_bytes(), true)
            .unwrap()
            .unwrap();
        let mut buffer = RecordBuffer::new(Arc::new(layout), 0, Trace::default());
        let mut found = Vec::new();
        for part in content.as_bytes().chunks(ROOM) {
            buffer.room()[..part.len()].copy_from_slice(part);
            buffer.filled(part.len());
            found.extend(std::iter::from_fn(|| buffer.next_piece(false)));
        }
        found.extend(buffer.next_piece(true));
        found
    }

    #[test]
    fn a_piece_is_bounded_in_records_and_in_bytes() {
        let short = pieces(&"x\n".repeat(2000));
        let records: Vec<_> = short.iter().map(|piece| piece.records).collect();
        assert_eq!(records, [512, 512, 512, 464]);

        let line = format!("{}\n", "x".repeat(100_000));
        let long = pieces(&line.repeat(30));
        assert!(long.iter().all(|piece| piece.bytes.len() <= MAX_BYTES));
        assert_eq!(long.iter().map(|piece| piece.records).sum::<u32>(), 30);

        let longest = pieces(&format!("a\n{}\nb\n", "x".repeat(MAX_BYTES)));
        let records: Vec<_> = longest.iter().map(|piece| piece.records).collect();
        assert_eq!(records, [1, 1, 1]);
    }

    #[test]
    fn the_room_of_a_long_record_is_given_back() {
        let layout = style(Format::Text).layout(b"x\n", true).unwrap().unwrap();
        let mut buffer = RecordBuffer::new(Arc::new(layout), 0, Trace::default());
        for _ in 0..12 {
            buffer.room().fill(b'x');
            buffer.filled(ROOM);
            assert!(buffer.next_piece(false).is_none());
        }
        buffer.room()[0] = b'\n';
        buffer.filled(1);
        assert!(buffer.next_piece(false).is_some());
        buffer.room();
        assert!(buffer.bytes.len() <= 2 * ROOM);
    }
}
