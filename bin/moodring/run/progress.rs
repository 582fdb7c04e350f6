//! The progress bar: share, time left, records per second, workers alive, restarts, bytes. Hidden where standard error is no
//! terminal.
//!
//! Whatever else is printed to standard error goes through [`above`], which takes the bar away meanwhile.

use std::cell::Cell;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use moodring_pool::Control;

use super::control_server::Counters;
use crate::human::{self, counted};

/// Whether drawing a bar panicked, so that its lock may be poisoned.
static IS_BROKEN: AtomicBool = AtomicBool::new(false);

/// The bar that is shown, if there is one.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

thread_local! {
    /// Whether this thread has taken the bar away already.
    static IS_ABOVE: Cell<bool> = const { Cell::new(false) };
}

/// Has something written to standard error while the bar is taken away.
pub(crate) fn above(write: impl FnOnce()) {
    if IS_ABOVE.get() {
        return write();
    }
    let bar = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bar {
        Some(bar) => {
            IS_ABOVE.set(true);
            bar.suspend(write);
            IS_ABOVE.set(false);
        }
        None => write(),
    }
}

fn show(bar: Option<ProgressBar>) {
    *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = bar;
}

/// What is shown beside the bar, the most important first; what does not fit is cut.
const CHECKING: &str = "checking what is done";

/// The widest bar, and the narrowest terminal that has one.
const BAR: usize = 24;
const MIN_WIDTH: usize = 40;

/// The template of a terminal of this width.
fn template(is_known: bool, width: usize) -> String {
    match (is_known, width) {
        (true, MIN_WIDTH..) => {
            let bar = BAR.min(width / 4);
            format!("{{bar:{bar}}} {{percent:>3}}% ETA {{eta:4}} {{msg}}")
        }
        (true, _) => "{percent:>3}% {msg}".to_owned(),
        (false, _) => "{spinner} {elapsed:4} {msg}".to_owned(),
    }
}

/// The message as far as it fits beside the bar of a terminal of this width. Two columns stay free: a terminal shows `^C`
/// behind the bar, which must not wrap.
fn fitted(message: &str, width: usize) -> String {
    let beside = match width {
        MIN_WIDTH.. => BAR.min(width / 4) + " 100% ETA 59m59s ".len(),
        _ => " 100% ".len(),
    };
    console::truncate_str(message, width.saturating_sub(beside + 2), "").into_owned()
}

fn width() -> usize {
    usize::from(Term::stderr().size().1)
}

fn style(bar: &ProgressBar, is_known: bool) {
    if let Ok(style) = ProgressStyle::with_template(&template(is_known, width())) {
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    }
}

/// How often the numbers change; the eye needs no more.
const PERIOD: Duration = Duration::from_millis(100);

/// A bar on the terminal, from start to drop. A thread of its own draws it: a terminal that takes no more, as after Ctrl-S,
/// does not stop who advances it.
pub(crate) struct Progress {
    bar: ProgressBar,
    counters: Arc<Counters>,
    /// Ends the thread when it is dropped.
    _running: Option<Sender<()>>,
}

impl Progress {
    /// Shows nothing if `quiet`; `total` is the number of stored bytes, if that is known.
    pub(crate) fn start(quiet: bool, total: Option<u64>, control: Option<Control>) -> Self {
        let target = if quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(10)
        };
        let bar = ProgressBar::with_draw_target(total, target);
        style(&bar, total.is_some());
        let counters = Arc::<Counters>::default();
        let painter = Painter {
            bar: bar.clone(),
            control,
            counters: Arc::clone(&counters),
            began: Instant::now(),
        };
        // Where the system has no thread left there is no bar.
        let running = (!bar.is_hidden()).then(|| painter.start()).flatten();
        if running.is_some() {
            show(Some(bar.clone()));
        }
        Self {
            bar,
            counters,
            _running: running,
        }
    }

    /// How far the run is, for others to look at.
    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Has something written to standard error above the bar.
    #[expect(
        clippy::unused_self,
        reason = "there is a bar only while there is a value"
    )]
    pub(crate) fn above(&self, write: impl FnOnce()) {
        above(write);
    }

    /// So many more stored bytes are done, and so many records in all.
    pub(crate) fn advance(&mut self, bytes: u64, records: u64) {
        self.counters.records.store(records, Ordering::Relaxed);
        self.counters.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Progress {
    /// This many records are done in all, with what else there is to say.
    pub(crate) fn tell(&mut self, records: u64, message: &str) {
        self.counters.records.store(records, Ordering::Relaxed);
        if !self.bar.is_hidden() {
            self.bar.set_message(fitted(message, width()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        show(None);
        if !IS_BROKEN.load(Ordering::Relaxed) {
            self.bar.finish_and_clear();
        }
    }
}

/// Draws a bar.
struct Painter {
    bar: ProgressBar,
    control: Option<Control>,
    counters: Arc<Counters>,
    began: Instant,
}

impl Painter {
    /// Draws in a thread until the returned sender is dropped. `None` if the system has no thread left.
    fn start(self) -> Option<Sender<()>> {
        let (running, ended) = channel::<()>();
        let paint = move || {
            // indicatif's own thread would leave the bar's lock poisoned if it panicked, and the run would end by the next
            // use of it. After a panic here the bar is not used any more.
            while catch_unwind(AssertUnwindSafe(|| self.paint())).is_ok() {
                if ended.recv_timeout(PERIOD) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
            IS_BROKEN.store(true, Ordering::Relaxed);
            show(None);
        };
        let thread = thread::Builder::new().name("progress".to_owned());
        thread.spawn(paint).ok().map(|_| running)
    }

    fn paint(&self) {
        let bytes = self.counters.bytes.load(Ordering::Relaxed);
        let records = self.counters.records.load(Ordering::Relaxed);
        self.bar.set_position(bytes);
        if records > 0 {
            self.bar
                .set_message(fitted(&self.message(bytes, records), width()));
        }
        self.bar.tick();
    }

    fn message(&self, bytes: u64, records: u64) -> String {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a rate is shown with a few digits"
        )]
        let rate = records as f64 / self.began.elapsed().as_secs_f64().max(1e-3);
        let mut message = format!("{} records/s", human::rate(rate));
        if let Some(stats) = self.control.as_ref().map(Control::stats) {
            let workers = counted(stats.alive(), "worker");
            let restarts = counted(stats.restarts(), "restart");
            let _ = write!(message, ", {workers}, {restarts}");
        }
        let _ = write!(message, ", {}", human::size(bytes));
        message
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
        style(&bar, true);
        bar.set_message(fitted(CHECKING, width()));
        if !bar.is_hidden() {
            show(Some(bar.clone()));
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
        show(None);
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fits_any_terminal() {
        let message = "1,234,567 records/s, 16 workers, 3 restarts, 12.0 GiB";
        for width in 1..200 {
            let bar = match width {
                MIN_WIDTH.. => BAR.min(width / 4) + " 100% ETA 59m59s ".len(),
                _ => "100% ".len(),
            };
            let all = bar + fitted(message, width).len();
            assert!(all < width || width < 10, "{width}: {all}");
        }
        assert_eq!(fitted(message, 200), message);
    }
}
