//! The handle on a pool of workers that run one call.

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
use super::backlog::{Backlog, BacklogFeed, ReplySink, Request, Ticket};
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
/// They start with it and end with it: dropping it is [`terminate`](Self::terminate), and waits until the processes are
/// gone. It can be shared by threads.
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

    /// Waits until every worker has run [`Call::start`], for `timeout` at most. Inputs need not wait for that; this is
    /// for those who want to know that the setup works, or to keep the start out of a measurement.
    ///
    /// # Errors
    /// [`ReadyError::TimedOut`] if a worker is still starting, and [`ReadyError::Stopped`] with the reason if the pool
    /// has ended: a setup that fails in [`Call::start`] is the pool's end.
    pub fn wait_ready(&self, timeout: Duration) -> Result<(), ReadyError> {
        match self.control.await_ready().recv_timeout(timeout) {
            Ok(()) => Ok(()),
            Err(RecvTimeoutError::Timeout) => Err(ReadyError::TimedOut(timeout)),
            Err(RecvTimeoutError::Disconnected) => {
                Err(ReadyError::Stopped(self.backlog.why_ended()))
            }
        }
    }

    /// Replaces every worker by a new process, one at a time. A worker finishes what it has first, so no call is
    /// interrupted. Does not wait for that.
    pub fn renew(&self) {
        self.control.renew();
    }

    /// Returns what each worker is doing, by slot; nothing if the pool is gone. Blocks for a moment, as the supervisor is
    /// asked.
    #[must_use]
    pub fn workers(&self) -> Vec<WorkerStatus> {
        self.control.workers()
    }

    /// Has so many workers from now on, at least one and at most [`MAX_WORKERS`](crate::MAX_WORKERS). Those that are too many finish what they hold.
    pub fn resize(&self, workers: u32) {
        let workers = self.control.resize(workers);
        self.size.store(workers, Ordering::Relaxed);
    }

    /// What the pool is doing. A shard there is a chunk of inputs here.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        self.control.stats()
    }

    /// Takes no more inputs. Those that are in the backlog are still done, and then the workers go. Does not wait for
    /// that.
    pub fn close(&self) {
        self.backlog.close();
    }

    /// Takes no more inputs, and drops those in the backlog, which get [`Stopped::Drained`]. What the workers have is
    /// finished, and so are the few inputs that were taken from the backlog to be at hand, two for each worker at most.
    /// Then the workers go. Does not wait for that.
    pub fn drain(&self) {
        self.backlog.drain();
        self.control.drain();
    }

    /// Closes the pool and waits until everything is done and the workers are gone. Results that nobody has waited for
    /// stay with their handles.
    ///
    /// # Errors
    /// Why the pool was given up, if it was; see [`PoolError`]. An input's own error is none of the pool's.
    ///
    /// # Panics
    /// If the supervisor did, which is a fault of this crate.
    pub fn join(mut self) -> Result<Outcome, PoolError> {
        self.close();
        match self.runner.take().map(JoinHandle::join) {
            Some(Ok(ran)) => ran,
            Some(Err(panic)) => resume_unwind(panic),
            None => Err(PoolError::GivenUp(RunFailure::Aborted)),
        }
    }

    /// Stops at once: the workers are killed, and what is not done gets [`Stopped::Terminated`]. Does not wait for that;
    /// to wait, drop or [`join`](Self::join) the pool, which then gives
    /// [`RunFailure::Aborted`].
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

/// However the run ends, even by a panic, nobody waits for it any longer. Tickets that are dropped after this know why.
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
