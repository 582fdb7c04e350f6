//! What the threads of a live run share: the intake, what each source is doing, and what there is to see.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use moodring_source::Status;
use moodring_store::state::GapRow;
use moodring_window::{Activity, Timestamp};

use crate::intake::Intake;
use crate::status::LiveStatus;

/// How many gaps wait for the next commit; further ones are put together with the last.
const MAX_GAPS: usize = 100;

/// What the threads of a live run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) intake: Intake,
    pub(crate) sources: Vec<SharedSource>,
    status: Mutex<LiveStatus>,
    /// Why nothing can be saved at present.
    trouble: Mutex<Option<String>>,
    /// How often the fold has told its status.
    pub(crate) ticks: AtomicU64,
}

/// A source, as its own thread and the fold see it.
#[derive(Debug)]
pub(crate) struct SharedSource {
    pub(crate) name: String,
    status: Mutex<Status>,
    gaps: Mutex<Vec<GapRow>>,
    /// How many segments are in the spool and have not been put into the intake.
    pub(crate) spooled: AtomicU64,
}

impl Shared {
    pub(crate) fn new(intake: Intake, names: impl IntoIterator<Item = String>) -> Self {
        Self {
            intake,
            sources: names.into_iter().map(SharedSource::new).collect(),
            status: Mutex::default(),
            trouble: Mutex::default(),
            ticks: AtomicU64::new(0),
        }
    }

    /// What each source is doing, for the watermark and in words.
    pub(crate) fn activities(&self) -> Vec<(Activity, Status)> {
        // In this order: what a source had submitted when it said so is pending or folded.
        let statuses: Vec<_> = self.sources.iter().map(SharedSource::status).collect();
        let spooled = self
            .sources
            .iter()
            .map(|it| it.spooled.load(Ordering::SeqCst));
        let spooled: Vec<_> = spooled.collect();
        let queued = self.intake.pending();
        let all = statuses.into_iter().zip(spooled).zip(queued);
        all.map(|((status, spooled), queued)| {
            (activity(&status, spooled > 0 || queued > 0), status)
        })
        .collect()
    }

    pub(crate) fn status(&self) -> MutexGuard<'_, LiveStatus> {
        lock(&self.status)
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    pub(crate) fn set_trouble(&self, trouble: Option<String>) {
        *lock(&self.trouble) = trouble;
    }

    pub(crate) fn take_gaps(&self) -> Vec<GapRow> {
        let gaps = self.sources.iter();
        gaps.flat_map(|source| std::mem::take(&mut *lock(&source.gaps)))
            .collect()
    }
}

impl SharedSource {
    fn new(name: String) -> Self {
        Self {
            name,
            status: Mutex::new(Status::Connecting),
            gaps: Mutex::default(),
            spooled: AtomicU64::new(0),
        }
    }

    pub(crate) fn status(&self) -> Status {
        lock(&self.status).clone()
    }

    pub(crate) fn set_status(&self, status: Status) {
        let before = std::mem::replace(&mut *lock(&self.status), status.clone());
        if before == status {
            return;
        }
        let name = &self.name;
        match status {
            Status::Stopped { why } => tracing::warn!(source = %name, "source stopped: {why}"),
            Status::Retrying { wait, why } => {
                tracing::warn!(source = %name, "source retries in {} s: {why}", wait.as_secs());
            }
            status => tracing::info!(source = %name, ?status, "source changed"),
        }
    }

    pub(crate) fn add_gap(&self, at: Timestamp, why: &str) {
        tracing::warn!(source = %self.name, "posts were lost: {why}");
        let mut gaps = lock(&self.gaps);
        let is_full = gaps.len() >= MAX_GAPS;
        match gaps.last_mut() {
            Some(last) if is_full => {
                last.to = at.as_micros();
                why.clone_into(&mut last.why);
            }
            _ => gaps.push(GapRow {
                source: self.name.clone(),
                from: at.as_micros(),
                to: at.as_micros(),
                why: why.to_owned(),
            }),
        }
    }
}

fn activity(status: &Status, pending: bool) -> Activity {
    match (status, pending) {
        (Status::Ended, false) => Activity::Ended,
        (Status::Ended, true) => Activity::Live { pending },
        (Status::Live, pending) => Activity::Live { pending },
        // One that stopped may come back with a backlog once a person has helped it.
        (
            Status::Connecting
            | Status::CatchingUp
            | Status::Retrying { .. }
            | Status::Stopped { .. },
            _,
        ) => Activity::CatchingUp,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
