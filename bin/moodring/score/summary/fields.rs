//! The fields of a summary, as JSON has them.

use std::collections::BTreeMap;

use moodring_job::{BINS, Extreme, Tally};
use moodring_score::SentimentClass;
use serde::Serialize;

/// The summary as JSON: one object on one line. Seconds, bytes and counts; shares are parts of 1.
#[derive(Debug, Serialize)]
pub(super) struct Summary<'a> {
    pub(super) records: u64,
    pub(super) records_before: u64,
    pub(super) rejects: u64,
    pub(super) rejects_by_reason: BTreeMap<&'static str, u64>,
    pub(super) quarantined: u64,
    /// Records in other languages than asked for, or with none of the tracked terms.
    pub(super) filtered: u64,
    pub(super) blank_lines: u64,
    pub(super) bytes: u64,
    pub(super) seconds: f64,
    pub(super) records_per_second: f64,
    pub(super) bytes_per_second: f64,
    pub(super) models: Vec<ModelSummary<'a>>,
    /// How quotes were read, for each table format among the inputs.
    pub(super) quoting: BTreeMap<String, String>,
    /// Of the first model, as the next ones.
    pub(super) mean: Option<f64>,
    pub(super) positive: u64,
    pub(super) neutral: u64,
    pub(super) negative: u64,
    pub(super) most_positive: Vec<Post<'a>>,
    pub(super) most_negative: Vec<Post<'a>>,
    pub(super) language_judged: u64,
    pub(super) language_foreign: u64,
    /// Records that have a field for which the table has no column.
    pub(super) records_without_column: u64,
    pub(super) workers: u32,
    pub(super) restarts: u64,
    pub(super) shards: u64,
    pub(super) output: Option<String>,
    pub(super) rejects_file: Option<String>,
    pub(super) quarantine_file: Option<String>,
    pub(super) windows_file: Option<String>,
    /// Windows that were written, the groups that have any, and the posts that were left out of them as duplicates.
    pub(super) windows: u64,
    pub(super) window_groups: u64,
    pub(super) window_duplicates: u64,
    pub(super) cpu_seconds: f64,
    pub(super) supervisor_cpu_seconds: f64,
    pub(super) supervisor_peak_rss_bytes: u64,
}

/// The primary scores of a model.
#[derive(Debug, Serialize)]
pub(super) struct ModelSummary<'a> {
    pub(super) name: &'a str,
    pub(super) mean: Option<f64>,
    pub(super) positive: u64,
    pub(super) neutral: u64,
    pub(super) negative: u64,
    /// Counts in ten equal parts of −1..1.
    pub(super) histogram: [u64; BINS],
}

impl<'a> ModelSummary<'a> {
    pub(super) fn new(name: &'a str, tally: &Tally) -> Self {
        Self {
            name,
            mean: tally.mean(),
            positive: tally.of(SentimentClass::Positive),
            neutral: tally.of(SentimentClass::Neutral),
            negative: tally.of(SentimentClass::Negative),
            histogram: tally.bins(),
        }
    }
}

/// A post at one of the ends, and its primary score.
#[derive(Debug, Serialize)]
pub(super) struct Post<'a> {
    pub(super) score: f64,
    pub(super) text: &'a str,
}

impl<'a> Post<'a> {
    pub(super) fn all(extremes: &'a [Extreme]) -> Vec<Self> {
        let post = |extreme: &'a Extreme| Self {
            score: extreme.score(),
            text: extreme.text(),
        };
        extremes.iter().map(post).collect()
    }
}
