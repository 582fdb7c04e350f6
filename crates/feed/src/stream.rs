//! A source that is read once, from front to back, and decompressed on the way.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moodring_codec::{Compression, MAGIC_LEN, expand};
use moodring_record::HEAD_LEN;

use crate::{FeedError, Input, Origin};

/// How much room is made at most before the bytes for it have been seen.
const MAX_RESERVE: usize = 4 << 20;

/// The bytes of a source as they come, and a buffer of those that came and have not been taken.
pub(crate) struct Stream {
    name: String,
    compression: Compression,
    reader: Box<dyn Read + Send>,
    stored: Arc<AtomicU64>,
    arrived: u64,
    ended: bool,
    /// What came and has not been taken.
    pub(crate) buffer: Vec<u8>,
}

impl Stream {
    /// Opens the source. Waits for the first bytes of a pipe, to see whether they are compressed.
    pub(crate) fn open(input: &Input) -> Result<Stream, FeedError> {
        let file = open(input)?;
        let stored = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            file,
            read: Arc::clone(&stored),
        };
        let unread = |source| FeedError::Read {
            name: input.name.clone(),
            offset: 0,
            source,
        };
        let (compression, reader) = match (input.compression, input.size) {
            (Compression::None, None) => told_by_magic(counted).map_err(unread)?,
            // An empty file has no gzip member: a download that failed at once. Zero frames are a Zstandard stream.
            (Compression::Zstd, Some(0)) => (Compression::None, Box::new(counted) as Box<_>),
            (compression, _) => (compression, Box::new(counted) as Box<_>),
        };
        Ok(Stream {
            name: input.name.clone(),
            compression,
            reader: expand(compression, reader).map_err(unread)?,
            stored,
            arrived: 0,
            ended: false,
            buffer: Vec::new(),
        })
    }

    /// Reads on until `len` bytes are in the buffer or the source has ended.
    pub(crate) fn fill(&mut self, len: usize) -> Result<(), FeedError> {
        let want = len.saturating_sub(self.buffer.len());
        if want == 0 || self.ended {
            return Ok(());
        }
        self.buffer.reserve(want.min(MAX_RESERVE));
        let before = self.buffer.len();
        let outcome = (&mut self.reader)
            .take(want as u64)
            .read_to_end(&mut self.buffer);
        let came = self.buffer.len() - before;
        self.arrived += came as u64;
        self.ended = outcome.is_ok() && came < want;
        outcome.map(drop).map_err(|source| self.failure(source))
    }

    /// Reads on until a line, and at least `len` bytes, are in the buffer, or the source has ended; but no more than a head.
    pub(crate) fn fill_line(&mut self, mut len: usize) -> Result<(), FeedError> {
        loop {
            self.fill(len.min(HEAD_LEN))?;
            let has_line = self.buffer.contains(&b'\n');
            if has_line || self.ended || len >= HEAD_LEN {
                return Ok(());
            }
            len *= 2;
        }
    }

    /// Whether the buffer holds all that is left.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// How many bytes have been read where the source is stored, before any decompression.
    pub(crate) fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    fn failure(&self, source: io::Error) -> FeedError {
        let (name, compression, offset) = (self.name.clone(), self.compression, self.arrived);
        // An error that the system made has its number; the decoders make theirs without.
        if compression == Compression::None || source.raw_os_error().is_some() {
            return FeedError::Read {
                name,
                offset,
                source,
            };
        }
        if source.kind() == io::ErrorKind::OutOfMemory {
            return FeedError::NoMemory {
                name,
                compression,
                source,
            };
        }
        if source.kind() == io::ErrorKind::UnexpectedEof {
            return FeedError::Truncated {
                name,
                compression,
                offset,
            };
        }
        FeedError::Corrupt {
            name,
            compression,
            offset,
            source,
        }
    }
}

/// Opens the file of an input.
pub(crate) fn open(input: &Input) -> Result<File, FeedError> {
    let file = match &input.origin {
        Origin::File(path) => File::open(path),
        // Past the buffer of `io::stdin`, which would read everything in pieces of 8 KiB.
        Origin::Stdin => io::stdin().as_fd().try_clone_to_owned().map(File::from),
    };
    file.map_err(|source| FeedError::Unopenable {
        name: input.name.clone(),
        source,
    })
}

fn told_by_magic(mut counted: Counted) -> io::Result<(Compression, Box<dyn Read + Send>)> {
    let mut magic = Vec::new();
    (&mut counted)
        .take(MAGIC_LEN as u64)
        .read_to_end(&mut magic)?;
    let compression = Compression::of_magic(&magic);
    Ok((compression, Box::new(Cursor::new(magic).chain(counted))))
}

/// Counts what is read from a file, for a progress that can be compared with the file's size.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buf)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
