//! Cuts a file on disk into ranges of bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use moodring_record::{Boundary, Framer, Layout, SplitMode};

use crate::error::FeedError;
use crate::shard::{Piece, ShardContent};

/// Minimum size of even ranges. Smaller ones would mostly contain no line, and there would be more shards than
/// records.
const MIN_EVEN: u64 = 4 << 10;
/// The size of a read while record ends are searched.
const BUFFER: usize = 256 << 10;

/// The ranges of one file.
pub(crate) enum Ranges {
    /// Ranges may begin and end anywhere. The file is not read here.
    Even(Even),
    /// Ranges end where records end. The file is read once to find them.
    AtRecords(Box<AtRecords>),
}

impl Ranges {
    /// Returns the ranges of a file of `len` bytes. Each has `size` bytes, or as many more as its last record needs.
    pub(crate) fn new(file: File, len: u64, layout: &Layout, size: u64) -> io::Result<Ranges> {
        if layout.split_mode() == SplitMode::Lines && size >= MIN_EVEN {
            return Ok(Ranges::Even(Even {
                at: layout.body_start(),
                end: len,
                size,
            }));
        }
        AtRecords::new(file, len, layout, size).map(|records| Ranges::AtRecords(Box::new(records)))
    }

    /// Continues at `offset`, where an earlier range ended.
    pub(crate) fn skip_to(&mut self, offset: u64, name: &str) -> Result<(), FeedError> {
        match self {
            Ranges::Even(even) => {
                even.at = offset;
                Ok(())
            }
            Ranges::AtRecords(records) => records.skip_to(offset, name),
        }
    }

    /// Returns the next range. `name` is for error messages.
    pub(crate) fn next(&mut self, name: &str) -> Result<Option<Piece>, FeedError> {
        match self {
            Ranges::Even(even) => Ok(even.next()),
            Ranges::AtRecords(records) => records.next(name),
        }
    }
}

/// Ranges of equal size.
pub(crate) struct Even {
    at: u64,
    end: u64,
    size: u64,
}

impl Even {
    fn next(&mut self) -> Option<Piece> {
        let start = self.at;
        self.at = start.saturating_add(self.size).min(self.end);
        (start < self.at).then(|| Piece {
            content: ShardContent::Range {
                start,
                end: self.at,
            },
            framing_errors: Vec::new(),
            skipped: 0,
        })
    }
}

/// Ranges that end at the first record end at or after their size.
pub(crate) struct AtRecords {
    file: File,
    len: u64,
    layout: Layout,
    framer: Framer,
    size: u64,
    /// The part of the file that the framer still needs or has not seen.
    window: Vec<u8>,
    /// How many bytes of it are no longer needed.
    spent: usize,
    /// The offset in the file at which it ends.
    read: u64,
    ended: bool,
}

impl AtRecords {
    fn new(mut file: File, len: u64, layout: &Layout, size: u64) -> io::Result<AtRecords> {
        file.seek(SeekFrom::Start(layout.body_start()))?;
        Ok(AtRecords {
            file,
            len,
            layout: layout.clone(),
            framer: Framer::new(layout, layout.body_start()),
            size,
            window: Vec::with_capacity(BUFFER),
            spent: 0,
            read: layout.body_start(),
            ended: false,
        })
    }

    fn skip_to(&mut self, offset: u64, name: &str) -> Result<(), FeedError> {
        let sought = self.file.seek(SeekFrom::Start(offset));
        sought.map_err(|source| FeedError::Read {
            name: name.to_owned(),
            offset,
            source,
        })?;
        self.framer = Framer::new(&self.layout, offset);
        self.read = offset;
        Ok(())
    }

    fn next(&mut self, name: &str) -> Result<Option<Piece>, FeedError> {
        let start = self.offset();
        loop {
            let missing = self.size.saturating_sub(self.offset() - start);
            let min = usize::try_from(missing).unwrap_or(usize::MAX);
            let window = &self.window[self.spent..];
            match self.framer.next(window, self.ended, min) {
                Boundary::End(len) => {
                    self.spend(len);
                    let end = self.offset();
                    return Ok((start < end).then(|| Piece {
                        content: ShardContent::Range { start, end },
                        framing_errors: self.framer.take_errors(),
                        skipped: 0,
                    }));
                }
                Boundary::NeedMore => {
                    self.spend(self.framer.consumed());
                    self.read_on(name)?;
                }
                Boundary::Oversized(at) => {
                    let end = self.offset() + at as u64;
                    let mut error = self.framer.oversized(window);
                    let mut framing_errors = self.framer.take_errors();
                    self.spent += at;
                    error.len = self.skip_reject(error.len, name)?;
                    let skipped = error.len;
                    framing_errors.push(error);
                    self.framer = Framer::new(&self.layout, self.offset());
                    return Ok(Some(Piece {
                        content: ShardContent::Range { start, end },
                        framing_errors,
                        skipped,
                    }));
                }
            }
        }
    }

    /// Returns the offset in the file at which the window begins.
    fn offset(&self) -> u64 {
        self.read - (self.window.len() - self.spent) as u64
    }

    fn spend(&mut self, len: usize) {
        self.spent += len;
        self.framer.discard(len);
    }

    /// Skips a record that is longer than the limit, from its start to the first newline after `known` bytes, and
    /// returns its length.
    fn skip_reject(&mut self, known: u64, name: &str) -> Result<u64, FeedError> {
        let start = self.offset();
        self.spent += usize::try_from(known).unwrap_or(usize::MAX);
        loop {
            let rest = &self.window[self.spent..];
            let end = memchr::memchr(b'\n', rest).map(|newline| newline + 1);
            self.spent += end.unwrap_or(rest.len());
            if end.is_some() || self.ended {
                return Ok(self.offset() - start);
            }
            self.read_on(name)?;
        }
    }

    /// Reads the next piece of the file into the window.
    fn read_on(&mut self, name: &str) -> Result<(), FeedError> {
        self.window.drain(..self.spent);
        self.spent = 0;
        let piece = (&mut self.file)
            .take(BUFFER as u64)
            .read_to_end(&mut self.window);
        let read = piece.map_err(|source| FeedError::Read {
            name: name.to_owned(),
            offset: self.read,
            source,
        })?;
        if read == 0 && self.read < self.len {
            return Err(FeedError::Shrunk {
                name: name.to_owned(),
                size: self.len,
                offset: self.read,
            });
        }
        self.read += read as u64;
        self.ended = read == 0;
        Ok(())
    }
}
