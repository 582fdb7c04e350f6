//! Records that arrived from a source without positions, on the disk until they are counted.
//!
//! A [`Spool`] is a folder of append-only segments. It numbers its entries: their numbers are the positions that such a
//! source lacks. Many threads [append](Spool::append); one thread writes, forces everything to the disk in groups, and
//! tells each caller when its entry is safe. A [`Reader`] follows. Segments are deleted once the entries in them are
//! counted, each understandable without the others.

mod entry;
mod error;
mod folder;
mod format;
mod handle;
mod index;
mod keys;
mod reader;
mod scan;
mod writer;

pub use entry::{Appended, Entry, Failed, NewEntry, NotTaken, OnDurable, Refusal};
pub use error::SpoolError;
pub use handle::{Limits, Spool};
pub use index::Opened;
pub use reader::{Next, Reader};
