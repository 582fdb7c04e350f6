//! The spool as its owner has it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::entry::{NewEntry, NotTaken, OnDurable, Refusal};
use super::error::SpoolError;
use super::folder::{Folder, FolderLock, open, opening};
use super::format::{HEADER, Kind, MAX_PAYLOAD};
use super::index::{Index, Opened, Segment, Shared, load};
use super::keys::Keys;
use super::reader::Reader;
use super::scan::{Found, Scan};
use super::writer::{Inbox, Queue, Writer};
use crate::syncer::sync_name;

/// How large a spool may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many bytes of entries that are still needed there may be on the disk.
    pub bytes: u64,
    /// How long a segment gets before the next one is begun: at least this much stays on the disk.
    pub segment: u64,
    /// How many bytes may wait to be written; a single larger entry may.
    pub queue: usize,
    /// How many keys are remembered. With more of them in a day, the oldest ones are forgotten earlier.
    pub keys: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bytes: 1 << 30,
            segment: 8 << 20,
            queue: 16 << 20,
            keys: 1_000_000,
        }
    }
}

/// Keeps records on the disk from their arrival until they are counted.
///
/// Shared between threads: any may append. Dropping it writes what waits and ends its readers.
pub struct Spool {
    shared: Arc<Shared>,
    inbox: Arc<Inbox>,
    keys: Arc<Mutex<Keys>>,
    limits: Limits,
    thread: Option<JoinHandle<()>>,
    _lock: FolderLock,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool")
            .field("folder", &self.shared.folder.path())
            .finish_non_exhaustive()
    }
}

impl Spool {
    /// Opens the spool in a folder, or creates it (and the folder that it lies in). Entries before `counted` are not needed
    /// any more, and the next one gets at least that number.
    ///
    /// # Errors
    /// If another process has it, or the folder or a file in it cannot be used.
    pub fn open(
        folder: &Path,
        counted: u64,
        limits: Limits,
    ) -> Result<(Spool, Opened), SpoolError> {
        let (folder, lock) = Folder::open(folder)?;
        let mut keys = Keys::new(limits.keys);
        let (index, opened) = load(&folder, counted, &mut keys)?;
        let limits = Limits {
            segment: limits.segment.clamp(1, 1 << 30),
            ..limits
        };
        let shared = Arc::new(Shared::new(folder, index));
        let (inbox, keys) = (Arc::new(Inbox::default()), Arc::new(Mutex::new(keys)));
        let writer = Writer::new(
            Arc::clone(&shared),
            Arc::clone(&inbox),
            Arc::clone(&keys),
            limits.segment,
            opened.next,
        )?;
        let spawned = thread::Builder::new()
            .name("spool".to_owned())
            .spawn(move || writer.run());
        let thread = spawned.map_err(|error| SpoolError::Thread {
            path: shared.folder.path().to_owned(),
            why: error.to_string(),
        })?;
        Ok((
            Spool {
                shared,
                inbox,
                keys,
                limits,
                thread: Some(thread),
                _lock: lock,
            },
            opened,
        ))
    }

    /// Takes an entry, without blocking. `on_durable` is called once it is on the disk or has failed: at once when the disk
    /// is idle, and with all others of at most 10 ms otherwise.
    ///
    /// # Errors
    /// [`NotTaken`], with the entry, if there is no room for it at present or ever, or the thread that writes is gone.
    pub fn append(&self, entry: NewEntry, on_durable: OnDurable) -> Result<(), Box<NotTaken>> {
        match self.admit(&entry) {
            Ok(mut queue) => {
                queue.bytes += size_of_entry(&entry);
                queue.entries.push_back((entry, on_durable));
                drop(queue);
                self.inbox.wake();
                Ok(())
            }
            Err(why) => Err(Box::new(NotTaken {
                why,
                entry,
                on_durable,
            })),
        }
    }

