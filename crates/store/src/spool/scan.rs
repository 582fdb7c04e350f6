//! Reads the frames of a segment, and finds the next sound one behind a damaged one.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::format::{FRAME_MARK, HEAD, HEADER, Header, head};

/// How much is looked at in vain behind a damaged frame before the rest of the segment is given up.
const PATIENCE: u64 = 1 << 30;
const CHUNK: usize = 64 << 10;

/// What is next in a segment.
#[derive(Debug)]
pub(super) enum Found {
    /// A sound frame; its payload is in the buffer that was passed.
    Frame {
        /// Where it begins.
        at: u64,
        header: Header,
    },
    /// Bytes that are no sound frame: from here to the next one, or to the end.
    Damage {
        /// Where they begin.
        at: u64,
    },
    /// Nothing.
    End,
}

/// Goes through the frames of a segment.
#[derive(Debug)]
pub(super) struct Scan {
    first: u64,
    at: u64,
}

impl Scan {
    /// Begins at the head of the segment whose first entry has this number.
    pub(super) fn new(first: u64) -> Scan {
        Scan { first, at: 0 }
    }

    /// Reads what is next before `end`. The payload of a frame replaces what is in `payload`.
    pub(super) fn next(
        &mut self,
        file: &File,
        end: u64,
        payload: &mut Vec<u8>,
    ) -> io::Result<Found> {
        if self.at == 0 {
            if end == 0 {
                return Ok(Found::End);
            }
            let mut bytes = [0; HEAD];
            if end < HEAD as u64 || !read_at(file, &mut bytes, 0)? || bytes != head(self.first) {
                return self.skip(file, end, payload);
            }
            self.at = HEAD as u64;
        }
        if self.at >= end {
            return Ok(Found::End);
        }
        match frame_at(file, self.at, end, payload)? {
            Some(header) if self.is_plausible(&header, self.at) => {
                let at = self.at;
                self.at += (HEADER + header.len) as u64;
                Ok(Found::Frame { at, header })
            }
            _ => self.skip(file, end, payload),
        }
    }

    /// Moves to the next sound frame.
    fn skip(&mut self, file: &File, end: u64, payload: &mut Vec<u8>) -> io::Result<Found> {
        let from = self.at;
        let mut patience = PATIENCE;
        let mut at = from + 1;
        let mut chunk = vec![0; CHUNK];
        while at < end && patience > 0 {
            let len = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
            if !read_at(file, &mut chunk[..len], at)? {
                break;
            }
            patience = patience.saturating_sub(len as u64);
            for mark in marks(&chunk[..len]) {
                let place = at + mark as u64;
                let Some(header) = header_at(file, place, end)? else {
                    continue;
                };
                if !self.is_plausible(&header, place) {
                    continue;
                }
                patience = patience.saturating_sub(header.len as u64);
                if frame_at(file, place, end, payload)?.is_some() {
                    self.at = place;
                    return Ok(Found::Damage { at: from });
                }
                if patience == 0 {
                    break;
                }
            }
            if len < CHUNK {
                break;
            }
            // A mark may lie across two chunks.
            at += (len - (FRAME_MARK.len() - 1)) as u64;
        }
        self.at = end;
        Ok(Found::Damage { at: from })
    }

    /// Whether a frame that says this can be at this place. Records are the bytes of anyone, who may have made them look
    /// like a frame, to be found behind a damaged one.
    fn is_plausible(&self, header: &Header, at: u64) -> bool {
        let before = header.number.checked_sub(self.first);
        u64::from(header.synced) <= at && before.is_some_and(|before| before <= at / HEADER as u64)
    }
}

fn marks(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let windows = bytes.windows(FRAME_MARK.len()).enumerate();
    windows
        .filter(|(_, it)| *it == FRAME_MARK)
        .map(|(at, _)| at)
}

fn header_at(file: &File, at: u64, end: u64) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER];
    if end.saturating_sub(at) < HEADER as u64 || !read_at(file, &mut bytes, at)? {
        return Ok(None);
    }
    let header = Header::parse(&bytes);
    Ok(header.filter(|it| at + (HEADER + it.len) as u64 <= end))
}

fn frame_at(file: &File, at: u64, end: u64, payload: &mut Vec<u8>) -> io::Result<Option<Header>> {
    let Some(header) = header_at(file, at, end)? else {
        return Ok(None);
    };
    payload.resize(header.len, 0);
    let read = read_at(file, payload, at + HEADER as u64)?;
    Ok((read && header.fits(payload)).then_some(header))
}

/// Fills the buffer; `false` if the file is shorter than it should be.
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<bool> {
    match file.read_exact_at(buffer, at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
