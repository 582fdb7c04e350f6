//! What scored records show together, beside what is written of each.

use serde::{Deserialize, Serialize};

use crate::extremes::Extremes;
use crate::language::Language;
use crate::tally::Tally;

/// The statistics of any number of scored records. They merge exactly: no cut into shards changes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// The primary scores of each model, in the order of the models.
    pub tallies: Vec<Tally>,
    /// The posts at the ends of the first model's primary score.
    pub extremes: Extremes,
    /// Whether a sample of the posts looks English.
    pub language: Language,
}

impl Findings {
    /// Takes in what `other` has.
    pub fn merge(&mut self, other: &Self) {
        if self.tallies.len() < other.tallies.len() {
            self.tallies.resize(other.tallies.len(), Tally::default());
        }
        for (mine, theirs) in self.tallies.iter_mut().zip(&other.tallies) {
            mine.merge(theirs);
        }
        self.extremes.merge(&other.extremes);
        self.language.merge(other.language);
    }

    /// Returns the primary scores of the first model.
    #[must_use]
    pub fn first(&self) -> Tally {
        self.tallies.first().copied().unwrap_or_default()
    }
}
