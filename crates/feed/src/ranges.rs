//! Cutting a file on disk into ranges of bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use moodring_record::{Boundary, Framer, Layout, SplitMode};

use crate::error::FeedError;
use crate::shard::{Piece, ShardContent};

/// Below this size most even ranges would own no line, and the shards would be many more than the records.
const MIN_EVEN: u64 = 4 << 10;
/// How much of a file is looked at at once when its record ends must be found.
const BUFFER: usize = 256 << 10;

/// The ranges of one file.
pub(crate) enum Ranges {
    /// Any range will do: the file is not read here at all.
    Even(Even),
    /// Ranges end where records end: the file is read through once.
    AtRecords(Box<AtRecords>),
}

impl Ranges {
    /// The ranges of a file of `len` bytes, `size` bytes each or a little more.
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

    /// Goes on at `offset`, where a range ended.
    pub(crate) fn skip_to(&mut self, offset: u64, name: &str) -> Result<(), FeedError> {
        match self {
            Ranges::Even(even) => {
                even.at = offset;
                Ok(())
            }
            Ranges::AtRecords(records) => records.skip_to(offset, name),
        }
    }

    /// The next range. `name` is for messages.
    pub(crate) fn next(&mut self, name: &str) -> Result<Option<Piece>, FeedError> {
        match self {
            Ranges::Even(even) => Ok(even.next()),
            Ranges::AtRecords(records) => records.next(name),
        }
    }
}

/// Ranges of one size, wherever they fall.
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

/// Ranges that end at the first record end past their size.
pub(crate) struct AtRecords {
    file: File,
    len: u64,
    layout: Layout,
    framer: Framer,
    size: u64,
    /// A window of the file: what the framer has use for, and what it has not seen.
    window: Vec<u8>,
    /// What of it is spent.
    spent: usize,
    /// Where in the file it ends.
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

    /// Where the window begins in the file.
    fn offset(&self) -> u64 {
        self.read - (self.window.len() - self.spent) as u64
    }

    fn spend(&mut self, len: usize) {
        self.spent += len;
        self.framer.discard(len);
    }

    /// Passes over a reject that is longer than the limit, from its start to the first newline behind the `known` bytes,
    /// and gives its length.
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
