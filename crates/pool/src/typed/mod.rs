//! The pool as a typed function: inputs in, a result for each out. It is what Python's `multiprocessing.Pool` is for.
//!
//! The principal type is [`Workers`]: worker processes that all run one [`Call`]. It takes a whole list
//! ([`map`](Workers::map)), any iterator ([`map_iter`](Workers::map_iter), [`map_unordered`](Workers::map_unordered)),
//! or one input at a time ([`submit`](Workers::submit)). [`serve_if_worker`] makes the same executable the worker.
//!
//! ```text
//!  map, submit ──inputs──▶ Backlog ──task──▶ Pool ══▶ worker process: CallJob ──▶ Call::call, input by input
//!       ▲                                     │ report
//!       └────────────── reply ◀── ReplySink ◀────┘
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
//! bear that, or be given [`Retry::Never`].
//!
//! # Cancelling
//!
//! Dropping a [`Handle`] cancels its call. There is no way to stop a function from outside but to end its process, so the
//! worker that is at it is killed and replaced; the other workers and their inputs never notice. Dropping an iterator of
//! results early withdraws the inputs that no worker has, and leaves the chunks that are under way.
//!
//! # What can be carried
//!
//! Setup, inputs and outputs cross between processes as [bincode](https://docs.rs/bincode), which writes values without the
//! names or types of their parts. That is quick, and has limits:
//!
//! - The encoding of one input may take half of [`FRAME_LIMIT`](crate::wire::FRAME_LIMIT), that is 512 MiB; so may the
//!   outputs of one chunk together. A longer one is that input's error, [`CodecError::TooLong`].
//! - A type that finds out from the data what it is cannot be read: `serde_json::Value`, and serde's `untagged`,
//!   `tag = "..."`, `flatten` and `deserialize_any`. Nor can one whose parts are written only sometimes, by
//!   `skip_serializing_if`. Plain structs, tuples and enums, and the collections of the standard library work; so do
//!   `skip` and `default` together.
//!
//! The setup is read back when the pool starts, and the first input when it is submitted: a type that does not work is
//! refused there, with [`CodecError::Unsupported`], and no worker sees it. A worker does the same with its first output.
//! The check covers what that value contains; if
//! only a later one has such a part, that one gets the error.
//!
//! # What a worker has
//!
//! Its standard error is passed on; its standard input and output are closed to it. Interrupts and termination requests
//! are ignored there: it is the supervisor who decides what they mean. If the supervisor dies, however that happens,
//! the kernel kills the workers.

mod backlog;
mod builder;
mod entry;
mod error;
mod handle;
mod job;
mod map;
mod message;
mod options;
mod slot;
mod submit;
mod wait;
mod workers;

use std::any::type_name;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::BoxError;

pub use builder::WorkersBuilder;
pub use entry::serve_if_worker;
pub use error::{CallError, CodecError, Part, ReadyError, StartError, Stopped, TrySubmitError};
pub use handle::Handle;
pub use map::{Map, MapUnordered};
pub use options::{CallOptions, Retry};
pub use submit::Submit;
pub use wait::{wait_all, wait_all_timeout, wait_any, wait_any_timeout};
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

    /// Returns the name by which a worker process is told which call it serves: the path of the type, unless overridden.
    /// Override it where the workers are [another program](WorkersBuilder::program), in which the type has another path.
    #[must_use]
    fn name() -> &'static str {
        type_name::<Self>()
    }

    /// Called once in each worker process, before its first input, and again after a call that panicked.
    ///
    /// # Errors
    /// What cannot start here can start nowhere: the pool ends, and every input gets [`CallError::Stopped`] with this
    /// error. So it does for a panic.
    fn start(setup: Self::Setup) -> Result<Self, BoxError>;

    /// Called once for each input; more often only if a worker died, as [`Retry`] says. [`Context`](crate::Context)
    /// tells which worker this is, and which attempt.
    ///
    /// # Errors
    /// Any error is the result of this input, as [`CallError::Failed`]. It crosses to the caller as text, its causes
    /// included. An error that the caller is to act on belongs into the output: it may be a `Result` itself.
    fn call(&mut self, input: Self::Input) -> Result<Self::Output, BoxError>;
}
