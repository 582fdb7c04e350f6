//! The end of the pipeline: places each shard's bytes in the output, keeps the rejects, counts.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use moodring_codec::Compressor;
use moodring_feed::Feed;
use moodring_job::{Delivered, Grant, Reject, Report, quarantine_reason};
use moodring_pool::{BoxError, Quarantined, Released, ShardId, Sink, wire};
use moodring_store::{Journal, LazyFile, Output, PartFile, StoreError, folder_of};
use thiserror::Error;

use super::plan::Plan;
use super::resume::checkpoint::PriorRun;
use super::resume::entry::{Counts, Extent, RunFingerprint, ShardRecord};
use super::resume::journal::JournalWriter;
use super::set_aside::{FramingWarnings, Kind, Place, SetAside};
use super::totals::Totals;
use super::windows::{WindowSink, WindowsReady};
use crate::exit::{Failure, warn};
use crate::run::progress::Progress;
use crate::run::rejections::Rejections;
use crate::run::session::ProgressSink;
use crate::run::store_failure;

/// With `--strict`: the first malformed record.
#[derive(Debug, Error)]
#[error(
    "{place}: {reason}; mend or remove the record, or run without --strict to have such records set aside"
)]
pub(crate) struct Rejected {
    place: String,
    reason: String,
}

/// The pool's sink.
pub(crate) struct OutputSink {
    output: Output,
    rejects: SetAside,
    quarantine: SetAside,
    /// The inputs' names, by source.
    names: Vec<String>,
    /// How many line ends of each source have been released.
    lines: HashMap<u32, u64>,
    ordered: bool,
    strict: bool,
    totals: Totals,
    progress: Option<Progress>,
    line: Vec<u8>,
    framing: FramingWarnings,
    /// The journal, if the run can be resumed.
    journal: Option<JournalWriter>,
    /// Whether the journal stays when the run is complete, to say so.
    leaves_journal: bool,
    /// What stands for the journal if it cannot.
    marker: Option<Marker>,
    /// The windows of the posts, if they are asked for.
    windows: Option<WindowSink>,
    rejections: Rejections,
}

/// An empty journal, by which the next run knows that the part file beside it is one of ours. It vanishes with the value.
struct Marker(Journal);

impl Drop for Marker {
    fn drop(&mut self) {
        // Nobody is left to be told; the next run replaces it.
        let _ = fs::remove_file(self.0.path());
    }
}

impl OutputSink {
    /// Opens the output, and writes its header.
    pub(crate) fn open(plan: &Plan, feed: &Feed, header: &[u8]) -> Result<Self, Failure> {
        let mut output = Output::open(plan.output.as_deref(), plan.force).map_err(store_failure)?;
        let set_aside = |path: &Option<PathBuf>, kind| {
            SetAside::open(path.as_deref(), kind, plan.force).map_err(store_failure)
        };
        let windows = plan.windows.as_ref().map(|windows| {
            WindowSink::open(&windows.file, &windows.plan, plan.force).map_err(store_failure)
        });
        let windows = windows.transpose()?;
        let rejects = set_aside(&plan.rejects, Kind::Rejected)?;
        let quarantine = set_aside(&plan.quarantine, Kind::Quarantined)?;
        // Packed even if there is none: a compressed file without any piece would be a damaged one.
        let mut packed = Vec::new();
        let compressed = Compressor::new(plan.compression)
            .and_then(|mut compressor| compressor.compress(header, &mut packed));
        compressed.map_err(Failure::failed)?;
        let mut marker = None;
        let journal = match (&output, &plan.output) {
            (Output::File(_), Some(path)) if !plan.source.is_lasting() => {
                let journal = Journal::create(&Journal::path_of(path)).map_err(store_failure)?;
                marker = Some(Marker(journal));
                None
            }
            (Output::File(_), Some(path)) => {
                let header = Extent {
                    at: 0,
                    len: packed.len() as u64,
                    checksum: crc32fast::hash(&packed),
                };
                let fingerprint = RunFingerprint::of(plan, header)?;
                let writer = JournalWriter::start(Journal::path_of(path), fingerprint)
                    .map_err(sink_failure)?;
                Some(writer)
            }
            _ => None,
        };
        output.append(&packed).map_err(store_failure)?;
        let mut sink = Self::new(plan, feed, output, [rejects, quarantine], journal);
        sink.marker = marker;
        sink.windows = windows;
        Ok(sink)
    }

