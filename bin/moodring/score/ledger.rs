//! The end of the pipeline: places each shard's bytes in the output, keeps the rejects, counts.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use moodring_feed::Feed;
use moodring_job::compress::Compressor;
use moodring_job::{Delivered, Grant, Reject, Report, Tally};
use moodring_pool::BoxError;
use moodring_pool::{Quarantined, Released, Sink, wire};
use moodring_record::write_reject;
use moodring_store::{LazyFile, Output};
use thiserror::Error;

use super::plan::Plan;
use crate::exit::Failure;
use crate::run::progress::Progress;
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

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) shards: u64,
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    pub(crate) blanks: u64,
    pub(crate) rejects: u64,
    pub(crate) tally: Tally,
    pub(crate) quarantined: u64,
    /// Where the rejects are, if there are any.
    pub(crate) rejects_file: Option<PathBuf>,
    /// Where the quarantined records are, if there are any.
    pub(crate) quarantine_file: Option<PathBuf>,
}

/// The pool's sink.
pub(crate) struct Ledger {
    output: Output,
    rejects: LazyFile,
    quarantine: LazyFile,
    /// The inputs' names, by source.
    names: Vec<String>,
    /// How many line ends of each source have been released.
    lines: HashMap<u32, u64>,
    ordered: bool,
    strict: bool,
    totals: Totals,
    progress: Option<Progress>,
    line: Vec<u8>,
}

impl Ledger {
    /// Opens the output, and writes its header.
    pub(crate) fn open(plan: &Plan, feed: &Feed, header: &[u8]) -> Result<Self, Failure> {
        let mut output = Output::open(plan.output.as_deref(), plan.force).map_err(store_failure)?;
        let rejects = LazyFile::open(&plan.rejects, plan.replace_rejects).map_err(store_failure)?;
        let quarantine =
            LazyFile::open(&plan.quarantine, plan.replace_quarantine).map_err(store_failure)?;
        // Packed even if there is none: a compressed file without any piece would be a damaged one.
        let mut packed = Vec::new();
        let compressed = Compressor::new(plan.compression)
            .and_then(|mut compressor| compressor.compress(header, &mut packed));
        compressed.map_err(Failure::failed)?;
        output.append(&packed).map_err(store_failure)?;
        Ok(Self {
            output,
            rejects,
            quarantine,
            names: feed
                .inputs()
                .iter()
                .map(|input| input.name.clone())
                .collect(),
            lines: HashMap::new(),
            ordered: !plan.unordered,
            strict: plan.strict,
            totals: Totals::default(),
            progress: None,
            line: Vec::new(),
        })
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
        let lazy = [&self.rejects, &self.quarantine].map(|file| {
            let mut name = file.path().as_os_str().to_owned();
            name.push(".part");
            name.into()
        });
        part.into_iter().chain(lazy).collect()
    }

    /// Shows `progress` from now on.
    pub(crate) fn watch(&mut self, progress: Progress) {
        self.progress = Some(progress);
    }

    /// Takes the progress display away.
    pub(crate) fn stop_watching(&mut self) {
        self.progress = None;
    }

    /// The run is complete: the output appears under its name.
    pub(crate) fn commit(mut self) -> Result<Totals, Failure> {
        self.output.commit().map_err(store_failure)?;
        let commit = |file: LazyFile| {
            let path = file.path().to_owned();
            file.commit()
                .map(|written| written.then_some(path))
                .map_err(store_failure)
        };
        self.totals.rejects_file = commit(self.rejects)?;
        self.totals.quarantine_file = commit(self.quarantine)?;
        Ok(self.totals)
    }

    /// The run was ended early. A file vanishes; what went into a stream is there, and its rejects are kept with it.
    pub(crate) fn abandon(self) {
        if let Output::Stream(_) = self.output {
            let _ = self.rejects.commit();
            let _ = self.quarantine.commit();
        }
    }

    fn reject(&mut self, source: u32, lines_before: u64, reject: &Reject) -> Result<(), BoxError> {
        let name = self.names.get(source as usize).map_or("", String::as_str);
        // Without order the shards before this one may not be counted yet.
        let line = self.ordered.then_some(lines_before + reject.line);
        if self.strict {
            let place = match line {
                Some(line) => format!("{name}: line {line} (byte {})", reject.offset),
                None => format!("{name}: byte {}", reject.offset),
            };
            return Err(Box::new(Rejected {
                place,
                reason: reject.reason.clone(),
            }));
        }
        self.line.clear();
        write_reject(
            &mut self.line,
            name,
            line,
            reject.offset,
            &reject.reason,
            &reject.raw,
        );
        Ok(self.rejects.append(&self.line)?)
    }

    /// Sets a record aside on which workers died, with what is known of their end.
    fn quarantine(
        &mut self,
        source: u32,
        lines_before: u64,
        record: &Reject,
        why: &Quarantined,
    ) -> Result<(), BoxError> {
        let name = self.names.get(source as usize).map_or("", String::as_str);
        let line = self.ordered.then_some(lines_before + record.line);
        let reason = format!(
            "{} workers died on it; the last one {}",
            why.attempts, why.exit
        );
        self.line.clear();
        write_reject(
            &mut self.line,
            name,
            line,
            record.offset,
            &reason,
            &record.raw,
        );
        // The line is an object: what belongs to a quarantine alone goes in before its end.
        self.line
            .truncate(self.line.trim_ascii_end().len().saturating_sub(1));
        let words = serde_json::to_string(&why.last_words)?;
        writeln!(
            self.line,
            ",\"cause\":\"{}\",\"attempts\":{},\"stderr\":{words}}}",
            why.exit, why.attempts
        )?;
        Ok(self.quarantine.append(&self.line)?)
    }

    fn deliver(&mut self, delivered: &Delivered<'_>) -> Result<Vec<u8>, BoxError> {
        match *delivered {
            Delivered::Here(bytes) => {
                self.output.append(bytes)?;
                Ok(Vec::new())
            }
            Delivered::Kept(len) => match &mut self.output {
                Output::File(part) => Ok(wire::encode(&Grant {
                    offset: part.place(len),
                })?),
                Output::Stream(_) => Err("a worker kept what it should have sent".into()),
            },
        }
    }
}

impl Sink for Ledger {
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
        let totals = &mut self.totals;
        totals.quarantined += report.quarantined.len() as u64;
        totals.shards += 1;
        totals.bytes += report.bytes;
        totals.records += report.records;
        totals.blanks += report.blanks;
        totals.rejects += report.rejects.len() as u64;
        totals.tally.merge(&report.tally);
        if let Some(progress) = &mut self.progress {
            progress.advance(report.stored, self.totals.records);
        }
        self.deliver(&report.output)
    }
}
