//! A pool of supervised worker **processes**: nothing lost, nothing twice, never stuck.
//!
//! It has two faces. [`Workers`] is the one to begin with: it runs one typed function, a [`Call`], on whatever inputs
//! it is given, as Python's `multiprocessing.Pool` does. An input that fails, panics or kills its worker gets an error
//! of its own, and takes no other with it.
//!
//! ```rust,standalone_crate
//! use moodring_pool::{BoxError, Call, Workers, serve_if_worker};
//!
//! struct Square;
//!
//! impl Call for Square {
//!     type Setup = ();
//!     type Input = u64;
//!     type Output = u64;
//!
//!     fn start((): ()) -> Result<Self, BoxError> {
//!         Ok(Self)
//!     }
//!
//!     fn call(&mut self, n: u64) -> Result<u64, BoxError> {
//!         n.checked_mul(n).ok_or_else(|| "too large".into())
//!     }
//! }
//!
//! fn main() -> Result<(), BoxError> {
//!     // A worker is this same executable, and goes no further than this line.
//!     serve_if_worker::<Square>();
//!
//!     let pool = Workers::<Square>::start(2, ())?;
//!     assert_eq!(pool.map([1, 2, 3]), [Ok(1), Ok(4), Ok(9)]);
//!     assert_eq!(pool.submit(12).wait(), Ok(144));
//!     assert!(pool.submit(u64::MAX).wait().is_err());
//!     // A handle that is dropped cancels its call.
//!     Ok(())
//! }
//! ```
//!
//! [`Pool`] is what it stands on, for those who need more: bytes in and bytes out, results in order, and results that
//! stay with the worker and are written where they belong.
//!
//! # The pool below
//!
//! [`Pool`] takes tasks from a [`Feed`], hands each to one of N worker processes, restarts
//! workers that die, hands their tasks out again, and gives the results to a [`Sink`], once each and in order. What
//! a worker does with a task is a [`Job`]; [`worker::serve`] is the whole `main` of a worker.
//!
//! ```text
//!  Feed ──task──▶ Driver ──Assign──▶ worker process: Job::prepare ──Prepared(report)──▶ Driver
//!                   ▲ │                                                                   │
//!             event │ │ action                                   Sink::release(report) ◀──┘ in order
//!                   │ ▼                                                    │ grant
//!                Supervisor (pure)   worker process: Job::commit ◀─Commit──┘
//! ```
//!
//! A result travels in two phases, so that a large one need not pass through the supervisor: the worker *prepares* it
//! and reports what the supervisor must know of it (its length, its counts); when its turn comes the sink answers the
//! report with a *grant* (the offset it may be written at), and the worker *commits* it there. A task whose worker
//! died in between goes out again and is committed at the same place. See [`Delivery`] for pools that need no second
//! phase.
//!
//! Modules in reading order: [`ids`] and [`wire`], what is said between the processes, and [`black_box`], what is
//! seen without being said; `transport`, frames over a channel; [`supervisor`], every decision,
//! as a pure state machine; [`process`](mod@process) and `driver`, which carry the decisions out;
//! [`worker`], the other side; [`in_process`], the same run without processes; [`typed`], the typed face on top.

pub mod black_box;
mod context;
mod control;
mod descriptors;
mod driver;
mod driver_event;
mod error;
mod exit;
mod feed;
mod helper;
pub mod ids;
pub mod in_process;
mod limits;
mod panics;
mod pool;
pub mod process;
mod sink;
mod status;
pub mod supervisor;
mod transport;
pub mod typed;
pub mod wire;
pub mod worker;

pub use context::Context;
pub use control::{Control, Unanswered};
pub use error::{BoxError, PoolError};
pub use exit::Exit;
pub use feed::Feed;
pub use ids::{Scope, ShardId, WorkerId};
pub use limits::Limits;
pub use pool::{Pool, PoolBuilder};
pub use sink::{Quarantined, Released, Sink};
pub use status::{Outcome, ProcessStatus, Stats, WorkerStatus};
pub use supervisor::{Config, Delivery, MAX_WORKERS, TaskPolicy};
pub use typed::{
    Call, CallError, CallOptions, CodecError, Handle, Retry, Stopped, Workers, serve_if_worker,
};
pub use worker::{ItemAction, Job, JobError, Work};

/// The page for those who come from Python: its programs are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/from-multiprocessing.md")]
struct FromMultiprocessing;