    /// Opens the output of an earlier run, behind what was done of it.
    pub(crate) fn resume(
        plan: &Plan,
        feed: &Feed,
        mut part: PartFile,
        prior: &PriorRun,
    ) -> Result<Self, Failure> {
        let reopen = |path: &Option<PathBuf>, kind, pick| match path {
            Some(path) => prior.reopen(path, plan.force, pick).map(SetAside::File),
            None => SetAside::open(None, kind, plan.force),
        };
        let rejects = reopen(&plan.rejects, Kind::Rejected, |done| done.rejects);
        let quarantine = reopen(&plan.quarantine, Kind::Quarantined, |done| done.quarantine);
        let asides = [
            rejects.map_err(store_failure)?,
            quarantine.map_err(store_failure)?,
        ];
        part.cut(prior.output_len()).map_err(store_failure)?;
        let path = Journal::path_of(plan.output.as_deref().unwrap_or(Path::new("")));
        let journal = Journal::reopen(&path, &prior.entries).map_err(store_failure)?;
        let writer =
            JournalWriter::resume(journal, path, prior.done.len() as u64).map_err(sink_failure)?;
        let mut sink = Self::new(plan, feed, Output::File(part), asides, Some(writer));
        for done in &prior.done {
            *sink.lines.entry(done.source).or_default() += done.counts.lines;
            sink.totals.add(&done.counts);
        }
        sink.totals.mark_as_prior();
        sink.rejections
            .continue_after(sink.totals.records, &sink.totals.reasons);
        Ok(sink)
    }

    fn new(
        plan: &Plan,
        feed: &Feed,
        output: Output,
        [rejects, quarantine]: [SetAside; 2],
        journal: Option<JournalWriter>,
    ) -> Self {
        let names = feed.inputs().iter().map(|input| input.name.clone());
        Self {
            output,
            rejects,
            quarantine,
            names: names.collect(),
            lines: HashMap::new(),
            ordered: !plan.unordered,
            strict: plan.strict,
            totals: Totals::default(),
            progress: None,
            line: Vec::new(),
            framing: FramingWarnings::default(),
            journal,
            marker: None,
            windows: None,
            rejections: Rejections::new(plan.source.text_field()),
            leaves_journal: plan.resume,
        }
    }

    /// The file that workers write into, if the output is one.
    pub(crate) fn part_path(&self) -> Option<&Path> {
        match &self.output {
            Output::File(part) => Some(part.part_path()),
            Output::Stream(_) => None,
        }
    }

    /// The files to be removed if the run is ended on the spot.
    pub(crate) fn unfinished_files(&self) -> Vec<PathBuf> {
        let part = self.part_path().map(Path::to_owned);
        let asides = [&self.rejects, &self.quarantine].map(SetAside::file);
        let asides = asides.into_iter().flatten().filter_map(LazyFile::part_path);
        let journal = self.journal.as_ref().map(JournalWriter::path);
        let marker = self.marker.as_ref();
        let marker = marker.map(|marker| marker.0.path().to_owned());
        let windows = self.windows.as_ref().and_then(WindowSink::part_path);
        let all = part.into_iter().chain(asides);
        let all = all.chain(windows.map(Path::to_owned));
        all.chain(journal).chain(marker).collect()
    }

