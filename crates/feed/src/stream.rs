//! Reads a source once, sequentially, and decompresses it.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use moodring_codec::{Compression, MAGIC_LEN, expand};
use moodring_record::HEAD_LEN;

use crate::{FeedError, Input, Origin};

/// Maximum number of bytes reserved before they have been read.
const MAX_RESERVE: usize = 4 << 20;

/// A source, and a buffer of the bytes that have been read and not taken.
pub(crate) struct Stream {
    name: String,
    compression: Compression,
    reader: Box<dyn Read + Send>,
    stored: Arc<AtomicU64>,
    arrived: u64,
    ended: bool,
    /// The bytes that have been read and not taken.
    pub(crate) buffer: Vec<u8>,
}

impl Stream {
    /// Opens the source. Blocks until the first bytes of a pipe arrive, to detect its compression.
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
            // An empty .gz file is an error, such as a failed download. An empty .zst file is a valid stream of zero
            // frames.
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

    /// Reads until `len` bytes are in the buffer or the source has ended.
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

    /// Reads until a line and at least `len` bytes are in the buffer, the source has ended, or the buffer has a whole
    /// head.
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

    /// Whether the source has ended, so that the buffer contains all remaining bytes.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Returns how many bytes of the source have been read, before decompression.
    pub(crate) fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    fn failure(&self, source: io::Error) -> FeedError {
        let (name, compression, offset) = (self.name.clone(), self.compression, self.arrived);
        // Only errors of the operating system have a number; those of the decoders have none.
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
        // Bypass the buffer of `io::stdin`, which reads at most 8 KiB at a time.
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

/// Counts the bytes read from a file, to show progress relative to its size.
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
