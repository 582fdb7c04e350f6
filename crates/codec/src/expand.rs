//! Decompresses a stream while it is read.

use std::io::{self, BufReader, Read};

use crate::Compression;
use crate::gzip::Members;

/// How much compressed data is read at once.
const STORED_BUFFER: usize = 128 << 10;

/// Returns a reader of the decompressed bytes of `stored`, which may be several gzip members or Zstandard frames.
///
/// Errors of `stored` are passed on. Errors of the decoders have no [`raw_os_error`](io::Error::raw_os_error); their kind is
/// `UnexpectedEof` where the data is cut short.
///
/// # Errors
/// If there is no memory for the decoder.
pub fn expand<'a>(
    compression: Compression,
    stored: impl Read + Send + 'a,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match compression {
        Compression::None => Box::new(stored),
        Compression::Gzip => Box::new(Members::new(Box::new(BufReader::with_capacity(
            STORED_BUFFER,
            stored,
        )))),
        Compression::Zstd => Box::new(zstd::Decoder::new(stored)?),
    })
}
