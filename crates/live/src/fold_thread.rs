//! The thread that folds: takes reports in the order of blocks, gives permits back, moves the watermark on as time passes,
//! and hands snapshots to the writer when that is idle.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, Sender, never, select};
use moodring_job::LiveReport;
use moodring_pool::wire;
use moodring_window::Timestamp;

use crate::error::LiveError;
use crate::shared::Shared;
use crate::sink::Report;
use crate::status::{Latencies, SourceStatus};
use crate::stream::{Block, Snapshot, Stream};

/// How often the watermark is moved and the status is told.
const TICK: Duration = Duration::from_millis(100);
/// How often something is saved.
const COMMIT: Duration = Duration::from_secs(1);

pub(crate) struct FoldThread {
    pub(crate) stream: Stream,
    pub(crate) shared: Arc<Shared>,
    pub(crate) blocks: Receiver<Block>,
    pub(crate) reports: Receiver<Report>,
    /// None if nothing is saved.
    pub(crate) writer: Option<WriterLine>,
    pub(crate) began: Instant,
    pub(crate) lags: Vec<Duration>,
    pub(crate) latencies: Latencies,
}

/// The line to the writer's thread.
pub(crate) struct WriterLine {
    pub(crate) snapshots: Sender<Snapshot>,
    pub(crate) saved: Receiver<()>,
    pub(crate) is_busy: bool,
}

impl FoldThread {
    /// Folds until there are no more reports, and saves all of it. Returns the stream as it is then.
    pub(crate) fn run(mut self) -> Result<(), LiveError> {
        let mut next_tick = Duration::ZERO;
        let mut next_commit = COMMIT;
        loop {
            let now = self.began.elapsed();
            if now >= next_tick {
                self.tick(now);
                next_tick = now + TICK;
            }
            if now >= next_commit && self.is_writer_idle() {
                self.hand_over()?;
                next_commit = now + COMMIT;
            }
            if !self.wait(next_tick.saturating_sub(now))? {
                break;
            }
        }
        self.finish()
    }

    /// Waits for a report and folds it; returns `false` at their end.
    fn wait(&mut self, time: Duration) -> Result<bool, LiveError> {
        // What cannot be saved must not pile up: while nothing can be saved nothing is folded, permits run out, and the
        // sources wait.
        let reports = if self.shared.trouble().is_some() {
            &never()
        } else {
            &self.reports
        };
        let saved = self.writer.as_ref().filter(|writer| writer.is_busy);
        let saved = saved.map_or_else(never, |writer| writer.saved.clone());
        let report = select! {
            recv(reports) -> report => report,
            recv(saved) -> saved => {
                saved.map_err(|_| LiveError::Gone("saves"))?;
                self.set_busy(false);
                return Ok(true);
            }
            default(time) => return Ok(true),
        };
        match report {
            Ok(report) => self.fold(&report).map(|()| true),
            Err(_) => Ok(false),
        }
    }

    fn fold(&mut self, report: &Report) -> Result<(), LiveError> {
        let block = self.blocks.recv();
        let block = block.map_err(|_| LiveError::Gone("feeds the pool"))?;
        let decoded: LiveReport<'_> = wire::decode(&report.bytes)?;
        let now = self.began.elapsed();
        self.stream
            .fold_block(&block, &decoded, &report.quarantined, now)?;
        let clock = by_the_clock();
        for (segment, counts) in block.segments.iter().zip(&decoded.segments) {
            // Zero if the clock was set back meanwhile.
            let took = clock.since(segment.arrival);
            self.lags[segment.source] = took;
            self.latencies.add(took, counts.rows.into());
            self.shared.intake.folded(segment.source, segment.bytes);
        }
        Ok(())
    }

    /// Tells the watermark what the sources are doing, and others what there is to see.
    fn tick(&mut self, now: Duration) {
        let activities = self.shared.activities();
        for (source, (activity, status)) in activities.iter().enumerate() {
            let status = serde_json::to_string(status).unwrap_or_default();
            self.stream.set_activity(source, *activity, &status, now);
        }
        let watermark = self.stream.advance(now);
        let queued = self.shared.intake.held();
        let mut sources = Vec::with_capacity(activities.len());
        for (source, (_, status)) in activities.into_iter().enumerate() {
            let view = self.stream.source(source);
            sources.push(SourceStatus {
                name: self.shared.sources[source].name.clone(),
                status,
                books: view.books,
                clamped: view.clamped,
                lag: self.lags[source].as_secs_f64(),
                position: view.position.map(|position| position.offset),
                newest: view.greatest.map(|time| time.to_string()),
                queued_bytes: queued[source] as u64,
            });
        }
        let mut status = self.shared.status();
        status.watermark = watermark.map(|watermark| watermark.to_string());
        status.sources = sources;
        status.latency = self.latencies.status();
        status.trouble = self.shared.trouble();
        self.shared.ticks.fetch_add(1, Ordering::SeqCst);
    }

    fn is_writer_idle(&self) -> bool {
        self.writer.as_ref().is_none_or(|writer| !writer.is_busy)
    }

    fn set_busy(&mut self, is_busy: bool) {
        if let Some(writer) = &mut self.writer {
            writer.is_busy = is_busy;
        }
    }

    /// Takes a snapshot for the writer, if anything changed.
    fn hand_over(&mut self) -> Result<(), LiveError> {
        let snapshot = self.stream.snapshot()?;
        let gaps = self.shared.take_gaps();
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        let mut snapshot = match snapshot {
            Some(snapshot) => snapshot,
            None if gaps.is_empty() => return Ok(()),
            None => Snapshot::of_nothing(self.stream.watermark()),
        };
        snapshot.commit.gaps = gaps;
        let sent = writer.snapshots.send(snapshot);
        sent.map_err(|_| LiveError::Gone("saves"))?;
        writer.is_busy = true;
        Ok(())
    }

    /// Saves what is left.
    fn finish(mut self) -> Result<(), LiveError> {
        self.tick(self.began.elapsed());
        self.await_writer()?;
        self.hand_over()?;
        self.await_writer()?;
        self.tick(self.began.elapsed());
        Ok(())
    }

    fn await_writer(&mut self) -> Result<(), LiveError> {
        if let Some(writer) = &mut self.writer
            && std::mem::take(&mut writer.is_busy)
        {
            let saved = writer.saved.recv();
            saved.map_err(|_| LiveError::Gone("saves"))?;
        }
        Ok(())
    }
}

/// Returns the time of the system clock.
#[must_use]
pub fn by_the_clock() -> Timestamp {
    SystemTime::now().into()
}
