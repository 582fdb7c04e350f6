//! Shared-memory progress page of a worker, which the supervisor reads without messaging the worker.
//!
//! It tells the supervisor which item killed a dead worker, and whether a live one makes progress. A heartbeat
//! thread could not: it would continue while the worker hangs.

use std::os::fd::OwnedFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fmt, io};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};

use crate::descriptors::above_stdio;
use crate::ids::ShardId;

/// How many cells of the page are used.
const CELLS: usize = 4;
const BYTES: usize = CELLS * size_of::<AtomicU64>();

/// The cells' indices. What a worker does: the phase it is in, the shard it is at, the item of it, and how many items
/// it has begun in all.
const PHASE: usize = 0;
const SHARD: usize = 1;
const ITEM: usize = 2;
const BEGUN: usize = 3;

/// Stands in the item's cell while none of the shard has been begun.
const NO_ITEM: u64 = u64::MAX;

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Starting, or waiting for something to do.
    Idle,
    /// Working through a shard.
    Preparing,
    /// Writing a result to its place.
    Committing,
}

/// The progress of a worker at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The phase it is in.
    pub phase: Phase,
    /// The shard it is at, or was at last.
    pub shard: ShardId,
    /// The item of the shard that it began last, from 0; `None` before the first.
    pub item: Option<u64>,
    /// How many items it has begun since it started.
    pub begun: u64,
}

impl Sample {
    /// Returns whether the worker reads or writes: it has begun no item of its shard yet, or it commits.
    #[must_use]
    pub fn is_in_io(&self) -> bool {
        match self.phase {
            Phase::Idle => false,
            Phase::Preparing => self.item.is_none(),
            Phase::Committing => true,
        }
    }
}

/// The memory, which two processes touch by atomic operations alone. No reference to its bytes is ever made.
struct Page {
    cells: NonNull<Cells>,
    is_mapped: bool,
}

type Cells = [AtomicU64; CELLS];

impl Page {
    /// Memory of this process alone.
    fn own() -> Self {
        let cells = Box::new([const { AtomicU64::new(0) }; CELLS]);
        Self {
            cells: NonNull::from(Box::leak(cells)),
            is_mapped: false,
        }
    }

    /// The beginning of a file in memory, which must not shrink: whoever touched the lost bytes would be killed.
    fn map(file: &OwnedFd) -> io::Result<Self> {
        let seals = rustix::fs::fcntl_get_seals(file)?;
        let size = rustix::fs::fstat(file)?.st_size;
        if !seals.contains(SealFlags::SHRINK)
            || usize::try_from(size).is_ok_and(|size| size < BYTES)
        {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, at an address of the kernel's choice, changes no memory that is in use. Its bytes are
        // there for as long as it is: the file has them, and is sealed against shrinking.
        let start =
            unsafe { rustix::mm::mmap(ptr::null_mut(), BYTES, access, MapFlags::SHARED, file, 0) }?;
        let cells = NonNull::new(start.cast()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self {
            cells,
            is_mapped: true,
        })
    }

    fn cells(&self) -> &Cells {
        // SAFETY: the pointer is to `BYTES` bytes that `self` keeps, allocated as cells or mapped for reading and
        // writing. It is aligned, as a mapping begins at a page boundary; every bit pattern is valid; and all that
        // touch the bytes, in either process, do so by atomic operations.
        unsafe { self.cells.as_ref() }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: `self` alone has the pointer, and no reference into the memory outlives it. The memory is what
        // `map` has mapped or `own` has allocated.
        unsafe {
            if self.is_mapped {
                let _ = rustix::mm::munmap(self.cells.as_ptr().cast(), BYTES);
            } else {
                drop(Box::from_raw(self.cells.as_ptr()));
            }
        }
    }
}

/// The worker's end of the page, which writes.
pub struct Recorder(Page);

impl Recorder {
    /// Returns a page of this process alone, in phase [`Phase::Idle`].
    #[must_use]
    pub fn new() -> Self {
        let recorder = Self(Page::own());
        recorder.store(ITEM, NO_ITEM);
        recorder
    }

    /// The page that a supervisor has made for this process, by its descriptor.
    pub(crate) fn open(page: &OwnedFd) -> io::Result<Self> {
        Page::map(page).map(Self)
    }

    pub(crate) fn idle(&self) {
        self.store(PHASE, 0);
    }

    pub(crate) fn preparing(&self, shard: ShardId) {
        self.store(SHARD, shard.0);
        self.store(ITEM, NO_ITEM);
        self.store(PHASE, 1);
    }

