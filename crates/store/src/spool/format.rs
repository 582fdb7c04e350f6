//! The bytes of a segment.
//!
//! A segment begins with [`HEAD`] bytes: a mark, the number of its first entry, and a CRC-32 of both. What follows are
//! frames: a header of [`HEADER`] bytes with a CRC-32 over all that comes after it, then the payload. Numbers are
//! little-endian.
//!
//! | bytes | |
//! |---|---|
//! | 0..4 | a mark, by which the next sound frame is found behind a damaged one |
//! | 4..8 | CRC-32 of the rest of the header and the payload |
//! | 8..12 | length of the payload |
//! | 12..16 | kind |
//! | 16..20 | number of the context within the segment |
//! | 20..24 | `synced`: what lies before it in the segment was on the disk when this was written |
//! | 24..32 | number of the entry |
//! | 32..40 | arrival |
//!
//! A crash takes only what was not synced. So a damaged frame before the `synced` of any sound one is damage; one behind
//! all of these is what a crash left of the last batch.

use crc32fast::Hasher;

/// The length of the head of a segment.
pub(super) const HEAD: usize = 20;
/// The length of the header of a frame.
pub(super) const HEADER: usize = 40;
/// The longest payload: a record at its limit, and some more.
pub(super) const MAX_PAYLOAD: usize = (256 << 20) + (1 << 20);

const SEGMENT_MARK: [u8; 8] = *b"moodspl1";
/// How each frame begins.
pub(super) const FRAME_MARK: [u8; 4] = [0x1e, b'm', b'r', 0xf5];

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The bytes of a context, for entries after it.
    Context = 1,
    /// An entry.
    Entry = 2,
    /// An entry whose payload begins with 16 bytes of a key.
    KeyedEntry = 3,
    /// Nothing but its `synced`: the spool was closed here.
    Close = 4,
}

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) len: usize,
    pub(super) context: u32,
    pub(super) synced: u32,
    pub(super) number: u64,
    pub(super) arrival: i64,
    crc: u32,
    /// Of the header alone, without mark and CRC.
    own_crc: u32,
}

impl Header {
    /// Reads a header; `None` if these bytes are none.
    pub(super) fn parse(bytes: &[u8; HEADER]) -> Option<Header> {
        let (mark, rest) = bytes.split_first_chunk()?;
        let (crc, rest) = rest.split_first_chunk()?;
        let own_crc = crc32fast::hash(rest);
        let (len, rest) = rest.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let (context, rest) = rest.split_first_chunk()?;
        let (synced, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let arrival = rest.first_chunk()?;
        let header = Header {
            kind: match u32::from_le_bytes(*kind) {
                1 => Kind::Context,
                2 => Kind::Entry,
                3 => Kind::KeyedEntry,
                4 => Kind::Close,
                _ => return None,
            },
            len: u32::from_le_bytes(*len) as usize,
            context: u32::from_le_bytes(*context),
            synced: u32::from_le_bytes(*synced),
            number: u64::from_le_bytes(*number),
            arrival: i64::from_le_bytes(*arrival),
            crc: u32::from_le_bytes(*crc),
            own_crc,
        };
        let fits =
            header.len <= MAX_PAYLOAD && (header.kind != Kind::KeyedEntry || header.len >= 16);
        (*mark == FRAME_MARK && fits).then_some(header)
    }

    /// Whether the payload is the one that was written with it.
    pub(super) fn fits(&self, payload: &[u8]) -> bool {
        let mut hasher = Hasher::new_with_initial_len(self.own_crc, (HEADER - 8) as u64);
        hasher.update(payload);
        hasher.finalize() == self.crc
    }
}

/// A frame that is to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) kind: Kind,
    pub(super) context: u32,
    pub(super) synced: u32,
    pub(super) number: u64,
    pub(super) arrival: i64,
    /// The key of a keyed entry.
    pub(super) key: Option<u128>,
    pub(super) bytes: &'a [u8],
}

impl Frame<'_> {
    /// Appends the frame, whose bytes must not be more than [`MAX_PAYLOAD`] with the key.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let key = self.key.map(u128::to_le_bytes);
        let key = key.as_ref().map_or(&[][..], |key| &key[..]);
        let len = u32::try_from(key.len() + self.bytes.len()).unwrap_or(u32::MAX);
        let begin = out.len();
        out.extend(FRAME_MARK);
        out.extend([0; 4]);
        out.extend(len.to_le_bytes());
        out.extend((self.kind as u32).to_le_bytes());
        out.extend(self.context.to_le_bytes());
        out.extend(self.synced.to_le_bytes());
        out.extend(self.number.to_le_bytes());
        out.extend(self.arrival.to_le_bytes());
        out.extend_from_slice(key);
        out.extend_from_slice(self.bytes);
        let crc = crc32fast::hash(&out[begin + 8..]);
        out[begin + 4..begin + 8].copy_from_slice(&crc.to_le_bytes());
    }
}

/// The head of a segment.
pub(super) fn head(first: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&SEGMENT_MARK);
    head[8..16].copy_from_slice(&first.to_le_bytes());
    let crc = crc32fast::hash(&head[..16]);
    head[16..].copy_from_slice(&crc.to_le_bytes());
    head
}
