//! Reads a spool while it is written.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use super::entry::Entry;
use super::error::SpoolError;
use super::folder::{open, opening};
use super::format::{Header, Kind};
use super::index::{Segment, Shared};
use super::scan::{Found, Scan};

/// What a reader gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// An entry.
    Entry(Entry),
    /// Entries that are lost.
    Gap {
        /// The number of the first one.
        from: u64,
        /// The number after that of the last one.
        to: u64,
        /// What is known about it.
        why: &'static str,
    },
    /// Nothing more was written in time.
    Nothing,
    /// Nothing more will be written.
    End,
}

/// Reads entries in order, as soon as they are on the disk.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    /// The number of the entry that comes next.
    next: u64,
    open: Option<Reading>,
}

/// A segment that is being read.
#[derive(Debug)]
struct Reading {
    first: u64,
    file: File,
    scan: Scan,
    contexts: HashMap<u32, Arc<[u8]>>,
    /// An entry that was read and comes after a gap.
    ahead: Option<Entry>,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, from: u64) -> Reader {
        Reader {
            shared,
            next: from,
            open: None,
        }
    }

    /// Returns the number of the entry that comes next.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Returns the next entry, and waits for it up to `timeout`.
    ///
    /// # Errors
    /// If a file cannot be read. The next call tries it again.
    pub fn read(&mut self, timeout: Duration) -> Result<Next, SpoolError> {
        let next = self.next;
        let found = self.shared.wait(timeout, |index| {
            if next < index.next() {
                let segment = index.segments.iter().find(|it| next < it.next);
                return segment.map(|segment| Ok(Some(*segment)));
            }
            match (index.is_dead, index.is_closed) {
                (true, _) => Some(Err(SpoolError::Died {
                    path: self.shared.folder.path().to_owned(),
                })),
                (false, true) => Some(Ok(None)),
                (false, false) => None,
            }
        });
        let Some(found) = found else {
            return Ok(Next::Nothing);
        };
        match found? {
            None => Ok(Next::End),
            Some(segment) if next < segment.first => {
                Ok(self.gap(segment.first, "the files with these entries are gone"))
            }
            Some(segment) => self.read_from(&segment),
        }
    }

    fn gap(&mut self, to: u64, why: &'static str) -> Next {
        let from = self.next;
        self.next = to;
        Next::Gap { from, to, why }
    }

    fn read_from(&mut self, segment: &Segment) -> Result<Next, SpoolError> {
        let path = self.shared.folder.segment(segment.first);
        if self
            .open
            .as_ref()
            .is_none_or(|it| it.first != segment.first)
        {
            let Some(file) = open(&path).map_err(|error| opening(&path, &error))? else {
                return Ok(self.gap(segment.next, "the file with these entries is gone"));
            };
            let (first, scan) = (segment.first, Scan::new(segment.first));
            self.open = Some(Reading {
                first,
                file,
                scan,
                contexts: HashMap::new(),
                ahead: None,
            });
        }
        let Some(reading) = &mut self.open else {
            return Ok(Next::Nothing);
        };
        let found = reading
            .next(segment, self.next)
            .map_err(|error| opening(&path, &error));
        match found {
            Ok(Some(entry)) if entry.number == self.next => {
                self.next += 1;
                Ok(Next::Entry(entry))
            }
            Ok(Some(entry)) => {
                let to = entry.number;
                reading.ahead = Some(entry);
                Ok(self.gap(to, "the file is damaged there"))
            }
            Ok(None) => Ok(self.gap(segment.next, "the file is damaged there")),
            Err(error) => {
                // Some of it may have been passed over.
                self.open = None;
                Err(error)
            }
        }
    }
}

impl Reading {
    /// The first sound entry of the segment that does not come before `next`.
    fn next(&mut self, segment: &Segment, next: u64) -> std::io::Result<Option<Entry>> {
        if let Some(entry) = self.ahead.take() {
            return Ok(Some(entry));
        }
        let mut payload = Vec::new();
        loop {
            match self.scan.next(&self.file, segment.len, &mut payload)? {
                Found::End => return Ok(None),
                Found::Damage { .. } => {}
                Found::Frame { header, .. } => match header.kind {
                    Kind::Close => {}
                    Kind::Context => {
                        self.contexts
                            .insert(header.context, Arc::from(&payload[..]));
                    }
                    Kind::Entry | Kind::KeyedEntry
                        if header.number < next || header.number >= segment.next => {}
                    // One whose context is damaged cannot be understood.
                    Kind::Entry | Kind::KeyedEntry => {
                        if let Some(context) = self.contexts.get(&header.context) {
                            return Ok(Some(entry(&header, Arc::clone(context), payload)));
                        }
                    }
                },
            }
        }
    }
}

fn entry(header: &Header, context: Arc<[u8]>, mut bytes: Vec<u8>) -> Entry {
    let mut key = None;
    if header.kind == Kind::KeyedEntry {
        key = bytes.first_chunk().map(|key| u128::from_le_bytes(*key));
        bytes.drain(..size_of::<u128>());
    }
    Entry {
        number: header.number,
        context,
        arrival: header.arrival,
        key,
        bytes,
    }
}
