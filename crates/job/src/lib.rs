//! What a worker does to a shard of posts: read it, parse each record, score its text, fold the scores into [`Findings`],
//! render the scored record.
//!
//! The principal type is [`ScoreJob`], a [`moodring_pool::Job`]. It is set up with a [`Setup`], works through a
//! [`Task`], and answers with a [`Report`]; those three are all that crosses the process boundary, apart from the
//! rendered bytes, which the worker writes itself where the run has a file to write to (a
//! [`PartWriter`](moodring_store::PartWriter)). [`eval`] has another job, which compares scores with labels; a worker of
//! the program does [`AnyJob`].

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
    ScoreSetup, Setup, Task, TaskContent, TextRules, UnknownGroup,
};
pub use model::{BadModel, Model, ModelFile};
pub use records::{NoObserver, RecordObserver};
pub use score_job::ScoreJob;
pub use scorers::columns_of;
pub use tally::{BINS, Tally};

#[cfg(feature = "faults")]
pub use faults::serve;

/// Serves the supervisor at `address` until it needs no more: all that a worker of the program does.
#[cfg(not(feature = "faults"))]
#[must_use]
pub fn serve(address: &str) -> std::process::ExitCode {
    moodring_pool::worker::serve::<AnyJob>(address)
}