    fn admit(&self, entry: &NewEntry) -> Result<MutexGuard<'_, Queue>, Refusal> {
        let max = MAX_PAYLOAD - size_of::<u128>();
        let longest = entry.bytes.len().max(entry.context.len());
        if longest > max {
            return Err(Refusal::TooLarge { len: longest, max });
        }
        let index = self.shared.index();
        if index.is_closed {
            let path = self.shared.folder.path().to_owned();
            return Err(SpoolError::Died { path }.into());
        }
        let queue = self.inbox.queue();
        if self.has_room(&index, &queue, size_of_entry(entry)) {
            return Ok(queue);
        }
        Err(Refusal::NoRoom)
    }

    /// A single entry may be larger than any limit.
    fn has_room(&self, index: &Index, queue: &Queue, len: usize) -> bool {
        let needed = index.needed();
        let is_alone = queue.bytes == 0 && needed <= self.limits.segment;
        let fits_queue = queue.bytes == 0 || queue.bytes + len <= self.limits.queue;
        is_alone || fits_queue && needed + (queue.bytes + len) as u64 <= self.limits.bytes
    }

    /// Waits until there is room for an entry that was refused with [`Refusal::NoRoom`], or `timeout` has passed. Others may
    /// be faster to use it.
    pub fn wait_for_room(&self, entry: &NewEntry, timeout: Duration) {
        let len = size_of_entry(entry);
        self.shared.wait(timeout, |index| {
            let is_over = index.is_closed || self.has_room(index, &self.inbox.queue(), len);
            is_over.then_some(())
        });
    }

    /// Returns a reader of the entries from a number on.
    #[must_use]
    pub fn reader(&self, from: u64) -> Reader {
        Reader::new(Arc::clone(&self.shared), from)
    }

    /// Returns the number of the next entry.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.shared.index().next()
    }

    /// Returns how many bytes of entries there are that are still needed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.index().needed()
    }

    /// Returns the time of the youngest key that was forgotten before its day was over, as there were too many.
    #[must_use]
    pub fn forgotten_keys_until(&self) -> Option<i64> {
        self.keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .since()
    }

    /// Deletes the segments in which all entries have numbers before `counted`, except the one that is written, and returns
    /// how many there were. Their keys are kept.
    ///
    /// # Errors
    /// If a file cannot be deleted, or keys cannot be saved. What is left is deleted by a later call.
    pub fn trim(&self, counted: u64) -> Result<usize, SpoolError> {
        let old: Vec<Segment> = self.shared.change(|index| {
            index.trimmed = index.trimmed.max(counted);
            let last = index.segments.len().saturating_sub(1);
            index
                .segments
                .iter()
                .take(last)
                .take_while(|it| it.next <= counted)
                .copied()
                .collect()
        });
        for segment in &old {
            if segment.has_keys {
                self.save_keys(segment)?;
            }
        }
        for segment in &old {
            let path = self.shared.folder.segment(segment.first);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(SpoolError::io(&path, &error));
                }
                _ => {}
            }
            self.shared.change(|index| {
                if index
                    .segments
                    .front()
                    .is_some_and(|it| it.first == segment.first)
                {
                    index.segments.pop_front();
                }
            });
        }
        if let Some(segment) = old.last() {
            let path = self.shared.folder.segment(segment.first);
            sync_name(&path).map_err(|error| SpoolError::io(&path, &error))?;
        }
        Ok(old.len())
    }

    fn save_keys(&self, segment: &Segment) -> Result<(), SpoolError> {
        let path = self.shared.folder.segment(segment.first);
        let failed = |error| opening(&path, &error);
        let Some(file) = open(&path).map_err(failed)? else {
            return Ok(());
        };
        let (mut scan, mut payload, mut found) = (Scan::new(segment.first), Vec::new(), Vec::new());
        loop {
            let header = match scan
                .next(&file, segment.len, &mut payload)
                .map_err(failed)?
            {
                Found::End => break,
                Found::Damage { .. } => continue,
                Found::Frame { header, .. } => header,
            };
            if header.kind == Kind::KeyedEntry && header.number < segment.next {
                let key = payload.first_chunk().map(|key| u128::from_le_bytes(*key));
                found.extend(key.map(|key| (key, header.arrival)));
            }
        }
        let path = self.shared.folder.keys();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.save(&path, &found)
            .map_err(|error| opening(&path, &error))
    }
}

/// How many bytes an entry may take in a segment.
fn size_of_entry(entry: &NewEntry) -> usize {
    entry.bytes.len() + entry.context.len() + 2 * HEADER + size_of::<u128>()
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.inbox.queue().is_closed = true;
        self.inbox.wake();
        if let Some(thread) = self.thread.take() {
            // That it panicked is what readers are told.
            let _: thread::Result<()> = thread.join();
        }
    }
}
