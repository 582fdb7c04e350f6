//! The shards that a feed returns.

use moodring_record::FramingError;

/// The number of an input: its index in [`Feed::inputs`](crate::Feed::inputs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A piece of a source, processed by one worker at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The source that contains it.
    pub source: SourceId,
    /// The piece.
    pub content: ShardContent,
    /// The framing errors that were found while it was cut, for
    /// [`Reader::of_shard`](moodring_record::Reader::of_shard).
    pub framing_errors: Vec<FramingError>,
    /// How many bytes of the last framing error follow the piece, because the record is too long to be part of it.
    pub skipped: u64,
    /// How many bytes of the source, as stored, were read since the previous shard. They add up to
    /// [`Input::size`](crate::Input::size).
    pub stored: u64,
}

/// A piece that was cut from a source.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) content: ShardContent,
    pub(crate) framing_errors: Vec<FramingError>,
    pub(crate) skipped: u64,
}

/// A position between two shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The source of the previous shard.
    pub source: SourceId,
    /// Where that shard ends in the (decompressed) source.
    pub offset: u64,
}

/// The records of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShardContent {
    /// The bytes `start..end` of a file on disk, for the worker to read.
    ///
    /// If the layout can be cut [at lines](moodring_record::SplitMode::Lines), the range owns each line that starts in
    /// it: the worker skips the rest of a line that started earlier, and reads past `end` to the end of its last line.
    /// Otherwise the range begins and ends at record boundaries.
    Range {
        /// The first byte.
        start: u64,
        /// Past the last byte.
        end: u64,
    },
    /// Whole records, read and decompressed.
    Block {
        /// Where they begin in the decompressed source.
        offset: u64,
        /// Their bytes.
        bytes: Vec<u8>,
    },
}
