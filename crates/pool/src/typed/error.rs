//! Why an input has no output, and why workers did not start.

use std::any::type_name;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::error::PoolError;
use crate::exit::Exit;
use crate::supervisor::RunFailure;
use crate::wire::WireError;

/// Why an input has no output.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// The call returned an error with this text. The texts of its causes follow, separated by colons.
    #[error("the call failed: {0}")]
    Failed(String),
    /// The call panicked with this message.
    #[error("the call panicked: {0}")]
    Panicked(String),
    /// The call killed its workers, or took longer than its timeout.
    #[error("the worker of the call {exit}, at attempt {attempts}")]
    Died {
        /// How the last worker ended; [`Exit::TimedOut`] after a timeout.
        exit: Exit,
        /// How many workers died.
        attempts: u32,
        /// The end of what the last worker wrote to standard error: 2 KiB at most.
        last_words: String,
    },
    /// The input or the output could not be sent between the processes.
    #[error("failed to carry a call between processes: {0}")]
    Codec(CodecError),
    /// The pool ended before the input was done.
    #[error("the input was not done: {0}")]
    Stopped(Stopped),
}

impl CallError {
    /// Returns whether the timeout ended the last attempt.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(
            self,
            Self::Died {
                exit: Exit::TimedOut,
                ..
            }
        )
    }
}

/// Why a pool takes no more inputs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Stopped {
    /// It was closed before the input was submitted.
    #[error("the pool is closed")]
    Closed,
    /// It was [drained](super::Workers::drain) before a worker had the input.
    #[error("the pool was drained")]
    Drained,
    /// It was [terminated](super::Workers::terminate) or dropped.
    #[error("the pool was terminated")]
    Terminated,
    /// It was given up because workers kept dying or cannot start.
    #[error("{0}")]
    GivenUp(RunFailure),
    /// The pool itself failed, for this reason.
    #[error("{0}")]
    Failed(String),
}

impl From<&PoolError> for Stopped {
    fn from(error: &PoolError) -> Self {
        match error {
            PoolError::GivenUp(RunFailure::Aborted) => Self::Terminated,
            PoolError::GivenUp(failure) => Self::GivenUp(failure.clone()),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// What a [`CodecError`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// [`Call::Setup`](super::Call::Setup).
    Setup,
    /// [`Call::Input`](super::Call::Input).
    Input,
    /// [`Call::Output`](super::Call::Output).
    Output,
    /// What a worker says about its inputs.
    Report,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setup => "setup",
            Self::Input => "input",
            Self::Output => "output",
            Self::Report => "report",
        })
    }
}

/// Why a value could not be sent between processes; see [the limits of the codec](super#what-can-be-sent).
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum CodecError {
    /// The value is too long.
    #[error(
        "the {part} takes {bytes} bytes; one input, and the outputs of one chunk together, may take {limit}"
    )]
    TooLong {
        /// What is too long.
        part: Part,
        /// How long its encoding is.
        bytes: usize,
        /// How long the encoding of all inputs or all outputs of a task may be, in bytes.
        limit: usize,
    },
    /// This value of its type, or none, can be read again after it was written.
    #[error(
        "the {part} type `{type_name}` does not work with the pool's codec: {reason}; \
         avoid `serde_json::Value` and serde's `untagged`, `tag`, `flatten` and `skip_serializing_if`"
    )]
    Unsupported {
        /// What has that type.
        part: Part,
        /// The type.
        type_name: String,
        /// What the codec says.
        reason: String,
    },
    /// The value's `Serialize` returned an error.
    #[error("failed to encode the {part}: {reason}")]
    Encode {
        /// What it is.
        part: Part,
        /// What its `Serialize` says.
        reason: String,
    },
    /// The type's `Deserialize` returned an error.
    #[error("failed to decode the {part}: {reason}")]
    Decode {
        /// What it is.
        part: Part,
        /// What its `Deserialize` says.
        reason: String,
    },
}

impl CodecError {
    /// A value of type `T` could not be encoded.
    pub(super) fn encode<T>(part: Part, error: &WireError) -> Self {
        if error.is_unsupported() {
            return Self::unsupported::<T>(part, error);
        }
        let reason = error.to_string();
        Self::Encode { part, reason }
    }

    /// A value of type `T` could not be decoded.
    pub(super) fn decode<T>(part: Part, error: &WireError) -> Self {
        if error.is_unsupported() {
            return Self::unsupported::<T>(part, error);
        }
        let reason = error.to_string();
        Self::Decode { part, reason }
    }

    /// What was encoded from a `T` cannot be decoded as one.
    pub(super) fn unsupported<T>(part: Part, error: &WireError) -> Self {
        Self::Unsupported {
            part,
            type_name: type_name::<T>().to_owned(),
            reason: error.to_string(),
        }
    }
}

/// Why a pool did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The setup cannot be sent to the workers.
    #[error("failed to carry the setup to the workers: {0}")]
    Setup(CodecError),
    /// The working folder of the workers does not exist or is not a folder.
    #[error("the working folder of the workers, `{}`, is not a folder", .0.display())]
    CurrentDir(PathBuf),
    /// The operating system refused a thread.
    #[error("failed to start a thread of the supervisor: {0}")]
    Thread(io::Error),
    /// A worker process tried to start a pool.
    #[error(
        "a worker cannot have workers: `main` must begin with `serve_if_worker` for this type of call, and no call may start a pool"
    )]
    WithinWorker,
}

/// Why [`Workers::wait_ready`](super::Workers::wait_ready) gave up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadyError {
    /// A worker was still starting after this time.
    #[error("the workers were not ready within {0:?}")]
    TimedOut(Duration),
    /// The pool has ended.
    #[error("the workers are not ready: {0}")]
    Stopped(Stopped),
}

/// Why [`try_submit`](super::Workers::try_submit) did not take an input, which it contains.
#[derive(Clone, PartialEq, Eq, Error)]
pub enum TrySubmitError<I> {
    /// The backlog is full.
    #[error("the backlog of the pool is full")]
    Full(I),
    /// The pool takes no more inputs.
    #[error("the pool takes no more inputs: {1}")]
    Stopped(I, Stopped),
}

impl<I> TrySubmitError<I> {
    /// Returns the input.
    pub fn into_input(self) -> I {
        match self {
            Self::Full(input) | Self::Stopped(input, _) => input,
        }
    }
}

/// Leaves the input out, so that an error can be shown whatever the input is.
impl<I> fmt::Debug for TrySubmitError<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("Full(..)"),
            Self::Stopped(_, why) => write!(f, "Stopped(.., {why:?})"),
        }
    }
}
