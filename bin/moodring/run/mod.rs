//! What the commands that run the pool share: their [flags](args) and what those mean ([`source`], [`models`],
//! [`pool_options`]), the [tasks] that feed the pool, the [session] that runs it under the control of signals and the control
//! server, the [progress] display, the check that [files] do not conflict, the [rejections] to warn of, and what errors mean.

pub(crate) mod args;
mod autoscale;
mod cgroup;
mod clean_up;
pub(crate) mod columns;
mod control_server;
mod cpus;
pub(crate) mod durations;
pub(crate) mod fields;
pub(crate) mod files;
pub(crate) mod models;
pub(crate) mod pool_options;
pub(crate) mod progress;
pub(crate) mod rejections;
mod run_control;
pub(crate) mod session;
pub(crate) mod signals;
pub(crate) mod source;
pub(crate) mod tasks;
pub(crate) mod texts;
pub(crate) mod usage;
pub(crate) mod window_args;

use anyhow::anyhow;
use columns::DifferentColumns;
use moodring_feed::FeedError;
use moodring_pool::process::Exit;
use moodring_pool::supervisor::RunFailure;
use moodring_pool::{BoxError, PoolError};
use moodring_store::StoreError;

use crate::exit::Failure;

/// What an error of the pool means to the person who ran the command. `sink` knows the errors of the command's own sink.
pub(crate) fn pool_failure(error: PoolError, sink: impl FnOnce(BoxError) -> Failure) -> Failure {
    match error {
        PoolError::Sink(error) => sink(error),
        PoolError::Feed(error) => match error.downcast::<FeedError>() {
            Ok(error) => feed_failure(*error),
            Err(error) => match error.downcast::<DifferentColumns>() {
                Ok(error) => Failure::usage(*error),
                Err(error) => Failure::Failed(anyhow!(error)),
            },
        },
        PoolError::GivenUp(
            failure @ (RunFailure::CrashLoop {
                last: Exit::OutOfMemory,
                ..
            }
            | RunFailure::QuarantineLoop {
                last: Exit::OutOfMemory,
                ..
            }
            | RunFailure::DeadlyShard {
                last: Exit::OutOfMemory,
                ..
            }),
        ) => Failure::Defeated(anyhow!(
            "the run was given up: {failure}; raise --max-memory, or lower --shard-size"
        )),
        PoolError::GivenUp(failure) => {
            Failure::Defeated(anyhow!("the run was given up: {failure}"))
        }
        error => Failure::failed(error),
    }
}

pub(crate) fn feed_failure(error: FeedError) -> Failure {
    if error.is_usage() {
        Failure::usage(error)
    } else {
        Failure::failed(error)
    }
}

pub(crate) fn store_failure(error: StoreError) -> Failure {
    match error {
        StoreError::StdoutClosed => Failure::OutputClosed,
        error if error.is_usage() => Failure::usage(error),
        error => Failure::failed(error),
    }
}
