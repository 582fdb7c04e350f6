//! The file that is being read.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

use moodring_record::HEAD_LEN;

use super::identity::{FileId, Mark};
use crate::record_buffer::{RecordBuffer, TRACE_LEN, Trace};
use crate::style::{Style, StyleError};

/// As much of the head as tells the layout in most cases.
const SHORT_HEAD: usize = 64 << 10;

/// An open file, and how far it has been read.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) file: File,
    pub(crate) id: FileId,
    /// Known once the head has told the layout.
    pub(crate) buffer: Option<RecordBuffer>,
    /// What was written last is to be read before it is left for the next file.
    pub(crate) is_leaving: bool,
    /// Where to begin, if not behind the header, and what is before it.
    from: Option<(u64, Trace)>,
    /// What the file looked like when its bytes were last compared.
    seen: Option<Stamp>,
}

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// What an attempt to read on gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There are more bytes in the buffer.
    Read,
    /// There is nothing to read at present.
    AtEnd,
    /// The bytes that were read before are no longer there: the file was truncated.
    Truncated,
}

/// Why reading failed.
#[derive(Debug)]
pub(crate) enum ReadError {
    Io(io::Error),
    Style(StyleError),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        ReadError::Io(error)
    }
}

impl From<StyleError> for ReadError {
    fn from(error: StyleError) -> ReadError {
        ReadError::Style(error)
    }
}

impl Current {
    /// A file to be read from its first record, or from where a position is.
    pub(crate) fn new(file: File, id: FileId, from: Option<(u64, Trace)>) -> Current {
        Current {
            file,
            id,
            buffer: None,
            is_leaving: false,
            from,
            seen: None,
        }
    }

    /// Reads what comes next, if there is anything. `ended` says that nothing more will be written.
    pub(crate) fn read(&mut self, style: &Style, ended: bool) -> Result<Progress, ReadError> {
        if self.buffer.is_none() {
            self.buffer = self.begin(style, ended)?;
        }
        let Some(buffer) = &mut self.buffer else {
            return Ok(Progress::AtEnd);
        };
        let offset = buffer.read_offset();
        let read = loop {
            match self.file.read_at(buffer.room(), offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        // Looked at after reading, so that what was read is known to follow on what was read before.
        let stamp = Stamp::of(&self.file.metadata()?);
        if self.seen != Some(stamp) {
            if stamp.len < offset + read as u64 || !is_same(&self.file, buffer)? {
                return Ok(Progress::Truncated);
            }
            self.seen = Some(stamp);
        }
        buffer.filled(read);
        Ok(if read > 0 {
            Progress::Read
        } else {
            Progress::AtEnd
        })
    }

    /// Finds the layout. `None` while the head is too short.
    fn begin(&mut self, style: &Style, ended: bool) -> Result<Option<RecordBuffer>, ReadError> {
        for len in [SHORT_HEAD, HEAD_LEN] {
            let mut head = vec![0; len];
            let read = read_up_to(&self.file, &mut head)?;
            head.truncate(read);
            let is_all = ended && read < len;
            if let Some(layout) = style.layout(&head, is_all)? {
                let start = usize::try_from(layout.body_start()).unwrap_or(usize::MAX);
                let (offset, trace) = self.from.take().unwrap_or_else(|| {
                    let mut trace = Trace::default();
                    trace.pass(&head[..start.min(head.len())]);
                    (layout.body_start(), trace)
                });
                return Ok(Some(RecordBuffer::new(Arc::new(layout), offset, trace)));
            }
            if read < len {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Where the source stands in the file, and what it is recognized by.
    pub(crate) fn mark(&self) -> Option<(Mark, u64)> {
        let buffer = self.buffer.as_ref()?;
        Some((Mark::new(self.id, buffer.trace()), buffer.offset()))
    }
}

/// Fills as much of `bytes` as the file has from its start on.
fn read_up_to(file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Whether the last bytes that were read are still in the file.
fn is_same(file: &File, buffer: &RecordBuffer) -> io::Result<bool> {
    let uncut = buffer.uncut();
    let last = &uncut[uncut.len().saturating_sub(TRACE_LEN)..];
    let uncut_from = buffer.read_offset() - last.len() as u64;
    let tail = &buffer.trace().tail;
    let tail_from = buffer.offset() - tail.len() as u64;
    Ok(is_at(file, uncut_from, last)? && is_at(file, tail_from, tail)?)
}

fn is_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<bool> {
    let mut found = [0; TRACE_LEN];
    let found = &mut found[..bytes.len()];
    match file.read_exact_at(found, offset) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| found == bytes),
    }
}
