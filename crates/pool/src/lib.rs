//! A pool of supervised worker **processes**: nothing lost, nothing twice, never stuck.
//!
//! The principal types are [`Workers`], which runs a typed function over many inputs, and [`Pool`] below it, which
//! moves bytes. Start with [`Workers`]: it runs one [`Call`] on any number of inputs, like Python's
//! `multiprocessing.Pool`. An input that fails, panics or kills its worker gets an error, and no other input is
//! affected.
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
//!     // A worker is this same executable, and never returns from this call.
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
//! # Tasks of bytes
//!
//! [`Pool`] takes tasks from a [`Feed`], assigns each to one of N worker processes, and passes the results to a
//! [`Sink`], once each and in input order. It restarts workers that die and assigns their tasks again. A [`Job`] is
//! what a worker does with a task; [`worker::serve`] is the whole `main` of a worker.
//!
//! ```text
//!  Feed ──task──▶ Driver ──Assign──▶ worker process: Job::prepare ──Prepared(report)──▶ Driver
//!                   ▲ │                                                                   │
//!             event │ │ action                                   Sink::release(report) ◀──┘ in order
//!                   │ ▼                                                    │ grant
//!                Supervisor (pure)   worker process: Job::commit ◀─Commit──┘
//! ```
//!
//! With [`Delivery::Inline`] a report is the whole result. With [`Delivery::Commit`] a large result need not pass
//! through the supervisor: the worker *prepares* it and reports what the supervisor must know (its length, its
//! counts); when all earlier results are placed, the sink returns a *grant* (the offset of the result), and the
//! worker *commits* it there. If the worker dies in between, another one prepares the task again and commits it
//! with the same grant.
//!
//! # Modules
//!
//! In reading order:
//!
//! - [`ids`]: the ids of shards, workers and items. A task is called a shard inside the pool.
//! - `feed`, `sink`, `error`, `status`, `exit`: what callers implement and get.
//! - `pool`, `control`: builds, runs, inspects and controls a pool.
//! - [`wire`]: the messages between the processes; `transport`: frames over a channel.
//! - [`black_box`]: the shared-memory progress page of a worker.
//! - [`supervisor`]: every decision, as a pure state machine.
//! - `driver`: carries the decisions out; `driver_event`: what reaches its loop.
//! - [`process`](mod@process): starts worker processes and attends to them; `limits`: what they may take.
//! - [`worker`]: the worker process; `context`: what its code can learn about where it runs.
//! - [`in_process`]: runs a job without processes.
//! - [`typed`]: typed calls over the pool.

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

/// The page for users of Python's `multiprocessing`. Its programs are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/from-multiprocessing.md")]
struct FromMultiprocessing;
