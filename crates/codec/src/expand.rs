//! Decompresses a stream while it is read.

use std::io::{self, BufReader, Read};

use crate::Compression;
use crate::gzip::Members;

/// How much compressed data is read at once.
const STORED_BUFFER: usize = 128 << 10;

/// Returns a reader of the decompressed bytes of `stored`, which may be several gzip members or Zstandard frames.
///
/// Errors of `stored` are passed on. Errors of the decoders have no [`raw_os_error`](io::Error::raw_os_error); their kind is
/// `UnexpectedEof` where the data is cut short, and `OutOfMemory` where its window takes more memory than there is, or than
/// the 128 MiB that the zstd command allows too.
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
        Compression::Zstd => Box::new(Frames(zstd::Decoder::new(stored)?)),
    })
}

/// Reads Zstandard frames, and tells a lack of memory from damage.
struct Frames<R: Read>(zstd::Decoder<'static, BufReader<R>>);

/// What the library says where a frame's window is too large, and where there is no memory for it.
const NO_MEMORY: [&str; 2] = [
    "Frame requires too much memory for decoding",
    "Allocation error : not enough memory",
];

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf).map_err(|error| {
            // The library gives its errors no kind.
            let is_own = error.raw_os_error().is_none();
            if is_own && NO_MEMORY.contains(&error.to_string().as_str()) {
                return io::Error::new(io::ErrorKind::OutOfMemory, error);
            }
            error
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_is_too_large_is_no_damage() {
        // A frame header (RFC 8878, 3.1.1.1): no content size, and a window of 2^(10+21) bytes; then an empty last block.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 1, 0, 0];
        let mut expanded = expand(Compression::Zstd, &frame[..]).unwrap();
        let error = expanded.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory, "{error}");
        // The same with 1 MiB.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 10 << 3, 1, 0, 0];
        let mut expanded = expand(Compression::Zstd, &frame[..]).unwrap();
        assert_eq!(expanded.read(&mut [0; 8]).unwrap(), 0);
    }
}
