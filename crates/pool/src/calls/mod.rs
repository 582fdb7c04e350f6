//! The pool as a typed function: inputs in, a result for each out. It is what Python's `multiprocessing.Pool` is for.
//!
//! The principal type is [`Workers`]: worker processes that all run one [`Call`]. It takes a whole list
//! ([`map`](Workers::map)), any iterator ([`map_iter`](Workers::map_iter), [`map_unordered`](Workers::map_unordered)),
//! or one input at a time ([`submit`](Workers::submit)). [`serve_if_worker`] makes the same executable the worker.
//!
//! ```text
//!  map, submit ──inputs──▶ Backlog ──task──▶ Pool ══▶ worker process: CallJob ──▶ Call::call, input by input
//!       ▲                                     │ report
//!       └────────────── reply ◀── Outlet ◀────┘
//! ```
//!
//! Everything stands on [`Pool::run`](crate::Pool::run), which has a thread of its own here. An input is an *item* of
//! the pool below, and a chunk of inputs is a *task*.
//!
//! # What a bad input does
//!
//! It gets an error of its own, a [`CallError`], and the others never notice:
//!
//! - A call that returns an error has failed; its worker goes on.
//! - A call that panics is caught. Its worker says so on standard error, and goes on with a state made anew by
//!   [`Call::start`], as a panic may have left the old one half changed. In a program built with `panic = "abort"` a
//!   panic is a death.
//! - A call that kills its worker (an abort, a signal, a stack overflow, an exit, a call longer than the timeout) is
//!   tried once more alone in a fresh worker. If that dies too, the input is given up. Where the death may as well have
//!   come from outside (SIGKILL, SIGTERM), it takes five of them. The inputs that were in its chunk are done again.
//!
//! So an input may be called more than once, of which one result counts. A call with effects outside its worker must
//! bear that.
//!
//! # What a worker has
//!
//! Its standard error is passed on; its standard input and output are closed to it. Interrupts and termination requests
//! are ignored there: it is the supervisor who decides what they mean. If the supervisor dies, however that happens,
//! the kernel kills the workers.

mod backlog;
mod builder;
mod entry;
mod handle;
mod job;
mod map;
mod message;
mod workers;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::pool::BoxError;
use crate::process::Exit;

pub use builder::WorkersBuilder;
pub use entry::serve_if_worker;
pub use handle::Handle;
pub use map::{Map, MapUnordered};
pub use workers::Workers;

/// What workers do with each input: a function, and the state that each worker keeps between its calls.
///
/// Inputs, outputs and the setup are copied from process to process, so they are data: no references, no open files.
pub trait Call: Sized {
    /// What every worker starts from, such as the name of a model.
    type Setup: Serialize + DeserializeOwned;
    /// What a call takes.
    type Input: Serialize + DeserializeOwned;
    /// What a call gives.
    type Output: Serialize + DeserializeOwned;

    /// Called once in each worker process, before its first input, and again after a call that panicked.
    ///
    /// # Errors
    /// What cannot start here can start nowhere: the pool ends, and every input gets [`CallError::Stopped`] with this
    /// error. So it does for a panic.
    fn start(setup: Self::Setup) -> Result<Self, BoxError>;

    /// Called once for each input; more often only if a worker died.
    ///
    /// # Errors
    /// Any error is the result of this input, as [`CallError::Failed`]. It crosses to the caller as text, its causes
    /// included. An error that the caller is to act on belongs into the output: it may be a `Result` itself.
    fn call(&mut self, input: Self::Input) -> Result<Self::Output, BoxError>;
}

/// Why an input has no output.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// The call returned an error, which said this.
    #[error("the call failed: {0}")]
    Failed(String),
    /// The call panicked, and said this.
    #[error("the call panicked: {0}")]
    Panicked(String),
    /// The call killed its workers.
    #[error("the call killed {attempts} workers; the last one {exit}")]
    Died {
        /// How the last of them ended.
        exit: Exit,
        /// How many they were.
        attempts: u32,
        /// What the last of them said on its standard error.
        last_words: String,
    },
    /// The input or the output could not be carried between the processes, for this reason.
    #[error("failed to carry a call between processes: {0}")]
    Codec(String),
    /// The pool ended before the input was done, for this reason.
    #[error("the input was not done: {0}")]
    Stopped(String),
}
