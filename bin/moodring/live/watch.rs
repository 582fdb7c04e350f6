//! Looks at a live run from beside it: for the line on the terminal, for `ctl`, and for systemd.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moodring_live::{LiveHandle, LiveStatus};
use moodring_pool::Control;
use sd_notify::NotifyState;

use crate::human::{age, counted, rate};
use crate::run::progress::Progress;

/// How often the run is looked at.
const PERIOD: Duration = Duration::from_millis(250);

/// What looks at a run, in a thread of its own, until it is told to end.
pub(super) struct Watch {
    seen: Mutex<Seen>,
    woken: Condvar,
}

#[derive(Default)]
struct Seen {
    progress: Option<Progress>,
    is_over: bool,
}

impl Watch {
    /// Starts to look.
    pub(super) fn start(
        handle: LiveHandle,
        pool: &Control,
        began: Instant,
    ) -> io::Result<Arc<Self>> {
        let watch = Arc::new(Self {
            seen: Mutex::default(),
            woken: Condvar::new(),
        });
        let this = Arc::clone(&watch);
        let control = pool.clone();
        pool.spawn("watch", move || this.run(&handle, &control, began))?;
        Ok(watch)
    }

    /// Shows `progress` from now on; removes what is shown if it is `None`.
    pub(super) fn show(&self, progress: Option<Progress>) {
        if progress.is_some() {
            notify(&[NotifyState::Ready]);
        }
        self.lock().progress = progress;
    }

    /// Ends the thread, and tells the service manager.
    pub(super) fn end(&self) {
        self.lock().is_over = true;
        self.woken.notify_all();
        notify(&[NotifyState::Stopping]);
    }

    fn run(&self, handle: &LiveHandle, pool: &Control, began: Instant) {
        let watchdog = sd_notify::watchdog_enabled().map(|period| period / 3);
        let (mut pinged, mut ticks) = (None::<Instant>, 0);
        let mut rates = Rates::default();
        let mut seen = self.lock();
        while !seen.is_over {
            let status = handle.status();
            if let Some(period) = watchdog
                && pinged.is_none_or(|at| at.elapsed() >= period)
                && handle.ticks() != ticks
            {
                // The fold is alive: it has told its status since the last time.
                ticks = handle.ticks();
                pinged = Some(Instant::now());
                notify(&[NotifyState::Watchdog]);
            }
            let received = status.totals().received;
            let per_second = rates.at(began.elapsed(), received);
            if let Some(progress) = &mut seen.progress {
                progress.tell(received, &line(&status, per_second, pool.stats().alive()));
            }
            let waited = self.woken.wait_timeout(seen, PERIOD);
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The line on the terminal, the most important first: what does not fit is cut.
fn line(status: &LiveStatus, per_second: f64, workers: u64) -> String {
    if let Some(trouble) = &status.trouble {
        return format!("waiting: {trouble}");
    }
    let watermark = status.watermark.as_deref().unwrap_or("none yet");
    let lag = status.sources.iter().map(|source| source.lag);
    let lag = Duration::try_from_secs_f64(lag.fold(0.0, f64::max)).unwrap_or_default();
    let lag = if lag < Duration::from_secs(1) {
        format!("{} ms", lag.as_millis())
    } else {
        age(lag)
    };
    format!(
        "{} posts/s, watermark {watermark}, lag {lag}, {}",
        rate(per_second),
        counted(workers, "worker")
    )
}

/// Tells the service manager, if there is one.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("cannot tell the service manager: {error}");
    }
}

/// The rate over the last seconds.
#[derive(Debug, Default)]
struct Rates {
    /// When, and how many there were.
    marks: std::collections::VecDeque<(Duration, u64)>,
}

impl Rates {
    /// Over how long.
    const SPAN: Duration = Duration::from_secs(3);

    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is shown with a few digits"
    )]
    fn at(&mut self, now: Duration, count: u64) -> f64 {
        self.marks.push_back((now, count));
        while self.marks.len() > 2 && now.saturating_sub(self.marks[1].0) >= Self::SPAN {
            self.marks.pop_front();
        }
        let (since, before) = self.marks[0];
        let seconds = now.saturating_sub(since).as_secs_f64();
        if seconds > 0.0 {
            count.saturating_sub(before) as f64 / seconds
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut rates = Rates::default();
        let at = |rates: &mut Rates, seconds, count| {
            let rate = rates.at(Duration::from_secs(seconds), count);
            format!("{rate:.0}")
        };
        assert_eq!(at(&mut rates, 0, 0), "0");
        assert_eq!(at(&mut rates, 1, 1000), "1000");
        for seconds in 2..10 {
            at(&mut rates, seconds, 1000);
        }
        assert_eq!(at(&mut rates, 10, 1000), "0");
    }
}
