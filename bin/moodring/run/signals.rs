//! What signals mean to a run.
//!
//! SIGINT and SIGTERM: the first asks the run to end well, the second ends it at once. SIGTTIN and SIGTTOU add and take
//! away a worker, as with other servers that have workers; SIGHUP replaces all workers, one at a time.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::{io, thread};

use moodring_pool::Control;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTTIN, SIGTTOU, SIGXFSZ};
use signal_hook::iterator::Signals;

use super::args::MAX_WORKERS;

/// Whether, and by what, the run was asked to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// The first signal's number; 0 if none came.
    signal: AtomicI32,
    /// How many workers there are to be.
    workers: AtomicU32,
    pool: OnceLock<Control>,
}

impl Interrupt {
    /// Listens from now on. A second signal removes `unfinished` and ends the process.
    pub(crate) fn listen(unfinished: Vec<PathBuf>) -> io::Result<Self> {
        // A file that reaches its limit is an error of the one who writes it, not a reason to be killed.
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        let interrupt = Self::default();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGTTIN, SIGTTOU, SIGHUP])?;
        let listener = interrupt.clone();
        let listen = move || {
            for signal in signals.forever() {
                match signal {
                    SIGINT | SIGTERM => listener.end(signal, &unfinished),
                    other => listener.steer(other),
                }
            }
        };
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(listen)?;
        Ok(interrupt)
    }

    fn end(&self, signal: i32, unfinished: &[PathBuf]) {
        if self.0.signal.swap(signal, Ordering::SeqCst) != 0 {
            for path in unfinished {
                let _ = std::fs::remove_file(path);
            }
            // The workers end with this process: the kernel sees to that.
            std::process::exit(128 + signal);
        }
        if let Some(pool) = self.0.pool.get() {
            pool.drain();
        }
    }

    fn steer(&self, signal: i32) {
        let Some(pool) = self.0.pool.get() else {
            return;
        };
        let workers = self.0.workers.load(Ordering::SeqCst);
        let wanted = match signal {
            SIGTTIN => workers.saturating_add(1).min(MAX_WORKERS),
            SIGTTOU => workers.saturating_sub(1).max(1),
            _ => return pool.renew(),
        };
        self.0.workers.store(wanted, Ordering::SeqCst);
        pool.resize(wanted);
    }

    /// Has signals act on this pool of so many workers from now on.
    pub(crate) fn steers(&self, pool: Control, workers: u32) {
        self.0.workers.store(workers, Ordering::SeqCst);
        let pool = self.0.pool.get_or_init(|| pool);
        // The signal may have come before the pool was known.
        if self.received().is_some() {
            pool.drain();
        }
    }

    /// The first signal that came.
    pub(crate) fn received(&self) -> Option<i32> {
        Some(self.0.signal.load(Ordering::SeqCst)).filter(|&signal| signal != 0)
    }
}
