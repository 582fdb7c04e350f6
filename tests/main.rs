//! The whole binary from outside, a module for each promise.

mod util;

mod batch;
mod chaos;
mod ctl;
mod ctl_fuzz;
mod cuts;
#[cfg(feature = "faults")]
mod deadlines;
mod errors;
mod eval;
mod explain;
mod fields;
mod files;
mod folders;
mod lexicon;
mod live;
mod names;
#[cfg(feature = "faults")]
mod poison;
mod query;
mod rejects;
mod resume;
mod scaling;
mod signals;
mod summary;
mod surroundings;
mod tables;
#[cfg(feature = "faults")]
mod tamper;
mod texts;
mod windows;
