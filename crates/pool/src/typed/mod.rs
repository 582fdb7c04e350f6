//! Typed calls: a function over many inputs, with a result for each, like Python's `multiprocessing.Pool`.
//!
//! The principal type is [`Workers`]: worker processes that all run one [`Call`]. It takes a whole list
//! ([`map`](Workers::map)), any iterator ([`map_iter`](Workers::map_iter), [`map_unordered`](Workers::map_unordered)),
//! or one input at a time ([`submit`](Workers::submit)). [`serve_if_worker`] makes the same executable the worker.
//!
//! ```text
//!  map, submit ──inputs──▶ Backlog ──task──▶ Pool ══▶ worker process: CallJob ──▶ Call::call, input by input
//!       ▲                                     │ report
//!       └────────────── reply ◀── ReplySink ◀─┘
//! ```
//!
//! [`Workers`] runs [`Pool::run`](crate::Pool::run) in a thread of its own. An input is an *item* of that pool, and
//! a chunk of inputs is a *task*.
//!
//! # Failing inputs
//!
//! An input that fails gets a [`CallError`]. Other inputs are not affected:
//!
//! - If a call returns an error, its worker continues with the next input.
//! - If a call panics, the panic is caught and printed to standard error. The worker calls [`Call::start`] again
//!   before its next input, because the panic may have left the old state half changed. In a program built with
//!   `panic = "abort"`, a panic kills the worker.
//! - If a call kills its worker (an abort, a signal, a stack overflow, an exit, a call longer than the timeout),
//!   its input is tried once more, alone, in another worker. If that worker dies too, the input gets
//!   [`CallError::Died`]. If the deaths may have come from outside (SIGKILL, SIGTERM), it takes five of them. The
//!   other inputs of its chunk are called again.
//!
//! So an input may be called more than once; only one result counts. A call with effects outside its worker must
//! tolerate this, or use [`Retry::Never`].
//!
//! # Cancellation
//!
//! Dropping a [`Handle`] cancels its call. A running function can only be stopped by ending its process, so the
//! worker that runs the call is killed and replaced; other workers and their inputs are not affected. Dropping an
//! iterator of results early withdraws the inputs that no worker has; chunks that a worker has are finished.
//!
//! # What can be sent
//!
//! Setup, inputs and outputs are sent between processes as [bincode](https://docs.rs/bincode), which writes values
//! without the names or types of their parts. It has limits:
//!
//! - The encoding of an input may take half of [`FRAME_LIMIT`](crate::wire::FRAME_LIMIT), that is 512 MiB; so may
//!   the outputs of one chunk together. A longer one gets [`CodecError::TooLong`].
//! - A type that must look at the data to know what it is cannot be read: `serde_json::Value`, and serde's
//!   `untagged`, `tag = "..."`, `flatten` and `deserialize_any`. Neither can a type that sometimes leaves parts
//!   out, by `skip_serializing_if`. Plain structs, tuples and enums, and the collections of the standard library
//!   work; so do `skip` and `default` together.
//!
//! The pool reads the setup back when it starts and the first input when it is submitted, and a worker does so with
//! its first output. A type that does not work gets [`CodecError::Unsupported`] there. The check covers what that
//! one value contains: if only a later value has an unsupported part, that value gets the error.
//!
//! # The environment of a worker
//!
//! The standard error of a worker is passed on to that of the pool's process. Its standard input and output are
//! `/dev/null`. Workers ignore interrupts and termination requests: the supervisor decides what they mean. If the
//! process of the pool dies, the kernel kills its workers.

mod backlog;
mod builder;
mod endpoints;
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

/// What workers do with each input: a function, and the state that a worker keeps between calls.
///
/// A worker process calls it in its main thread, one call at a time. Setup, inputs and outputs are copied between
/// processes, so they must be data, without references or open files; see [the limits](self#what-can-be-sent).
pub trait Call: Sized {
    /// What each worker starts from, such as the name of a model.
    type Setup: Serialize + DeserializeOwned;
    /// What a call takes.
    type Input: Serialize + DeserializeOwned;
    /// What a call returns.
    type Output: Serialize + DeserializeOwned;

    /// Returns the name that tells a worker process which call it serves. The default is the path of the type.
    /// Override it if the workers are [another program](WorkersBuilder::program), in which the type has another
    /// path.
    #[must_use]
    fn name() -> &'static str {
        type_name::<Self>()
    }

    /// Creates the state of a worker. Called once in each worker process, before its first input, and again after a
    /// call that panicked. A start that takes longer than [`WorkersBuilder::start_timeout`] is killed.
    ///
    /// # Errors
    /// An error or a panic ends the pool, because another worker would fail the same way. Every input gets
    /// [`CallError::Stopped`] with the error.
    fn start(setup: Self::Setup) -> Result<Self, BoxError>;

    /// Processes an input. Called once for each input, and again only if a worker died, as [`Retry`] says.
    /// [`Context::current`](crate::Context::current) tells which worker and which attempt it is.
    ///
    /// # Errors
    /// Any error becomes the result of this input, as [`CallError::Failed`]. It is sent as text, including its
    /// causes. If the caller is to match on errors, put them into the output, which may be a `Result`.
    fn call(&mut self, input: Self::Input) -> Result<Self::Output, BoxError>;
}
