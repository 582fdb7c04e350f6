//! Ctrl-C and polite termination: the first asks the run to end well, the second ends it at once.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};
use std::{io, thread};

use moodring_pool::Control;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Whether, and by what, the run was asked to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// The first signal's number; 0 if none came.
    signal: AtomicI32,
    pool: OnceLock<Control>,
}

impl Interrupt {
    /// Listens from now on. A second signal removes `unfinished` and ends the process.
    pub(crate) fn listen(unfinished: Vec<PathBuf>) -> io::Result<Self> {
        let interrupt = Self::default();
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let listener = interrupt.clone();
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for signal in signals.forever() {
                    if listener.0.signal.swap(signal, Ordering::SeqCst) != 0 {
                        for path in &unfinished {
                            let _ = std::fs::remove_file(path);
                        }
                        // The workers end with this process: the kernel sees to that.
                        std::process::exit(128 + signal);
                    }
                    if let Some(pool) = listener.0.pool.get() {
                        pool.drain();
                    }
                }
            })?;
        Ok(interrupt)
    }

    /// Has the first signal drain this pool.
    pub(crate) fn drains(&self, pool: Control) {
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
