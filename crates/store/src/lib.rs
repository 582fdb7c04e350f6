//! What must survive a run: outputs that appear under their names only when they are complete.
//!
//! A [`PartFile`] is written beside its final name and renamed in one step at the end, so that whoever finds the name
//! finds the whole output, and a run that fails leaves nothing half-written behind. The supervisor decides which bytes
//! of it belong to whom and may leave the writing to other processes, each with a [`PartWriter`]. [`Output`] chooses between such a file and a
//! [`Stream`] (standard output, a pipe, a device), which can only be written from front to back. A [`LazyFile`] is an
//! output that may turn out not to be needed. A [`Journal`] beside an output says what of it is done, so that a run that was
//! cut off can go on; what that run [`Written`] is checked before it does. Outputs are on the disk when they have their names.
//!
//! A run that never ends keeps what it has in [`state`], the records that it has not counted in a [`spool`], and what it
//! writes beside them in files that are [appended to](append_file).
//!
//! Nothing here knows what the bytes mean.
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
