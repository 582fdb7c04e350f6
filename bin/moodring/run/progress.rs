//! The progress bar: bytes, records per second, time left, workers alive, restarts. Hidden where standard error is no
//! terminal.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use moodring_pool::Control;

use super::control_server::Counters;

const KNOWN: &str =
    "{bar:24} {percent:>3}% {bytes}/{total_bytes} {binary_bytes_per_sec} ETA {eta} {msg}";
const CHECKING: &str =
    "{bar:24} {percent:>3}% {bytes}/{total_bytes} {binary_bytes_per_sec} checking what is done";
const UNKNOWN: &str = "{spinner} {bytes} {binary_bytes_per_sec} {elapsed} {msg}";

/// How often the figures change; the eye needs no more.
const PERIOD: Duration = Duration::from_millis(100);

/// A bar on the terminal, from start to drop.
pub(crate) struct Progress {
    bar: ProgressBar,
    control: Option<Control>,
    counters: Arc<Counters>,
    began: Instant,
    updated: Instant,
}

impl Progress {
    /// Shows nothing if `quiet`; `total` is the number of stored bytes, if that is known.
    pub(crate) fn start(quiet: bool, total: Option<u64>, control: Option<Control>) -> Self {
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(10)
        };
        let (bar, template) = match total {
            Some(total) => (ProgressBar::with_draw_target(Some(total), target), KNOWN),
            None => (ProgressBar::with_draw_target(None, target), UNKNOWN),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(PERIOD);
        }
        let now = Instant::now();
        Self {
            bar,
            control,
            counters: Arc::default(),
            began: now,
            updated: now,
        }
    }

    /// How far the run is, for others to look at.
    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Has something written to standard error above the bar.
    pub(crate) fn above(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// So many more stored bytes are done, and so many records in all.
    pub(crate) fn advance(&mut self, bytes: u64, records: u64) {
        self.counters.records.store(records, Ordering::Relaxed);
        self.counters.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bar.inc(bytes);
        if self.bar.is_hidden() || self.updated.elapsed() < PERIOD {
            return;
        }
        self.updated = Instant::now();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a rate is shown with a few digits"
        )]
        let rate = records as f64 / self.began.elapsed().as_secs_f64();
        let pool = self.control.as_ref().map(Control::stats);
        let message = match pool.map(|stats| (stats.alive(), stats.restarts())) {
            None => format!("{rate:.0} records/s"),
            Some((alive, restarts)) => {
                format!("{rate:.0} records/s, {alive} workers, {restarts} restarts")
            }
        };
        self.bar.set_message(message);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar on the terminal while something is read again, from start to drop.
pub(crate) struct Checking(ProgressBar);

impl Checking {
    /// Shows nothing if `quiet`.
    pub(crate) fn start(quiet: bool, bytes: u64) -> Self {
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(10)
        };
        let bar = ProgressBar::with_draw_target(Some(bytes), target);
        if let Ok(style) = ProgressStyle::with_template(CHECKING) {
            bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        }
        Self(bar)
    }

    /// Shows that this many more bytes have been read.
    pub(crate) fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Checking {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
