//! How workers come and go.

use std::collections::BTreeSet;
use std::thread;

use moodring_pool::supervisor::Defeat;
use moodring_pool::{CallError, PoolError, Workers};
use rustix::process::{Pid, Signal, kill_process};

use crate::moody::{Ask, Mood, Moody, Unserved, children, until, willing};

crate::tests![
    resizing_adds_and_takes_workers_during_a_run,
    a_worker_is_replaced_after_so_many_shards,
    workers_killed_from_outside_cost_no_result,
    closing_finishes_what_is_there_and_takes_no_more,
    terminating_stops_at_once_and_leaves_no_process,
    whoever_submits_while_the_pool_ends_gets_an_answer,
    dropping_leaves_no_process,
    a_call_that_kills_whatever_its_input_ends_the_pool,
    results_outlive_the_pool,
    workers_that_cannot_start_end_the_pool_with_their_reason,
    a_panic_at_the_start_ends_the_pool_with_its_message,
    a_program_that_does_not_serve_its_workers_breeds_none,
];

fn stopped(reason: &str) -> CallError {
    CallError::Stopped(reason.to_owned())
}

fn resizing_adds_and_takes_workers_during_a_run() {
    let pool = willing(1);
    let mut results = pool.map_iter((0..).map(Ask::Echo));
    for workers in [3, 1, 2] {
        pool.resize(workers);
        until(|| children().len() == workers as usize);
        assert!(results.next().unwrap().is_ok());
    }
}

fn a_worker_is_replaced_after_so_many_shards() {
    let pool = Workers::<Moody>::builder(1, Mood::Willing)
        .max_shards(Some(2))
        .start()
        .unwrap();
    let pids: BTreeSet<_> = (0..6)
        .map(|_| pool.submit(Ask::Pid).wait().unwrap())
        .collect();
    assert_eq!(pids.len(), 3);
}

fn workers_killed_from_outside_cost_no_result() {
    let pool = willing(2);
    let mut numbers = 0..;
    for (number, result) in numbers
        .by_ref()
        .zip(pool.map_iter((0..2_000).map(Ask::Echo)))
    {
        assert_eq!(result, Ok(number));
        if number % 500 == 0 {
            for pid in children() {
                let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL);
            }
        }
    }
    assert_eq!(numbers.next(), Some(2_001));
    assert!(pool.join().unwrap().restarts >= 2);
}

fn closing_finishes_what_is_there_and_takes_no_more() {
    let pool = willing(2);
    let handles: Vec<_> = (0..50).map(|n| pool.submit(Ask::Echo(n))).collect();
    pool.close();
    let late = pool.submit(Ask::Echo(50));
    assert_eq!(late.wait(), Err(stopped("the pool is closed")));
    let outcome = pool.join().unwrap();
    assert_eq!(outcome.shards, 50);
    assert!(handles.into_iter().map(|n| n.wait().unwrap()).eq(0..50));
    assert_eq!(children(), []);
}

fn terminating_stops_at_once_and_leaves_no_process() {
    let pool = willing(2);
    assert!(pool.submit(Ask::Pid).wait().is_ok());
    let handles = [Ask::Hang, Ask::Hang, Ask::Echo(1)].map(|ask| pool.submit(ask));
    pool.terminate();
    for handle in handles {
        assert_eq!(handle.wait(), Err(stopped("the run was aborted")));
    }
    let ended = pool.join();
    assert!(
        matches!(ended, Err(PoolError::Defeat(Defeat::Aborted))),
        "{ended:?}"
    );
    assert_eq!(children(), []);
}

fn whoever_submits_while_the_pool_ends_gets_an_answer() {
    for mood in [Mood::Willing, Mood::Refusing] {
        let pool = Workers::<Moody>::builder(2, mood)
            .backlog(2)
            .start()
            .unwrap();
        thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(|| {
                    while pool.submit(Ask::Echo(1)).wait().is_ok() {}
                    assert!(pool.map((0..50).map(Ask::Echo)).iter().all(Result::is_err));
                });
            }
            if mood == Mood::Willing {
                until(|| pool.stats().shards() > 20);
                pool.terminate();
            }
        });
    }
}

fn dropping_leaves_no_process() {
    let pool = willing(8);
    until(|| children().len() == 8);
    let handle = pool.submit(Ask::Hang);
    drop(pool);
    assert_eq!(children(), []);
    assert_eq!(handle.wait(), Err(stopped("the run was aborted")));
}

fn a_call_that_kills_whatever_its_input_ends_the_pool() {
    let pool = Workers::<Moody>::builder(2, Mood::Willing)
        .max_crashes(3)
        .chunk(20)
        .start()
        .unwrap();
    let results = pool.map(vec![Ask::Abort; 40]);
    let ended = pool.join().unwrap_err().to_string();
    assert!(ended.contains("was killed by signal 6"), "{ended}");
    assert_eq!(results, vec![Err(stopped(&ended)); 40]);
}

fn results_outlive_the_pool() {
    let pool = willing(1);
    let handle = pool.submit(Ask::Echo(7));
    pool.join().unwrap();
    assert!(handle.is_done());
    assert_eq!(handle.wait(), Ok(7));
}

/// Starts in this mood; gives what an input and the whole pool come to.
fn fails_to_start(mood: Mood) -> (CallError, PoolError) {
    let pool = Workers::<Moody>::start(2, mood).unwrap();
    let error = pool.submit(Ask::Echo(1)).wait().unwrap_err();
    assert_eq!(pool.map([Ask::Echo(2)]), [Err(error.clone())]);
    (error, pool.join().unwrap_err())
}

fn workers_that_cannot_start_end_the_pool_with_their_reason() {
    let (error, ended) = fails_to_start(Mood::Refusing);
    let reason = "the workers cannot start: there is no such model";
    assert_eq!(
        (error, ended.to_string().as_str()),
        (stopped(reason), reason)
    );
}

fn a_panic_at_the_start_ends_the_pool_with_its_message() {
    let (error, ended) = fails_to_start(Mood::Panicking);
    let reason = "the workers cannot start: a panic: the model is upside down";
    assert_eq!(
        (error, ended.to_string().as_str()),
        (stopped(reason), reason)
    );
}

fn a_program_that_does_not_serve_its_workers_breeds_none() {
    let pool = Workers::<Unserved>::builder(1, ())
        .max_crashes(2)
        .start()
        .unwrap();
    assert!(pool.submit(()).wait().is_err());
    let ended = pool.join().unwrap_err().to_string();
    assert!(ended.ends_with("exited with code 9"), "{ended}");
    assert_eq!(children(), []);
}
