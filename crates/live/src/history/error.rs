//! The errors of querying windows.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use moodring_record::name_of;
use moodring_store::state::StateError;
use moodring_window::View;
use thiserror::Error;

use crate::encoding::BadBytes;
use crate::rules::BadRules;

/// Why a query fails.
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
    /// The file of late posts cannot be read.
    #[error(
        "cannot read the late posts in \"{}\" ({source}): put the file back as the run left it",
        name_of(path)
    )]
    LateFile {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// There is no series with this number.
    #[error("there is no series {wanted}; there are {known}")]
    NoSeries {
        /// The number that was asked for.
        wanted: i64,
        /// The existing numbers.
        known: String,
    },
    /// The series has no such dimension.
    #[error("series {series} is not grouped by `{wanted}`, but by {known}")]
    NoDimension {
        /// The series.
        series: i64,
        /// The dimension that was asked for.
        wanted: String,
        /// The existing dimensions.
        known: String,
    },
    /// The window or slide is not a multiple of the panes.
    #[error(
        "the {what} of {} is not a multiple of {}, the width of the panes of series {series}", spelled(*.asked), spelled(*.panes)
    )]
    NotWhole {
        /// The series.
        series: i64,
        /// Which one: the window or the slide.
        what: &'static str,
        /// Its width.
        asked: Duration,
        /// The width of the panes.
        panes: Duration,
    },
    /// The window is not a multiple of the slide, or too many times as wide.
    #[error(
        "the window of {} must be a multiple of the slide of {}, and at most {} times as wide",
        spelled(*.window),
        spelled(*.slide),
        View::MAX_OVERLAP
    )]
    Uneven {
        /// The width of the windows.
        window: Duration,
        /// The slide: the time from the start of one window to the start of the next.
        slide: Duration,
    },
    /// The window needs finer panes than are left, because older panes have been rolled up.
    #[error(
        "before {since} only panes of {} are left: ask for windows and a slide of a multiple of that, or --from {since}",
        spelled(*.width)
    )]
    TooFine {
        /// Where the finer panes begin.
        since: String,
        /// The width of the panes before that.
        width: Duration,
    },
}

/// Returns a width in the notation of the flags.
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
