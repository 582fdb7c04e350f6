//! What the tests of calls have in common.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use moodring_pool::calls::WorkersBuilder;
use moodring_pool::{Call, Workers};

use crate::moody::{Mood, Moody};

/// The program in `worker.rs`.
const WORKER: &str = env!("CARGO_BIN_EXE_moody-worker");

pub(crate) fn builder<C: Call>(workers: u32, setup: C::Setup) -> WorkersBuilder<C> {
    Workers::builder(workers, setup).program(WORKER)
}

pub(crate) fn moody(workers: u32) -> WorkersBuilder<Moody> {
    builder(workers, Mood::Willing)
}

pub(crate) fn willing(workers: u32) -> Workers<Moody> {
    moody(workers).start().unwrap()
}

/// The process ids of the workers there are.
pub(crate) fn pids<C: Call>(pool: &Workers<C>) -> BTreeSet<u32> {
    let workers = pool.workers().into_iter();
    workers
        .filter_map(|worker| Some(worker.process?.pid))
        .collect()
}

/// Whether none of these processes is left.
pub(crate) fn are_gone(pids: &BTreeSet<u32>) -> bool {
    !pids
        .iter()
        .any(|pid| Path::new(&format!("/proc/{pid}")).exists())
}

/// Waits for a condition; the test runner ends a test that waits for ever.
pub(crate) fn until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}
