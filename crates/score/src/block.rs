//! What the block scanners of both models share: cutting a text into blocks of 64 bytes, and masks with one bit per
//! byte.
//!
//! Each model classifies the bytes of a block on its own, once with SSE2 (see [`sse2`](crate::sse2)) and once byte by
//! byte, which is the definition that the fast one is tested against.

/// How many bytes a block has: one for each bit of a mask.
pub(crate) const BYTES: usize = 64;

/// Returns `classify(bytes, at)` for the block of `text` at `from`, or for the last block of the text if less than a
/// block follows `from`; `at` is where in the text the block begins. A text shorter than a block is padded with
/// spaces.
#[inline]
pub(crate) fn with_block_at<T>(
    text: &[u8],
    from: usize,
    classify: impl FnOnce(&[u8; BYTES], usize) -> T,
) -> T {
    let mut padded = [b' '; BYTES];
    let (bytes, at) = if let Some(bytes) = text[from..].first_chunk() {
        (bytes, from)
    } else if let Some(bytes) = text.last_chunk() {
        (bytes, text.len() - BYTES)
    } else {
        padded[..text.len()].copy_from_slice(text);
        (&padded, 0)
    };
    // The one call, so that it is inlined.
    classify(bytes, at)
}

/// Returns the mask of the bytes for which `is` holds.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(crate) fn mask(bytes: &[u8; BYTES], is: impl Fn(u8) -> bool) -> u64 {
    bytes
        .iter()
        .enumerate()
        .fold(0, |mask, (at, &byte)| mask | u64::from(is(byte)) << at)
}

/// Returns the bytes in lower case, followed by zeros, so that a token can be read past the end of the block.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(crate) fn folded<const LEN: usize>(bytes: &[u8; BYTES]) -> [u8; LEN] {
    let mut folded = [0; LEN];
    folded[..BYTES].copy_from_slice(&bytes.map(|byte| byte.to_ascii_lowercase()));
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_padded_with_spaces() {
        with_block_at(b"ab", 0, |bytes, at| {
            assert_eq!(at, 0);
            assert_eq!(mask(bytes, |byte| byte == b' '), !0b11);
        });
    }

    #[test]
    fn the_last_block_ends_with_the_text() {
        let text: Vec<u8> = (0..100).collect();
        with_block_at(&text, 64, |bytes, at| {
            assert_eq!((at, bytes[0], bytes[63]), (36, 36, 99));
        });
    }
}
