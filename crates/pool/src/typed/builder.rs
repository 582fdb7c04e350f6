//! What workers can be started with.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::backlog::Backlog;
use super::error::{CodecError, Part, StartError};
use super::options::Retry;
use super::workers::Workers;
use super::{Call, entry};
use crate::limits::Limits;
use crate::pool::{Pool, PoolBuilder};
use crate::supervisor::MAX_WORKERS;
use crate::wire;

/// Results are taken as they come, and a shard that is done holds no memory to speak of. So the pool goes on for long
/// behind one input that takes its time.
const MAX_IN_FLIGHT: usize = 1 << 16;

/// How many submitted inputs may wait, unless said.
const BACKLOG: usize = 1024;

impl<C: Call> Workers<C> {
    /// Starts so many workers, each from `setup`.
    ///
    /// # Errors
    /// As [`WorkersBuilder::start`].
    pub fn start(workers: u32, setup: C::Setup) -> Result<Self, StartError> {
        Self::builder(workers, setup).start()
    }

    /// Workers that are to be started with more than the usual.
    #[must_use]
    pub fn builder(workers: u32, setup: C::Setup) -> WorkersBuilder<C> {
        WorkersBuilder::new(workers, setup)
    }
}

/// Builds [`Workers`].
#[derive(Debug)]
pub struct WorkersBuilder<C: Call> {
    workers: u32,
    setup: C::Setup,
    pool: PoolBuilder,
    chunk: Option<usize>,
    backlog: usize,
    retry: Retry,
}

impl<C: Call> WorkersBuilder<C> {
    pub(super) fn new(workers: u32, setup: C::Setup) -> Self {
        let workers = workers.clamp(1, MAX_WORKERS);
        // A worker holds one task, so that no input waits behind a slow one while another worker is free.
        let pool = Pool::builder(workers, entry::command::<C>())
            .unordered(true)
            .credits(1)
            .max_in_flight(MAX_IN_FLIGHT);
        Self {
            workers,
            setup,
            pool,
            chunk: None,
            backlog: BACKLOG,
            retry: Retry::default(),
        }
    }

    /// Sets how long a call may take. Then its worker is killed and replaced, and [`retry`](Self::retry) says whether the
    /// input is tried again. Without it a call may take for ever. [`CallOptions`](super::CallOptions::timeout) sets it for
    /// one input.
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

    /// Sets how often an input is given to a worker; [`Retry::Auto`] unless said. With any other, `map` sends one input as
    /// a task, whatever [`chunk`](Self::chunk) says: the death of a worker has its whole chunk done again.
    /// [`CallOptions`](super::CallOptions::retry) sets it for one submitted input.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets an environment variable of the workers; they inherit the others.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.pool
            .settings
            .command
            .env
            .push((name.into(), Some(value.into())));
        self
    }

    /// Has the workers not inherit an environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.pool.settings.command.env.push((name.into(), None));
        self
    }

    /// Sets the working folder of the workers; they inherit this process's unless said. It does not change where a
    /// relative [`program`](Self::program) is looked for: give that as an absolute path.
    #[must_use]
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.pool.settings.command.current_dir = Some(folder.into());
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
    /// [`serve_if_worker`](super::serve_if_worker) for a call of the same [name](super::Call::name) and the same types, and
    /// be built with the same version of this crate. It is of use where `main` is not one's own, as in a test or a plug-in.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.pool.settings.command.program = program.into();
        self
    }

    /// Starts the workers. Does not wait until they are ready: that one of them cannot start is the pool's end, of
    /// which each input and [`Workers::join`] tell.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(self) -> Result<Workers<C>, StartError> {
        if entry::is_worker() {
            return Err(StartError::WithinWorker);
        }
        let folder = self.pool.settings.command.current_dir.as_ref();
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(StartError::CurrentDir(folder.clone()));
        }
        let setup = encode_setup(&self.setup).map_err(StartError::Setup)?;
        let chunk = match self.retry {
            Retry::Auto => self.chunk,
            Retry::Never | Retry::Times(_) => Some(1),
        };
        let pool = self.pool.setup(setup).build();
        let backlog = Backlog::new(self.backlog);
        Workers::run(pool, self.workers, backlog, chunk, self.retry)
    }
}

/// Encodes the setup, and reads it back to see that the workers can.
fn encode_setup<T: Serialize + DeserializeOwned>(setup: &T) -> Result<Vec<u8>, CodecError> {
    let encoded = wire::encode(setup);
    let bytes = encoded.map_err(|error| CodecError::encode::<T>(Part::Setup, &error))?;
    match wire::decode::<T>(&bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(CodecError::unsupported::<T>(Part::Setup, &error)),
    }
}
