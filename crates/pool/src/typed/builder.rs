//! Builds and starts [`Workers`].

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

/// How many tasks may be incomplete at a time. Results are taken as they arrive and completed tasks hold no memory,
/// so this is large: the pool continues for long while one input takes its time.
const MAX_IN_FLIGHT: usize = 1 << 16;

/// How many submitted inputs may wait by default.
const BACKLOG: usize = 1024;

impl<C: Call> Workers<C> {
    /// Starts this many workers, each from `setup`, with default settings.
    ///
    /// # Errors
    /// As [`WorkersBuilder::start`].
    pub fn start(workers: u32, setup: C::Setup) -> Result<Self, StartError> {
        Self::builder(workers, setup).start()
    }

    /// Returns a builder for workers with other settings.
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

    /// Sets how long a call may take. After that its worker is killed and replaced, and [`retry`](Self::retry) says
    /// whether the input is tried again. The default is `None`: no limit.
    /// [`CallOptions`](super::CallOptions::timeout) sets it for one input.
    #[must_use]
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.pool = self.pool.item_timeout(timeout);
        self
    }

    /// Sets how long [`Call::start`] may take before the worker is killed. The default is 20 seconds.
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.pool = self.pool.start_timeout(timeout);
        self
    }

    /// Sets after how many chunks of inputs a worker is replaced by a new process, which frees memory that calls
    /// leak. The default is `None`: never.
    #[must_use]
    pub fn max_shards(mut self, shards: Option<u64>) -> Self {
        self.pool = self.pool.max_shards(shards);
        self
    }

    /// Sets how many deaths in a row without progress end the pool; twice as many consecutive inputs that kill
    /// their workers end it too. The default is 5.
    #[must_use]
    pub fn max_crashes(mut self, crashes: u32) -> Self {
        self.pool = self.pool.max_crashes(crashes);
        self
    }

    /// Sets how often an input may be given to a worker. The default is [`Retry::Auto`]. With any other, `map`
    /// sends inputs one by one and ignores [`chunk`](Self::chunk), because the death of a worker repeats its whole
    /// chunk. [`CallOptions`](super::CallOptions::retry) sets it for one submitted input.
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

    /// Removes an environment variable from those that the workers inherit.
    #[must_use]
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.pool.settings.command.env.push((name.into(), None));
        self
    }

    /// Sets the working folder of the workers. The default is that of this process. Give [`program`](Self::program)
    /// as an absolute path then.
    #[must_use]
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.pool.settings.command.current_dir = Some(folder.into());
        self
    }

    /// Sets what each worker may take of the machine.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.pool = self.pool.limits(limits);
        self
    }

    /// Sets how many inputs `map` sends as one task; at least 1. By default the pool measures calls, and sends as
    /// many as take about 10 ms.
    #[must_use]
    pub fn chunk(mut self, inputs: usize) -> Self {
        self.chunk = Some(inputs.max(1));
        self
    }

    /// Sets how many tasks may wait for a worker; at least 1. [`submit`](Workers::submit) blocks while this many
    /// wait, which bounds the memory of the pool. The default is 1024.
    #[must_use]
    pub fn backlog(mut self, tasks: usize) -> Self {
        self.backlog = tasks;
        self
    }

    /// Sets the executable of the workers. The default is that of this process. Use it where `main` is not yours,
    /// as in a test or a plug-in. The executable must call [`serve_if_worker`](super::serve_if_worker) for a call
    /// of the same [name](super::Call::name) and types, and be built from the same sources of this crate.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.pool.settings.command.program = program.into();
        self
    }

    /// Starts the workers and does not wait until they are ready. If [`Call::start`] fails, the pool ends, and each
    /// input and [`Workers::join`] get the reason; [`Workers::wait_ready`] waits for it.
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

/// Encodes the setup, and decodes it again to check that the workers can.
fn encode_setup<T: Serialize + DeserializeOwned>(setup: &T) -> Result<Vec<u8>, CodecError> {
    let encoded = wire::encode(setup);
    let bytes = encoded.map_err(|error| CodecError::encode::<T>(Part::Setup, &error))?;
    match wire::decode::<T>(&bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(CodecError::unsupported::<T>(Part::Setup, &error)),
    }
}
