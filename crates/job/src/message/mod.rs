//! The messages about posts between supervisor and worker: plain data, encoded by the pool's `wire`.

mod eval;
mod live;
mod reject;
mod rows;
mod score;
mod setup;
mod task;

pub use eval::{EvalReport, EvalSetup};
pub use live::{LiveCounts, LiveReport, LiveSegment, LiveSetup, LiveTask, Rendering};
pub(crate) use reject::Unfit;
pub use reject::{Reject, quarantine_reason};
pub use rows::{GroupBy, MAX_DIMENSIONS, MAX_TEXT, Row, RowRules, Rows, TextRules, UnknownGroup};
pub use score::{Delivered, Grant, Report, ScoreSetup};
pub use setup::Setup;
pub use task::{Task, TaskContent};
