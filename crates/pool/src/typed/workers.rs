//! Worker processes that run one call.

use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, unbounded};
use serde_bytes::ByteBuf;

use super::Call;
use super::backlog::{Backlog, Request, Ticket};
use super::endpoints::{BacklogFeed, ReplySink};
use super::error::{CodecError, Part, ReadyError, StartError, Stopped};
use super::handle::Handle;
use super::message::{Task, encode_input};
use super::options::{CallOptions, Retry};
use super::slot::Slot;
use crate::control::Control;
use crate::error::PoolError;
use crate::pool::Pool;
use crate::status::{Outcome, Stats, WorkerStatus};
use crate::supervisor::{RunFailure, TaskPolicy};
use crate::wire;

/// Worker processes that all run one [`Call`].
///
/// Dropping it [terminates](Self::terminate) the workers and waits until their processes have ended. All methods
/// take a shared reference, so threads can share it.
pub struct Workers<C: Call> {
    backlog: Arc<Backlog>,
    control: Control,
    size: AtomicU32,
    pub(super) chunk: Option<usize>,
    retry: Retry,
    /// Whether an input was read back.
    codec_checked: AtomicBool,
    /// Runs the pool. None once it has been joined.
    runner: Option<JoinHandle<Result<Outcome, PoolError>>>,
    call: PhantomData<fn() -> C>,
}

impl<C: Call> Workers<C> {
    /// Starts the pool in a thread of its own: the kernel ends a worker together with the thread that started it.
    pub(super) fn run(
        pool: Pool,
        size: u32,
        backlog: Backlog,
        chunk: Option<usize>,
        retry: Retry,
    ) -> Result<Self, StartError> {
        let backlog = Arc::new(backlog);
        let control = pool.control();
        let (tickets_in, tickets) = unbounded();
        let feed = BacklogFeed {
            backlog: Arc::clone(&backlog),
            tickets: tickets_in,
            policy: TaskPolicy::default(),
        };
        let ending = Ending(Arc::clone(&backlog));
        let runner = thread::Builder::new()
            .name("pool".to_owned())
            .spawn(move || {
                let mut sink = ReplySink::new(tickets);
                let ending = ending;
                let ran = pool.run(feed, &mut sink);
                if let Err(error) = &ran {
                    ending.0.end(Stopped::from(error));
                }
                ran
            })
            .map_err(StartError::Thread)?;
        Ok(Self {
            backlog,
            control,
            size: AtomicU32::new(size),
            chunk,
            retry,
            codec_checked: AtomicBool::new(false),
            runner: Some(runner),
            call: PhantomData,
        })
    }

    /// Waits until every worker has run [`Call::start`], but no longer than `timeout`. Inputs can be submitted
    /// before that. Use it to check the setup, or to exclude the start from a measurement.
    ///
    /// # Errors
    /// [`ReadyError::TimedOut`] if a worker is still starting, and [`ReadyError::Stopped`] with the reason if the pool
    /// has ended, as it does if [`Call::start`] fails.
    pub fn wait_ready(&self, timeout: Duration) -> Result<(), ReadyError> {
        match self.control.await_ready().recv_timeout(timeout) {
            Ok(()) => Ok(()),
            Err(RecvTimeoutError::Timeout) => Err(ReadyError::TimedOut(timeout)),
            Err(RecvTimeoutError::Disconnected) => {
                Err(ReadyError::Stopped(self.backlog.why_ended()))
            }
        }
    }

    /// Replaces every worker by a new process, one at a time, and does not wait for that. A worker finishes what it
    /// holds first, so no call is interrupted.
    pub fn renew(&self) {
        self.control.renew();
    }

    /// Returns what each worker is doing, by slot; nothing if the pool has ended. Blocks until the supervisor
    /// answers, for up to two seconds.
    #[must_use]
    pub fn workers(&self) -> Vec<WorkerStatus> {
        self.control.workers()
    }

    /// Sets the number of workers, clamped to 1 through [`MAX_WORKERS`](crate::MAX_WORKERS). Surplus workers finish
    /// what they hold and leave. Does not wait for that.
    pub fn resize(&self, workers: u32) {
        let workers = self.control.resize(workers);
        self.size.store(workers, Ordering::Relaxed);
    }

    /// Returns the counters of the pool. A shard is a chunk of inputs here.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        self.control.stats()
    }

    /// Takes no more inputs. Those in the backlog are still processed, and then the workers leave. Does not wait
    /// for that.
    pub fn close(&self) {
        self.backlog.close();
    }

    /// Takes no more inputs, and drops those in the backlog, which get [`Stopped::Drained`]. What the workers hold
    /// is finished, and so are up to two tasks for each worker that were taken from the backlog in advance. Then
    /// the workers leave. Does not wait for that.
    pub fn drain(&self) {
        self.backlog.drain();
        self.control.drain();
    }

    /// Closes the pool and waits until all inputs are processed and the workers have ended. Results that were not
    /// waited for stay with their handles.
    ///
    /// # Errors
    /// A [`PoolError`] if the pool itself failed. The failure of an input is not one.
    ///
    /// # Panics
    /// If the supervisor panicked, which is a bug of this crate.
    pub fn join(mut self) -> Result<Outcome, PoolError> {
        self.close();
        match self.runner.take().map(JoinHandle::join) {
            Some(Ok(ran)) => ran,
            Some(Err(panic)) => resume_unwind(panic),
            None => Err(PoolError::GivenUp(RunFailure::Aborted)),
        }
    }

    /// Kills the workers. Inputs that are not processed get [`Stopped::Terminated`]. Does not wait for that; to
    /// wait, drop or [`join`](Self::join) the pool, which then returns [`RunFailure::Aborted`].
    pub fn terminate(&self) {
        self.backlog.terminate();
        self.control.abort();
    }

    /// How many workers there are meant to be.
    pub(super) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed) as usize
    }

    pub(super) fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    /// Encodes an input. Until one was read back, each is: a type that cannot be carried is refused at its first use.
    pub(super) fn encode(&self, input: &C::Input) -> Result<ByteBuf, CodecError> {
        let bytes = encode_input(input)?;
        if !self.codec_checked.load(Ordering::Relaxed) {
            let read = wire::decode::<C::Input>(&bytes);
            read.map_err(|error| CodecError::unsupported::<C::Input>(Part::Input, &error))?;
            self.codec_checked.store(true, Ordering::Relaxed);
        }
        Ok(bytes)
    }

    /// A request for the backlog. These are bytes and texts, which can always be encoded.
    pub(super) fn request(
        &self,
        task: &Task,
        options: CallOptions,
        ticket: Ticket,
    ) -> Option<Request> {
        Some(Request {
            task: wire::encode(task).ok()?,
            policy: options.policy(self.retry),
            ticket,
        })
    }

    pub(super) fn handle(&self, slot: Arc<Slot>) -> Handle<C::Output> {
        Handle::new(slot, Arc::clone(&self.backlog), self.control.clone())
    }
}

/// However the run ends, even by a panic, nobody waits for it any longer. Tickets that are dropped after this know
/// why.
struct Ending(Arc<Backlog>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(if thread::panicking() {
            Stopped::Failed("the supervisor panicked".to_owned())
        } else {
            Stopped::Closed
        });
    }
}

impl<C: Call> Drop for Workers<C> {
    fn drop(&mut self) {
        if let Some(runner) = self.runner.take() {
            self.terminate();
            // Its result is for those who join.
            let _ = runner.join();
        }
    }
}

impl<C: Call> fmt::Debug for Workers<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("size", &self.size)
            .field("stats", self.stats())
            .finish_non_exhaustive()
    }
}
