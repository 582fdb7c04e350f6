//! What a bad input does to itself, and to nobody else.

use std::time::Duration;

use moodring_pool::process::Exit;
use moodring_pool::{CallError, CodecError};

use crate::support::{builder, start_workers, test_workers};
use crate::test_call::{Ask, Parent};

/// Maps `bad` between good inputs, all in one chunk; the others must be done. Gives its error, and how many workers
/// were started anew.
fn among_others(bad: Ask, timeout: Option<Duration>) -> (CallError, u64) {
    let pool = test_workers(2).chunk(6).timeout(timeout).start().unwrap();
    let inputs = [
        Ask::Echo(0),
        Ask::Echo(1),
        bad,
        Ask::Echo(3),
        Ask::Echo(4),
        Ask::Echo(5),
    ];
    let mut results = pool.map(inputs);
    let error = results.remove(2).unwrap_err();
    assert_eq!(results, [0, 1, 3, 4, 5].map(Ok));
    (error, pool.stats().restarts())
}

fn died(exit: Exit, attempts: u32, last_words: &str) -> CallError {
    CallError::Died {
        exit,
        attempts,
        last_words: last_words.to_owned(),
    }
}

#[test]
fn an_error_of_the_call_comes_back_with_its_causes() {
    let (error, restarts) = among_others(Ask::Fail, None);
    let text = format!("not today: {}", std::fmt::Error);
    assert_eq!((error, restarts), (CallError::Failed(text), 0));
}

#[test]
fn a_panic_is_the_error_of_its_input_alone() {
    let panicked = CallError::Panicked("out of tune".to_owned());
    assert_eq!(among_others(Ask::Panic, None), (panicked, 0));
}

#[test]
fn after_a_panic_the_state_is_made_anew() {
    let pool = start_workers(1);
    let results = pool.map([Ask::Count, Ask::Count, Ask::Panic, Ask::Count]);
    assert_eq!((&results[1], &results[3]), (&Ok(2), &Ok(1)));
}

#[test]
fn an_abort_is_the_error_of_its_input_alone() {
    let (error, _) = among_others(Ask::Abort, None);
    assert_eq!(error, died(Exit::Signal(6), 2, "farewell"));
}

#[test]
fn an_exit_is_told_with_its_code() {
    let (error, _) = among_others(Ask::Exit(7), None);
    assert_eq!(error, died(Exit::Code(7), 2, ""));
}

#[test]
fn a_stack_overflow_is_the_error_of_its_input_alone() {
    let (error, _) = among_others(Ask::Overflow, None);
    let CallError::Died {
        attempts,
        last_words,
        ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!(attempts, 2);
    assert!(last_words.contains("overflowed its stack"), "{last_words}");
}

#[test]
fn an_input_that_looks_killed_from_outside_gets_more_attempts() {
    let (error, _) = among_others(Ask::Kill, None);
    assert_eq!(error, died(Exit::Signal(9), 5, ""));
}

#[test]
fn a_call_that_hangs_is_ended_by_the_timeout() {
    let (error, _) = among_others(Ask::Hang, Some(Duration::from_millis(500)));
    assert_eq!(error, died(Exit::TimedOut, 2, ""));
}

#[test]
fn an_input_that_cannot_be_encoded_is_told_so() {
    let (error, restarts) = among_others(Ask::Secret(1), None);
    let CallError::Codec(CodecError::Encode { reason, .. }) = error else {
        panic!("{error}");
    };
    assert!(reason.contains("it is a secret"), "{reason}");
    assert_eq!(restarts, 0);
}

#[test]
fn a_call_cannot_start_workers_of_its_own() {
    let pool = builder::<Parent>(1, ()).start().unwrap();
    let error = pool.submit(()).wait().unwrap_err();
    assert!(
        error.to_string().contains("a worker cannot have workers"),
        "{error}"
    );
}