    /// The run is complete: the output appears under its name, when all of it is on the disk.
    ///
    /// Not if nothing is in it: where every record was rejected, the rejects are all that stays.
    pub(crate) fn commit(mut self) -> Result<Totals, Failure> {
        let Totals {
            records,
            filtered,
            rejects,
            ..
        } = self.totals;
        self.totals.rejects_warning = self.rejections.final_warning(records + filtered, rejects);
        let is_worthless = self.totals.is_worthless() && self.part_path().is_some();
        if is_worthless {
            self.keep(false);
            // With --resume the journal says that there is nothing left to do, though there is no output.
            self.journal = self.journal.take_if(|_| self.leaves_journal);
        } else {
            // Whichever file cannot be given its name: what is complete is not removed.
            self.keep(true);
            if let Output::File(part) = &mut self.output {
                part.keep(true);
            }
        }
        let windows = self.windows.take().filter(|_| !is_worthless);
        let windows = windows
            .map(WindowSink::write)
            .transpose()
            .map_err(sink_failure)?;
        self.rejects.keep(true);
        self.quarantine.keep(true);
        if let Some(windows) = &windows {
            windows.sync().map_err(store_failure)?;
        }
        let synced = [
            self.output.sync(),
            self.rejects.sync(),
            self.quarantine.sync(),
        ];
        let synced: Result<(), _> = synced.into_iter().collect();
        synced.map_err(store_failure)?;
        if let Some(journal) = &mut self.journal {
            journal.complete().map_err(sink_failure)?;
        }
        self.totals.rejects_file = self.rejects.commit().map_err(store_failure)?;
        self.totals.quarantine_file = self.quarantine.commit().map_err(store_failure)?;
        self.totals.windows = windows
            .map(WindowsReady::commit)
            .transpose()
            .map_err(store_failure)?;
        if !is_worthless {
            self.output.commit().map_err(store_failure)?;
        }
        if let Some(journal) = self.journal {
            // The output is complete and has its name: the run succeeded.
            if let Err(error) = journal.close(self.leaves_journal) {
                warn(&format!(
                    "the output is complete, but its journal stays: {error}"
                ));
            }
        }
        Ok(self.totals)
    }

    /// The run was ended early. A file is removed, unless it is kept to be resumed; what went into a stream is there, and
    /// its rejects are kept with it.
    pub(crate) fn abandon(mut self, keep: bool) {
        if let Output::Stream(_) = self.output {
            let _ = self.rejects.commit();
            let _ = self.quarantine.commit();
            return;
        }
        self.keep(keep);
    }

    /// Whether the run keeps a journal and can be resumed.
    pub(crate) fn is_resumable(&self) -> bool {
        self.journal.is_some()
    }

    /// Ends a run that failed. Returns whether anything is kept to be resumed.
    pub(crate) fn fail(mut self) -> bool {
        let keep = self.journal.as_ref().is_some_and(JournalWriter::any_done);
        self.keep(keep);
        keep
    }

    fn keep(&mut self, keep: bool) {
        if let (Output::File(part), Some(journal)) = (&mut self.output, &mut self.journal) {
            part.keep(keep);
            journal.keep(keep);
            self.rejects.keep(keep);
            self.quarantine.keep(keep);
        }
    }

    /// What must be on the disk for the journal to be of use.
    fn descriptors(&self) -> Result<Vec<File>, StoreError> {
        let Output::File(part) = &self.output else {
            return Ok(Vec::new());
        };
        let mut files = vec![part.descriptor()?];
        files.extend(folder_of(part.part_path()));
        for file in [&self.rejects, &self.quarantine] {
            let descriptor = file.file().map(LazyFile::descriptor).transpose()?;
            files.extend(descriptor.flatten());
        }
        Ok(files)
    }

    fn reject(&mut self, source: u32, lines_before: u64, reject: &Reject) -> Result<(), BoxError> {
        let at = Place {
            source: self.names.get(source as usize).map_or("", String::as_str),
            // Without order the shards before this one may not be counted yet.
            line: self.ordered.then_some(lines_before + reject.line),
            offset: reject.offset,
        };
        if self.strict {
            return Err(Box::new(Rejected {
                place: at.to_string(),
                reason: reject.reason.clone(),
            }));
        }
        self.rejections.reject(at.source, at.line, reject);
        match &mut self.rejects {
            SetAside::Notices(notices) => {
                notices.tell(at, &reject.reason, self.progress.as_ref());
                Ok(())
            }
            SetAside::File(file) => {
                if reject.quote_line.is_some() || reject.len.is_some() {
                    let quote = reject.quote_line.unwrap_or(reject.line);
                    let quote = Place {
                        line: self.ordered.then_some(lines_before + quote),
                        ..at
                    };
                    self.framing.warn(quote, &reject.reason);
                }
                self.line.clear();
                reject.write(&mut self.line, at.source, at.line);
                Ok(file.append(&self.line)?)
            }
        }
    }

