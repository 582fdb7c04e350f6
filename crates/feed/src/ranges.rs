//! Cutting a file on disk into ranges of bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use moodring_record::{Cutter, Cutting, Layout};

use crate::{Content, FeedError};

/// Below this size most even ranges would own no line, and the shards would be many more than the records.
const MIN_EVEN: u64 = 4 << 10;
/// How much of a file is looked at at once when its record ends must be found.
const BUFFER: usize = 256 << 10;

/// The ranges of one file.
pub(crate) enum Ranges {
    /// Any range will do: the file is not read here at all.
    Even(Even),
    /// Ranges end where records end: the file is read through once.
    AtRecords(AtRecords),
}

impl Ranges {
    /// The ranges of a file of `len` bytes, `size` bytes each or a little more.
    pub(crate) fn new(file: File, len: u64, layout: &Layout, size: u64) -> io::Result<Ranges> {
        if layout.cutting() == Cutting::AtLines && size >= MIN_EVEN {
            return Ok(Ranges::Even(Even {
                at: layout.body_start(),
                end: len,
                size,
            }));
        }
        AtRecords::new(file, len, layout, size).map(Ranges::AtRecords)
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
    pub(crate) fn next(&mut self, name: &str) -> Result<Option<Content>, FeedError> {
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
    fn next(&mut self) -> Option<Content> {
        let start = self.at;
        self.at = start.saturating_add(self.size).min(self.end);
        (start < self.at).then_some(Content::Range {
            start,
            end: self.at,
        })
    }
}

/// Ranges that end at the first record end past their size.
pub(crate) struct AtRecords {
    file: File,
    len: u64,
    cutter: Cutter,
    size: u64,
    buffer: Vec<u8>,
    /// Where in the buffer the bytes begin that the cutter has not seen.
    unseen: usize,
    /// Where in the file they begin.
    offset: u64,
}

impl AtRecords {
    fn new(mut file: File, len: u64, layout: &Layout, size: u64) -> io::Result<AtRecords> {
        file.seek(SeekFrom::Start(layout.body_start()))?;
        Ok(AtRecords {
            file,
            len,
            cutter: Cutter::new(layout),
            size,
            buffer: Vec::with_capacity(BUFFER),
            unseen: 0,
            offset: layout.body_start(),
        })
    }

    fn skip_to(&mut self, offset: u64, name: &str) -> Result<(), FeedError> {
        let sought = self.file.seek(SeekFrom::Start(offset));
        sought.map_err(|source| FeedError::Read {
            name: name.to_owned(),
            offset,
            source,
        })?;
        self.offset = offset;
        Ok(())
    }

    fn next(&mut self, name: &str) -> Result<Option<Content>, FeedError> {
        let start = self.offset;
        loop {
            let unseen = &self.buffer[self.unseen..];
            let missing = self.size.saturating_sub(self.offset - start);
            let min = usize::try_from(missing).unwrap_or(usize::MAX);
            let found = self.cutter.next_end(unseen, min);
            let seen = found.unwrap_or(unseen.len());
            self.unseen += seen;
            self.offset += seen as u64;
            if found.is_some() || !self.read_on(name)? {
                let end = self.offset;
                return Ok((start < end).then_some(Content::Range { start, end }));
            }
        }
    }

    /// Reads the next piece of the file into the buffer; false at its end.
    fn read_on(&mut self, name: &str) -> Result<bool, FeedError> {
        self.buffer.clear();
        self.unseen = 0;
        let piece = (&mut self.file)
            .take(BUFFER as u64)
            .read_to_end(&mut self.buffer);
        let read = piece.map_err(|source| FeedError::Read {
            name: name.to_owned(),
            offset: self.offset,
            source,
        })?;
        if read == 0 && self.offset < self.len {
            return Err(FeedError::Shrunk {
                name: name.to_owned(),
                size: self.len,
                offset: self.offset,
            });
        }
        Ok(read > 0)
    }
}
