//! What comes out of calls that go well.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use crate::support::{start_workers, test_workers};
use crate::test_call::Ask;

#[test]
fn map_gives_the_results_in_the_order_of_the_inputs() {
    let pool = start_workers(3);
    let results = pool.map((0..500).map(Ask::Echo));
    assert!(results.into_iter().map(Result::unwrap).eq(0..500));
}

#[test]
fn map_unordered_gives_each_result_once_with_its_number() {
    let pool = start_workers(3);
    let results: Vec<_> = pool
        .map_unordered((0..500).map(|n| Ask::Echo(n * 3)))
        .map(|(number, result)| (number, result.unwrap()))
        .collect();
    assert_eq!(results.len(), 500);
    let by_number: BTreeMap<_, _> = results.into_iter().collect();
    assert!(by_number.into_iter().eq((0..500).map(|n| (n, n * 3))));
}

#[test]
fn nothing_mapped_gives_nothing() {
    let pool = start_workers(1);
    assert!(pool.map([]).is_empty());
    assert!(pool.map_unordered([]).next().is_none());
}

#[test]
fn endless_inputs_are_taken_only_as_there_is_room() {
    let pool = test_workers(2).chunk(5).start().unwrap();
    let taken = Cell::new(0);
    let inputs = (0..).inspect(|n| taken.set(*n + 1)).map(Ask::Echo);
    let some: Vec<_> = pool.map_iter(inputs).take(7).map(Result::unwrap).collect();
    assert_eq!(some, [0, 1, 2, 3, 4, 5, 6]);
    // Four chunks for each worker, and those that were done meanwhile.
    assert!(taken.get() <= 5 * (2 * 4 + 2), "{} were taken", taken.get());
}

#[test]
fn ten_thousand_small_inputs_travel_in_chunks() {
    let pool = start_workers(2);
    let results = pool.map((0..10_000).map(Ask::Echo));
    assert!(results.into_iter().map(Result::unwrap).eq(0..10_000));
    let outcome = pool.join().unwrap();
    assert!(outcome.shards < 5_000, "{outcome:?}");
}

#[test]
fn a_handle_knows_when_its_result_is_there() {
    let file = tempfile::tempdir().unwrap();
    let path = file.path().join("go");
    let pool = start_workers(1);
    let waiting = pool.submit(Ask::Await(path.clone()));
    assert!(!waiting.is_done());
    std::fs::write(path, "").unwrap();
    crate::support::until(|| waiting.is_done());
    assert_eq!(waiting.wait(), Ok(0));
}

#[test]
fn a_handle_can_be_waited_for_again() {
    let file = tempfile::tempdir().unwrap();
    let path = file.path().join("go");
    let pool = start_workers(1);
    let waiting = pool.submit(Ask::Await(path.clone()));
    let waiting = waiting.wait_timeout(Duration::from_millis(1)).unwrap_err();
    std::fs::write(path, "").unwrap();
    assert_eq!(waiting.wait_timeout(Duration::MAX).unwrap(), Ok(0));
}

#[test]
/// More inputs than the pool below takes by itself between the oldest that is not done and the newest.
fn a_slow_input_holds_up_no_other() {
    let file = tempfile::tempdir().unwrap();
    let path = file.path().join("go");
    let pool = start_workers(2);
    let slow = pool.submit(Ask::Await(path.clone()));
    let quick: Vec<_> = (0..200).map(|n| pool.submit(Ask::Echo(n))).collect();
    assert!(quick.into_iter().map(|n| n.wait().unwrap()).eq(0..200));
    assert!(!slow.is_done());
    std::fs::write(path, "").unwrap();
    assert_eq!(slow.wait(), Ok(0));
}

#[test]
fn threads_may_share_the_workers() {
    let pool = start_workers(2);
    thread::scope(|threads| {
        for from in [0, 1_000, 2_000] {
            let pool = &pool;
            threads.spawn(move || {
                let results = pool.map((from..from + 300).map(Ask::Echo));
                assert!(results.into_iter().map(Result::unwrap).eq(from..from + 300));
            });
        }
    });
}

#[test]
fn each_worker_keeps_its_state_between_calls() {
    let pool = start_workers(1);
    let counts = pool.map([Ask::Count, Ask::Count, Ask::Count]);
    assert_eq!(counts, [Ok(1), Ok(2), Ok(3)]);
}
