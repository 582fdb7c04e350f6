//! Compresses an output in pieces that can be made in parallel and joined.
//!
//! Each piece becomes a gzip member (RFC 1952) or a Zstandard frame (RFC 8878) of its own; both formats define a file as one
//! or more of those. The bytes depend on the piece alone: gzip's time stamp stays 0, and the encoder always gets output
//! buffers of the same sizes. The sizes matter: when zlib-rs runs out of room between two blocks, it drops the match that it
//! has found for the next position, and searches again with another result.

use std::io;

use flate2::{Compress, FlushCompress, Status};
use zstd::bulk;
use zstd::zstd_safe::CParameter;

use crate::Compression;

/// The level the gzip command uses.
const GZIP_LEVEL: u32 = 6;
/// The largest window there is, 32 KiB, as a power of two.
const GZIP_WINDOW_BITS: u8 = 15;
/// The level the zstd command uses.
const ZSTD_LEVEL: i32 = 3;
/// The size of the buffer that the gzip encoder writes into each time it is called.
const ROOM: usize = 64 << 10;

/// Compresses pieces of an output, with one encoder whose memory is allocated once.
pub struct Compressor {
    encoder: Encoder,
    /// What the encoder writes into. How much of it the encoder may use depends on the piece alone.
    scratch: Vec<u8>,
}

enum Encoder {
    None,
    Gzip(Compress),
    Zstd(bulk::Compressor<'static>),
}

impl Compressor {
    /// Returns a compressor of this kind.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn new(compression: Compression) -> io::Result<Compressor> {
        let encoder = match compression {
            Compression::None => Encoder::None,
            Compression::Gzip => Encoder::Gzip(Compress::new_gzip(
                flate2::Compression::new(GZIP_LEVEL),
                GZIP_WINDOW_BITS,
            )),
            Compression::Zstd => {
                let mut encoder = bulk::Compressor::new(ZSTD_LEVEL)?;
                // As the zstd command does, so that damage is found when the output is read.
                encoder.set_parameter(CParameter::ChecksumFlag(true))?;
                Encoder::Zstd(encoder)
            }
        };
        let scratch = Vec::new();
        Ok(Compressor { encoder, scratch })
    }

    /// Returns whether the compressed bytes differ from the plain ones.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !matches!(self.encoder, Encoder::None)
    }

    /// Appends `bytes` to `out` as a member or frame of its own. No bytes make an empty one: an empty file would not be a
    /// compressed file.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn compress(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match &mut self.encoder {
            Encoder::None => {
                out.extend_from_slice(bytes);
                Ok(())
            }
            Encoder::Gzip(encoder) => gzip(encoder, bytes, room(&mut self.scratch, ROOM), out),
            Encoder::Zstd(encoder) => {
                // With room for the worst case the encoder never stores a block because the buffer is too small.
                let bound = zstd::zstd_safe::compress_bound(bytes.len());
                let room = room(&mut self.scratch, bound);
                let len = encoder.compress_to_buffer(bytes, room)?;
                out.extend_from_slice(&room[..len]);
                Ok(())
            }
        }
    }
}

/// Returns the first `len` bytes of `scratch`, which grows to hold them.
fn room(scratch: &mut Vec<u8>, len: usize) -> &mut [u8] {
    if scratch.len() < len {
        scratch.resize(len, 0);
    }
    &mut scratch[..len]
}

