//! The thread that writes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::entry::{Appended, Failed, NewEntry, OnDurable};
use super::error::SpoolError;
use super::folder::{create, open, opening};
use super::format::{Frame, HEAD, HEADER, Kind, head};
use super::index::{Segment, Shared};
use super::keys::Keys;
use crate::syncer::sync_name;

/// The least time from one sync to the next: entries that come in between share one.
const PAUSE: Duration = Duration::from_millis(10);
/// With this many bytes waiting there is no pause.
const LARGE: usize = 4 << 20;

/// What waits to be written.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) entries: VecDeque<(NewEntry, OnDurable)>,
    /// Of the entries here, and of those that are being written.
    pub(super) bytes: usize,
    pub(super) is_closed: bool,
}

/// The queue, shared by those who append and the thread.
#[derive(Default)]
pub(super) struct Inbox {
    queue: Mutex<Queue>,
    filled: Condvar,
}

impl Inbox {
    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self) {
        self.filled.notify_one();
    }

    /// Waits for entries, and returns them with how many bytes they are; none once the queue is closed and empty.
    fn take(&self, last_sync: Option<Instant>) -> (VecDeque<(NewEntry, OnDurable)>, usize) {
        let mut queue = self.queue();
        loop {
            let pause = last_sync.and_then(|last| PAUSE.checked_sub(last.elapsed()));
            if queue.is_closed
                || queue.bytes >= LARGE
                || (!queue.entries.is_empty() && pause.is_none())
            {
                return (std::mem::take(&mut queue.entries), queue.bytes);
            }
            queue = match pause.filter(|_| !queue.entries.is_empty()) {
                Some(pause) => {
                    self.filled
                        .wait_timeout(queue, pause)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self
                    .filled
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// What the thread owns.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) keys: Arc<Mutex<Keys>>,
    /// How long a segment gets before the next one is begun.
    pub(super) segment: u64,
    state: Tail,
}

/// The end of the last segment.
struct Tail {
    file: Option<File>,
    path: PathBuf,
    segment: Segment,
    contexts: HashMap<Arc<[u8]>, u32>,
}

/// Entries that go to the disk together.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    entries: Vec<(NewEntry, OnDurable, Appended)>,
    /// Of entries in it.
    keys: HashSet<u128>,
    stored: u64,
}

impl Writer {
    /// Prepares to write behind what was found. `next` is the number of the next entry.
    pub(super) fn new(
        shared: Arc<Shared>,
        inbox: Arc<Inbox>,
        keys: Arc<Mutex<Keys>>,
        segment: u64,
        next: u64,
    ) -> Result<Writer, SpoolError> {
        let last = shared.index().segments.back().copied();
        let mut state = Tail {
            file: None,
            path: PathBuf::new(),
            segment: last.unwrap_or(Segment {
                first: next,
                next,
                len: 0,
                has_keys: false,
            }),
            contexts: HashMap::new(),
        };
        state.path = shared.folder.segment(state.segment.first);
        let mut writer = Writer {
            shared,
            inbox,
            keys,
            segment,
            state,
        };
        let is_usable =
            last.is_some_and(|it| it.next == next && it.len >= HEAD as u64 && it.len < segment);
        if is_usable {
            let path = &writer.state.path;
            writer.state.file = open(path).map_err(|error| opening(path, &error))?;
        }
        if writer.state.file.is_none() {
            writer.begin_segment(next)?;
        }
        Ok(writer)
    }

    /// Writes until the queue is closed.
    pub(super) fn run(mut self) {
        let _guard = Guard(Arc::clone(&self.shared));
        let mut last_sync = None;
        loop {
            let (entries, bytes) = self.inbox.take(last_sync);
            if entries.is_empty() {
                break;
            }
            last_sync = Some(Instant::now());
            self.write(entries);
            self.inbox.queue().bytes -= bytes;
            // There is room now.
            self.shared.change(|_| ());
        }
        self.close();
    }

    fn write(&mut self, entries: VecDeque<(NewEntry, OnDurable)>) {
        let mut batch = Batch::default();
        for (entry, on_durable) in entries {
            let len = self.state.segment.len + batch.bytes.len() as u64;
            let needs_segment =
                self.state.file.is_none() || (len >= self.segment && len > HEAD as u64);
            if needs_segment {
                self.flush(std::mem::take(&mut batch));
                if let Err(error) = self.begin_segment(self.state.segment.next) {
                    on_durable(Err(Failed { error, entry }));
                    continue;
                }
            }
            self.add(&mut batch, entry, on_durable);
        }
        self.flush(batch);
    }

    fn add(&mut self, batch: &mut Batch, entry: NewEntry, on_durable: OnDurable) {
        if let Some(key) = entry.key {
            let was_taken = self
                .keys
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(key, entry.arrival);
            if was_taken || !batch.keys.insert(key) {
                batch.entries.push((entry, on_durable, Appended::Repeated));
                return;
            }
        }
        // A segment is shorter than 4 GiB: it ends with the first entry beyond its limit.
        let synced = u32::try_from(self.state.segment.len).unwrap_or(u32::MAX);
        let number = self.state.segment.next + batch.stored;
        let known = u32::try_from(self.state.contexts.len()).unwrap_or(u32::MAX);
        let context = *self
            .state
            .contexts
            .entry(Arc::clone(&entry.context))
            .or_insert(known);
        let frame = Frame {
            kind: Kind::Context,
            context,
            synced,
            number,
            arrival: entry.arrival,
            key: None,
            bytes: &[],
        };
        if context == known {
            Frame {
                bytes: &entry.context,
                ..frame
            }
            .write(&mut batch.bytes);
        }
        let kind = if entry.key.is_some() {
            Kind::KeyedEntry
        } else {
            Kind::Entry
        };
        Frame {
            kind,
            key: entry.key,
            bytes: &entry.bytes,
            ..frame
        }
        .write(&mut batch.bytes);
        batch.stored += 1;
        batch
            .entries
            .push((entry, on_durable, Appended::Stored(number)));
    }

    /// Brings a batch to the disk, and tells those who wait for it.
    fn flush(&mut self, batch: Batch) {
        let at = self.state.segment.len;
        let written = match &self.state.file {
            _ if batch.stored == 0 => Ok(()),
            Some(file) => file
                .write_all_at(&batch.bytes, at)
                .and_then(|()| file.sync_data()),
            None => Err(io::Error::other("it is not open")),
        };
        if let Err(error) = written {
            self.give_up_segment();
            let error = SpoolError::io(&self.state.path, &error);
            for (entry, on_durable, _) in batch.entries {
                on_durable(Err(Failed {
                    error: error.clone(),
                    entry,
                }));
            }
            return;
        }
        let segment = &mut self.state.segment;
        segment.len += batch.bytes.len() as u64;
        segment.next += batch.stored;
        segment.has_keys |= !batch.keys.is_empty();
        {
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            for (entry, _, appended) in &batch.entries {
                if let (Some(key), Appended::Stored(_)) = (entry.key, appended) {
                    keys.add(key, entry.arrival);
                }
            }
        }
        let segment = *segment;
        self.shared.change(|index| {
            if let Some(last) = index.segments.back_mut() {
                *last = segment;
            }
        });
        for (_, on_durable, appended) in batch.entries {
            on_durable(Ok(appended));
        }
    }

    /// After a failed write or sync nobody knows what is in the file behind what was synced before (fsync(2)). So nothing
    /// more is written into it; whoever reads it knows that entries of the next segment do not count in it.
    fn give_up_segment(&mut self) {
        if let Some(file) = self.state.file.take() {
            // If this fails, too, the rest is recognized as said above.
            let _: io::Result<()> = file.set_len(self.state.segment.len);
        }
    }

    /// Begins a segment. It has its name on the disk before anything is written into it.
    fn begin_segment(&mut self, first: u64) -> Result<(), SpoolError> {
        let path = self.shared.folder.segment(first);
        let failed = |error: io::Error| opening(&path, &error);
        let file = create(&path).map_err(failed)?;
        file.write_all_at(&head(first), 0)
            .and_then(|()| file.sync_all())
            .and_then(|()| sync_name(&path))
            .map_err(failed)?;
        let segment = Segment {
            first,
            next: first,
            len: HEAD as u64,
            has_keys: false,
        };
        self.shared.change(|index| {
            // One without entries is replaced.
            if index
                .segments
                .back()
                .is_some_and(|last| last.first == first)
            {
                index.segments.pop_back();
            }
            index.segments.push_back(segment);
        });
        self.state = Tail {
            file: Some(file),
            path,
            segment,
            contexts: HashMap::new(),
        };
        Ok(())
    }

    /// Notes that all is on the disk, so that damage to the last entries is told from what a crash leaves.
    fn close(&mut self) {
        let at = self.state.segment.len;
        let synced = u32::try_from(at).unwrap_or(u32::MAX);
        let (number, mut bytes) = (self.state.segment.next, Vec::with_capacity(HEADER));
        let frame = Frame {
            kind: Kind::Close,
            context: 0,
            synced,
            number,
            arrival: 0,
            key: None,
            bytes: &[],
        };
        frame.write(&mut bytes);
        if let Some(file) = &self.state.file {
            // It is only a help.
            let _: io::Result<()> = file
                .write_all_at(&bytes, at)
                .and_then(|()| file.sync_data());
        }
    }
}

/// Tells readers that nothing more is written.
struct Guard(Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.change(|index| {
            index.is_closed = true;
            index.is_dead = std::thread::panicking();
        });
    }
}
