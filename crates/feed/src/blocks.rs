//! Cuts a stream into blocks of whole records.

use std::mem;

use moodring_record::{Boundary, Framer, Layout};

use crate::error::FeedError;
use crate::shard::{Piece, ShardContent};
use crate::stream::Stream;

/// The size of a read while a record is longer than a block, in bytes.
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
    /// Returns the blocks of a stream. Its buffer must begin at the first byte of the source.
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

    /// Returns the next block. It ends with the first record end at or after `size` bytes; it is shorter if the stream
    /// ends or a record that is too long follows.
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

    /// Returns the next `len` bytes as a block.
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

    /// Skips a record that is longer than the limit, from its start to the first newline after `known` bytes, and
    /// returns its length.
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

    /// Continues at `offset`, where an earlier block ended. Reads and discards everything before it.
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

    /// Returns how many bytes of the source have been read, before decompression.
    pub(crate) fn stored(&self) -> u64 {
        self.stream.stored()
    }

    /// Removes the bytes up to `end` from the buffer and returns them. Copies the block or the rest of the buffer,
    /// whichever is shorter, so that the cost is at most linear in the length of the block.
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
