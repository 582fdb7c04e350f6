//! What a worker does to posts as they come: make them into rows of figures, which the supervisor folds into windows.
//!
//! [`LiveJob`] works through a block of segments of several sources. [`RowMaker`] is shared with the
//! job of a batch, so that a file gives the same windows as its replay.

mod live_job;
pub(crate) mod row_maker;
mod row_table;

pub use live_job::LiveJob;
pub(crate) use row_maker::RowMaker;
