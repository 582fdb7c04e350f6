//! The statistics of scored records.

use serde::{Deserialize, Serialize};

use crate::extremes::Extremes;
use crate::language::Language;
use crate::tally::Tally;

/// The statistics of some scored records. They do not depend on how the input is cut into shards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// The primary scores of each model, in the order of the models.
    pub tallies: Vec<Tally>,
    /// The posts at the ends of the first model's primary score.
    pub extremes: Extremes,
    /// Whether a sample of the posts looks English.
    pub language: Language,
    /// The records whose table has no column for one of their fields.
    #[serde(default)]
    pub without_column: WithoutColumn,
}

/// Records with a field that has no column in a table of all fields, because the heads of the inputs do not contain
/// it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithoutColumn {
    /// The number of records.
    pub records: u64,
    /// The first of them, by the shard's number in the input and the record's in the shard, and the field.
    first: Option<((u64, u64), String)>,
}

/// Maximum number of characters of a field's name that are kept.
const MAX_CHARS: usize = 80;

impl WithoutColumn {
    /// Counts a record at this place with this field.
    #[cold]
    pub(crate) fn add(&mut self, place: (u64, u64), field: &str) {
        self.records += 1;
        if self.first.as_ref().is_none_or(|(first, _)| place < *first) {
            let field = field.chars().take(MAX_CHARS).collect();
            self.first = Some((place, field));
        }
    }

    /// Returns the field of the first record.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.first.as_ref().map(|(_, field)| field.as_str())
    }

    fn merge(&mut self, other: &Self) {
        self.records += other.records;
        let both = [self.first.take(), other.first.clone()];
        self.first = both.into_iter().flatten().min();
    }
}

impl Findings {
    /// Adds the statistics of `other`.
    pub fn merge(&mut self, other: &Self) {
        if self.tallies.len() < other.tallies.len() {
            self.tallies.resize(other.tallies.len(), Tally::default());
        }
        for (mine, theirs) in self.tallies.iter_mut().zip(&other.tallies) {
            mine.merge(theirs);
        }
        self.extremes.merge(&other.extremes);
        self.language.merge(other.language);
        self.without_column.merge(&other.without_column);
    }

    /// Returns the primary scores of the first model.
    #[must_use]
    pub fn first(&self) -> Tally {
        self.tallies.first().copied().unwrap_or_default()
    }
}
