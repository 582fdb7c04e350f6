//! What workers can be started with.

use std::path::PathBuf;
use std::time::Duration;

use super::backlog::Backlog;
use super::{Call, Workers, entry};
use crate::limits::Limits;
use crate::pool::{Pool, PoolBuilder, PoolError};
use crate::wire;

/// Results are taken as they come, and a shard that is done holds no memory to speak of. So the pool goes on for long
/// behind one input that takes its time.
const WINDOW: usize = 1 << 16;

/// How many submitted inputs may wait, unless said.
const BACKLOG: usize = 1024;

/// Builds [`Workers`].
#[derive(Debug)]
pub struct WorkersBuilder<C: Call> {
    workers: u32,
    setup: C::Setup,
    pool: PoolBuilder,
    chunk: Option<usize>,
    backlog: usize,
}

impl<C: Call> WorkersBuilder<C> {
    pub(super) fn new(workers: u32, setup: C::Setup) -> Self {
        let workers = workers.max(1);
        // A worker holds one task, so that no input waits behind a slow one while another worker is free.
        let pool = Pool::builder(workers, entry::command::<C>())
            .unordered(true)
            .credits(1)
            .window(WINDOW);
        Self {
            workers,
            setup,
            pool,
            chunk: None,
            backlog: BACKLOG,
        }
    }

    /// A call may take so long; then its worker is killed, and the input tried once more alone. Without it a call may
    /// take for ever.
    #[must_use]
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.pool = self.pool.item_timeout(timeout);
        self
    }

    /// [`Call::start`] may take so long; 20 seconds unless said.
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.pool = self.pool.start_timeout(timeout);
        self
    }

    /// A worker is replaced by a fresh process after so many shards, which are chunks of inputs. So memory that calls
    /// leak is given back.
    #[must_use]
    pub fn max_shards(mut self, shards: Option<u64>) -> Self {
        self.pool = self.pool.max_shards(shards);
        self
    }

    /// So many deaths in a row without progress end the pool, and so do twice as many inputs of one chunk in a row that
    /// killed their workers; 5 unless said.
    #[must_use]
    pub fn max_crashes(mut self, crashes: u32) -> Self {
        self.pool = self.pool.max_crashes(crashes);
        self
    }

    /// What each worker may take of the machine.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.pool = self.pool.limits(limits);
        self
    }

    /// How many inputs a `map` sends as one task. Unless said, the pool finds out: as many as take a worker some 10 ms.
    #[must_use]
    pub fn chunk(mut self, inputs: usize) -> Self {
        self.chunk = Some(inputs.max(1));
        self
    }

    /// How many tasks may wait for a worker: one more, and [`submit`](Workers::submit) blocks; 1024 unless said. This,
    /// and not the number of inputs, bounds the memory of the pool.
    #[must_use]
    pub fn backlog(mut self, tasks: usize) -> Self {
        self.backlog = tasks;
        self
    }

    /// The executable that becomes the worker; this one unless said. It must call
    /// [`serve_if_worker`](super::serve_if_worker) for the same type. It is of use where `main` is not one's own, as in
    /// a test or a plug-in.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.pool.command.program = program.into();
        self
    }

    /// Starts the workers. Does not wait until they are ready: that one of them cannot start is the pool's end, of
    /// which each input and [`Workers::join`] tell.
    ///
    /// # Errors
    /// If the setup cannot be encoded, if the system refuses a thread, or if this process is itself a worker.
    pub fn start(self) -> Result<Workers<C>, PoolError> {
        if entry::is_worker() {
            return Err(PoolError::WithinWorker);
        }
        let pool = self.pool.setup(wire::encode(&self.setup)?).build();
        let backlog = Backlog::new(self.backlog);
        Workers::run(pool, self.workers, backlog, self.chunk).map_err(PoolError::Thread)
    }
}
