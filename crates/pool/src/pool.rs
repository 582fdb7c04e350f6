//! Builds and runs a pool.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::unbounded;

use crate::control::Control;
use crate::driver::{self, Inbox, Settings};
use crate::error::PoolError;
use crate::feed::Feed;
use crate::limits::Limits;
use crate::process::WorkerCommand;
use crate::sink::Sink;
use crate::status::{Outcome, Stats};
use crate::supervisor::{Config, Delivery, MAX_WORKERS};

/// The longest start timeout: longer than any machine runs, and short enough to be added to a time without overflow.
const MAX_TIMEOUT: Duration = Duration::from_hours(100 * 365 * 24);

/// Builds a [`Pool`].
#[derive(Debug)]
pub struct PoolBuilder {
    pub(crate) settings: Settings,
}

impl PoolBuilder {
    /// Sets what each worker may take of the machine.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Sets whether results are released as they arrive instead of in input order, which is the default.
    #[must_use]
    pub fn unordered(mut self, unordered: bool) -> Self {
        self.settings.config.ordered = !unordered;
        self
    }

    /// Sets how results are delivered. The default is [`Delivery::Inline`].
    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.settings.config.delivery = delivery;
        self
    }

    /// Sets how long a worker may take for one item. A worker that takes longer is killed, and the item counts as
    /// one that killed it. The default is `None`: no limit. A task may have [its own](crate::TaskPolicy::timeout).
    #[must_use]
    pub fn item_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.settings.config.item_timeout = timeout;
        self
    }

    /// Sets how long a worker may take to read and write: before the first item of a task, and in a commit. There
    /// it replaces the [`item_timeout`](PoolBuilder::item_timeout). A worker that takes longer is killed. The
    /// default is ten minutes; `None` means no limit.
    #[must_use]
    pub fn io_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.settings.config.io_timeout = timeout;
        self
    }

    /// Sets after how many shards a worker is replaced by a new process. Workers are replaced one at a time, when
    /// they hold nothing. The default is `None`: never.
    #[must_use]
    pub fn max_shards(mut self, shards: Option<u64>) -> Self {
        self.settings.config.max_shards = shards;
        self
    }

    /// Sets how long a worker may take until its job has started. A worker that takes longer is killed, which
    /// counts as a crash. The default is 20 seconds.
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.settings.config.start_timeout = timeout.min(MAX_TIMEOUT);
        self
    }

    /// Sets how many tasks a worker holds at most, including the one it works on; at least 1. The default is 2.
    /// With 1, no task waits behind a slow one while another worker is idle, but each worker waits for a round trip
    /// between two tasks.
    #[must_use]
    pub fn credits(mut self, credits: usize) -> Self {
        self.settings.config.credits = credits.max(1);
        self
    }

    /// Sets how many tasks may be incomplete at a time, from being read to being complete; at least 1. Where
    /// results are large or wait for earlier ones, this bounds the memory of the run. The default is 4 for each
    /// worker plus 8.
    #[must_use]
    pub fn max_in_flight(mut self, tasks: usize) -> Self {
        self.settings.config.max_in_flight = tasks.max(1);
        self
    }

    /// Sets how many crashes of one worker slot since the pool last made progress end the run; at least 1. The
    /// default is 5. Twice as many items quarantined in a row end it too. See
    /// [`RestartPolicy`](crate::supervisor::RestartPolicy).
    #[must_use]
    pub fn max_crashes(mut self, crashes: u32) -> Self {
        self.settings.config.restart.max_crashes = crashes.max(1);
        self
    }

    /// Sets the bytes that [`Job::start`](crate::Job::start) gets in every worker. The default is none.
    #[must_use]
    pub fn setup(mut self, setup: Vec<u8>) -> Self {
        self.settings.setup = setup;
        self
    }

    /// Returns the pool. Starts nothing yet.
    #[must_use]
    pub fn build(self) -> Pool {
        let (sender, receiver) = unbounded();
        Pool {
            settings: self.settings,
            inbox: Inbox { sender, receiver },
            stats: Arc::new(Stats::default()),
        }
    }
}

/// A pool of supervised worker processes, which [`run`](Pool::run) starts.
#[derive(Debug)]
pub struct Pool {
    settings: Settings,
    inbox: Inbox,
    stats: Arc<Stats>,
}

impl Pool {
    /// Returns a builder for a pool of `workers` processes that `command` starts. The number is clamped to 1 through
    /// [`MAX_WORKERS`].
    #[must_use]
    pub fn builder(workers: u32, command: WorkerCommand) -> PoolBuilder {
        PoolBuilder {
            settings: Settings {
                config: Config::new(workers.clamp(1, MAX_WORKERS)),
                command,
                limits: Limits::default(),
                setup: Vec::new(),
            },
        }
    }

    /// Returns a handle that other threads can use to inspect and control the pool. What it asks for before the run
    /// starts is done when it starts.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(self.inbox.sender.clone(), Arc::clone(&self.stats))
    }

    /// Runs every task of `feed` and passes the results to `sink`. Blocks until all workers have ended.
    ///
    /// The kernel kills workers when the thread that started them ends, so call this in a thread that lives until
    /// it returns.
    ///
    /// Changes two settings of this process and does not restore them: it raises the soft limit of open file
    /// descriptors to the hard limit (workers keep the old one), and stops ignoring SIGCHLD.
    ///
    /// # Errors
    /// See [`PoolError`]. After any error all workers have ended too.
    pub fn run(self, feed: impl Feed + 'static, sink: &mut dyn Sink) -> Result<Outcome, PoolError> {
        driver::run(self.settings, self.inbox, self.stats, feed, sink)
    }
}
