//! A run of the pool with all that surrounds it: signals, the control server, autoscaling and progress.

use std::path::PathBuf;
use std::time::Instant;

use moodring_job::{AnyJob, Setup};
use moodring_live::LiveHandle;
use moodring_pool::{Control, Delivery, Feed, Pool, PoolError, Sink, in_process, wire};

use super::clean_up::CleanUp;
use super::control_server::ControlServer;
use super::pool_options::PoolOptions;
use super::progress::Progress;
use super::run_control::RunControl;
use super::{autoscale, signals};
use crate::exit::Failure;

/// What a command decides about its run.
pub(crate) struct Settings<'a> {
    /// The name of the command, for `moodring ctl`.
    pub(crate) command: &'static str,
    /// The file that it writes, for `moodring ctl`.
    pub(crate) output: Option<String>,
    /// Whether to show no progress.
    pub(crate) quiet: bool,
    /// The size of the input as stored, if it is known.
    pub(crate) total_bytes: Option<u64>,
    pub(crate) began: Instant,
    pub(crate) pool: &'a PoolOptions,
    /// Whether to use no worker processes.
    pub(crate) in_process: bool,
    pub(crate) unordered: bool,
    pub(crate) delivery: Delivery,
    /// What the workers do.
    pub(crate) setup: Setup,
    /// The files to remove if the process ends at once.
    pub(crate) unfinished: Vec<PathBuf>,
    /// The live run, if this is one. It ends by its sources, without a drain of the pool.
    pub(crate) live: Option<LiveHandle>,
}

/// A sink that shows how far the run is.
pub(crate) trait ProgressSink: Sink {
    /// Shows `progress` from now on; removes what is shown if it is `None`.
    fn show(&mut self, progress: Option<Progress>);
}

/// A run that is ready to start. Signals act on it until the process ends.
pub(crate) struct Session<'a> {
    settings: Settings<'a>,
    control: RunControl,
    engine: Engine,
}

/// What runs the tasks.
enum Engine {
    Workers(Box<Pool>),
    InProcess { setup: Vec<u8> },
}

impl<'a> Session<'a> {
    /// Builds the pool and listens for signals. Starts no worker yet.
    pub(crate) fn new(settings: Settings<'a>) -> Result<Self, Failure> {
        let setup = wire::encode(&settings.setup).map_err(Failure::failed)?;
        let clean_up = CleanUp::default();
        for path in &settings.unfinished {
            clean_up.add(path.clone());
        }
        let engine = if settings.in_process {
            Engine::InProcess { setup }
        } else {
            let builder = settings.pool.builder().unordered(settings.unordered);
            let builder = builder.delivery(settings.delivery).setup(setup);
            Engine::Workers(Box::new(builder.build()))
        };
        let pool = match &engine {
            Engine::Workers(pool) => Some(pool.control()),
            Engine::InProcess { .. } => None,
        };
        let steered = pool.clone().map(|pool| (pool, settings.pool.workers));
        let control = RunControl::new(steered, clean_up.clone(), settings.live.clone());
        signals::listen(control.clone(), pool.as_ref(), clean_up).map_err(Failure::failed)?;
        Ok(Self {
            settings,
            control,
            engine,
        })
    }

    /// Returns a handle that tells afterwards how the run was ended.
    pub(crate) fn control(&self) -> RunControl {
        self.control.clone()
    }

    /// Returns the control of the pool, if there is one.
    pub(crate) fn pool(&self) -> Option<Control> {
        match &self.engine {
            Engine::Workers(pool) => Some(pool.control()),
            Engine::InProcess { .. } => None,
        }
    }

    /// Runs the tasks to their end, and returns how many workers were restarted. The feed must end with
    /// [`control`](Self::control).
    pub(crate) fn run(
        self,
        mut tasks: impl Feed + 'static,
        sink: &mut impl ProgressSink,
    ) -> Result<u64, PoolError> {
        let Self {
            settings,
            control,
            engine,
        } = self;
        let (quiet, total_bytes) = (settings.quiet, settings.total_bytes);
        let ran = match engine {
            Engine::InProcess { setup } => {
                sink.show(Some(Progress::start(quiet, total_bytes, None)));
                in_process::run::<AnyJob>(&setup, settings.delivery, &mut tasks, sink).map(|_| 0)
            }
            Engine::Workers(pool) => {
                if let Some(bounds) = settings.pool.autoscale() {
                    autoscale::start(bounds, pool.control(), control.clone());
                }
                let progress = Progress::start(quiet, total_bytes, Some(pool.control()));
                let server = ControlServer {
                    command: settings.command,
                    output: settings.output,
                    total_bytes,
                    began: settings.began,
                    counters: progress.counters(),
                    pool: pool.control(),
                    control,
                    live: settings.live,
                };
                sink.show(Some(progress));
                let _socket = server.start();
                pool.run(tasks, sink).map(|outcome| outcome.restarts)
            }
        };
        sink.show(None);
        ran
    }
}
