//! A live run: puts the parts together, and takes them apart at the end.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, unbounded};
use moodring_source::{Outlet, Position, Source};
use moodring_store::state::{Beginning, Commit, Restored, State};
use moodring_window::Timestamp;

use crate::aside::{Aside, Role};
use crate::blocks::Blocks;
use crate::error::LiveError;
use crate::fold_thread::{FoldThread, WriterLine};
use crate::intake::{BlockLimits, Intake, PERMITS};
use crate::shared::Shared;
use crate::side_files::{SideFilePlan, SideFiles};
use crate::sink::{FoldSink, Report};
use crate::spool_outlet::SpoolOutlet;
use crate::status::{Latencies, LiveStatus};
use crate::stream::{Block, Saved, Snapshot, SourceName, Stream, StreamRules};
use crate::supervise::{self, DirectOutlet};
use crate::upkeep::Upkeep;
use crate::writer::{OnSaved, Writer};

/// A source that was asked for.
pub struct GivenSource {
    /// Its name, and whose ids it shares.
    pub name: SourceName,
    /// The source itself.
    pub source: Box<dyn Source>,
}

/// How a live run is run.
#[derive(Debug)]
pub struct LiveOptions {
    /// How posts are folded.
    pub rules: StreamRules,
    /// Whether the run ends once all sources have ended.
    pub until_end: bool,
    /// The files beside the state.
    pub side_files: Vec<SideFilePlan>,
    /// For how long panes are kept.
    pub keep: Option<Duration>,
}

/// Starts a thread whose panic ends the run of the pool.
pub type Spawn<'a> = &'a dyn Fn(&str, Box<dyn FnOnce() + Send>) -> io::Result<()>;

/// A live run that is ready to start.
pub struct Live {
    options: LiveOptions,
    sources: Vec<GivenSource>,
    shared: Arc<Shared>,
    stream: Stream,
    saving: Option<(State, SideFiles)>,
}

/// A handle on a live run, for other threads.
#[derive(Debug, Clone)]
pub struct LiveHandle(Arc<Shared>);

impl LiveHandle {
    /// Has the run end: sources stop, and what was taken of them is folded and saved.
    pub fn stop(&self) {
        self.0.intake.close();
    }

    /// Returns what there is to see.
    #[must_use]
    pub fn status(&self) -> LiveStatus {
        self.0.status().clone()
    }

    /// Returns how often the fold has told its status: if that does not change within seconds, the fold hangs.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.0.ticks.load(Ordering::SeqCst)
    }
}

impl Live {
    /// Continues what the state holds, or begins; without a state nothing is saved.
    ///
    /// # Errors
    /// [`LiveError`] if what is saved cannot be continued, or a file beside it cannot be used.
    pub fn open(
        options: LiveOptions,
        sources: Vec<GivenSource>,
        state: Option<(State, Restored)>,
    ) -> Result<Self, LiveError> {
        let names: Vec<_> = sources.iter().map(|source| source.name.clone()).collect();
        let limits = BlockLimits::default();
        let intake = Intake::new(sources.len(), PERMITS, limits, options.until_end);
        let shared = Shared::new(intake, names.iter().map(|name| name.name.clone()));
        let (saving, saved) = match state {
            None => (None, Saved::default()),
            Some((mut state, restored)) => {
                let files = SideFiles::open(options.side_files.clone(), &restored.files)?;
                let saved = saved(&state, restored, &options)?;
                let first = Commit {
                    watermark: saved.watermark.map(Timestamp::as_micros),
                    files: files.rows(),
                    ..Commit::default()
                };
                // Before anything is written into them.
                state.commit(&first)?;
                (Some((state, files)), saved)
            }
        };
        let roles: Vec<Role> = options.side_files.iter().map(|file| file.role).collect();
        let aside = Aside::keeping(&roles);
        let stream = Stream::new(options.rules.clone(), &names, &saved, aside, Duration::ZERO);
        let stream = stream.map_err(|error| LiveError::Saved {
            path: saving
                .as_ref()
                .map(|it| it.0.path().to_owned())
                .unwrap_or_default(),
            error,
        })?;
        Ok(Self {
            options,
            sources,
            shared: Arc::new(shared),
            stream,
            saving,
        })
    }

