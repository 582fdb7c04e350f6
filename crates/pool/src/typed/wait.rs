//! Waiting for one of several results, or for all.

use std::task::Poll;
use std::time::Duration;

use super::handle::Handle;
use super::slot::block_on;

/// Waits until one of the results is there and returns the place of the first such handle, whose
/// [`wait`](Handle::wait) then returns at once. Returns `None` if there are no handles.
///
/// ```
/// use moodring_pool::typed::{Call, Handle, Workers, wait_any};
///
/// fn first<F: Call>(pool: &Workers<F>, inputs: Vec<F::Input>) -> Option<F::Output> {
///     let mut handles: Vec<_> = inputs.into_iter().map(|input| pool.submit(input)).collect();
///     let done = wait_any(&handles)?;
///     handles.swap_remove(done).wait().ok()
///     // Dropping the other handles cancels their calls.
/// }
/// ```
#[must_use]
pub fn wait_any<T>(handles: &[Handle<T>]) -> Option<usize> {
    any(handles, None)
}

/// As [`wait_any`], but returns `None` if there is no result within `timeout`.
#[must_use]
pub fn wait_any_timeout<T>(handles: &[Handle<T>], timeout: Duration) -> Option<usize> {
    any(handles, Some(timeout))
}

/// Waits until all results are there, so that no [`wait`](Handle::wait) blocks.
pub fn wait_all<T>(handles: &[Handle<T>]) {
    all(handles, None);
}

/// As [`wait_all`], but waits for `timeout` at most. Returns whether all results are there.
#[must_use]
pub fn wait_all_timeout<T>(handles: &[Handle<T>], timeout: Duration) -> bool {
    all(handles, Some(timeout))
}

fn any<T>(handles: &[Handle<T>], timeout: Option<Duration>) -> Option<usize> {
    if handles.is_empty() {
        return None;
    }
    block_on(timeout, |cx| {
        let mut handles = handles.iter();
        match handles.position(|handle| handle.slot().poll_done(cx).is_ready()) {
            Some(done) => Poll::Ready(done),
            None => Poll::Pending,
        }
    })
}

fn all<T>(handles: &[Handle<T>], timeout: Option<Duration>) -> bool {
    // One after the other: those before this one are done, and stay so.
    let mut done = 0;
    let waited = block_on(timeout, |cx| {
        while let Some(handle) = handles.get(done) {
            if handle.slot().poll_done(cx).is_pending() {
                return Poll::Pending;
            }
            done += 1;
        }
        Poll::Ready(())
    });
    waited.is_some()
}
