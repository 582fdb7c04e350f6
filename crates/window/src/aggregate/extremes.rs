//! The most positive and the most negative posts.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::score::Score;
use crate::time::Timestamp;

/// How many posts of each kind are kept.
pub const EXTREMES: usize = 3;

/// A post, as far as a window shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// How positive it is.
    pub score: Score,
    /// When it was written.
    pub time: Timestamp,
    /// A hash of its source and id, if it has an id.
    pub id: Option<u64>,
    /// A hash of its text, which tells posts apart that are alike otherwise.
    pub text_hash: u64,
    /// The text to show, if it is kept.
    pub text: Option<Arc<str>>,
}

impl Sample {
    /// The order among posts of one score: the earlier one first, then by id and text.
    fn tie(&self) -> (Timestamp, Option<u64>, u64) {
        (self.time, self.id, self.text_hash)
    }
}

/// The [`EXTREMES`] most positive posts of a set and the most negative ones. A post with a score of zero is neither. Which
/// ones these are does not depend on the order in which posts are added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extremes {
    positive: Vec<Sample>,
    negative: Vec<Sample>,
}

impl Extremes {
    /// Whether a post may be among these once it is added: false only if it is not, whatever its text is.
    #[must_use]
    pub fn may_hold(&self, sample: &Sample) -> bool {
        let kept = match sample.score.cmp(&Score::ZERO) {
            Ordering::Greater => &self.positive,
            Ordering::Less => &self.negative,
            Ordering::Equal => return false,
        };
        let order = |sample: &Sample| {
            let extremity = sample.score.millionths().unsigned_abs();
            (Reverse(extremity), sample.time, sample.id)
        };
        let last = kept.get(EXTREMES - 1);
        last.is_none_or(|last| order(sample) <= order(last))
    }

    /// Takes a post into account.
    pub fn add(&mut self, sample: &Sample) {
        match sample.score.cmp(&Score::ZERO) {
            Ordering::Greater => keep(&mut self.positive, sample),
            Ordering::Less => keep(&mut self.negative, sample),
            Ordering::Equal => {}
        }
    }

    /// Takes the posts of another set into account.
    pub fn merge(&mut self, other: &Self) {
        for sample in &other.positive {
            keep(&mut self.positive, sample);
        }
        for sample in &other.negative {
            keep(&mut self.negative, sample);
        }
    }

    /// The most positive posts, the most positive first.
    #[must_use]
    pub fn positive(&self) -> &[Sample] {
        &self.positive
    }

    /// The most negative posts, the most negative first.
    #[must_use]
    pub fn negative(&self) -> &[Sample] {
        &self.negative
    }

    /// Erases the text of the posts with this id, and says whether there was one.
    pub(super) fn erase(&mut self, id: u64) -> bool {
        let mut erased = false;
        for sample in self.positive.iter_mut().chain(&mut self.negative) {
            if sample.id == Some(id) && sample.text.take().is_some() {
                erased = true;
            }
        }
        erased
    }
}

/// Inserts a post where it belongs among `kept`, all of one sign, the most extreme first.
fn keep(kept: &mut Vec<Sample>, sample: &Sample) {
    let is_before = |other: &Sample| {
        let extremity = |sample: &Sample| sample.score.millionths().unsigned_abs();
        extremity(sample)
            .cmp(&extremity(other))
            .then_with(|| other.tie().cmp(&sample.tie()))
            == Ordering::Greater
    };
    let at = kept.iter().position(is_before).unwrap_or(kept.len());
    if at < EXTREMES {
        kept.truncate(EXTREMES - 1);
        kept.insert(at, sample.clone());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> impl Strategy<Value = Sample> {
        (-2..=2_i8, 0..2_i64, prop::option::of(0..2_u64), 0..2_u64).prop_map(
            |(score, time, id, text_hash)| Sample {
                score: Score::from_f64(f64::from(score)).unwrap(),
                time: Timestamp::from_micros(time),
                id,
                text_hash,
                text: None,
            },
        )
    }

    proptest! {
        #[test]
        fn a_post_that_may_not_be_held_is_not(
            samples in prop::collection::vec(sample(), 0..12),
            next in sample(),
        ) {
            let mut extremes = Extremes::default();
            for sample in &samples {
                extremes.add(sample);
            }
            let before = extremes.clone();
            let may_hold = extremes.may_hold(&next);
            extremes.add(&next);
            prop_assert!(may_hold || extremes == before);
        }
    }
}