/// Appends `bytes` to `out` as a gzip member. Each call of the encoder may use all of `room`.
fn gzip(
    encoder: &mut Compress,
    bytes: &[u8],
    room: &mut [u8],
    out: &mut Vec<u8>,
) -> io::Result<()> {
    encoder.reset();
    let mut rest = bytes;
    loop {
        let (taken, made) = (encoder.total_in(), encoder.total_out());
        let status = encoder.compress(rest, room, FlushCompress::Finish)?;
        let passed = |total: u64, before: u64, most: usize| {
            usize::try_from(total - before).map_or(most, |passed| passed.min(most))
        };
        let made = passed(encoder.total_out(), made, room.len());
        out.extend_from_slice(&room[..made]);
        if status == Status::StreamEnd {
            return Ok(());
        }
        rest = &rest[passed(encoder.total_in(), taken, rest.len())..];
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::bufread::MultiGzDecoder;
    use proptest::prelude::*;

    use super::*;

    fn compress(compression: Compression, pieces: &[&[u8]]) -> Vec<u8> {
        let mut compressor = Compressor::new(compression).unwrap();
        let mut out = Vec::new();
        for piece in pieces {
            compressor.compress(piece, &mut out).unwrap();
        }
        out
    }

    fn decompress(compression: Compression, bytes: &[u8]) -> Vec<u8> {
        let mut whole = Vec::new();
        match compression {
            Compression::None => whole.extend_from_slice(bytes),
            Compression::Gzip => drop(MultiGzDecoder::new(bytes).read_to_end(&mut whole).unwrap()),
            Compression::Zstd => whole = zstd::decode_all(bytes).unwrap(),
        }
        whole
    }

    /// Bytes that hardly compress, so that the encoder runs out of room again and again.
    fn noise(len: usize) -> Vec<u8> {
        let step = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(state.to_be_bytes()[0])
        };
        std::iter::repeat_with(|| ())
            .scan(1, |state, ()| step(state))
            .take(len)
            .collect()
    }

    #[test]
    fn pieces_put_together_decompress_to_the_whole() {
        let noise = noise(300_000);
        let repeated = b"what a day ".repeat(30_000);
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let pieces = [b"".as_slice(), b"one\n", &noise, b"", &repeated];
            let out = compress(compression, &pieces);
            assert_eq!(decompress(compression, &out), pieces.concat());
        }
    }

    #[test]
    fn a_piece_compresses_to_the_same_bytes_whatever_came_before() {
        let piece = b"the same piece".as_slice();
        for compression in [Compression::Gzip, Compression::Zstd] {
            let alone = compress(compression, &[piece]);
            let other = compress(compression, &[&noise(70_000)]);
            let after = compress(compression, &[&noise(70_000), piece]);
            assert_eq!(after, [other, alone].concat());
        }
    }

    #[test]
    fn a_gzip_member_has_no_time_stamp() {
        let out = compress(Compression::Gzip, &[b"what a day"]);
        assert_eq!(out[..3], [0x1f, 0x8b, 8]);
        assert_eq!(out[4..8], [0; 4]);
    }

    #[test]
    fn no_bytes_still_make_a_file_that_can_be_decompressed() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let out = compress(compression, &[b""]);
            assert!(!out.is_empty());
            assert_eq!(decompress(compression, &out), b"");
        }
    }

    /// Text in which matches are near each other, so that many of them overlap.
    fn text(words: &[u8]) -> Vec<u8> {
        const WORDS: [&str; 8] = [
            "what a ", "day", ", so ", "happy! ", "{\"id\":", "0.4404", "}\n", "sad",
        ];
        let words = words
            .iter()
            .flat_map(|&at| WORDS[usize::from(at) % 8].bytes());
        words.collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn compressed_bytes_do_not_depend_on_the_buffer_they_are_put_into(
            words in prop::collection::vec(any::<u8>(), 0..60_000),
            before in prop::collection::vec(any::<u8>(), 0..20_000),
            spare in prop_oneof![0..300_usize, 0..400_000_usize],
        ) {
            let (piece, before) = (text(&words), text(&before));
            for compression in [Compression::Gzip, Compression::Zstd] {
                let fresh = compress(compression, &[&piece]);
                let mut compressor = Compressor::new(compression).unwrap();
                let mut out = Vec::new();
                compressor.compress(&before, &mut out).unwrap();
                out.clear();
                out.shrink_to_fit();
                out.reserve_exact(spare);
                compressor.compress(&piece, &mut out).unwrap();
                prop_assert!(out == fresh, "{compression:?} with {spare} bytes of room");
                prop_assert!(decompress(compression, &out) == piece);
            }
        }
    }
}
