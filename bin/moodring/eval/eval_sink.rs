//! Adds up what the pool releases.

use std::collections::{HashMap, HashSet};

use moodring_feed::Feed;
use moodring_job::EvalReport;
use moodring_job::Reject;
use moodring_job::eval::Agreement;
use moodring_pool::{BoxError, Released, Sink, wire};

use crate::run::progress::Progress;
use crate::run::rejections::Rejections;
use crate::run::session::ProgressSink;

/// How many skipped records are told of one by one.
const TOLD: u64 = 5;

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) records: u64,
    pub(crate) unlabelled: u64,
    pub(crate) unknown: u64,
    pub(crate) unknown_labels: Vec<String>,
    pub(crate) rejects: u64,
    pub(crate) quarantined: u64,
    /// By model.
    pub(crate) agreements: Vec<Agreement>,
    /// The inputs without any record, not even a malformed one.
    pub(crate) empty: Vec<String>,
    /// What to say if most records were rejected.
    pub(crate) rejects_warning: Option<String>,
}

/// The pool's sink.
pub(crate) struct EvalSink {
    /// The inputs' names, by source.
    names: Vec<String>,
    /// How many line ends of each source have been released.
    lines: HashMap<u32, u64>,
    /// Which inputs have a record.
    filled: HashSet<u32>,
    sum: EvalReport,
    rejections: Rejections,
    rejects: u64,
    quarantined: u64,
    progress: Option<Progress>,
}

impl EvalSink {
    pub(crate) fn new(feed: &Feed, models: usize, text_field: &str) -> Self {
        let names = feed.inputs().iter().map(|input| input.name.clone());
        Self {
            names: names.collect(),
            lines: HashMap::new(),
            filled: HashSet::new(),
            rejections: Rejections::new(text_field),
            sum: EvalReport {
                agreements: vec![Agreement::default(); models],
                ..EvalReport::default()
            },
            rejects: 0,
            quarantined: 0,
            progress: None,
        }
    }

    /// What it all came to.
    pub(crate) fn close(self) -> Totals {
        let sources = (0..).zip(&self.names);
        let empty = sources.filter(|(source, _)| !self.filled.contains(source));
        Totals {
            empty: empty.map(|(_, name)| name.clone()).collect(),
            rejects_warning: self
                .rejections
                .final_warning(self.sum.records, self.rejects),
            records: self.sum.records,
            unlabelled: self.sum.unlabelled,
            unknown: self.sum.unknown,
            unknown_labels: self.sum.unknown_labels,
            rejects: self.rejects,
            quarantined: self.quarantined,
            agreements: self.sum.agreements,
        }
    }

    /// Says where a skipped record is, and why it was skipped. It stays in the input; this command writes no files.
    fn told(&self, source: u32, lines_before: u64, record: &Reject, reason: &str) -> String {
        let name = self.names.get(source as usize).map_or("", String::as_str);
        let line = lines_before + record.line;
        format!("{name}: line {line} (byte {}): {reason}", record.offset)
    }
}

impl ProgressSink for EvalSink {
    fn show(&mut self, progress: Option<Progress>) {
        self.progress = progress;
    }
}

impl Sink for EvalSink {
    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError> {
        let report: EvalReport = wire::decode(released.report)?;
        let passed = self.lines.entry(report.source).or_default();
        let lines_before = report.first_line + *passed;
        *passed += report.lines;
        for reject in &report.rejects {
            self.rejects += 1;
            if self.rejects <= TOLD {
                let told = self.told(report.source, lines_before, reject, &reject.reason);
                tracing::warn!("skipped {told}");
            }
            let name = self
                .names
                .get(report.source as usize)
                .map_or("", String::as_str);
            let line = Some(lines_before + reject.line);
            self.rejections.reject(name, line, reject);
        }
        for (record, why) in report.quarantined.iter().zip(released.quarantined) {
            self.quarantined += 1;
            let reason = format!(
                "{} workers died on it; the last one {}",
                why.attempts, why.exit
            );
            let told = self.told(report.source, lines_before, record, &reason);
            tracing::warn!("skipped {told}");
        }
        if report.records > 0 || !report.rejects.is_empty() || !report.quarantined.is_empty() {
            self.filled.insert(report.source);
        }
        self.sum.records += report.records;
        self.sum.unlabelled += report.unlabelled;
        self.sum.unknown += report.unknown;
        for label in &report.unknown_labels {
            self.sum.keep_example(label);
        }
        for (sum, agreement) in self.sum.agreements.iter_mut().zip(&report.agreements) {
            sum.merge(agreement);
        }
        if let Some(progress) = &mut self.progress {
            progress.advance(report.stored, self.sum.records);
        }
        Ok(Vec::new())
    }
}
