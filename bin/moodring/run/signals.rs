//! How a run is steered from outside, by signals or by `moodring ctl`.
//!
//! SIGINT and SIGTERM: the first asks the run to end well, the second ends it at once. SIGUSR1 and SIGUSR2 add and take
//! away a worker; SIGHUP replaces all workers, one at a time.
//!
//! gunicorn and its like scale by SIGTTIN and SIGTTOU. They are servers without a terminal. A terminal sends these two,
//! over and over, to a background job that reads from it or changes its settings, and each would be taken for an order. So
//! they keep their meaning here: the job stops until it is in the foreground.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;
use std::{io, thread};

use moodring_pool::Control;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
use signal_hook::iterator::Signals;

use super::args::MAX_WORKERS;

/// How long removing what is unfinished may take: a disk that hangs does not keep the process from ending.
const CLEAN_UP: Duration = Duration::from_secs(2);

/// A hand on the run: whether and how it was asked to end, and how many workers it is to have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// The first signal's number; 0 if none came.
    signal: AtomicI32,
    /// Whether the input is to be taken as ended.
    drained: AtomicBool,
    /// How many workers there are to be.
    workers: AtomicU32,
    /// Whether somebody said how many, so that the run does not decide for itself any more.
    is_told: AtomicBool,
    pool: OnceLock<Control>,
    /// What is to be removed if the run is ended on the spot.
    unfinished: Mutex<Vec<PathBuf>>,
}

impl State {
    fn remove_unfinished(&self) {
        let unfinished = self.unfinished.lock();
        for path in unfinished.unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Does `work` in a thread, and waits for it no longer than `limit`; false if it is not done by then. Without a thread to
/// do it in, it is done here.
fn within(limit: Duration, work: impl Fn() + Send + Clone + 'static) -> bool {
    let (done, is_done) = mpsc::channel();
    let here = work.clone();
    let there = move || {
        work();
        let _ = done.send(());
    };
    if thread::Builder::new().spawn(there).is_err() {
        here();
        return true;
    }
    is_done.recv_timeout(limit).is_ok()
}

/// Makes a file that reaches its limit (`ulimit -f`) an error of the one who writes it, not a reason to be killed.
pub(crate) fn ignore_file_size_signal() -> io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop)
}

/// What an error of the system while it begins to listen for signals means.
fn cannot_listen(error: &io::Error) -> String {
    format!(
        "failed to listen for signals ({error}): try again when fewer processes run and fewer files are open, or raise \
         the limits that `ulimit -a` shows"
    )
}

impl Interrupt {
    /// Listens from now on. A second signal removes `unfinished` and ends the process.
    pub(crate) fn listen(unfinished: Vec<PathBuf>) -> io::Result<Self> {
        let interrupt = Self::default();
        for path in unfinished {
            interrupt.leaves(path);
        }
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP])
            .map_err(|error| io::Error::new(error.kind(), cannot_listen(&error)))?;
        let listener = interrupt.clone();
        let listen = move || {
            for signal in signals.forever() {
                match signal {
                    SIGINT | SIGTERM => listener.end(signal),
                    other => listener.steer(other),
                }
            }
        };
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(listen)
            .map_err(|error| io::Error::new(error.kind(), cannot_listen(&error)))?;
        Ok(interrupt)
    }

    /// Has one more file removed if the run is ended on the spot.
    pub(crate) fn leaves(&self, path: PathBuf) {
        let unfinished = self.0.unfinished.lock();
        unfinished
            .unwrap_or_else(PoisonError::into_inner)
            .push(path);
    }

    fn end(&self, signal: i32) {
        if self.0.signal.swap(signal, Ordering::SeqCst) != 0 {
            let state = Arc::clone(&self.0);
            within(CLEAN_UP, move || state.remove_unfinished());
            // The workers end with this process: the kernel sees to that. Exit handlers are left out, as the main thread
            // may be blocked for good and hold what they need.
            signal_hook::low_level::exit(128 + signal);
        }
        if let Some(pool) = self.0.pool.get() {
            pool.drain();
        }
    }

    fn steer(&self, signal: i32) {
        let workers = self.workers();
        match signal {
            SIGUSR1 => drop(self.scale(workers.saturating_add(1).min(MAX_WORKERS))),
            SIGUSR2 => drop(self.scale(workers.saturating_sub(1).max(1))),
            _ => {
                if let Some(pool) = self.0.pool.get() {
                    pool.renew();
                }
            }
        }
    }

    /// Has the run end now, as two signals do.
    pub(crate) fn stop(&self) {
        self.end(SIGTERM);
        self.end(SIGTERM);
    }

    /// Has the run take no more input, and finish what is under way.
    pub(crate) fn drain(&self) {
        self.0.drained.store(true, Ordering::SeqCst);
        if let Some(pool) = self.0.pool.get() {
            pool.drain();
        }
    }

    /// Whether [`drain`](Interrupt::drain) was asked for.
    pub(crate) fn is_drained(&self) -> bool {
        self.0.drained.load(Ordering::SeqCst)
    }

    /// Has the run have so many workers from now on. False if there is no pool to have them.
    pub(crate) fn scale(&self, workers: u32) -> bool {
        self.0.is_told.store(true, Ordering::SeqCst);
        self.resize(workers)
    }

    /// The same, if nobody has said how many there are to be.
    pub(crate) fn scale_by_itself(&self, workers: u32) {
        if self.is_scaled_by_itself() {
            self.resize(workers);
        }
    }

    /// Whether nobody has said how many workers there are to be.
    pub(crate) fn is_scaled_by_itself(&self) -> bool {
        !self.0.is_told.load(Ordering::SeqCst)
    }

    fn resize(&self, workers: u32) -> bool {
        let Some(pool) = self.0.pool.get() else {
            return false;
        };
        self.0.workers.store(workers, Ordering::SeqCst);
        pool.resize(workers);
        true
    }

    /// How many workers there are to be.
    pub(crate) fn workers(&self) -> u32 {
        self.0.workers.load(Ordering::SeqCst)
    }

    /// Has signals act on this pool of so many workers from now on.
    pub(crate) fn steers(&self, pool: Control, workers: u32) {
        self.0.workers.store(workers, Ordering::SeqCst);
        let pool = self.0.pool.get_or_init(|| pool);
        // The signal may have come before the pool was known.
        if self.received().is_some() || self.is_drained() {
            pool.drain();
        }
    }

    /// The first signal that came.
    pub(crate) fn received(&self) -> Option<i32> {
        Some(self.0.signal.load(Ordering::SeqCst)).filter(|&signal| signal != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_up_that_hangs_is_not_waited_for() {
        let disk = Arc::new(Mutex::new(()));
        let (hangs, disk_of_others) = (disk.lock().unwrap(), Arc::clone(&disk));
        let waits = move || drop(disk_of_others.lock());
        assert!(!within(Duration::from_millis(10), waits));
        drop(hangs);
        assert!(within(Duration::from_mins(1), || {}));
    }
}