    /// Says so if most records are rejected so far.
    fn judge(&mut self, records: u64) {
        self.rejections.accept(records);
        let Some(warning) = self.rejections.early_warning() else {
            return;
        };
        match &self.progress {
            Some(progress) => progress.above(|| warn(&warning)),
            None => warn(&warning),
        }
    }

    /// Sets a record aside on which workers died, with what is known of their end.
    fn quarantine(
        &mut self,
        source: u32,
        lines_before: u64,
        record: &Reject,
        why: &Quarantined,
    ) -> Result<(), BoxError> {
        let at = Place {
            source: self.names.get(source as usize).map_or("", String::as_str),
            line: self.ordered.then_some(lines_before + record.line),
            offset: record.offset,
        };
        let file = match &mut self.quarantine {
            SetAside::Notices(notices) => {
                notices.tell(at, &quarantine_reason(why), self.progress.as_ref());
                return Ok(());
            }
            SetAside::File(file) => file,
        };
        self.line.clear();
        record.write_quarantined(&mut self.line, at.source, at.line, why);
        Ok(file.append(&self.line)?)
    }

    /// How many bytes of the output file have been given away.
    fn part_len(&self) -> u64 {
        match &self.output {
            Output::File(part) => part.len(),
            Output::Stream(_) => 0,
        }
    }

    fn deliver(&mut self, delivered: &Delivered<'_>) -> Result<Vec<u8>, BoxError> {
        match *delivered {
            Delivered::Inline(bytes) => {
                self.output.append(bytes)?;
                Ok(Vec::new())
            }
            Delivered::Deferred(len) => match &mut self.output {
                Output::File(part) => Ok(wire::encode(&Grant {
                    offset: part.place(len),
                })?),
                Output::Stream(_) => Err("a worker kept what it should have sent".into()),
            },
        }
    }
}

impl ProgressSink for OutputSink {
    fn show(&mut self, mut progress: Option<Progress>) {
        if let Some(progress) = &mut progress {
            progress.advance(self.totals.stored, self.totals.records);
        }
        self.progress = progress;
    }
}

impl Sink for OutputSink {
    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError> {
        let report: Report<'_> = wire::decode(released.report)?;
        let passed = self.lines.entry(report.source).or_default();
        let lines_before = report.first_line + *passed;
        *passed += report.lines;
        for reject in &report.rejects {
            self.reject(report.source, lines_before, reject)?;
        }
        for (record, why) in report.quarantined.iter().zip(released.quarantined) {
            self.quarantine(report.source, lines_before, record, why)?;
        }
        if let (Some(windows), Some(rows)) = (&mut self.windows, &report.rows) {
            windows.fold(report.source, rows)?;
        }
        self.judge(report.records + report.filtered);
        let mut counts = Counts::of(&report);
        self.totals.add(&counts);
        // The journal holds only the posts that matter to the totals.
        let extremes = &self.totals.findings.extremes;
        counts.findings.extremes.keep_those_in(extremes);
        if let Some(progress) = &mut self.progress {
            progress.advance(report.stored, self.totals.records);
        }
        let at = self.part_len();
        let grant = self.deliver(&report.output)?;
        let len = self.part_len() - at;
        if let Some(journal) = &mut self.journal {
            let done = ShardRecord {
                release: journal.releases(),
                index: report.index,
                source: report.source,
                end: report.end,
                output: Extent {
                    at,
                    len,
                    checksum: report.checksum,
                },
                rejects: self.rejects.whole(),
                quarantine: self.quarantine.whole(),
                counts,
            };
            journal.released(released.shard, done);
        }
        Ok(grant)
    }

    fn complete(&mut self, shard: ShardId) -> Result<(), BoxError> {
        let Some(journal) = &mut self.journal else {
            return Ok(());
        };
        journal.completed(shard)?;
        if journal.is_sync_due() {
            let files = self.descriptors()?;
            if let Some(journal) = &mut self.journal {
                journal.sync(files)?;
            }
        }
        Ok(())
    }
}

/// What an error of the sink means to the person who ran the command.
pub(crate) fn sink_failure(error: BoxError) -> Failure {
    match error.downcast::<StoreError>() {
        Ok(error) => store_failure(*error),
        Err(error) => Failure::Failed(anyhow!(error)),
    }
}
