//! The summary of any number of scored records, which merges exactly.
//!
//! Sums are kept as integers: a sum of doubles would depend on how the input was cut into shards.

use moodring_score::SentimentClass;
use serde::{Deserialize, Serialize};

/// Units per 1.0 of a primary score. VADER's are multiples of 1e-4 and exact in this; a double in −1..1 is rounded by
/// less than 1e-12.
const SCALE: f64 = 1e12;

/// The bins of the histogram: as many as there are, of equal width, from −1 to 1.
pub const BINS: usize = 10;

/// The width of a bin, in units.
const BIN_WIDTH: u64 = 200_000_000_000;

/// The score −1, in units.
const LOWEST: i64 = -1_000_000_000_000;

/// A score in −1..1, in units.
#[inline]
pub(crate) fn units(score: f64) -> i64 {
    nearest(score * SCALE)
}

/// Returns the integer that [`f64::round`] gives. That one is a call for each record, because not every x86-64 processor
/// has an instruction for it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a primary score in units is far below 2^53"
)]
#[inline]
fn nearest(value: f64) -> i64 {
    let whole = value as i64;
    let rest = value - whole as f64;
    whole.saturating_add(i64::from(rest >= 0.5) - i64::from(rest <= -0.5))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "scores are shown with a few digits"
)]
pub(crate) fn from_units(units: i128) -> f64 {
    units as f64 / SCALE
}

/// Count, sum, classes and histogram of the primary scores of some records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    count: u64,
    sum: i128,
    classes: [u64; 3],
    bins: [u64; BINS],
}

impl Tally {
    /// Counts one record whose primary score, in −1..1, this is. Returns the score in units.
    #[inline]
    pub fn add(&mut self, primary: f64, class: SentimentClass) -> i64 {
        let primary = units(primary);
        self.count += 1;
        self.sum += i128::from(primary);
        self.classes[class as usize] += 1;
        self.bins[bin(primary)] += 1;
        primary
    }

    /// Counts what `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        for (mine, theirs) in self.classes.iter_mut().zip(other.classes) {
            *mine += theirs;
        }
        for (mine, theirs) in self.bins.iter_mut().zip(other.bins) {
            *mine += theirs;
        }
    }

    /// How many records were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean primary score, if anything was counted.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a mean is shown with a few digits"
    )]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| from_units(self.sum) / self.count as f64)
    }

    /// Returns the histogram: how many scores lie in each of [`BINS`] equal parts of −1..1. A score between two of them
    /// belongs to the upper one.
    #[must_use]
    pub fn bins(&self) -> [u64; BINS] {
        self.bins
    }

    /// How many records fell into a class.
    #[must_use]
    pub fn of(&self, class: SentimentClass) -> u64 {
        self.classes[class as usize]
    }
}

/// The bin that a score in units belongs to.
#[inline]
fn bin(units: i64) -> usize {
    let above_lowest = units.saturating_sub(LOWEST);
    let bin = u64::try_from(above_lowest).unwrap_or(0) / BIN_WIDTH;
    usize::try_from(bin).unwrap_or(BINS).min(BINS - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally(scores: &[f64]) -> Tally {
        let mut tally = Tally::default();
        for &score in scores {
            tally.add(score, SentimentClass::of(score));
        }
        tally
    }

    #[test]
    fn a_tally_does_not_depend_on_the_cut() {
        let scores = [0.1, 0.2, -0.7, 0.0, 1e-3, 0.3];
        let whole = tally(&scores);
        for cut in 0..scores.len() {
            let mut merged = tally(&scores[cut..]);
            merged.merge(&tally(&scores[..cut]));
            assert_eq!(merged, whole);
        }
    }

    #[test]
    fn the_mean_and_the_classes_are_those_of_the_records() {
        let tally = tally(&[0.5, -0.5, 0.25, 0.01]);
        assert!((tally.mean().unwrap() - 0.065).abs() < 1e-12);
        assert_eq!(SentimentClass::ALL.map(|class| tally.of(class)), [1, 1, 2]);
        assert_eq!(Tally::default().mean(), None);
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        // The first is the largest double below a half.
        for (value, integer) in [
            (0.499_999_999_999_999_94, 0),
            (0.5, 1),
            (1.5, 2),
            (2.5, 3),
            (999_999_999_999.5, 1_000_000_000_000),
        ] {
            assert_eq!(nearest(value), integer, "{value}");
            assert_eq!(nearest(-value), -integer, "-{value}");
        }
    }

    proptest! {
        #[test]
        fn units_are_rounded_as_doubles_are(score in -1.0..=1.0, near_zero in -10.0..10.0) {
            prop_assert_eq!(units(score), rounded(score * SCALE));
            prop_assert_eq!(nearest(near_zero), rounded(near_zero));
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "units fit")]
    fn rounded(value: f64) -> i64 {
        value.round() as i64
    }

    #[test]
    fn a_score_between_two_bins_belongs_to_the_upper_one() {
        let bins = tally(&[
            -1.0, -0.8, -0.2, -0.0001, 0.0, 0.1999, 0.2, 0.8, 0.9999, 1.0,
        ])
        .bins();
        assert_eq!(bins, [1, 1, 0, 0, 2, 2, 1, 0, 0, 3]);
    }
}
