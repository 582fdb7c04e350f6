//! The messages about posts between supervisor and worker: plain data, encoded by the pool's `wire`.

mod eval;
mod reject;
mod score;
mod setup;
mod task;

pub use eval::{EvalReport, EvalSetup};
pub use reject::Reject;
pub use score::{Delivered, Grant, Report, ScoreSetup};
pub use setup::Setup;
pub use task::{Task, TaskContent};
