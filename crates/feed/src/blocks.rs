//! Cutting a stream into blocks of whole records.

use std::mem;

use moodring_record::{Cutter, Layout};

use crate::stream::Stream;
use crate::{Content, FeedError};

/// How much is read at a time while a record reaches past the size of a block.
const STEP: usize = 64 << 10;

/// The blocks of one stream.
pub(crate) struct Blocks {
    stream: Stream,
    cutter: Cutter,
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
            cutter: Cutter::new(layout),
            size: usize::try_from(size).unwrap_or(usize::MAX).max(1),
            offset: layout.body_start(),
        })
    }

    /// The next block: at least `size` bytes, unless it is the last, and as many more as its last record needs.
    pub(crate) fn next(&mut self) -> Result<Option<Content>, FeedError> {
        let end = self.find_end()?;
        if end == self.at {
            return Ok(None);
        }
        let offset = self.offset;
        let bytes = self.take(end);
        self.offset += bytes.len() as u64;
        Ok(Some(Content::Block { offset, bytes }))
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
            self.at += skipped;
            self.offset += skipped as u64;
        }
        Ok(())
    }

    /// How many bytes of the source, as stored, have been read.
    pub(crate) fn stored(&self) -> u64 {
        self.stream.stored()
    }

    /// Where in the buffer the next block ends. Each byte is looked at once, however long a record is.
    fn find_end(&mut self) -> Result<usize, FeedError> {
        let min = self.at.saturating_add(self.size);
        let mut seen = self.at;
        loop {
            let unseen = &self.stream.buffer[seen..];
            if let Some(end) = self.cutter.next_end(unseen, min.saturating_sub(seen)) {
                return Ok(seen + end);
            }
            seen = self.stream.buffer.len();
            if self.stream.ended() {
                return Ok(seen);
            }
            self.stream.fill(min.max(seen + STEP))?;
        }
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
