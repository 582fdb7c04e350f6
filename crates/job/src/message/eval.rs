//! The messages of a run that compares scores with labels.

use serde::{Deserialize, Serialize};

use super::reject::Reject;
use crate::eval::{Agreement, LabelMap};
use crate::model::Model;

/// How many different labels that mean nothing are kept as examples.
const EXAMPLES: usize = 10;

/// How scores are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvalSetup {
    /// The models.
    pub models: Vec<Model>,
    /// The user's own labels.
    pub labels: LabelMap,
}

/// What came of a shard.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EvalReport {
    /// Which input it is from.
    pub source: u32,
    /// See [`Task::stored`](crate::Task::stored).
    pub stored: u64,
    /// Records read, whatever their label.
    pub records: u64,
    /// Records without a label.
    pub unlabelled: u64,
    /// Records with a label that means nothing.
    pub unknown: u64,
    /// The first of those labels.
    pub unknown_labels: Vec<String>,
    /// By model.
    pub agreements: Vec<Agreement>,
    /// Line ends passed.
    pub lines: u64,
    /// The number of the input's first line that is a record.
    pub first_line: u64,
    /// The records that could not be read.
    pub rejects: Vec<Reject>,
    /// The records that were left out because workers died on them.
    pub quarantined: Vec<Reject>,
}

impl EvalReport {
    /// Counts a label that means nothing.
    pub(crate) fn unknown(&mut self, label: &str) {
        self.unknown += 1;
        self.keep_example(label);
    }

    /// Keeps a label as an example if there is room.
    pub fn keep_example(&mut self, label: &str) {
        if self.unknown_labels.len() < EXAMPLES
            && !self.unknown_labels.iter().any(|known| known == label)
        {
            self.unknown_labels.push(label.to_owned());
        }
    }
}
