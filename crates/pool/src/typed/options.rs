//! How one input is to be done.

use std::time::Duration;

use crate::supervisor::TaskPolicy;

/// How often an input is given to a worker. An error or a panic of the call is a result and never a reason for another
/// attempt; the death of the worker is, and so is a [timeout](CallOptions::timeout).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retry {
    /// An input on which a worker died is tried once more, alone. If that worker dies too, the input is given up;
    /// where the deaths may as well have come from outside (SIGKILL, SIGTERM), after five of them. Inputs of the
    /// same chunk are done again. An input that survived its trial is done once more, for its result.
    #[default]
    Auto,
    /// At most once: an input that was begun is never begun again, whatever killed the worker. Its error is
    /// [`CallError::Died`](super::CallError::Died) with one attempt, even if the call had just finished.
    Never,
    /// At most this many more times after the first attempt.
    Times(u32),
}

impl Retry {
    /// How often an input may be begun, if that is limited.
    pub(super) fn max_attempts(self) -> Option<u32> {
        match self {
            Self::Auto => None,
            Self::Never => Some(1),
            Self::Times(more) => Some(more.saturating_add(1)),
        }
    }
}

/// How the inputs given to [`Workers::with`](super::Workers::with) are to be done, where that differs from the pool's
/// own settings.
///
/// ```
/// use std::time::Duration;
///
/// use moodring_pool::{CallOptions, Retry};
///
/// let once = CallOptions::new().timeout(Duration::from_secs(5)).retry(Retry::Never);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallOptions {
    timeout: Option<Duration>,
    retry: Option<Retry>,
}

impl CallOptions {
    /// Returns options that change nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long each attempt may take from when the worker begins it. Then the worker is killed and replaced,
    /// and [`Retry`] says whether there is another attempt. Time in the backlog does not count. Workers are looked
    /// at eight times in this time, and every millisecond at most, so the end comes up to that much later.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how often the input is given to a worker.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// What this means to the pool below, where `retry` is the pool's own.
    pub(super) fn policy(self, retry: Retry) -> TaskPolicy {
        TaskPolicy {
            timeout: self.timeout,
            max_attempts: self.retry.unwrap_or(retry).max_attempts(),
        }
    }
}