    /// Returns a handle on the run.
    #[must_use]
    pub fn handle(&self) -> LiveHandle {
        LiveHandle(Arc::clone(&self.shared))
    }

    /// Starts the sources and all other threads. The pool must be run over the feed and the sink then, and both be dropped
    /// afterwards. `abort` is called, from another thread, if the run cannot continue.
    ///
    /// # Errors
    /// [`LiveError::Thread`] if the system refuses a thread.
    pub fn start(
        self,
        spawn: Spawn<'_>,
        abort: impl Fn() + Send + Sync + 'static,
    ) -> Result<(Blocks, FoldSink, Running), LiveError> {
        let (blocks_in, blocks) = unbounded();
        let (reports_in, reports) = unbounded();
        let is_live = self.sources.iter().map(|it| it.source.kind().is_live);
        let feed = Blocks {
            shared: Arc::clone(&self.shared),
            is_live: is_live.collect(),
            to_fold: blocks_in,
        };
        let failure = Arc::new(Failure {
            error: Mutex::new(None),
            abort: Box::new(abort),
            is_done: AtomicBool::new(false),
        });
        let (shared, sources) = (Arc::clone(&self.shared), self.sources);
        let positions: Vec<Option<Position>> = (0..sources.len())
            .map(|number| self.stream.source(number).position)
            .collect();
        let state = self
            .saving
            .as_ref()
            .map(|saving| saving.0.path().to_owned());
        let outlets = outlets(&shared, &sources, &positions, state.as_deref())?;
        let writer = match self.saving {
            None => None,
            Some(saving) => {
                let on_saved = trims(&outlets);
                Some(start_writer(
                    saving,
                    &self.options,
                    &shared,
                    (on_saved, &failure),
                    spawn,
                )?)
            }
        };
        let ended = start_fold(
            self.stream,
            (blocks, reports),
            writer,
            (&shared, sources.len()),
            &failure,
            spawn,
        )?;
        let all = sources.into_iter().zip(positions).zip(outlets);
        for (number, ((given, from), spool)) in all.enumerate() {
            start_source(&shared, number, (given, from), spool)?;
        }
        let running = Running {
            ended,
            failure,
            shared,
        };
        Ok((
            feed,
            FoldSink {
                to_fold: reports_in,
            },
            running,
        ))
    }
}

/// What the last run left.
fn saved(state: &State, restored: Restored, options: &LiveOptions) -> Result<Saved, LiveError> {
    let watermark = match &restored.beginning {
        Beginning::After(before) => restored.series.watermark.or(before.watermark),
        Beginning::New | Beginning::Continued => restored.series.watermark,
    };
    let watermark = watermark.map(Timestamp::from_micros);
    let rules = &options.rules.window;
    let first = watermark.map_or(i64::MIN, |watermark| {
        rules.grid.pane_of(watermark.before(rules.corrections))
    });
    let mut panes = Vec::new();
    state.panes(restored.series.id, 1, &(first..i64::MAX), |pane| {
        panes.push(pane);
    })?;
    Ok(Saved {
        watermark,
        sources: restored.sources,
        groups: restored.groups,
        panes,
        ids: restored.ids,
    })
}

/// The spool of each source that needs one.
fn outlets(
    shared: &Arc<Shared>,
    sources: &[GivenSource],
    positions: &[Option<Position>],
    state: Option<&Path>,
) -> Result<Vec<Option<Arc<SpoolOutlet>>>, LiveError> {
    let open = |(number, from): (usize, &Option<Position>)| match state {
        Some(state) if !sources[number].source.kind().has_position => {
            SpoolOutlet::open(state, shared, number, from.as_ref()).map(Some)
        }
        _ => Ok(None),
    };
    positions.iter().enumerate().map(open).collect()
}

/// What deletes from the spools what a snapshot has saved.
fn trims(outlets: &[Option<Arc<SpoolOutlet>>]) -> OnSaved {
    let outlets = outlets.to_vec();
    Box::new(move |snapshot| {
        for (source, position) in &snapshot.positions {
            if let Some(spool) = &outlets[*source] {
                spool.trim(position);
            }
        }
    })
}

