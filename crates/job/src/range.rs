//! Reads the records of a byte range of a file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use moodring_record::FramingError;

/// The size of the first read past a range, to find the end of its last line. Most lines are shorter.
const STEP: usize = 4 << 10;
/// Maximum size of a read.
const MAX_STEP: usize = 1 << 20;

/// How a range's bounds relate to its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bounds {
    /// The range begins and ends with a record.
    Records,
    /// The range holds each line that starts in it; `first` is where the file's first line starts.
    Lines {
        /// The offset of the first record of the file.
        first: u64,
        /// Maximum length of a line, in bytes including its end.
        limit: usize,
    },
}

/// The position of the records that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where the first of them begins in the file.
    pub(crate) offset: u64,
    /// Where it begins in the buffer. The records fill the buffer from there.
    pub(crate) begin: usize,
    /// The last line, if it is longer than the limit. It is not in the buffer then.
    pub(crate) long: Option<FramingError>,
}

/// Reads the records of the bytes `start..end` into `buffer` and replaces its content.
///
/// # Errors
/// Any error of the file; `UnexpectedEof` if the file ends before `end`, as it has shrunk since the range was cut.
pub(crate) fn read_range(
    file: &File,
    bounds: Bounds,
    start: u64,
    end: u64,
    buffer: &mut Vec<u8>,
) -> io::Result<Found> {
    let Bounds::Lines { first, limit } = bounds else {
        fill(file, start, end, buffer)?;
        return Ok(Found {
            offset: start,
            begin: 0,
            long: None,
        });
    };
    // The byte before `start` shows whether a line starts there.
    let look_back = u64::from(start > first);
    fill(file, start - look_back, end, buffer)?;
    let mut begin = 0;
    if look_back == 1 {
        begin = memchr::memchr(b'\n', buffer).map_or(buffer.len(), |newline| newline + 1);
    }
    let offset = start - look_back;
    let mut long = None;
    if begin < buffer.len() {
        let last = memchr::memrchr(b'\n', &buffer[begin..]);
        let line = last.map_or(begin, |newline| begin + newline + 1);
        finish_line(file, end, buffer, line.saturating_add(limit))?;
        if buffer.len() - line > limit && buffer.last() != Some(&b'\n') {
            let rest = line_end(file, offset + buffer.len() as u64)?;
            let len = rest - (offset + line as u64);
            let known = &buffer[line..];
            long = Some(FramingError::long_line(
                offset + line as u64,
                len,
                known,
                limit,
            ));
            buffer.truncate(line);
        }
    }
    Ok(Found {
        offset: offset + begin as u64,
        begin,
        long,
    })
}

fn fill(file: &File, start: u64, end: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    let len =
        usize::try_from(end - start).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    buffer.resize(len, 0);
    file.read_exact_at(buffer, start)
}

/// Reads from `offset` until the buffer ends with a line end, is longer than `limit`, or the file ends.
fn finish_line(file: &File, mut offset: u64, buffer: &mut Vec<u8>, limit: usize) -> io::Result<()> {
    let mut step = STEP;
    while buffer.last() != Some(&b'\n') && buffer.len() <= limit {
        let known = buffer.len();
        buffer.resize(known + step, 0);
        // The reads of a long line grow, so that they are few.
        step = (2 * step).min(MAX_STEP);
        let got = read_at(file, &mut buffer[known..], offset)?;
        let newline = memchr::memchr(b'\n', &buffer[known..known + got]);
        buffer.truncate(known + newline.map_or(got, |at| at + 1));
        if got == 0 {
            break;
        }
        offset += got as u64;
    }
    Ok(())
}

/// Returns the end, including the newline, of the line that contains `offset`.
fn line_end(file: &File, mut offset: u64) -> io::Result<u64> {
    let mut piece = vec![0; MAX_STEP];
    loop {
        let got = read_at(file, &mut piece, offset)?;
        if let Some(newline) = memchr::memchr(b'\n', &piece[..got]) {
            return Ok(offset + newline as u64 + 1);
        }
        if got == 0 {
            return Ok(offset);
        }
        offset += got as u64;
    }
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
