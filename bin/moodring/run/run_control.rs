//! Controls a run from other threads: signals, the control server and autoscaling end it and set its number of workers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use moodring_live::LiveHandle;
use moodring_pool::{Control, MAX_WORKERS};
use signal_hook::consts::SIGTERM;

use super::clean_up::CleanUp;

/// A handle on a run. Clones control the same run.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunControl(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// The number of the first signal that asked the run to end; 0 if none came.
    signal: AtomicI32,
    /// Whether the input is to be taken as ended.
    is_drained: AtomicBool,
    /// How many workers there are to be.
    workers: AtomicU32,
    /// Whether a person set the number of workers, which ends autoscaling.
    is_set: AtomicBool,
    pool: OnceLock<Control>,
    /// What has the input end, if it is not to be cut off behind the tasks that the pool has.
    live: Option<LiveHandle>,
    clean_up: CleanUp,
}

impl RunControl {
    /// Returns the control of a run without a pool, or of one whose pool has this many workers. Removes the files of
    /// `clean_up` if it ends the process.
    pub(crate) fn new(
        pool: Option<(Control, u32)>,
        clean_up: CleanUp,
        live: Option<LiveHandle>,
    ) -> Self {
        let state = State {
            live,
            clean_up,
            ..State::default()
        };
        if let Some((pool, workers)) = pool {
            state.workers.store(workers, Ordering::SeqCst);
            let _ = state.pool.set(pool);
        }
        Self(Arc::new(state))
    }

    /// Asks the run to end after the work in progress, because of this signal. The second time it ends the process at once.
    pub(crate) fn end(&self, signal: i32) {
        if self.0.signal.swap(signal, Ordering::SeqCst) != 0 {
            self.0.clean_up.exit(128 + signal);
        }
        self.end_input();
    }

    fn end_input(&self) {
        match (&self.0.live, self.0.pool.get()) {
            (Some(live), _) => live.stop(),
            (None, Some(pool)) => pool.drain(),
            (None, None) => {}
        }
    }

    /// Ends the process at once, as two signals do.
    pub(crate) fn stop(&self) {
        self.end(SIGTERM);
        self.end(SIGTERM);
    }

    /// Has the run take no more input and finish the work in progress.
    pub(crate) fn drain(&self) {
        self.0.is_drained.store(true, Ordering::SeqCst);
        self.end_input();
    }

    /// Replaces all workers, one at a time.
    pub(crate) fn renew(&self) {
        if let Some(pool) = self.0.pool.get() {
            pool.renew();
        }
    }

    /// Sets the number of workers, which ends autoscaling. Returns false if there is no pool.
    pub(crate) fn scale(&self, workers: u32) -> bool {
        self.0.is_set.store(true, Ordering::SeqCst);
        self.resize(workers)
    }

    /// Adds a worker.
    pub(crate) fn add_worker(&self) {
        self.scale(self.workers().saturating_add(1).min(MAX_WORKERS));
    }

    /// Removes a worker, unless it is the last one.
    pub(crate) fn remove_worker(&self) {
        self.scale(self.workers().saturating_sub(1).max(1));
    }

    /// Sets the number of workers, unless a person has done so.
    pub(crate) fn autoscale(&self, workers: u32) {
        if self.is_autoscaled() {
            self.resize(workers);
        }
    }

    fn resize(&self, workers: u32) -> bool {
        let Some(pool) = self.0.pool.get() else {
            return false;
        };
        self.0.workers.store(workers, Ordering::SeqCst);
        pool.resize(workers);
        true
    }

    /// Has one more file removed if the process ends at once.
    pub(crate) fn remove_on_exit(&self, path: PathBuf) {
        self.0.clean_up.add(path);
    }

    /// Whether nobody has set the number of workers.
    pub(crate) fn is_autoscaled(&self) -> bool {
        !self.0.is_set.load(Ordering::SeqCst)
    }

    /// Whether [`drain`](Self::drain) was called.
    pub(crate) fn is_drained(&self) -> bool {
        self.0.is_drained.load(Ordering::SeqCst)
    }

    /// Whether the run is to take no more input.
    pub(crate) fn is_ending(&self) -> bool {
        self.ended_by().is_some() || self.is_drained()
    }

    /// Returns the signal that asked the run to end.
    pub(crate) fn ended_by(&self) -> Option<i32> {
        Some(self.0.signal.load(Ordering::SeqCst)).filter(|&signal| signal != 0)
    }

    /// Returns how many workers there are to be.
    pub(crate) fn workers(&self) -> u32 {
        self.0.workers.load(Ordering::SeqCst)
    }
}
