//! Reads gzip data: one or more members (RFC 1952), each perhaps followed by zeros.
//!
//! Tapes and block devices pad what is written on them with zeros, which gzip(1) and Python's `gzip` ignore.
//! Anything else between or after the members is an error, where gzip(1) only warns: it may be a damaged member.

use std::io::{self, BufRead, Read};
use std::mem;

use flate2::bufread::GzDecoder;

/// The first byte of every member.
const MEMBER: u8 = 0x1f;

/// Reads the decompressed bytes of all members.
pub(crate) struct Members<'a> {
    /// The member that is being read.
    decoder: GzDecoder<Box<dyn BufRead + Send + 'a>>,
}

impl<'a> Members<'a> {
    /// Starts at the first member of `reader`, which holds at least one.
    pub(crate) fn new(reader: Box<dyn BufRead + Send + 'a>) -> Self {
        Members {
            decoder: GzDecoder::new(reader),
        }
    }

    /// Moves to the next member. Returns false if there is none.
    fn advance(&mut self) -> io::Result<bool> {
        let reader = self.decoder.get_mut();
        match skip_zeros(reader)? {
            None => Ok(false),
            Some(MEMBER) => {
                let reader = mem::replace(reader, Box::new(io::empty()));
                self.decoder.reset(reader);
                Ok(true)
            }
            Some(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "something that is no gzip member follows the last one",
            )),
        }
    }
}

/// Skips zeros and returns the byte behind them, which stays in the reader.
fn skip_zeros(reader: &mut dyn BufRead) -> io::Result<Option<u8>> {
    loop {
        let bytes = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        let found = bytes.iter().position(|&byte| byte != 0);
        let next = found.map(|at| bytes[at]);
        let (zeros, is_end) = (found.unwrap_or(bytes.len()), bytes.is_empty());
        reader.consume(zeros);
        if next.is_some() || is_end {
            return Ok(next);
        }
    }
}

impl Read for Members<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            match self.decoder.read(buf)? {
                0 if self.advance()? => {}
                read => return Ok(read),
            }
        }
    }
}
