//! Queries of the windows in a state.
//!
//! [`windows`] reads the panes of a state and combines them into [`WindowRow`]s. A run over files makes the same rows
//! from panes in memory. [`CsvWindows`] and [`write_json_line`] write them.

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
