//! What a state tells of the past: windows as they were asked for.
//!
//! [`windows`] reads the panes of a state and puts them together into [`WindowRow`]s. A run over files has its own panes,
//! and makes the same rows of them. [`CsvWindows`] and [`write_json_line`] write them.

mod error;
mod query;
mod series;
#[cfg(test)]
mod tests;
mod window_row;
mod write;

pub use error::{HistoryError, spelled};
pub use query::{SeriesChoice, WindowQuery, windows};
pub use series::{Limited, SavedSeries};
pub use window_row::{Owner, PostRow, TagRow, WindowRow};
pub use write::{CsvWindows, write_json_line};
