//! The work of a worker process on a shard of posts: read it, parse each record, score its text, add the scores to
//! [`Findings`], render the scored record.
//!
//! The principal type is [`ScoreJob`], a [`moodring_pool::Job`]. It is set up with a [`Setup`], processes a [`Task`],
//! and answers with a [`Report`]. Only these three cross the process boundary, and the rendered bytes if the output is
//! a stream; into a file, the worker writes them itself (with a [`PartWriter`](moodring_store::PartWriter)). [`eval`]
//! contains a job that compares scores with labels. The workers of the program run [`AnyJob`].

mod any_job;
pub mod eval;
mod extremes;
#[cfg(feature = "faults")]
mod faults;
mod findings;
mod language;
mod live;
mod message;
mod model;
mod path;
mod preprocess;
mod range;
mod records;
mod score_job;
mod scorers;
mod shard_reader;
mod tally;

pub use any_job::AnyJob;
pub use extremes::{Extreme, Extremes};
pub use findings::Findings;
pub use language::Language;
pub use live::LiveJob;
pub use message::{
    Delivered, EvalReport, EvalSetup, Grant, GroupBy, LiveCounts, LiveReport, LiveSegment,
    LiveSetup, LiveTask, MAX_DIMENSIONS, MAX_TEXT, Reject, Rendering, Report, Row, RowRules, Rows,
    ScoreSetup, Setup, Task, TaskContent, TextRules, UnknownGroup, quarantine_reason,
};
pub use model::{BadModel, Model, ModelFile};
pub use records::{NoObserver, RecordObserver};
pub use score_job::ScoreJob;
pub use scorers::columns_of;
pub use tally::{BINS, Tally};

#[cfg(feature = "faults")]
pub use faults::serve;

/// Runs a worker process: serves the supervisor at `address` until it closes the connection or retires the worker.
#[cfg(not(feature = "faults"))]
#[must_use]
pub fn serve(address: &str) -> std::process::ExitCode {
    moodring_pool::worker::serve::<AnyJob>(address)
}
