//! Sentiment over time, as it happens.
//!
//! A run is a [`Live`]. [Sources](moodring_source) put records into an [`Intake`], from which blocks go to the workers of a
//! pool. What comes back is folded by a [`Stream`], the state of the run: pure, with time as an argument. Its [`Snapshot`]s
//! are what is saved. [`Folder`] alone maps the rows of workers to a fold, for runs over files too; [`encoding`] is how
//! panes are stored, and [`SeriesRules`] are what is stored beside them. [`history`] reads all that
//! back.

mod aside;
mod blocks;
pub mod encoding;
mod error;
mod fold_thread;
mod folder;
pub mod history;
mod intake;
mod rules;
mod run;
mod shared;
mod side_files;
mod sink;
mod spool_outlet;
mod status;
mod stream;
mod supervise;
#[cfg(test)]
mod testing;
mod upkeep;
mod writer;

pub use aside::{Aside, Role};
pub use blocks::Blocks;
pub use error::LiveError;
pub use fold_thread::by_the_clock;
pub use folder::{BadRows, Folder};
pub use intake::{BlockLimits, Intake, PERMITS};
pub use rules::{BadRules, SeriesKind, SeriesRules};
pub use run::{GivenSource, Live, LiveHandle, LiveOptions, Running, Spawn};
pub use side_files::SideFilePlan;
pub use sink::FoldSink;
pub use status::{LatencyStatus, LiveStatus, SourceStatus};
pub use stream::{
    BadReport, BadSaved, Block, BlockSegment, Saved, Snapshot, SourceName, SourceView, Stream,
    StreamRules,
};
