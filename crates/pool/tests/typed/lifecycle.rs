//! How workers come and go.

use std::collections::BTreeSet;
use std::thread;

use moodring_pool::supervisor::RunFailure;
use moodring_pool::{BoxError, Call, CallError, PoolError, Stopped};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{are_gone, builder, pids, start_workers, test_workers, until};
use crate::test_call::{Ask, Startup, TestCall};

/// A call that the worker program does not serve.
struct Unserved;

impl Call for Unserved {
    type Setup = ();
    type Input = ();
    type Output = ();

    fn start((): ()) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn call(&mut self, (): ()) -> Result<(), BoxError> {
        Ok(())
    }
}

fn stopped<T>(why: Stopped) -> Result<T, CallError> {
    Err(CallError::Stopped(why))
}

#[test]
fn resizing_adds_and_takes_workers_during_a_run() {
    let pool = start_workers(1);
    let mut results = pool.map_iter((0..).map(Ask::Echo));
    for workers in [3, 1, 2] {
        pool.resize(workers);
        until(|| pids(&pool).len() == workers as usize);
        assert!(results.next().unwrap().is_ok());
    }
}

#[test]
fn a_worker_is_replaced_after_so_many_shards() {
    let pool = test_workers(1).max_shards(Some(2)).start().unwrap();
    let pids: BTreeSet<_> = (0..6)
        .map(|_| pool.submit(Ask::Pid).wait().unwrap())
        .collect();
    assert_eq!(pids.len(), 3);
}

#[test]
fn workers_killed_from_outside_cost_no_result() {
    let pool = start_workers(2);
    let mut numbers = 0..;
    for (number, result) in numbers
        .by_ref()
        .zip(pool.map_iter((0..2_000).map(Ask::Echo)))
    {
        assert_eq!(result, Ok(number));
        if number % 500 == 0 {
            for pid in pids(&pool) {
                let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL);
            }
        }
    }
    assert_eq!(numbers.next(), Some(2_001));
    assert!(pool.join().unwrap().restarts >= 2);
}

#[test]
fn closing_finishes_what_is_there_and_takes_no_more() {
    let pool = start_workers(2);
    let handles: Vec<_> = (0..50).map(|n| pool.submit(Ask::Echo(n))).collect();
    pool.close();
    let late = pool.submit(Ask::Echo(50));
    assert_eq!(late.wait(), stopped(Stopped::Closed));
    let workers = pids(&pool);
    let outcome = pool.join().unwrap();
    assert_eq!(outcome.shards, 50);
    assert!(handles.into_iter().map(|n| n.wait().unwrap()).eq(0..50));
    assert!(are_gone(&workers));
}

#[test]
fn terminating_stops_at_once_and_leaves_no_process() {
    let pool = start_workers(2);
    assert!(pool.submit(Ask::Pid).wait().is_ok());
    let handles = [Ask::Hang, Ask::Hang, Ask::Echo(1)].map(|ask| pool.submit(ask));
    let workers = pids(&pool);
    pool.terminate();
    for handle in handles {
        assert_eq!(handle.wait(), stopped(Stopped::Terminated));
    }
    let ended = pool.join();
    assert!(
        matches!(ended, Err(PoolError::GivenUp(RunFailure::Aborted))),
        "{ended:?}"
    );
    assert!(are_gone(&workers));
}

#[test]
fn whoever_submits_while_the_pool_ends_gets_an_answer() {
    for startup in [Startup::Succeeds, Startup::Fails] {
        let pool = builder::<TestCall>(2, startup.clone())
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
            if startup == Startup::Succeeds {
                until(|| pool.stats().shards() > 20);
                pool.terminate();
            }
        });
    }
}

#[test]
fn dropping_leaves_no_process() {
    let pool = start_workers(8);
    until(|| pids(&pool).len() == 8);
    let (workers, handle) = (pids(&pool), pool.submit(Ask::Hang));
    drop(pool);
    assert!(are_gone(&workers));
    assert_eq!(handle.wait(), stopped(Stopped::Terminated));
}

#[test]
fn a_call_that_kills_whatever_its_input_ends_the_pool() {
    let pool = test_workers(2).max_crashes(3).chunk(20).start().unwrap();
    let results = pool.map(vec![Ask::Abort; 40]);
    let ended = pool.join().unwrap_err();
    assert_eq!(results, vec![stopped(Stopped::from(&ended)); 40]);
    // Which of the two comes first depends on which worker gets the inputs that are tried alone.
    let text = ended.to_string();
    let counts = match ended {
        PoolError::GivenUp(RunFailure::CrashLoop { crashes, .. }) => crashes == 3,
        PoolError::GivenUp(RunFailure::QuarantineLoop { quarantined, .. }) => quarantined == 6,
        _ => false,
    };
    assert!(counts && text.ends_with("was killed by signal 6"), "{text}");
}

#[test]
fn results_outlive_the_pool() {
    let pool = start_workers(1);
    let handle = pool.submit(Ask::Echo(7));
    pool.join().unwrap();
    assert!(handle.is_done());
    assert_eq!(handle.wait(), Ok(7));
}

/// Starts workers like this, and returns why what an input and the whole pool come to nothing.
fn fails_to_start(startup: Startup) -> String {
    let pool = builder::<TestCall>(2, startup).start().unwrap();
    let error = pool.submit(Ask::Echo(1)).wait().unwrap_err();
    assert_eq!(pool.map([Ask::Echo(2)]), [Err(error.clone())]);
    let CallError::Stopped(Stopped::GivenUp(RunFailure::StartupFailed(reason))) = error else {
        panic!("{error}")
    };
    let ended = pool.join().unwrap_err().to_string();
    assert_eq!(ended, format!("the workers cannot start: {reason}"));
    reason
}

#[test]
fn workers_that_cannot_start_end_the_pool_with_their_reason() {
    let reason = fails_to_start(Startup::Fails);
    assert_eq!(reason, "there is no such model");
}

#[test]
fn a_panic_at_the_start_ends_the_pool_with_its_message() {
    let reason = fails_to_start(Startup::Panics);
    assert_eq!(reason, "a panic: the model is upside down");
}

#[test]
fn a_program_that_does_not_serve_its_workers_breeds_none() {
    let pool = builder::<Unserved>(1, ()).max_crashes(2).start().unwrap();
    assert!(pool.submit(()).wait().is_err());
    let ended = pool.join().unwrap_err().to_string();
    assert!(ended.ends_with("exited with code 9"), "{ended}");
}
