//! Reads the records of a byte range of a file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much is read at first to find the end of a range's last line. Most lines are shorter.
const STEP: usize = 4 << 10;

/// How a range's bounds relate to its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bounds {
    /// The range begins and ends with a record.
    Records,
    /// The range holds each line that starts in it; `first` is where the file's first line starts.
    Lines {
        /// The offset of the first record of the file.
        first: u64,
    },
}

/// Where the records are that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where the first of them begins in the file.
    pub(crate) offset: u64,
    /// Where it begins in the buffer, which they fill from there.
    pub(crate) begin: usize,
}

/// Reads the records of the bytes `start..end` into `buffer`, whatever was in it.
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
    let Bounds::Lines { first } = bounds else {
        fill(file, start, end, buffer)?;
        return Ok(Found {
            offset: start,
            begin: 0,
        });
    };
    // Whether a line starts at `start` is told by the byte before it.
    let look_back = u64::from(start > first);
    fill(file, start - look_back, end, buffer)?;
    let mut begin = 0;
    if look_back == 1 {
        begin = memchr::memchr(b'\n', buffer).map_or(buffer.len(), |newline| newline + 1);
    }
    if begin < buffer.len() {
        finish_line(file, end, buffer)?;
    }
    Ok(Found {
        offset: start - look_back + begin as u64,
        begin,
    })
}

fn fill(file: &File, start: u64, end: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    let len =
        usize::try_from(end - start).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    buffer.resize(len, 0);
    file.read_exact_at(buffer, start)
}

/// Reads on from `offset` until the buffer ends with a line end or the file does.
fn finish_line(file: &File, mut offset: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    let mut step = STEP;
    while buffer.last() != Some(&b'\n') {
        let known = buffer.len();
        buffer.resize(known + step, 0);
        // A long line is read in growing steps, so that they are few.
        step = step.saturating_mul(2);
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

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
