//! Files that only grow, and whose lengths are committed elsewhere.
//!
//! An [`AppendFile`] is one of them; [`RollingFiles`] are many, such as one for each hour. What was appended and not
//! committed is cut off when the next process opens the file.

mod error;
mod file;
mod rolling;

pub use error::AppendError;
pub use file::{AppendFile, Reopened};
pub use rolling::RollingFiles;
