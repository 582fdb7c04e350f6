//! What is in a spool, as its writer and its readers share it.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::SpoolError;
use super::folder::{Folder, open, opening};
use super::format::Kind;
use super::keys::Keys;
use super::scan::{Found, Scan};
use crate::syncer::sync_name;

/// A segment, as far as it is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// The number of its first entry.
    pub(super) first: u64,
    /// The number after that of its last entry.
    pub(super) next: u64,
    /// How many bytes of it count.
    pub(super) len: u64,
    /// Whether one of its entries has a key.
    pub(super) has_keys: bool,
}

/// The segments, in order; the last one is written. Never empty.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) segments: VecDeque<Segment>,
    /// Entries before it are not needed any more.
    pub(super) trimmed: u64,
    /// Whether nothing more is written.
    pub(super) is_closed: bool,
    /// Whether the thread that writes panicked.
    pub(super) is_dead: bool,
}

impl Index {
    /// The number of the next entry.
    pub(super) fn next(&self) -> u64 {
        self.segments.back().map_or(0, |it| it.next)
    }

    /// How many bytes there are of segments that are still needed.
    pub(super) fn needed(&self) -> u64 {
        let needed = self.segments.iter().filter(|it| it.next > self.trimmed);
        needed.map(|it| it.len).sum()
    }
}

/// The index, and a call for those who wait for it to change.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) folder: Folder,
    index: Mutex<Index>,
    changed: Condvar,
}

impl Shared {
    pub(super) fn new(folder: Folder, index: Index) -> Shared {
        Shared {
            folder,
            index: Mutex::new(index),
            changed: Condvar::new(),
        }
    }

    /// A thread that panics changes the index only in whole steps.
    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the index and wakes those who wait.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Index) -> T) -> T {
        let value = change(&mut self.index());
        self.changed.notify_all();
        value
    }

    /// Waits until something holds of the index; `None` if it does not in time.
    pub(super) fn wait<T>(
        &self,
        timeout: Duration,
        mut look: impl FnMut(&Index) -> Option<T>,
    ) -> Option<T> {
        let begin = Instant::now();
        let mut index = self.index();
        loop {
            if let Some(value) = look(&index) {
                return Some(value);
            }
            let left = timeout
                .checked_sub(begin.elapsed())
                .filter(|left| !left.is_zero())?;
            let (again, _) = self
                .changed
                .wait_timeout(index, left)
                .unwrap_or_else(PoisonError::into_inner);
            index = again;
        }
    }
}

/// What was found in the folder of a spool when it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opened {
    /// The number of the first entry there is, or of the next one.
    pub first: u64,
    /// The number of the next entry.
    pub next: u64,
    /// How many bytes a crash had left of entries that were not on the disk, and so were promised to nobody.
    pub cut: u64,
    /// How many places are damaged. A reader meets them as gaps, unless nothing but a key was lost.
    pub damaged: u64,
}

/// Reads all segments: what is in them, and their keys. What a crash left of the last batch is cut off.
pub(super) fn load(
    folder: &Folder,
    at_least: u64,
    keys: &mut Keys,
) -> Result<(Index, Opened), SpoolError> {
    let mut opened = Opened::default();
    let path = folder.keys();
    opened.damaged += keys.load(&path).map_err(|error| opening(&path, &error))?;
    let numbers = folder.segments()?;
    let mut segments = VecDeque::new();
    for (at, &first) in numbers.iter().enumerate() {
        let path = folder.segment(first);
        let failed = |error: io::Error| opening(&path, &error);
        let Some(file) = open(&path).map_err(failed)? else {
            continue;
        };
        let following = numbers.get(at + 1).copied();
        let read = read(&file, first, following, keys).map_err(failed)?;
        opened.damaged += read.damaged;
        if let Some(len) = read.cut_to {
            let found = file.metadata().map_err(failed)?.len();
            opened.cut += found - len;
            file.set_len(len).map_err(failed)?;
        }
        if following.is_none() {
            // A process that was killed may have left something that is not on the disk yet, and what is written from now on
            // says that it is.
            file.sync_all()
                .and_then(|()| sync_name(&path))
                .map_err(failed)?;
        }
        segments.push_back(read.segment);
    }
    opened.first = segments.front().map_or(at_least, |it: &Segment| it.first);
    opened.next = segments
        .back()
        .map_or(0, |it: &Segment| it.next)
        .max(at_least);
    let index = Index {
        segments,
        trimmed: at_least,
        is_closed: false,
        is_dead: false,
    };
    Ok((index, opened))
}

struct Read {
    segment: Segment,
    damaged: u64,
    /// How long the file should be, if it is longer.
    cut_to: Option<u64>,
}

/// Reads a segment. `following` is the number of the first entry of the one after it.
fn read(file: &File, first: u64, following: Option<u64>, keys: &mut Keys) -> io::Result<Read> {
    let end = file.metadata()?.len();
    let mut scan = Scan::new(first);
    let mut payload = Vec::new();
    let mut segment = Segment {
        first,
        next: first,
        len: end,
        has_keys: false,
    };
    // Where they begin, and which number comes next there.
    let mut damages = Vec::new();
    let mut found_keys = Vec::new();
    let mut last_sound = 0;
    // What lies before it was on the disk.
    let mut synced = 0;
    loop {
        match scan.next(file, end, &mut payload)? {
            Found::End => break,
            Found::Damage { at } => damages.push((at, segment.next)),
            Found::Frame { at, header } => {
                synced = synced.max(u64::from(header.synced));
                last_sound = at;
                // An attempt to write an entry may have failed, so that it is in the next segment.
                let is_here = following.is_none_or(|following| header.number < following);
                if !is_here {
                    continue;
                }
                let is_entry = matches!(header.kind, Kind::Entry | Kind::KeyedEntry);
                segment.next = segment.next.max(header.number + u64::from(is_entry));
                if let (Kind::KeyedEntry, Some(key)) = (header.kind, payload.first_chunk()) {
                    found_keys.push((at, u128::from_le_bytes(*key), header.arrival));
                }
            }
        }
    }
    let mut cut_to = None;
    if let Some(following) = following {
        // What is left of a failed attempt at the end, with nothing missing before the next segment, is no loss.
        damages.retain(|(at, _)| *at < last_sound || segment.next < following);
        if damages.is_empty() && segment.next < following {
            damages.push((end, segment.next));
        }
    } else {
        // Only in the last segment may something be that was not on the disk.
        if let Some(&(at, next)) = damages.iter().find(|(at, _)| *at >= synced) {
            (segment.len, segment.next) = (at, next);
            cut_to = Some(at);
        }
        damages.retain(|(at, _)| *at < synced);
    }
    for (_, key, time) in found_keys.iter().filter(|(at, _, _)| *at < segment.len) {
        keys.add(*key, *time);
        segment.has_keys = true;
    }
    Ok(Read {
        segment,
        damaged: damages.len() as u64,
        cut_to,
    })
}
