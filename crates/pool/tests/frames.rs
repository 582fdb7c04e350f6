//! The decoder under fire: valid frames of every kind, mutated by a seeded generator.
//!
//! Whatever the bytes, a decode ends in a message or an error, and takes no more memory than the frame's length
//! warrants: this test executable counts what is allocated. `MOODRING_FUZZ_SECONDS` sets how long it runs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use moodring_fuzz::Dice;
use moodring_pool::wire::{self, FromWorker, ToWorker, WorkerMessage};
use moodring_pool::{Scope, ShardId, WorkerId};
use serde::{Deserialize, Serialize};

/// Counts what is held and the largest that was asked for at once.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST_HELD: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

impl Counting {
    fn grown(by: usize, asked: usize) {
        let held = HELD.fetch_add(by, Ordering::Relaxed) + by;
        MOST_HELD.fetch_max(held, Ordering::Relaxed);
        LARGEST.fetch_max(asked, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator as it came; the counters touch no memory but their own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::grown(layout.size(), layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A frame that is right: of any kind, from either side.
fn valid(dice: &mut Dice) -> Vec<u8> {
    let shard = ShardId(dice.number());
    let bytes = dice.bytes(120);
    let reason = String::from_utf8_lossy(&bytes);
    let frame = match dice.below(10) {
        0 => wire::encode(&ToWorker::Setup {
            worker: WorkerId {
                slot: dice.byte().into(),
                incarnation: dice.byte().into(),
            },
            setup: &bytes,
        }),
        1 => wire::encode(&ToWorker::Assign {
            shard,
            scope: if dice.below(2) == 0 {
                Scope::All
            } else {
                Scope::Only(dice.number())
            },
            attempt: dice.byte().into(),
            quarantined: (0..dice.below(20)).map(|_| dice.number()).collect(),
            task: &bytes,
        }),
        2 => wire::encode(&ToWorker::Commit {
            shard,
            grant: &bytes,
        }),
        3 => wire::encode(&ToWorker::Retire),
        4 => wire::encode(&FromWorker::Ready),
        5 => wire::encode(&FromWorker::StartupFailed { reason: &reason }),
        6 => wire::encode(&FromWorker::Prepared {
            shard,
            report: &bytes,
        }),
        7 => wire::encode(&FromWorker::TrialPassed { shard }),
        8 => wire::encode(&FromWorker::Committed { shard }),
        _ => wire::encode(&FromWorker::Failed {
            shard,
            reason: &reason,
        }),
    };
    frame.expect("a small message can be encoded")
}

fn mutate(dice: &mut Dice, frame: &mut Vec<u8>) {
    let at = dice.below(frame.len());
    match dice.below(6) {
        // Flip a bit.
        0 => {
            let bit = dice.below(8);
            frame
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte ^= 1 << bit);
        }
        1 => frame.truncate(at),
        2 => frame.extend(dice.bytes(40)),
        // Go on as another frame does.
        3 => {
            let other = valid(dice);
            let from = dice.below(other.len());
            frame.splice(at.., other.into_iter().skip(from));
        }
        // A huge number, with its prefix, where a length may have been.
        4 => {
            let prefix = [251, 252, 253, 254][dice.below(4)];
            let number = dice.number().to_le_bytes();
            frame.splice(at..at, std::iter::once(prefix).chain(number));
        }
        _ => *frame = dice.bytes(60),
    }
}

/// What a decode may take. Numbers of a byte each become eight, and a vector that grows holds its old and its new
/// buffer for a while; serde sets aside at most 1 MiB before it has seen the elements that a length promises.
fn allowance(frame: &[u8]) -> usize {
    (1 << 20) + 32 * frame.len() + 1024
}

/// Runs a decode and checks what it took.
fn within_allowance<T>(frame: &[u8], decode: impl FnOnce() -> T) -> T {
    let before = HELD.load(Ordering::Relaxed);
    MOST_HELD.store(before, Ordering::Relaxed);
    LARGEST.store(0, Ordering::Relaxed);
    let decoded = decode();
    let took = MOST_HELD.load(Ordering::Relaxed).saturating_sub(before);
    let largest = LARGEST.load(Ordering::Relaxed);
    let most = allowance(frame);
    assert!(
        took <= most && largest <= most,
        "{took} bytes, {largest} at once, for a frame of {}: {frame:?}",
        frame.len()
    );
    decoded
}

/// Decodes a frame; if it is accepted, it says what its message says, and no shorter frame would. True if it was.
fn decode<'a, T: Deserialize<'a> + Serialize + PartialEq + Debug>(frame: &'a [u8]) -> bool {
    let Ok(message) = within_allowance(frame, || wire::decode::<T>(frame)) else {
        return false;
    };
    let again = wire::encode(&message).expect("what was decoded can be encoded");
    // A number may come in a longer form than it needs, so a frame need not be the shortest that says the same.
    assert!(again.len() <= frame.len());
    assert!(
        again.len() < frame.len() || again == frame,
        "{message:?} comes from {frame:?} and goes to {again:?}"
    );
    true
}

#[test]
fn no_frame_makes_the_decoder_panic_or_take_more_memory_than_it_may() {
    let ends = Instant::now() + moodring_fuzz::budget();
    let mut accepted = 0_u64;
    let mut dice = Dice::new(moodring_fuzz::seed());
    while Instant::now() < ends {
        let mut frame = valid(&mut dice);
        for _ in 0..dice.below(4) {
            mutate(&mut dice, &mut frame);
        }
        accepted += u64::from(decode::<ToWorker<'_>>(&frame));
        accepted += u64::from(decode::<FromWorker<'_>>(&frame));
        let own = frame.clone();
        let _ = within_allowance(&frame, || WorkerMessage::from_frame(own));
    }
    assert!(accepted > 0, "a frame that nobody touched is right");
}
