//! What a caller can ask for: an end, a time, a number of attempts, a place.

use std::fs;
use std::path::Path;
use std::time::Duration;

use moodring_pool::process::Exit;
use moodring_pool::supervisor::{RunFailure, WorkerState};
use moodring_pool::typed::{ReadyError, StartError, TrySubmitError};
use moodring_pool::{CallError, CallOptions, Handle, Retry, Stopped};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::tempdir;

use crate::support::{builder, pids, start_workers, test_workers, until};
use crate::test_call::{Ask, Startup, TestCall};

/// Long enough for a busy machine.
const LONG: Duration = Duration::from_mins(1);

fn logged(path: &Path, then: Ask) -> Ask {
    Ask::Log(path.to_owned(), Box::new(then))
}

/// How many calls were logged in a file.
fn begun(path: &Path) -> usize {
    fs::read(path).map_or(0, |log| log.len())
}

fn death(result: Result<u64, CallError>) -> (Exit, u32) {
    match result {
        Err(CallError::Died { exit, attempts, .. }) => (exit, attempts),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_that_is_cancelled_while_it_waits_is_never_begun() {
    let folder = tempdir().unwrap();
    let (go, log) = (folder.path().join("go"), folder.path().join("log"));
    let pool = start_workers(1);
    let running = pool.submit(Ask::Await(go.clone()));
    let waiting: Vec<_> = (0..50)
        .map(|n| pool.submit(logged(&log, Ask::Echo(n))))
        .collect();
    drop(waiting);
    fs::write(go, "").unwrap();
    assert_eq!(running.wait(), Ok(0));
    assert_eq!(pool.submit(Ask::Echo(7)).wait(), Ok(7));
    let outcome = pool.join().unwrap();
    assert_eq!((begun(&log), outcome.shards, outcome.restarts), (0, 2, 0));
}

#[test]
fn cancelling_a_call_that_runs_replaces_its_worker_and_disturbs_no_other() {
    let folder = tempdir().unwrap();
    let (go, log) = (folder.path().join("go"), folder.path().join("log"));
    let pool = start_workers(2);
    let other = pool.submit(logged(&log, Ask::Await(go.clone())));
    let hanging = pool.submit(logged(&log, Ask::Hang));
    until(|| begun(&log) == 2);
    hanging.cancel();
    // The other worker is busy, so this is done by the new one.
    assert_eq!(pool.submit(Ask::Incarnation).wait(), Ok(1));
    fs::write(go, "").unwrap();
    assert_eq!(other.wait(), Ok(0));
    assert_eq!(begun(&log), 2);
    assert_eq!(pool.join().unwrap().restarts, 1);
}

#[test]
fn any_number_of_calls_may_be_cancelled() {
    let folder = tempdir().unwrap();
    let pool = test_workers(1).max_crashes(2).start().unwrap();
    for n in 0..12 {
        let log = folder.path().join(n.to_string());
        let hanging = pool.submit(logged(&log, Ask::Hang));
        until(|| begun(&log) == 1);
        drop(hanging);
    }
    assert_eq!(pool.submit(Ask::Echo(3)).wait(), Ok(3));
}

#[test]
fn a_detached_call_is_done_all_the_same() {
    let folder = tempdir().unwrap();
    let log = folder.path().join("log");
    let pool = start_workers(1);
    for n in 0..20 {
        pool.submit(logged(&log, Ask::Echo(n))).detach();
    }
    pool.join().unwrap();
    assert_eq!(begun(&log), 20);
}

#[test]
fn dropping_an_iterator_withdraws_what_no_worker_has() {
    let folder = tempdir().unwrap();
    let (go, log) = (folder.path().join("go"), folder.path().join("log"));
    let pool = test_workers(1).chunk(1).start().unwrap();
    let inputs = [Ask::Echo(1), Ask::Await(go.clone())];
    let others = (0..50).map(|n| logged(&log, Ask::Echo(n)));
    let mut results = pool.map_iter(inputs.into_iter().chain(others));
    assert_eq!(results.next(), Some(Ok(1)));
    drop(results);
    fs::write(go, "").unwrap();
    assert_eq!(pool.submit(Ask::Echo(2)).wait(), Ok(2));
    // Two were at hand.
    assert!(begun(&log) <= 2, "{} were done", begun(&log));
}

#[test]
fn a_call_may_have_a_timeout_of_its_own() {
    let pool = start_workers(1);
    let hurried = CallOptions::new().timeout(Duration::from_millis(100));
    let once = hurried.retry(Retry::Never);
    let error = pool.with(once).submit(Ask::Hang).wait().unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(death(Err(error)), (Exit::TimedOut, 1));
    let twice = pool.with(hurried).submit(Ask::Hang).wait();
    assert_eq!(death(twice), (Exit::TimedOut, 2));
    assert_eq!(pool.submit(Ask::Echo(1)).wait(), Ok(1));
}

#[test]
fn a_call_that_must_not_be_repeated_is_begun_once_whoever_kills_it() {
    let folder = tempdir().unwrap();
    let pool = test_workers(2)
        .retry(Retry::Never)
        .chunk(50)
        .start()
        .unwrap();
    let log = folder.path().join("log");
    let deadly = [Ask::Kill, Ask::Abort, Ask::Exit(0)];
    let harmless = (0..40).map(Ask::Echo);
    let inputs = harmless.clone().chain(deadly).chain(harmless);
    let results = pool.map(inputs.map(|ask| logged(&log, ask)));
    assert_eq!(begun(&log), 83);
    let (bad, good): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_err);
    assert_eq!(good.len(), 80);
    let deaths = [Exit::Signal(9), Exit::Signal(6), Exit::Code(0)].map(|exit| (exit, 1));
    assert!(bad.into_iter().map(death).eq(deaths));
}

#[test]
fn a_call_is_tried_as_often_as_asked_for_and_knows_which_attempt_it_is() {
    let pool = test_workers(1).max_crashes(2).start().unwrap();
    let up_to_seven = pool.with(CallOptions::new().retry(Retry::Times(6)));
    assert_eq!(up_to_seven.submit(Ask::DieBefore(1)).wait(), Ok(1));
    assert_eq!(up_to_seven.submit(Ask::DieBefore(7)).wait(), Ok(7));
    let exhausted = up_to_seven.submit(Ask::DieBefore(8)).wait();
    assert_eq!(death(exhausted), (Exit::Signal(6), 7));
    // Six workers died of the second input, and seven of the third.
    assert_eq!(pool.submit(Ask::Incarnation).wait(), Ok(13));
}

#[test]
fn ready_means_that_every_worker_has_started() {
    let folder = tempdir().unwrap();
    let go = folder.path().join("go");
    let pool = builder::<TestCall>(3, Startup::WaitsFor(go.clone()))
        .start()
        .unwrap();
    let patience = Duration::from_millis(1);
    assert_eq!(
        pool.wait_ready(patience),
        Err(ReadyError::TimedOut(patience))
    );
    fs::write(go, "").unwrap();
    pool.wait_ready(LONG).unwrap();
    let states: Vec<_> = pool
        .workers()
        .iter()
        .map(|worker| worker.slot.state)
        .collect();
    assert_eq!(states, [WorkerState::Ready; 3]);
}

#[test]
fn who_waits_for_workers_that_cannot_start_learns_why() {
    let pool = builder::<TestCall>(2, Startup::Fails).start().unwrap();
    let why = Stopped::GivenUp(RunFailure::StartupFailed(
        "there is no such model".to_owned(),
    ));
    for _ in 0..2 {
        assert_eq!(pool.wait_ready(LONG), Err(ReadyError::Stopped(why.clone())));
    }
}

#[test]
fn draining_finishes_what_is_under_way_and_drops_what_waits() {
    let folder = tempdir().unwrap();
    let (go, log) = (folder.path().join("go"), folder.path().join("log"));
    let pool = start_workers(1);
    let running = pool.submit(logged(&log, Ask::Await(go.clone())));
    until(|| begun(&log) == 1);
    let waiting: Vec<_> = (0..20).map(|n| pool.submit(Ask::Echo(n))).collect();
    pool.drain();
    let drained = Err(CallError::Stopped(Stopped::Drained));
    // Three were at hand at most.
    let (_, dropped) = waiting.split_at(3);
    until(|| dropped.iter().all(Handle::is_done));
    fs::write(go, "").unwrap();
    assert_eq!(running.wait(), Ok(0));
    let outcome = pool.join().unwrap();
    assert!(outcome.drained);
    let results: Vec<_> = waiting.into_iter().map(Handle::wait).collect();
    assert!(results.iter().skip(3).all(|result| *result == drained));
}

#[test]
fn renewing_replaces_every_worker_and_interrupts_no_call() {
    let folder = tempdir().unwrap();
    let (go, log) = (folder.path().join("go"), folder.path().join("log"));
    let pool = start_workers(2);
    pool.wait_ready(LONG).unwrap();
    let old = pids(&pool);
    let running = pool.submit(logged(&log, Ask::Await(go.clone())));
    until(|| begun(&log) == 1);
    pool.renew();
    fs::write(go, "").unwrap();
    assert_eq!(running.wait(), Ok(0));
    until(|| pids(&pool).len() == 2 && pids(&pool).is_disjoint(&old));
    assert_eq!(begun(&log), 1);
}

#[test]
fn a_call_knows_which_process_of_its_slot_it_is_in() {
    let pool = start_workers(1);
    assert_eq!(pool.submit(Ask::Incarnation).wait(), Ok(0));
    for pid in pids(&pool) {
        kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    }
    until(|| pool.stats().restarts() == 1);
    assert_eq!(pool.submit(Ask::Incarnation).wait(), Ok(1));
}

#[test]
fn workers_may_have_an_environment_and_a_folder_of_their_own() {
    let folder = tempdir().unwrap();
    let pool = test_workers(1)
        .env("MOODY_NUMBER", "42")
        .env_remove("PATH")
        .current_dir(folder.path())
        .start()
        .unwrap();
    let ask = |name: &str| Ask::Env(name.to_owned());
    let here = Ask::IsCurrentDir(folder.path().to_owned());
    let results = pool.map([ask("MOODY_NUMBER"), here, ask("PATH")]);
    assert_eq!(results[..2], [Ok(42), Ok(1)]);
    let missing = CallError::Failed("environment variable not found".to_owned());
    assert_eq!(results[2], Err(missing));
}

#[test]
fn a_folder_that_is_missing_is_refused_by_name() {
    let folder = tempdir().unwrap().path().join("gone");
    let refused = test_workers(1).current_dir(&folder).start().unwrap_err();
    assert!(matches!(refused, StartError::CurrentDir(_)));
    let text = refused.to_string();
    assert!(text.contains(folder.to_str().unwrap()), "{text}");
}

#[test]
fn what_finds_no_room_is_given_back() {
    let folder = tempdir().unwrap();
    let go = folder.path().join("go");
    let pool = test_workers(1).backlog(1).start().unwrap();
    let mut handles = vec![pool.submit(Ask::Await(go.clone()))];
    let refused = loop {
        // The worker is busy, and so few are at hand.
        assert!(handles.len() < 10);
        match pool.try_submit(Ask::Echo(handles.len() as u64)) {
            Ok(handle) => handles.push(handle),
            // What is submitted next may still find its way into the pool.
            Err(error) if handles.len() < 4 => drop(error),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, TrySubmitError::Full(_)), "{refused:?}");
    let Ask::Echo(number) = refused.into_input() else {
        panic!("another input")
    };
    assert_eq!(number, handles.len() as u64);
    fs::write(go, "").unwrap();
    assert!(
        handles
            .into_iter()
            .map(|handle| handle.wait().unwrap())
            .eq(0..number)
    );
    pool.close();
    let closed = pool.try_submit(Ask::Echo(1)).unwrap_err();
    assert!(matches!(
        closed,
        TrySubmitError::Stopped(Ask::Echo(1), Stopped::Closed)
    ));
}
