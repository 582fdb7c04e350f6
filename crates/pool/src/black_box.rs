//! A small page of memory that a worker shares with its supervisor: what it is doing, written with plain stores and
//! read without a message.
//!
//! It tells the supervisor what a dead worker can no longer say, which item killed it, and whether a live one makes
//! progress: honest where a heartbeat thread would go on beating beside a worker that hangs.

use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use ipc_channel::ipc::IpcSharedMemory;

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

/// A look at what a worker is doing.
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
    /// Whether the worker reads what it needs, or writes a result: it has begun no item yet, or has done all of them.
    #[must_use]
    pub fn is_in_io(&self) -> bool {
        match self.phase {
            Phase::Idle => false,
            Phase::Preparing => self.item.is_none(),
            Phase::Committing => true,
        }
    }
}

/// The worker's hand on the page.
pub struct Recorder {
    page: IpcSharedMemory,
    cells: NonNull<[AtomicU64; CELLS]>,
}

impl Recorder {
    /// A new page, in phase [`Phase::Idle`].
    #[must_use]
    pub fn new() -> Self {
        let mut page = IpcSharedMemory::from_byte(0, BYTES);
        // SAFETY: the page has just been made and nobody else has it yet, so this is the only reference to its bytes;
        // it ends with this statement. Later writes go through the pointer taken here, which is into the mapping and
        // stays valid wherever `page` is moved.
        let bytes = unsafe { page.deref_mut() };
        let recorder = Self {
            cells: NonNull::from(bytes).cast(),
            page,
        };
        recorder.store(ITEM, NO_ITEM);
        recorder
    }

    /// The page to be sent to the supervisor.
    #[must_use]
    pub fn share(&self) -> IpcSharedMemory {
        self.page.clone()
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

    fn cells(&self) -> &[AtomicU64; CELLS] {
        // SAFETY: the pointer is to the first `BYTES` bytes of a writable mapping that `self.page` keeps alive. It is
        // aligned, as a mapping begins at a page boundary; every bit pattern is valid; and both processes touch the
        // bytes by atomic operations alone.
        unsafe { self.cells.as_ref() }
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

/// The supervisor's view of the page. It outlives the worker.
pub struct BlackBox(IpcSharedMemory);

impl BlackBox {
    /// The page a worker sent; `None` if it is too small to be one.
    #[must_use]
    pub fn new(page: IpcSharedMemory) -> Option<Self> {
        (page.len() >= BYTES).then_some(Self(page))
    }

    /// What the worker is doing, or was doing when it died.
    #[must_use]
    pub fn read(&self) -> Sample {
        #[expect(
            clippy::cast_ptr_alignment,
            reason = "a mapping begins at a page boundary"
        )]
        let cells = self.0.as_ptr().cast::<[AtomicU64; CELLS]>();
        // SAFETY: the page has at least `BYTES` bytes (`new` has seen to that), is aligned as a mapping is, and stays
        // mapped while `self` is borrowed. It is only read here, and by atomic operations, as it is written.
        sample(unsafe { &*cells })
    }
}

impl fmt::Debug for BlackBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlackBox").field(&self.read()).finish()
    }
}

fn sample(cells: &[AtomicU64; CELLS]) -> Sample {
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
        let recorder = Recorder::new();
        let black_box = BlackBox::new(recorder.share()).unwrap();
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
    fn a_page_that_is_too_small_is_refused() {
        assert!(BlackBox::new(IpcSharedMemory::from_byte(0, BYTES - 1)).is_none());
    }
}
