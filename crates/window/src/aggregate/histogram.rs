//! How often each score occurs, on a grid of a thousandth.

use serde::{Deserialize, Serialize};

use crate::score::Score;

/// Counts of scores rounded to three decimals. Only the ones that occur take room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// Thousandths and their counts, ascending.
    bins: Vec<(i32, u64)>,
}

impl Histogram {
    /// Counts a score.
    pub fn add(&mut self, score: Score) {
        self.add_many(score.thousandths(), 1);
    }

    fn add_many(&mut self, thousandths: i32, count: u64) {
        match self.bins.binary_search_by_key(&thousandths, |bin| bin.0) {
            Ok(at) => self.bins[at].1 += count,
            Err(at) => self.bins.insert(at, (thousandths, count)),
        }
    }

    /// Adds the counts of another one.
    pub fn merge(&mut self, other: &Self) {
        if self.bins.is_empty() {
            self.bins.clone_from(&other.bins);
            return;
        }
        for &(thousandths, count) in &other.bins {
            self.add_many(thousandths, count);
        }
    }

    /// The bins that occur, ascending: a score in thousandths and its count.
    #[must_use]
    pub fn bins(&self) -> &[(i32, u64)] {
        &self.bins
    }

    /// The smallest score such that at least `percent` of all are at most that (nearest rank); `None` if there are none.
    #[must_use]
    pub fn quantile(&self, percent: u64) -> Option<f64> {
        let count: u64 = self.bins.iter().map(|bin| bin.1).sum();
        let rank = u128::from(count) * u128::from(percent.min(100));
        let rank = rank.div_ceil(100).max(1);
        let mut passed = 0;
        self.bins
            .iter()
            .find(|bin| {
                passed += u128::from(bin.1);
                passed >= rank
            })
            .map(|bin| f64::from(bin.0) / 1000.0)
    }
}
