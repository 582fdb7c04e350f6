//! The whole binary from outside, a module for each promise.

mod util;

mod batch;
mod chaos;
mod cuts;
mod errors;
mod explain;
#[cfg(feature = "faults")]
mod poison;
mod rejects;
mod scaling;
mod signals;
