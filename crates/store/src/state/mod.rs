//! The state of a live run: one `SQLite` file that survives anything.

mod rows;

pub use rows::{AlertRow, Commit, FileRow, GapRow, GroupRow, PaneRow, Series, SeriesId, SourceRow};
