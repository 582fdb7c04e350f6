//! How well the models agree with labels that people gave.
//!
//! [`EvalJob`] scores a shard and compares each score with the record's label: a class, a number, or both. What it counts
//! is an [`Agreement`] for each model; agreements merge exactly, whatever the cut, and [`Metrics`] are made of them.

mod agreement;
mod eval_job;
mod label;
mod metrics;

pub use agreement::Agreement;
pub use eval_job::EvalJob;
pub use label::{BadLabels, LabelMap, Labels, Reading, Scheme};
pub use metrics::{ClassMetrics, Metrics};
