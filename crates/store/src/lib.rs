//! Durable outputs: files that appear under their names only when they are complete.
//!
//! A [`PartFile`] is written as `NAME.part` and renamed in one step at the end, so a file under its final name is
//! always complete and on the disk. The supervisor assigns byte ranges of it to worker processes, which write them
//! with a [`PartWriter`] each. An [`Output`] is either a part file or a [`Stream`] (standard output, a pipe, a
//! device), which is written sequentially. A [`LazyFile`] is created only if something is written to it. A [`Journal`]
//! records which parts of an output are done, so that an interrupted run can be continued; [`Written`] verifies the
//! existing bytes first.
//!
//! A live run keeps its results in a [`state`], records that are not counted yet in a [`spool`], and other files as
//! [append-only files](append_file).
//!
//! This crate does not interpret the bytes.
//!
//! ```
//! use moodring_store::PartFile;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("scored.jsonl");
//!
//! let mut part = PartFile::create(&path, false)?;
//! part.append(b"{}\n")?;
//! assert!(!path.exists());
//! part.commit()?;
//! assert_eq!(std::fs::read(&path)?, b"{}\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod append_file;
mod error;
mod journal;
mod lazy;
mod lock;
mod output;
mod part_file;
mod part_open;
mod part_writer;
mod side_file;
pub mod spool;
pub mod state;
mod syncer;
mod target;
mod written;

pub use error::StoreError;
pub use journal::{Entries, Journal};
pub use lazy::LazyFile;
pub use output::{Output, Stream};
pub use part_file::PartFile;
pub use part_writer::PartWriter;
pub use side_file::check_side_file;
pub use syncer::{Syncer, folder_of};
pub use target::is_stdout;
pub use written::Written;
