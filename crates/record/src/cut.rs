//! Finding where a source may be cut.

use crate::Layout;

/// Finds record ends in a stream of bytes that begins at a record, and remembers open quotes between calls.
#[derive(Clone, Debug)]
pub struct Cutter {}

impl Cutter {
    /// A cutter that stands at the start of a record.
    #[must_use]
    pub fn new(layout: &Layout) -> Cutter {
        let _ = layout;
        Cutter {}
    }

    /// Looks at `bytes`, the continuation of what it saw before, for the first record end at or after `min` (and
    /// after 0): the offset just past the record's terminator.
    ///
    /// `Some(end)` has consumed exactly `end` bytes; `None` has consumed them all.
    pub fn next_end(&mut self, bytes: &[u8], min: usize) -> Option<usize> {
        let from = min.max(1) - 1;
        let newline = memchr::memchr(b'\n', bytes.get(from..)?)?;
        Some(from + newline + 1)
    }
}
