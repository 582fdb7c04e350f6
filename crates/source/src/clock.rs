//! The time, real or made up by a test.

use std::time::{Duration, Instant, SystemTime};

use moodring_window::Timestamp;

/// Tells the time.
pub(crate) trait Clock: Send {
    /// The time of day, which may be set back.
    fn now(&self) -> Timestamp;

    /// The time since some fixed moment, which never goes back.
    fn elapsed(&self) -> Duration;
}

/// The clock of the system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock(Instant);

impl SystemClock {
    pub(crate) fn new() -> Self {
        SystemClock(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
