//! What a source is doing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a source is doing, as a person and the watermark see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    /// It is not ready yet.
    Connecting,
    /// It delivers what has piled up.
    CatchingUp,
    /// It delivers posts as they come, and nothing waits.
    Live,
    /// It failed and tries again.
    Retrying {
        /// In how long.
        wait: Duration,
        /// What went wrong.
        why: String,
    },
    /// Nothing more will come.
    Ended,
    /// It cannot go on, and needs a person.
    Stopped {
        /// What went wrong.
        why: String,
    },
}
