//! The handle on a pool of workers that run one call.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{bounded, unbounded};

use super::backlog::{Backlog, Intake, Outlet, Request, Ticket};
use super::message::{Task, encode_input};
use super::{Call, CallError, Handle, Map, MapUnordered, WorkersBuilder};
use crate::control::{Control, Stats};
use crate::pool::{Outcome, Pool, PoolError};
use crate::supervisor::Defeat;
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
    /// Runs the pool. None once it has been joined.
    runner: Option<JoinHandle<Result<Outcome, PoolError>>>,
    call: PhantomData<fn() -> C>,
}

impl<C: Call> Workers<C> {
    /// Starts so many workers, each from `setup`.
    ///
    /// # Errors
    /// As [`WorkersBuilder::start`].
    pub fn start(workers: u32, setup: C::Setup) -> Result<Self, PoolError> {
        Self::builder(workers, setup).start()
    }

    /// Workers that are to be started with more than the usual.
    #[must_use]
    pub fn builder(workers: u32, setup: C::Setup) -> WorkersBuilder<C> {
        WorkersBuilder::new(workers, setup)
    }

    /// Starts the pool in a thread of its own: the kernel ends a worker together with the thread that started it.
    pub(super) fn run(
        pool: Pool,
        size: u32,
        backlog: Backlog,
        chunk: Option<usize>,
    ) -> io::Result<Self> {
        let backlog = Arc::new(backlog);
        let control = pool.control();
        let (tickets_in, tickets) = unbounded();
        let intake = Intake {
            backlog: Arc::clone(&backlog),
            tickets: tickets_in,
        };
        let ending = Ending(Arc::clone(&backlog));
        let runner = thread::Builder::new()
            .name("pool".to_owned())
            .spawn(move || {
                let mut outlet = Outlet::new(tickets);
                let ending = ending;
                let ran = pool.run(intake, &mut outlet);
                if let Err(error) = &ran {
                    ending.0.end(&error.to_string());
                }
                ran
            })?;
        Ok(Self {
            backlog,
            control,
            size: AtomicU32::new(size),
            chunk,
            runner: Some(runner),
            call: PhantomData,
        })
    }

    /// Calls on every input; gives the results in the same order. For inputs or results that are too many to be held,
    /// there is [`map_iter`](Self::map_iter).
    pub fn map<I>(&self, inputs: I) -> Vec<Result<C::Output, CallError>>
    where
        I: IntoIterator<Item = C::Input>,
    {
        self.map_iter(inputs).collect()
    }

    /// Calls on every input; gives the results in the same order as they are asked for. Inputs are taken only as there
    /// is room: a few chunks for each worker are under way or wait for their turn, whatever the number of inputs.
    /// Dropping the iterator early leaves those to be done for nobody.
    pub fn map_iter<I>(&self, inputs: I) -> Map<'_, C, I::IntoIter>
    where
        I: IntoIterator<Item = C::Input>,
    {
        Map::new(self, inputs.into_iter())
    }

    /// As [`map_iter`](Self::map_iter), but gives each result as soon as it is there, with the number of its input from
    /// 0. No result waits behind a slow one of another chunk.
    pub fn map_unordered<I>(&self, inputs: I) -> MapUnordered<'_, C, I::IntoIter>
    where
        I: IntoIterator<Item = C::Input>,
    {
        MapUnordered::new(self, inputs.into_iter())
    }

    /// Calls on one input, and does not wait for the result. Blocks while the
    /// [`backlog`](WorkersBuilder::backlog) is full. To a pool that is closed or gone it is given in vain, as the handle
    /// tells.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an input is given away here as it is in `map`"
    )]
    pub fn submit(&self, input: C::Input) -> Handle<C::Output> {
        let (replies_in, replies) = bounded(1);
        self.send(&vec![encode_input(&input)], Ticket::new(0, replies_in));
        Handle::new(replies, Arc::clone(&self.backlog))
    }

    /// Has so many workers from now on, at least one. Those that are too many finish what they hold.
    pub fn resize(&self, workers: u32) {
        self.size.store(workers.max(1), Ordering::Relaxed);
        self.control.resize(workers);
    }

    /// What the pool is doing. A shard there is a chunk of inputs here.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        self.control.stats()
    }

    /// Takes no more inputs. What is there is finished, and then the workers go. Does not wait for that.
    pub fn close(&self) {
        self.backlog.close();
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
            None => Err(PoolError::Defeat(Defeat::Aborted)),
        }
    }

    /// Stops at once: the workers are killed, and what is not done gets [`CallError::Stopped`]. Does not wait for that;
    /// to wait, drop or [`join`](Self::join) the pool, which then gives
    /// [`Defeat::Aborted`].
    pub fn terminate(&self) {
        self.close();
        self.control.abort();
    }

    /// How many workers there are meant to be.
    pub(super) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed) as usize
    }

    pub(super) fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    pub(super) fn send(&self, task: &Task, ticket: Ticket) {
        // These are bytes and texts, which can always be encoded.
        if let Ok(task) = wire::encode(task) {
            self.backlog.push(Request { task, ticket });
        }
    }
}

/// However the run ends, even by a panic, nobody waits for it any longer. Tickets that are dropped after this know why.
struct Ending(Arc<Backlog>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end("the pool is closed");
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
