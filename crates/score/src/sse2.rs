//! Sixteen bytes at a time, with instructions that every x86-64 processor has: what the scanners of both models use.

#![expect(
    clippy::cast_possible_truncation,
    reason = "each half of sixteen bytes is eight"
)]

use std::arch::x86_64::{
    __m128i, _mm_and_si128, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_cmplt_epi8, _mm_cvtsi128_si64,
    _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8, _mm_unpackhi_epi64,
};

/// The top bit of each of 64 bytes.
#[target_feature(enable = "sse2")]
#[inline]
pub(crate) fn masks(lanes: [__m128i; 4]) -> u64 {
    let [a, b, c, d] = lanes.map(|lane| u64::from(_mm_movemask_epi8(lane).cast_unsigned()));
    a | b << 16 | c << 32 | d << 48
}

#[target_feature(enable = "sse2")]
#[inline]
pub(crate) fn load(bytes: &[u8; 16]) -> __m128i {
    let both = u128::from_le_bytes(*bytes);
    let (high, low) = ((both >> 64) as u64, both as u64);
    _mm_set_epi64x(high.cast_signed(), low.cast_signed())
}

#[target_feature(enable = "sse2")]
#[inline]
pub(crate) fn store(lane: __m128i, bytes: &mut [u8; 16]) {
    let (low, high) = (
        _mm_cvtsi128_si64(lane),
        _mm_cvtsi128_si64(_mm_unpackhi_epi64(lane, lane)),
    );
    *bytes =
        (u128::from(low.cast_unsigned()) | u128::from(high.cast_unsigned()) << 64).to_le_bytes();
}

/// Where the bytes are in `first..=last`.
#[target_feature(enable = "sse2")]
#[inline]
pub(crate) fn between(bytes: __m128i, first: u8, last: u8) -> __m128i {
    let (from, to) = (
        _mm_cmpgt_epi8(bytes, all(first - 1)),
        _mm_cmplt_epi8(bytes, all(last + 1)),
    );
    _mm_and_si128(from, to)
}

#[target_feature(enable = "sse2")]
#[inline]
pub(crate) fn all(byte: u8) -> __m128i {
    _mm_set1_epi8(byte.cast_signed())
}

/// Where the bytes are `byte`.
#[target_feature(enable = "sse2")]
#[inline]
pub(crate) fn is(bytes: __m128i, byte: u8) -> __m128i {
    _mm_cmpeq_epi8(bytes, all(byte))
}

/// Where any of the masks is set.
#[target_feature(enable = "sse2")]
#[inline]
pub(crate) fn any<const N: usize>(masks: [__m128i; N]) -> __m128i {
    let mut any = masks[0];
    for mask in &masks[1..] {
        any = _mm_or_si128(any, *mask);
    }
    any
}
