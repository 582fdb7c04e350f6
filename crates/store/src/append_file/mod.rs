//! Append-only files whose lengths are committed elsewhere.
//!
//! An [`AppendFile`] is a single file; [`RollingFiles`] is a set of them, such as one per hour. Uncommitted bytes are
//! cut off when the next process opens the file.

mod error;
mod file;
mod rolling;

pub use error::AppendError;
pub use file::{AppendFile, Reopened};
pub use rolling::RollingFiles;
