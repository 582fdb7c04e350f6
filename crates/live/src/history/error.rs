//! Why a question about the past has no answer.

use std::io;
use std::time::Duration;

use moodring_store::state::StateError;
use thiserror::Error;

use crate::encoding::BadBytes;
use crate::rules::BadRules;

/// Why a question about the past has no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The rules of a series cannot be read.
    #[error(transparent)]
    Rules(#[from] BadRules),
    /// A pane cannot be read.
    #[error(transparent)]
    Bytes(#[from] BadBytes),
    /// The rows cannot be written.
    #[error("cannot write the rows")]
    Write(#[from] io::Error),
    /// There is no series of this number.
    #[error("there is no series {wanted}; there are {known}")]
    NoSeries {
        /// The number that was asked for.
        wanted: i64,
        /// The numbers that there are.
        known: String,
    },
    /// Posts are not divided in this way.
    #[error("series {series} is not grouped by `{wanted}`, but by {known}")]
    NoDimension {
        /// The series.
        series: i64,
        /// The dimension that was asked for.
        wanted: String,
        /// The dimensions that there are.
        known: String,
    },
    /// A window is not made of whole panes.
    #[error(
        "the {what} of {} is not a multiple of {}, the width of the panes of series {series}", spelled(*.asked), spelled(*.panes)
    )]
    NotWhole {
        /// The series.
        series: i64,
        /// What was asked for: a window or a slide.
        what: &'static str,
        /// Its width.
        asked: Duration,
        /// The width of the panes.
        panes: Duration,
    },
    /// The window is not a multiple of the slide.
    #[error("the window of {} is not a multiple of the slide of {}", spelled(*.window), spelled(*.slide))]
    Uneven {
        /// The width of the windows.
        window: Duration,
        /// From the start of one to the start of the next.
        slide: Duration,
    },
    /// Older panes have been rolled up.
    #[error(
        "before {since} only panes of {} are left: ask for windows and a slide of a multiple of that, or --from {since}",
        spelled(*.width)
    )]
    TooFine {
        /// Since when there are finer ones.
        since: String,
        /// How wide the panes are before that.
        width: Duration,
    },
}

/// A width as flags spell it.
#[must_use]
pub fn spelled(width: Duration) -> String {
    let millis = width.as_millis();
    for (unit, name) in [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1000, "s"),
    ] {
        if millis > 0 && millis.is_multiple_of(unit) {
            return format!("{}{name}", millis / unit);
        }
    }
    format!("{millis}ms")
}
