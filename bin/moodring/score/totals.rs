//! Adds up what a run did.

use std::collections::BTreeMap;
use std::path::PathBuf;

use moodring_job::Findings;
use moodring_record::RejectKind;

use super::resume::entry::Counts;
use super::windows::WindowsWritten;

/// The totals of a run, including the work of prior runs that it resumed.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// The part that prior runs did.
    pub(crate) before: Counts,
    pub(crate) shards: u64,
    /// Bytes of input as stored.
    pub(crate) stored: u64,
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    pub(crate) blanks: u64,
    pub(crate) filtered: u64,
    pub(crate) rejects: u64,
    /// The rejects by reason.
    pub(crate) reasons: BTreeMap<RejectKind, u64>,
    pub(crate) findings: Findings,
    pub(crate) quarantined: u64,
    /// Where the rejects are, if there are any.
    pub(crate) rejects_file: Option<PathBuf>,
    /// Where the quarantined records are, if there are any.
    pub(crate) quarantine_file: Option<PathBuf>,
    /// The windows that were written, if they were asked for.
    pub(crate) windows: Option<WindowsWritten>,
    /// What to say if most records were rejected.
    pub(crate) rejects_warning: Option<String>,
}

impl Totals {
    /// Whether all records were rejected, and there were some.
    pub(crate) fn is_worthless(&self) -> bool {
        self.records == 0 && self.filtered == 0 && self.rejects > 0
    }

    /// Marks all totals so far as carried over from prior runs.
    pub(crate) fn mark_as_prior(&mut self) {
        self.before = Counts {
            records: self.records,
            bytes: self.bytes,
            ..Counts::default()
        };
    }

    pub(crate) fn add(&mut self, counts: &Counts) {
        self.shards += 1;
        self.stored += counts.stored;
        self.bytes += counts.bytes;
        self.records += counts.records;
        self.blanks += counts.blanks;
        self.filtered += counts.filtered;
        self.rejects += counts.rejects;
        self.quarantined += counts.quarantined;
        for (&reason, count) in &counts.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        self.findings.merge(&counts.findings);
    }
}
