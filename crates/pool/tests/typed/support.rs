//! What the tests of calls have in common.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use moodring_pool::typed::WorkersBuilder;
use moodring_pool::{Call, Workers};

use crate::test_call::{Startup, TestCall};

/// The program in `worker.rs`.
const WORKER: &str = env!("CARGO_BIN_EXE_typed-test-worker");

pub(crate) fn builder<C: Call>(workers: u32, setup: C::Setup) -> WorkersBuilder<C> {
    Workers::builder(workers, setup).program(WORKER)
}

pub(crate) fn test_workers(workers: u32) -> WorkersBuilder<TestCall> {
    builder(workers, Startup::Succeeds)
}

pub(crate) fn start_workers(workers: u32) -> Workers<TestCall> {
    test_workers(workers).start().unwrap()
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
