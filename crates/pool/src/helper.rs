//! Helper threads, whose panic ends the run and not only the thread.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crossbeam_channel::Sender;

use crate::driver_event::DriverEvent;
use crate::panics::message;

/// Starts a thread. If `body` panics, the run fails with its message: see
/// [`PoolError::Panicked`](crate::PoolError::Panicked).
pub(crate) fn start(
    name: String,
    events: &Sender<DriverEvent>,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let events = events.clone();
    let thread = thread::Builder::new().name(name.clone());
    let guarded = move || {
        // Nothing that `body` has broken is used after it.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
            let _ = events.send(DriverEvent::Panicked(name, message(&*panic)));
        }
    };
    thread.spawn(guarded).map(drop)
}