fn start_source(
    shared: &Arc<Shared>,
    number: usize,
    (given, from): (GivenSource, Option<Position>),
    spool: Option<Arc<SpoolOutlet>>,
) -> Result<(), LiveError> {
    let name = &given.name.name;
    if let Some(spool) = spool {
        spool.start_reader(from.as_ref())?;
        let outlet: Arc<dyn Outlet> = Arc::clone(&spool) as _;
        let over = move || spool.source_is_over();
        return supervise::start(given.source, None, outlet, name, over);
    }
    let outlet: Arc<dyn Outlet> = Arc::new(DirectOutlet {
        shared: Arc::clone(shared),
        number,
    });
    let shared = Arc::clone(shared);
    let over = move || shared.intake.source_is_over(number);
    supervise::start(given.source, from, outlet, name, over)
}

fn start_writer(
    (state, files): (State, SideFiles),
    options: &LiveOptions,
    shared: &Arc<Shared>,
    (on_saved, failure): (OnSaved, &Arc<Failure>),
    spawn: Spawn<'_>,
) -> Result<WriterLine, LiveError> {
    let (snapshots_in, snapshots) = bounded::<Snapshot>(1);
    let (saved_in, saved) = bounded(1);
    let rules = &options.rules.window;
    let (grid, corrections) = (rules.grid.clone(), rules.corrections);
    let writer = Writer {
        state,
        files,
        upkeep: Upkeep::new(grid, corrections, rules.max_tags, options.keep),
        shared: Arc::clone(shared),
        snapshots,
        saved: saved_in,
        on_saved,
    };
    let failure = Arc::clone(failure);
    let body = move || failure.note(writer.run());
    spawn("writer", Box::new(body)).map_err(LiveError::Thread)?;
    Ok(WriterLine {
        snapshots: snapshots_in,
        saved,
        is_busy: false,
    })
}

fn start_fold(
    stream: Stream,
    (blocks, reports): (Receiver<Block>, Receiver<Report>),
    writer: Option<WriterLine>,
    (shared, sources): (&Arc<Shared>, usize),
    failure: &Arc<Failure>,
    spawn: Spawn<'_>,
) -> Result<Receiver<()>, LiveError> {
    let thread = FoldThread {
        stream,
        shared: Arc::clone(shared),
        blocks,
        reports,
        writer,
        began: Instant::now(),
        lags: vec![Duration::ZERO; sources],
        latencies: Latencies::new(),
    };
    let (ended_in, ended) = bounded(1);
    let failure = Arc::clone(failure);
    let body = move || {
        failure.note(thread.run());
        let _ = ended_in.send(());
    };
    spawn("fold", Box::new(body)).map_err(LiveError::Thread)?;
    Ok(ended)
}

/// Why the run cannot continue, and what ends it.
struct Failure {
    error: Mutex<Option<LiveError>>,
    abort: Box<dyn Fn() + Send + Sync>,
    /// Whether the pool has ended, so that there is nothing to abort.
    is_done: AtomicBool,
}

impl Failure {
    /// Keeps the first error, and ends the run for it.
    fn note(&self, done: Result<(), LiveError>) {
        let Err(error) = done else {
            return;
        };
        let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        // That a thread has ended follows from an error of that thread.
        if first.is_none() || matches!(*first, Some(LiveError::Gone(_))) {
            *first = Some(error);
        }
        drop(first);
        if !self.is_done.load(Ordering::SeqCst) {
            (self.abort)();
        }
    }
}

/// A live run that has been started.
pub struct Running {
    ended: Receiver<()>,
    failure: Arc<Failure>,
    shared: Arc<Shared>,
}

impl Running {
    /// Waits until all that was folded is saved, after the pool has ended and its feed and sink are dropped. Returns what
    /// there is to see then.
    ///
    /// # Errors
    /// What ended the run.
    pub fn finish(self) -> Result<LiveStatus, LiveError> {
        self.failure.is_done.store(true, Ordering::SeqCst);
        self.shared.intake.close();
        // A thread that panicked tells so by dropping its end.
        let ended = self.ended.recv();
        let error = self.failure.error.lock();
        match error.unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None if ended.is_err() => Err(LiveError::Gone("folds")),
            None => Ok(self.shared.status().clone()),
        }
    }
}
