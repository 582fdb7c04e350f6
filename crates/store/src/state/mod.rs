//! The state of a live run: one `SQLite` file that survives crashes and power cuts.
//!
//! The run has it as a [`State`], alone, and saves what changed in a [`Commit`], which is one transaction. When the run
//! begins again it gets what it needs as [`Restored`]. Others ask a [`StateReader`] meanwhile. What the bytes of cells,
//! positions and books mean is up to the caller.
//!
//! The file is written through a log (`STATE-wal`, with its index `STATE-shm`) that is forced to the disk with each
//! commit. The file alone, without its log, may lack the last commits. `STATE.lock` keeps a second run out.

mod error;
mod ids;
mod migrate;
mod place;
mod reader;
mod rows;
mod schema;
mod select;
mod upkeep;
mod writer;

pub use error::StateError;
pub use reader::{Snapshot, StateReader};
pub use rows::{
    AlertRow, Beginning, Commit, Delivery, Extent, FileRow, GapRow, GroupRow, PaneRow, Restored,
    Series, SeriesId, SourceRow, StoredAlert, StoredGap,
};
pub use select::Which;
pub use upkeep::Attempt;
pub use writer::State;
