//! `moodring live`: posts as they come, folded into windows.

mod args;
mod config;
mod plan;
mod summary;
mod watch;

use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use moodring_job::Setup;
use moodring_live::{FoldSink, Live, LiveError, LiveStatus, Running};
use moodring_pool::{BoxError, Delivery, PoolError, Released, ShardId, Sink};
use moodring_source::Status;
use moodring_store::append_file::AppendError;
use moodring_store::state::{Beginning, Restored, State, StateError};

pub(crate) use args::LiveArgs;
use plan::Plan;
use watch::Watch;

use crate::exit::{Failure, note};
use crate::run::pool_failure;
use crate::run::progress::Progress;
use crate::run::session::{ProgressSink, Session, Settings};

/// Runs the command.
pub(crate) fn run(args: LiveArgs) -> Result<(), Failure> {
    let began = Instant::now();
    let args = config::with_config(args)?;
    let plan = Plan::new(&args)?;
    let state = open_state(&plan)?;
    let Plan {
        options,
        sources,
        setup,
        pool,
        quiet,
        summary,
        ..
    } = plan;
    let until_end = options.until_end;
    let live = Live::open(options, sources, state).map_err(live_failure)?;
    let handle = live.handle();
    let session = Session::new(Settings {
        command: "live",
        output: plan
            .state
            .as_deref()
            .map(|state| state.display().to_string()),
        quiet,
        total_bytes: None,
        began,
        pool: &pool,
        in_process: false,
        unordered: false,
        delivery: Delivery::Inline,
        setup: Setup::Live(setup),
        unfinished: Vec::new(),
        live: Some(handle.clone()),
    })?;
    let control = session.control();
    let pool_control = session
        .pool()
        .ok_or_else(|| Failure::Failed(anyhow!("there is no pool")))?;
    let spawner = pool_control.clone();
    let spawn = move |name: &str, body: Box<dyn FnOnce() + Send>| spawner.spawn(name, body);
    let (feed, fold, running) = {
        let pool = pool_control.clone();
        live.start(&spawn, move || pool.abort())
            .map_err(live_failure)?
    };
    let watch = Watch::start(handle, &pool_control, began).map_err(Failure::failed)?;
    let mut sink = LiveSink {
        fold,
        watch: Arc::clone(&watch),
    };
    let ran = session.run(feed, &mut sink);
    drop(sink);
    let status = finish(running, ran, &watch)?;
    let ended = Ended {
        was_stopped: control.is_ending(),
        until_end,
    };
    summary::print(
        summary,
        quiet,
        &status,
        pool_control.stats().restarts(),
        began.elapsed(),
    )?;
    check_sources(&status, &ended)
}

/// How a run ended.
struct Ended {
    was_stopped: bool,
    until_end: bool,
}

/// Opens the state, or says that there is none.
fn open_state(plan: &Plan) -> Result<Option<(State, Restored)>, Failure> {
    let Some(path) = &plan.state else {
        note(
            "nothing of this run survives the process; add --state FILE to keep its windows and positions",
        );
        return Ok(None);
    };
    let fingerprint = plan.series.fingerprint().map_err(Failure::failed)?;
    let rules = plan.series.to_json().map_err(Failure::failed)?;
    let now = moodring_live::by_the_clock().as_micros();
    let (state, restored) = State::open(path, &fingerprint, &rules, now).map_err(state_failure)?;
    if let Beginning::After(before) = &restored.beginning {
        note(&format!(
            "series {} begins, as series {} was made by other rules; positions and duplicates continue",
            restored.series.id.0, before.id.0
        ));
    }
    Ok(Some((state, restored)))
}

/// Waits until everything is saved. What ended the run comes before what followed from it.
fn finish(
    running: Running,
    ran: Result<u64, PoolError>,
    watch: &Watch,
) -> Result<LiveStatus, Failure> {
    let finished = running.finish();
    watch.end();
    match (ran, finished) {
        (_, Err(error)) if !matches!(error, LiveError::Gone(_)) => Err(live_failure(error)),
        (Err(error), _) => Err(pool_failure(error, |error| Failure::Failed(anyhow!(error)))),
        (Ok(_), finished) => finished.map_err(live_failure),
    }
}

/// Fails if a run that was to read everything could not.
fn check_sources(status: &LiveStatus, ended: &Ended) -> Result<(), Failure> {
    if !ended.until_end || ended.was_stopped {
        return Ok(());
    }
    let stopped = status
        .sources
        .iter()
        .find_map(|source| match &source.status {
            Status::Ended => None,
            Status::Stopped { why } => Some((&source.name, why.as_str())),
            _ => Some((&source.name, "it did not say why")),
        });
    match stopped {
        None => Ok(()),
        Some((name, why)) => Err(Failure::Failed(anyhow!(
            "the source `{name}` stopped before its end: {why}; what was read is saved, and its windows stay provisional"
        ))),
    }
}

fn live_failure(error: LiveError) -> Failure {
    match error {
        LiveError::State(error) => state_failure(error),
        error @ LiveError::File(AppendError::Foreign { .. } | AppendError::InTheWay { .. }) => {
            Failure::usage(error)
        }
        error => Failure::failed(error),
    }
}

fn state_failure(error: StateError) -> Failure {
    match error {
        error @ (StateError::NoFolder { .. }
        | StateError::NoFile { .. }
        | StateError::Linked { .. }
        | StateError::Foreign { .. }) => Failure::usage(error),
        error => Failure::failed(error),
    }
}

/// The pool's sink: the fold, and a place for the progress display.
struct LiveSink {
    fold: FoldSink,
    watch: Arc<Watch>,
}

impl Sink for LiveSink {
    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError> {
        self.fold.release(released)
    }

    fn complete(&mut self, shard: ShardId) -> Result<(), BoxError> {
        self.fold.complete(shard)
    }
}

impl ProgressSink for LiveSink {
    fn show(&mut self, progress: Option<Progress>) {
        self.watch.show(progress);
    }
}
