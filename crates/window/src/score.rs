//! Scores as integers.

use serde::{Deserialize, Serialize};

/// A score in millionths: exact for models that round to six decimals or fewer, and summed without rounding.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Score(i32);

impl Score {
    /// Neither positive nor negative.
    pub const ZERO: Self = Self(0);

    /// The score nearest to `score`, halves away from zero; `None` if it is not a number or outside −2000..2000.
    #[must_use]
    pub fn from_f64(score: f64) -> Option<Self> {
        let millionths = (score * 1e6).round();
        #[expect(clippy::cast_possible_truncation, reason = "it is within ±2·10⁹")]
        (millionths.abs() <= 2e9).then_some(Self(millionths as i32))
    }

    /// The score times a million.
    #[must_use]
    pub fn millionths(self) -> i32 {
        self.0
    }

    /// The score times a thousand, halves rounded away from zero.
    #[must_use]
    pub fn thousandths(self) -> i32 {
        // Up to 2·10⁹ and 500 fit, with 2³¹ − 1 at 2.147·10⁹.
        (self.0 + 500 * self.0.signum()) / 1000
    }
}

/// The three classes of posts, in the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Class {
    /// The model calls it negative.
    Negative,
    /// Neither.
    Neutral,
    /// The model calls it positive.
    Positive,
}

impl Class {
    /// All classes, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Negative, Self::Neutral, Self::Positive];

    /// The class of a score by the thresholds of VADER's authors, ±0.05.
    #[must_use]
    pub fn of(score: f64) -> Self {
        if score >= 0.05 {
            Self::Positive
        } else if score <= -0.05 {
            Self::Negative
        } else {
            Self::Neutral
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_rounded_half_away_from_zero() {
        let score = |score| Score::from_f64(score).unwrap();
        assert_eq!(score(0.9469).millionths(), 946_900);
        assert_eq!(score(-1.0 / 3.0).millionths(), -333_333);
        assert_eq!(score(0.0005).thousandths(), 1);
        assert_eq!(score(-0.0005).thousandths(), -1);
        assert_eq!(score(0.000_499).thousandths(), 0);
        assert_eq!(score(2000.0).thousandths(), 2_000_000);
        assert_eq!(Score::from_f64(f64::NAN), None);
        assert_eq!(Score::from_f64(f64::INFINITY), None);
    }
}
