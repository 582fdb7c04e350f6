//! Waiting for several results.

use std::fs;
use std::time::Duration;

use moodring_pool::Handle;
use moodring_pool::typed::{wait_all, wait_all_timeout, wait_any, wait_any_timeout};
use tempfile::tempdir;

use crate::support::start_workers;
use crate::test_call::Ask;

const MOMENT: Duration = Duration::from_millis(1);

#[test]
fn one_of_several_results_can_be_waited_for() {
    let folder = tempdir().unwrap();
    let files = ["a", "b", "c"].map(|name| folder.path().join(name));
    let pool = start_workers(3);
    let mut handles = files
        .clone()
        .map(|file| pool.submit(Ask::Await(file)))
        .into_iter()
        .collect::<Vec<_>>();
    assert_eq!(wait_any_timeout(&handles, MOMENT), None);
    fs::write(&files[1], "").unwrap();
    assert_eq!(wait_any(&handles), Some(1));
    assert_eq!(handles.remove(1).wait(), Ok(0));
    fs::write(&files[2], "").unwrap();
    assert_eq!(wait_any_timeout(&handles, Duration::MAX), Some(1));
}

#[test]
fn all_results_can_be_waited_for() {
    let folder = tempdir().unwrap();
    let go = folder.path().join("go");
    let pool = start_workers(2);
    let inputs = [Ask::Echo(1), Ask::Await(go.clone()), Ask::Echo(2)];
    let handles = inputs.map(|ask| pool.submit(ask));
    assert!(!wait_all_timeout(&handles, MOMENT));
    fs::write(go, "").unwrap();
    wait_all(&handles);
    assert!(handles.iter().all(Handle::is_done));
    assert!(wait_all_timeout(&handles, Duration::ZERO));
}

#[test]
fn of_no_handles_none_is_done_and_all_are() {
    let none: [Handle<u64>; 0] = [];
    assert_eq!(wait_any(&none), None);
    assert!(wait_all_timeout(&none, MOMENT));
}
