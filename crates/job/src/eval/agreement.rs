//! What is counted of one model's scores and the labels, mergeable exactly.

use moodring_score::SentimentClass;
use serde::{Deserialize, Serialize};

use super::label::{Meaning, SLOTS};

/// Units per 1.0 of a primary score, in −1..1.
const SCORE_SCALE: f64 = 1e9;
/// Units per 1.0 of a label, in −1000..1000. With both, products of the sums of 10¹⁰ records fit into 128 bits.
const LABEL_SCALE: f64 = 1e6;

/// How often which label met which class, and the sums that Pearson's r is made of. Sums are integers, so that they do
/// not depend on how the input was cut.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// By slot of the label and class of the score.
    pub(super) met: [[u64; 3]; SLOTS],
    pub(super) sums: Sums,
}

/// Sums over the records whose label is a number: x is the score, y the label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    n: i128,
    x: i128,
    y: i128,
    xx: i128,
    yy: i128,
    xy: i128,
}

impl Agreement {
    /// Counts a record with this primary score and label.
    pub(super) fn add(&mut self, primary: f64, label: Meaning) {
        self.met[label.slot][SentimentClass::of(primary) as usize] += 1;
        if let Some(number) = label.number {
            self.sums.add(primary, number);
        }
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        let all = self.met.iter_mut().flatten();
        for (here, there) in all.zip(other.met.iter().flatten()) {
            *here += there;
        }
        self.sums.merge(&other.sums);
    }
}

impl Sums {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "both are far below 2^63 when scaled"
    )]
    fn add(&mut self, score: f64, label: f64) {
        let x = i128::from((score * SCORE_SCALE).round() as i64);
        let y = i128::from((label * LABEL_SCALE).round() as i64);
        self.n += 1;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.yy += y * y;
        self.xy += x * y;
    }

    fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.x += other.x;
        self.y += other.y;
        self.xx += other.xx;
        self.yy += other.yy;
        self.xy += other.xy;
    }

    /// Pearson's correlation coefficient, −1..1; `None` unless both score and label vary.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the differences are exact; what is lost here is below 1e-15 of the result"
    )]
    pub(super) fn pearson(&self) -> Option<f64> {
        let Self {
            n,
            x,
            y,
            xx,
            yy,
            xy,
        } = *self;
        let (of_x, of_y) = (n * xx - x * x, n * yy - y * y);
        let together = n * xy - x * y;
        (of_x > 0 && of_y > 0)
            .then(|| together as f64 / ((of_x as f64).sqrt() * (of_y as f64).sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::label::LabelMap;
    use super::*;

    fn agreement(records: &[(f64, &str)]) -> Agreement {
        let mut agreement = Agreement::default();
        for (primary, label) in records {
            agreement.add(*primary, LabelMap::default().meaning(label).unwrap());
        }
        agreement
    }

    #[test]
    fn the_coefficient_is_pearsons() {
        // By hand: deviations (−0.4, 0, 0.4) and (−2, 1, 1), so 1.2 / sqrt(0.32 × 6).
        let r = agreement(&[(-0.3, "-1"), (0.1, "2"), (0.5, "2")])
            .sums
            .pearson();
        assert!((r.unwrap() - 1.2 / 1.92_f64.sqrt()).abs() < 1e-12);
        assert_eq!(agreement(&[(0.1, "3"), (0.5, "3")]).sums.pearson(), None);
        assert_eq!(agreement(&[(0.1, "positive")]).sums.pearson(), None);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let records = [(-0.3, "-1"), (0.1, "neg"), (0.5, "2.25"), (0.04, "0")];
        for cut in 0..=records.len() {
            let mut merged = agreement(&records[..cut]);
            merged.merge(&agreement(&records[cut..]));
            assert_eq!(merged, agreement(&records));
        }
    }
}
