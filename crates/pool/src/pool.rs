//! The face of the pool: what it takes, what it gives, and how it is built.

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

/// The longest time that is waited for anything: longer than any machine runs, and short enough to be added to.
const MAX_TIMEOUT: Duration = Duration::from_hours(100 * 365 * 24);

/// Builds a [`Pool`].
#[derive(Debug)]
pub struct PoolBuilder {
    pub(crate) settings: Settings,
}

impl PoolBuilder {
    /// What each worker may take of the machine.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Releases results as they come instead of in input order.
    #[must_use]
    pub fn unordered(mut self, unordered: bool) -> Self {
        self.settings.config.ordered = !unordered;
        self
    }

    /// How results are delivered; [`Delivery::Inline`] unless said.
    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.settings.config.delivery = delivery;
        self
    }

    /// A worker that makes no progress for so long is killed, and the item it was at suspected.
    #[must_use]
    pub fn item_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.settings.config.item_timeout = timeout;
        self
    }

    /// A worker that reads or writes for so long is killed; ten minutes unless said. Before the first item of a task, and
    /// in a commit, this is the limit and not the [`item_timeout`](PoolBuilder::item_timeout).
    #[must_use]
    pub fn io_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.settings.config.io_timeout = timeout;
        self
    }

    /// A worker is replaced after so many shards, when it can be spared.
    #[must_use]
    pub fn max_shards(mut self, shards: Option<u64>) -> Self {
        self.settings.config.max_shards = shards;
        self
    }

    /// How long a worker may take from its start until its job has started; 20 seconds unless said.
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.settings.config.start_timeout = timeout.min(MAX_TIMEOUT);
        self
    }

    /// How many tasks a worker holds at most, the one it works on included; two unless said. With one alone, no task
    /// waits behind a slow one while another worker is free, at the price of a round trip between two tasks.
    #[must_use]
    pub fn credits(mut self, credits: usize) -> Self {
        self.settings.config.credits = credits.max(1);
        self
    }

    /// How many tasks there are at most from the oldest that is not complete to the newest. Where results are large or
    /// wait for their turn this bounds the memory of the run; four for each worker and eight more unless said.
    #[must_use]
    pub fn max_in_flight(mut self, tasks: usize) -> Self {
        self.settings.config.max_in_flight = tasks.max(1);
        self
    }

    /// This many crashes of one worker slot since the pool last progressed end the run; see
    /// [`RestartPolicy`](crate::supervisor::RestartPolicy).
    #[must_use]
    pub fn max_crashes(mut self, crashes: u32) -> Self {
        self.settings.config.restart.max_crashes = crashes.max(1);
        self
    }

    /// The bytes that every worker's [`Job::start`](crate::Job::start) gets.
    #[must_use]
    pub fn setup(mut self, setup: Vec<u8>) -> Self {
        self.settings.setup = setup;
        self
    }

    /// Ready to run.
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

/// N supervised worker processes.
#[derive(Debug)]
pub struct Pool {
    settings: Settings,
    inbox: Inbox,
    stats: Arc<Stats>,
}

impl Pool {
    /// A pool of `workers` processes started by `command`; at least one, and at most [`MAX_WORKERS`].
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

    /// A hand on the pool for other threads.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(self.inbox.sender.clone(), Arc::clone(&self.stats))
    }

    /// Runs every task of `feed` and gives the results to `sink`. Blocks until all workers are gone; call it from a
    /// thread that lives that long.
    ///
    /// Two things of this process change for good, where they stand in the way of workers: the soft limit of open file
    /// descriptors is raised to the hard one (the workers keep the one before), and SIGCHLD is no longer ignored.
    ///
    /// # Errors
    /// See [`PoolError`]. Whatever the error, no worker is left behind.
    pub fn run(self, feed: impl Feed + 'static, sink: &mut dyn Sink) -> Result<Outcome, PoolError> {
        driver::run(self.settings, self.inbox, self.stats, feed, sink)
    }
}
