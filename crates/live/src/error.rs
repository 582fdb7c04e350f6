//! What ends a live run.

use std::io;
use std::path::PathBuf;

use moodring_pool::wire::WireError;
use moodring_store::append_file::AppendError;
use moodring_store::spool::SpoolError;
use moodring_store::state::StateError;
use thiserror::Error;

use crate::stream::{BadReport, BadSaved};

/// Why a live run cannot begin or ended. What was committed before is intact.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The state file failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// What the state file holds cannot be used.
    #[error("the state \"{}\" cannot be continued: {error}", path.display())]
    Saved {
        /// The state file.
        path: PathBuf,
        /// What is wrong.
        error: BadSaved,
    },
    /// A file beside the state failed.
    #[error(transparent)]
    File(#[from] AppendError),
    /// The spool of a source failed.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A report of a worker makes no sense.
    #[error(transparent)]
    Report(#[from] BadReport),
    /// Something is too large to be sent or stored, or damaged on its way.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The system refuses a thread.
    #[error(
        "cannot start a thread ({0}): run fewer processes, or raise the limits that `ulimit -a` shows"
    )]
    Thread(io::Error),
    /// A thread that must not end has ended.
    #[error("the thread that {0} has ended")]
    Gone(&'static str),
}

impl LiveError {
    /// Whether the same may succeed later: a disk was full, or a file is locked.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::State(error) => error.may_pass(),
            Self::File(error) => error.may_pass(),
            _ => false,
        }
    }
}
