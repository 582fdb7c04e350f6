//! The worker and the attempt that the calling code runs in.

use std::sync::{Mutex, PoisonError};

use crate::ids::WorkerId;

/// The worker process that the calling code runs in, and which attempt it works on.
///
/// ```
/// use moodring_pool::Context;
///
/// // Outside a worker there is no context.
/// assert_eq!(Context::current(), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The worker process. `slot` is its place in the pool, from 0; `incarnation` counts the processes that had the
    /// place before.
    pub worker: WorkerId,
    /// How many times the current task was given to a worker, this time included: 1 at the first attempt. 0 while the
    /// worker starts or waits for a task. In a [`Call`](crate::Call), the task is the input, or its chunk in a `map`.
    pub attempt: u32,
}

static CURRENT: Mutex<Option<Context>> = Mutex::new(None);

impl Context {
    /// Returns the context of this process, or `None` if it is not a worker. All threads of a worker get the same
    /// context, as a worker has one task at a time.
    #[must_use]
    pub fn current() -> Option<Self> {
        *CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the context of this worker process.
    pub(crate) fn set(worker: WorkerId, attempt: u32) {
        *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Self { worker, attempt });
    }
}
