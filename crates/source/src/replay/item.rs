//! The records of a recording, each with the time it is played at.

use std::io;

use moodring_record::{FramingError, Layout, Reader};
use moodring_window::{TimeZone, Timestamp};

use crate::record_buffer::Piece;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// When it was written; for one that does not say so, when the one before it in the file was.
    pub(crate) key: Timestamp,
    /// Where it begins in the (decompressed) file.
    pub(crate) offset: u64,
    /// Whether it will be rejected, so that its place matters.
    pub(crate) is_reject: bool,
    /// What framing found wrong with it.
    pub(crate) framing_error: Option<FramingError>,
    /// Its bytes, with its line end and blank lines behind it. Empty for a reject beyond the record limit.
    pub(crate) bytes: Vec<u8>,
}

/// Takes a piece apart. `last` is the key of the record before it, and becomes that of its last one.
pub(crate) fn items_of(
    layout: &Layout,
    piece: &Piece,
    zone: &TimeZone,
    last: &mut Timestamp,
) -> Vec<Item> {
    let mut reader = Reader::of_shard(layout, &piece.bytes, piece.offset, &piece.framing_errors);
    let mut found: Vec<(usize, Option<Timestamp>)> = Vec::new();
    while let Some(record) = reader.next_raw() {
        let start = usize::try_from(record.location().offset).unwrap_or(usize::MAX);
        let post = reader.parse(record).ok();
        let time = post.and_then(|post| Timestamp::parse(post.time()?, zone).ok());
        found.push((start, time));
    }
    let ends = found.iter().skip(1).map(|(start, _)| *start);
    let ends: Vec<usize> = ends.chain([piece.bytes.len()]).collect();
    let items = found.into_iter().zip(ends);
    items
        .map(|((start, time), end)| {
            *last = time.unwrap_or(*last);
            let offset = piece.offset + start as u64;
            let error = piece
                .framing_errors
                .iter()
                .find(|error| error.offset == offset);
            Item {
                key: *last,
                offset,
                is_reject: time.is_none(),
                framing_error: error.cloned(),
                bytes: piece.bytes[start..end].to_vec(),
            }
        })
        .collect()
}

impl Item {
    /// Writes all but the key, for a [`Sorter`](super::sorter::Sorter).
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> io::Result<()> {
        out.clear();
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.push(u8::from(self.is_reject));
        let error = match &self.framing_error {
            Some(error) => serde_json::to_vec(error)?,
            None => Vec::new(),
        };
        let len = u32::try_from(error.len()).map_err(io::Error::other)?;
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&error);
        out.extend_from_slice(&self.bytes);
        Ok(())
    }

    /// Reads what [`encode`](Self::encode) wrote.
    pub(crate) fn decode(key: Timestamp, encoded: &[u8]) -> io::Result<Item> {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "a temporary file is damaged");
        let (offset, rest) = encoded.split_first_chunk().ok_or_else(bad)?;
        let (is_reject, rest) = rest.split_first().ok_or_else(bad)?;
        let (len, rest) = rest.split_first_chunk().ok_or_else(bad)?;
        let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
        let (error, bytes) = rest.split_at_checked(len).ok_or_else(bad)?;
        let framing_error = match error {
            [] => None,
            error => Some(serde_json::from_slice(error)?),
        };
        Ok(Item {
            key,
            offset: u64::from_le_bytes(*offset),
            is_reject: *is_reject != 0,
            framing_error,
            bytes: bytes.to_vec(),
        })
    }
}
