//! The most positive and the most negative posts of some scored records. The merge of two sets does not depend on the
//! order.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

/// How many posts are kept at each end.
const KEPT: usize = 3;

/// Maximum number of characters of a post that are kept.
const MAX_CHARS: usize = 280;

/// The posts with the highest and the lowest primary scores. Posts of equal score are in input order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extremes {
    positive: Vec<Extreme>,
    negative: Vec<Extreme>,
}

/// A post at one of the ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extreme {
    /// The primary score, in units of [`Tally`](crate::Tally).
    score: i64,
    /// The index of the shard in the input, and of the record in the shard.
    place: (u64, u64),
    /// The beginning of the text.
    text: String,
}

impl Extreme {
    /// Returns the primary score.
    #[must_use]
    pub fn score(&self) -> f64 {
        crate::tally::from_units(self.score.into())
    }

    /// Returns at most the first 280 characters of the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Extremes {
    /// Adds the record at this place, with its score in units. The records of a shard must be added in order.
    #[inline]
    pub(crate) fn add(&mut self, score: i64, place: (u64, u64), text: &str) {
        let is_extreme = match score {
            1.. => self
                .positive
                .get(KEPT - 1)
                .is_none_or(|last| score > last.score),
            ..0 => self
                .negative
                .get(KEPT - 1)
                .is_none_or(|last| score < last.score),
            0 => false,
        };
        if is_extreme {
            self.insert(score, place, text);
        }
    }

    #[cold]
    fn insert(&mut self, score: i64, place: (u64, u64), text: &str) {
        let list = if score > 0 {
            &mut self.positive
        } else {
            &mut self.negative
        };
        let text = beginning(text).to_owned();
        list.push(Extreme { score, place, text });
        self.sort();
    }

    /// Adds the posts of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.positive.extend_from_slice(&other.positive);
        self.negative.extend_from_slice(&other.negative);
        self.sort();
    }

    /// Drops the posts that are not in `whole`, which includes these. They cannot be in a larger set either.
    pub fn keep_those_in(&mut self, whole: &Self) {
        self.positive.retain(|post| whole.positive.contains(post));
        self.negative.retain(|post| whole.negative.contains(post));
    }

    /// Returns the posts with the highest scores above zero, the highest first.
    #[must_use]
    pub fn positive(&self) -> &[Extreme] {
        &self.positive
    }

    /// Returns the posts with the lowest scores below zero, the lowest first.
    #[must_use]
    pub fn negative(&self) -> &[Extreme] {
        &self.negative
    }

    fn sort(&mut self) {
        self.positive
            .sort_by_key(|post| (Reverse(post.score), post.place));
        self.negative.sort_by_key(|post| (post.score, post.place));
        self.positive.truncate(KEPT);
        self.negative.truncate(KEPT);
    }
}

/// Returns the part of a text that is kept.
fn beginning(text: &str) -> &str {
    // Fast path: almost all posts are shorter, even in bytes.
    if text.len() <= MAX_CHARS {
        return text;
    }
    let end = text.char_indices().nth(MAX_CHARS);
    end.map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tally::units;

    /// The extremes of posts with these scores in tenths, in shards of `size`, merged in the order of `order`.
    fn extremes(scores: &[i8], size: usize, is_reversed: bool) -> Vec<(f64, String)> {
        let mut shards: Vec<Extremes> = scores
            .chunks(size)
            .zip(0..)
            .map(|(chunk, shard)| {
                let mut extremes = Extremes::default();
                for (record, &score) in chunk.iter().enumerate() {
                    let place = (shard, record as u64);
                    let text = format!("post {}", shard * size as u64 + record as u64);
                    extremes.add(units(f64::from(score) / 10.0), place, &text);
                }
                extremes
            })
            .collect();
        if is_reversed {
            shards.reverse();
        }
        let mut merged = Extremes::default();
        for shard in &shards {
            merged.merge(shard);
        }
        let all = merged.positive().iter().chain(merged.negative());
        all.map(|post| (post.score(), post.text().to_owned()))
            .collect()
    }

    #[test]
    fn ties_are_in_the_order_of_the_input() {
        let posts = extremes(&[5, 9, 9, 0, -2, 9, 9, -2], 3, false);
        let texts: Vec<_> = posts.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["post 1", "post 2", "post 5", "post 4", "post 7"]);
    }

    #[test]
    fn a_long_text_is_cut() {
        let mut extremes = Extremes::default();
        extremes.add(units(0.5), (0, 0), &"é".repeat(1000));
        assert_eq!(extremes.positive()[0].text(), "é".repeat(MAX_CHARS));
    }

    proptest! {
        #[test]
        fn the_cut_and_the_order_of_shards_change_nothing(
            scores in prop::collection::vec(-10_i8..=10, 0..40),
            size in 1_usize..10,
        ) {
            let whole = extremes(&scores, 100, false);
            prop_assert_eq!(&extremes(&scores, size, false), &whole);
            prop_assert_eq!(&extremes(&scores, size, true), &whole);
        }

        /// A journal holds of each shard only what was among the extremes when it was released.
        #[test]
        fn what_a_shard_adds_to_the_whole_is_enough_to_merge_again(
            scores in prop::collection::vec(-10_i8..=10, 1..40),
        ) {
            let (mut whole, mut again) = (Extremes::default(), Extremes::default());
            for (shard, &score) in (0..).zip(&scores) {
                let mut extremes = Extremes::default();
                extremes.add(units(f64::from(score) / 10.0), (shard, 0), "text");
                whole.merge(&extremes);
                extremes.keep_those_in(&whole);
                again.merge(&extremes);
                prop_assert_eq!(&again, &whole);
            }
        }
    }
}
