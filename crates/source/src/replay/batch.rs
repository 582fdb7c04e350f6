//! Putting records together that may come from anywhere in a file.

use std::sync::Arc;

use moodring_record::{FramingError, Layout};
use moodring_window::Timestamp;

use super::item::Item;
use crate::record_buffer::{MAX_BYTES, MAX_RECORDS};
use crate::segment::{Position, Segment};

/// The records of the next segment.
///
/// Only one offset is told of a segment. So a record that will be rejected, whose place a person may look up, is taken in
/// only where its offset follows from that; the places of others are not shown to anyone.
#[derive(Debug)]
pub(crate) struct Batch {
    layout: Arc<Layout>,
    bytes: Vec<u8>,
    framing_errors: Vec<FramingError>,
    records: u32,
    offset: u64,
    /// Whether the records lie in the file as they lie here.
    is_contiguous: bool,
    /// Whether nothing may follow, as bytes are missing at the end.
    is_closed: bool,
}

impl Batch {
    pub(crate) fn new(layout: Arc<Layout>) -> Batch {
        Batch {
            layout,
            bytes: Vec::new(),
            framing_errors: Vec::new(),
            records: 0,
            offset: 0,
            is_contiguous: true,
            is_closed: false,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Whether there is room for this record.
    pub(crate) fn takes(&self, item: &Item) -> bool {
        let is_in_place = self.is_contiguous && item.offset == self.end();
        self.is_empty()
            || !self.is_closed
                && self.records < MAX_RECORDS
                && self.bytes.len() + item.bytes.len() < MAX_BYTES
                && (is_in_place || !item.is_reject)
    }

    /// Where the record behind these lies in the file, if they are contiguous.
    fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    /// Adds a record that is [taken](Self::takes).
    pub(crate) fn push(&mut self, item: Item) {
        if self.is_empty() {
            self.offset = item.offset;
            self.is_contiguous = true;
        } else if item.offset != self.end() {
            self.is_contiguous = false;
        }
        self.records += 1;
        self.bytes.extend_from_slice(&item.bytes);
        self.is_closed = item.bytes.is_empty();
        // The last line of a file may have no end.
        if !self.is_closed && !item.bytes.ends_with(b"\n") {
            self.bytes.push(b'\n');
        }
        self.framing_errors.extend(item.framing_error);
    }

    /// Takes the records out.
    pub(crate) fn take(&mut self, arrival: Timestamp, position: Position) -> Segment {
        let records = std::mem::take(&mut self.records);
        self.is_closed = false;
        Segment {
            layout: Arc::clone(&self.layout),
            bytes: std::mem::take(&mut self.bytes),
            framing_errors: std::mem::take(&mut self.framing_errors),
            records,
            offset: self.offset,
            arrival,
            position: Some(position),
            key: None,
        }
    }
}
