//! A source that is read once, from front to back.

use std::io::{self, Read};
use std::sync::Arc;

use moodring_codec::{Compression, MAGIC_LEN, expand};
use moodring_record::{HEAD_LEN, Layout};
use thiserror::Error;

use crate::record_buffer::{Piece, RecordBuffer, Trace};
use crate::style::{Style, StyleError};

/// Why a stream cannot be read on.
#[derive(Debug, Error)]
pub(crate) enum StreamError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Style(#[from] StyleError),
    #[error("it ends after {offset} bytes, before the stored position at byte {wanted}")]
    TooShort { offset: u64, wanted: u64 },
}

/// The records of a stream.
pub(crate) struct Stream<'r> {
    reader: Box<dyn Read + Send + 'r>,
    buffer: RecordBuffer,
    ended: bool,
}

impl<'r> Stream<'r> {
    /// Reads as much as tells the layout.
    pub(crate) fn open(
        mut reader: Box<dyn Read + Send + 'r>,
        style: &Style,
    ) -> Result<Stream<'r>, StreamError> {
        let mut head = Vec::new();
        let mut ended = false;
        let mut room = vec![0; HEAD_LEN.min(64 << 10)];
        let layout = loop {
            if let Some(layout) = style.layout(&head, ended)? {
                break layout;
            }
            let wanted = room.len().min(HEAD_LEN - head.len());
            let read = read(&mut reader, &mut room[..wanted])?;
            head.extend_from_slice(&room[..read]);
            ended = read == 0;
        };
        let body_start = usize::try_from(layout.body_start()).unwrap_or(usize::MAX);
        let mut buffer = RecordBuffer::new(Arc::new(layout), 0, Trace::default());
        buffer.room()[..head.len()].copy_from_slice(&head);
        buffer.filled(head.len());
        buffer.skip(body_start.min(head.len()));
        Ok(Stream {
            reader,
            buffer,
            ended,
        })
    }

    pub(crate) fn layout(&self) -> &Arc<Layout> {
        self.buffer.layout()
    }

    /// What the source is recognized by where the next piece begins.
    pub(crate) fn trace(&self) -> &Trace {
        self.buffer.trace()
    }

    /// Reads up to `offset`, where a piece ended, without cutting what is before it.
    pub(crate) fn skip_to(&mut self, offset: u64) -> Result<(), StreamError> {
        while self.buffer.offset() < offset {
            if self.buffer.uncut().is_empty() {
                if self.ended {
                    return Err(StreamError::TooShort {
                        offset: self.buffer.offset(),
                        wanted: offset,
                    });
                }
                self.fill()?;
            }
            let missing = usize::try_from(offset - self.buffer.offset()).unwrap_or(usize::MAX);
            self.buffer.skip(missing.min(self.buffer.uncut().len()));
        }
        Ok(())
    }

    /// The next piece; waits until there is one. `None` at the end.
    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>, StreamError> {
        loop {
            if let Some(piece) = self.buffer.next_piece(self.ended) {
                return Ok(Some(piece));
            }
            if self.ended {
                return Ok(None);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let read = read(&mut self.reader, self.buffer.room())?;
        self.buffer.filled(read);
        self.ended = read == 0;
        Ok(())
    }
}

fn read(reader: &mut dyn Read, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// The decompressed bytes of `stored`, whose first bytes tell how it is compressed if `compression` does not.
pub(crate) fn expanded<'r>(
    mut stored: impl Read + Send + 'r,
    compression: Option<Compression>,
) -> io::Result<Box<dyn Read + Send + 'r>> {
    if let Some(compression) = compression {
        return expand(compression, stored);
    }
    let mut magic = Vec::new();
    (&mut stored)
        .take(MAGIC_LEN as u64)
        .read_to_end(&mut magic)?;
    let compression = Compression::of_magic(&magic);
    expand(compression, io::Cursor::new(magic).chain(stored))
}
