//! Cutting a stream into blocks of whole records.

use std::mem;

use moodring_record::{Boundary, Framer, Layout};

use crate::error::FeedError;
use crate::shard::{Piece, ShardContent};
use crate::stream::Stream;

/// How much is read at a time while a record reaches past the size of a block.
const STEP: usize = 64 << 10;

/// The blocks of one stream.
pub(crate) struct Blocks {
    stream: Stream,
    layout: Layout,
    framer: Framer,
    size: usize,
    /// Where the next block begins in the stream's buffer.
    at: usize,
    /// Where the next block begins in the stream.
    offset: u64,
}

impl Blocks {
    /// The blocks of a stream of which nothing has been taken: its buffer begins at the source's first byte.
    pub(crate) fn new(mut stream: Stream, layout: &Layout, size: u64) -> Result<Blocks, FeedError> {
        let body_start = usize::try_from(layout.body_start()).unwrap_or(usize::MAX);
        stream.fill(body_start)?;
        Ok(Blocks {
            at: body_start.min(stream.buffer.len()),
            stream,
            layout: layout.clone(),
            framer: Framer::new(layout, layout.body_start()),
            size: usize::try_from(size).unwrap_or(usize::MAX).max(1),
            offset: layout.body_start(),
        })
    }

    /// The next block: at least `size` bytes, unless it is the last or a long reject follows, and as many more as its last
    /// record needs.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, FeedError> {
        loop {
            let window = &self.stream.buffer[self.at..];
            let seen = window.len();
            match self.framer.next(window, self.stream.ended(), self.size) {
                Boundary::End(0) => return Ok(None),
                Boundary::End(len) => {
                    self.framer.discard(len);
                    return Ok(Some(self.piece(len)));
                }
                Boundary::NeedMore => {
                    let step = self.size.max(seen + STEP);
                    self.stream.fill(self.at.saturating_add(step))?;
                }
                Boundary::Oversized(len) => {
                    let mut error = self.framer.oversized(&self.stream.buffer[self.at..]);
                    let mut framing_errors = self.framer.take_errors();
                    let mut piece = self.piece(len);
                    error.len = self.skip_reject(error.len)?;
                    piece.skipped = error.len;
                    framing_errors.push(error);
                    piece.framing_errors = framing_errors;
                    self.framer = Framer::new(&self.layout, self.offset);
                    return Ok(Some(piece));
                }
            }
        }
    }

    /// The block of the next `len` bytes.
    fn piece(&mut self, len: usize) -> Piece {
        let offset = self.offset;
        let bytes = self.take(self.at + len);
        self.offset += bytes.len() as u64;
        Piece {
            content: ShardContent::Block { offset, bytes },
            framing_errors: self.framer.take_errors(),
            skipped: 0,
        }
    }

    /// Passes over a reject that is longer than the limit, from its start to the first newline behind the `known` bytes,
    /// and gives its length.
    fn skip_reject(&mut self, known: u64) -> Result<u64, FeedError> {
        let start = self.offset;
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        self.pass(known);
        loop {
            let rest = &self.stream.buffer[self.at..];
            let end = memchr::memchr(b'\n', rest).map(|newline| newline + 1);
            let passed = end.unwrap_or(rest.len());
            self.pass(passed);
            if end.is_some() || self.stream.ended() {
                return Ok(self.offset - start);
            }
            self.stream.buffer.clear();
            self.at = 0;
            self.stream.fill(STEP)?;
        }
    }

    fn pass(&mut self, len: usize) {
        self.at += len;
        self.offset += len as u64;
    }

    /// Goes on at `offset`, where a block ended: reads up to there and throws it away.
    pub(crate) fn skip_to(&mut self, offset: u64, name: &str) -> Result<(), FeedError> {
        while self.offset < offset {
            if self.at == self.stream.buffer.len() {
                self.stream.buffer.clear();
                self.at = 0;
                self.stream.fill(STEP)?;
            }
            let there = self.stream.buffer.len() - self.at;
            if there == 0 {
                return Err(FeedError::Shrunk {
                    name: name.to_owned(),
                    size: offset,
                    offset: self.offset,
                });
            }
            let missing = usize::try_from(offset - self.offset).unwrap_or(usize::MAX);
            let skipped = there.min(missing);
            self.pass(skipped);
        }
        self.framer = Framer::new(&self.layout, self.offset);
        Ok(())
    }

    /// How many bytes of the source, as stored, have been read.
    pub(crate) fn stored(&self) -> u64 {
        self.stream.stored()
    }

    /// Takes the bytes up to `end` out of the buffer. Copies the shorter of the block and what comes after it, so
    /// that neither tiny blocks in a large buffer nor large blocks cost more than their length.
    fn take(&mut self, end: usize) -> Vec<u8> {
        let buffer = &mut self.stream.buffer;
        if buffer.len() - end > end - self.at {
            let block = buffer[self.at..end].to_vec();
            self.at = end;
            return block;
        }
        let rest = buffer[end..].to_vec();
        let mut block = mem::replace(buffer, rest);
        block.truncate(end);
        block.drain(..mem::take(&mut self.at));
        block
    }
}