    pub(crate) fn committing(&self, shard: ShardId) {
        self.store(SHARD, shard.0);
        self.store(PHASE, 2);
    }

    /// The worker is about to begin this item of its shard.
    pub(crate) fn begin(&self, item: u64) {
        let cells = self.cells();
        // One writer: a load and a store are enough, and cheaper than an addition that others could race.
        let begun = cells[BEGUN].load(Ordering::Relaxed);
        cells[BEGUN].store(begun.wrapping_add(1), Ordering::Relaxed);
        cells[ITEM].store(item, Ordering::Release);
    }

    fn store(&self, cell: usize, value: u64) {
        self.cells()[cell].store(value, Ordering::Release);
    }

    fn cells(&self) -> &Cells {
        self.0.cells()
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recorder")
            .field(&sample(self.cells()))
            .finish()
    }
}

/// The supervisor's end of the page, which reads. It outlives the worker.
pub struct BlackBox(Page);

impl BlackBox {
    /// Creates a page in phase [`Phase::Idle`], and returns it with the file descriptor that a worker inherits. Its
    /// size is sealed, so that a worker cannot truncate it.
    ///
    /// # Errors
    /// An error if the system refuses memory or a descriptor.
    pub fn create() -> io::Result<(Self, OwnedFd)> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = above_stdio(rustix::fs::memfd_create("moodring-black-box", flags)?)?;
        rustix::fs::ftruncate(&file, BYTES as u64)?;
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&file, seals)?;
        let page = Page::map(&file)?;
        page.cells()[ITEM].store(NO_ITEM, Ordering::Release);
        Ok((Self(page), file))
    }

    /// Returns what the worker is doing, or was doing when it died.
    #[must_use]
    pub fn read(&self) -> Sample {
        sample(self.0.cells())
    }
}

impl fmt::Debug for BlackBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlackBox").field(&self.read()).finish()
    }
}

fn sample(cells: &Cells) -> Sample {
    let load = |cell: usize| cells[cell].load(Ordering::Acquire);
    let phase = match load(PHASE) {
        1 => Phase::Preparing,
        2 => Phase::Committing,
        _ => Phase::Idle,
    };
    Sample {
        phase,
        shard: ShardId(load(SHARD)),
        item: Some(load(ITEM)).filter(|&item| item != NO_ITEM),
        begun: load(BEGUN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_supervisor_sees_what_the_worker_records() {
        let (black_box, page) = BlackBox::create().unwrap();
        let recorder = Recorder::open(&page).unwrap();
        assert_eq!(black_box.read().phase, Phase::Idle);
        recorder.preparing(ShardId(7));
        assert_eq!(black_box.read().item, None);
        recorder.begin(0);
        recorder.begin(1);
        let expected = Sample {
            phase: Phase::Preparing,
            shard: ShardId(7),
            item: Some(1),
            begun: 2,
        };
        assert_eq!(black_box.read(), expected);
        recorder.committing(ShardId(5));
        assert_eq!(black_box.read().phase, Phase::Committing);
        drop(recorder);
        assert_eq!(black_box.read().shard, ShardId(5));
    }

    #[test]
    fn a_worker_cannot_take_the_page_away() {
        let (black_box, page) = BlackBox::create().unwrap();
        for size in [0, 1, 1 << 20] {
            assert!(rustix::fs::ftruncate(&page, size).is_err());
        }
        assert_eq!(black_box.read().phase, Phase::Idle);
    }

    #[test]
    fn a_page_that_is_too_small_or_not_sealed_is_refused() {
        let flags = MemfdFlags::ALLOW_SEALING;
        let page = rustix::fs::memfd_create("page", flags).unwrap();
        rustix::fs::ftruncate(&page, 4096).unwrap();
        assert!(Recorder::open(&page).is_err());
        rustix::fs::ftruncate(&page, BYTES as u64 - 1).unwrap();
        rustix::fs::fcntl_add_seals(&page, SealFlags::SHRINK).unwrap();
        assert!(Recorder::open(&page).is_err());
    }

    /// The one that can run under Miri, which maps no files.
    #[test]
    fn what_is_recorded_can_be_read_meanwhile() {
        let recorder = Recorder::new();
        recorder.preparing(ShardId(3));
        recorder.begin(9);
        let seen = sample(recorder.cells());
        assert_eq!((seen.shard, seen.item), (ShardId(3), Some(9)));
    }
}
