//! What is known of the posts of a pane and group. Everything merges exactly, in any order.

mod extremes;
mod histogram;
mod tags;

use serde::{Deserialize, Serialize};

pub use extremes::{EXTREMES, Extremes, Sample};
pub use histogram::Histogram;
pub use tags::{Tag, TagCount, Tags};

use crate::score::Class;

/// The sums over a set of posts.
///
/// All of them are integers, so the aggregate of a set does not depend on the order of its posts, nor on how it was put
/// together from parts. Exact for up to 2⁴⁰ posts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    count: u64,
    /// In millionths.
    sum: i128,
    /// In millionths of millionths.
    sum_of_squares: u128,
    classes: [u64; 3],
    histogram: Histogram,
    tags: Tags,
    extremes: Extremes,
}

impl Aggregate {
    /// Adds a post with its tags, of which at most `max_tags` are kept apart.
    pub fn add(&mut self, sample: &Sample, class: Class, tags: &[Tag], max_tags: usize) {
        let score = i64::from(sample.score.millionths());
        self.count += 1;
        self.sum += i128::from(score);
        self.sum_of_squares += u128::from(score.unsigned_abs().pow(2));
        self.classes[class as usize] += 1;
        self.histogram.add(sample.score);
        for tag in tags {
            self.tags.add(tag, sample.score, max_tags);
        }
        self.extremes.add(sample);
    }

    /// Adds the posts of another set.
    pub fn merge(&mut self, other: &Self, max_tags: usize) {
        self.count += other.count;
        self.sum += other.sum;
        self.sum_of_squares += other.sum_of_squares;
        for (class, more) in self.classes.iter_mut().zip(other.classes) {
            *class += more;
        }
        self.histogram.merge(&other.histogram);
        self.tags.merge(&other.tags, max_tags);
        self.extremes.merge(&other.extremes);
    }

    /// How many posts there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The sum of the scores, in millionths.
    #[must_use]
    pub fn sum_millionths(&self) -> i128 {
        self.sum
    }

    /// How many posts are of this class.
    #[must_use]
    pub fn class(&self, class: Class) -> u64 {
        self.classes[class as usize]
    }

    /// The mean score in millionths, rounded half away from zero; `None` without posts.
    #[must_use]
    pub fn mean_millionths(&self) -> Option<i64> {
        let count = i128::from(self.count);
        if count == 0 {
            return None;
        }
        let twice = 2 * self.sum + count * self.sum.signum();
        i64::try_from(twice / (2 * count)).ok()
    }

    /// The population's standard deviation in millionths, rounded half up; `None` without posts.
    #[must_use]
    pub fn deviation_millionths(&self) -> Option<i64> {
        let count = u128::from(self.count);
        if count == 0 {
            return None;
        }
        // n² times the variance; never negative, by Cauchy and Schwarz.
        let spread = (count * self.sum_of_squares).saturating_sub(self.sum.unsigned_abs().pow(2));
        i64::try_from(((4 * spread).isqrt() + count) / (2 * count)).ok()
    }

    /// The score of which `percent` of the posts have at most that, by the nearest rank, to three decimals.
    #[must_use]
    pub fn quantile(&self, percent: u64) -> Option<f64> {
        self.histogram.quantile(percent)
    }

    /// The scores to three decimals, and how often each occurs.
    #[must_use]
    pub fn histogram(&self) -> &Histogram {
        &self.histogram
    }

    /// The tags of the posts.
    #[must_use]
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// The most positive and the most negative posts.
    #[must_use]
    pub fn extremes(&self) -> &Extremes {
        &self.extremes
    }

    /// Erases the text of a post, if it is kept here. Its scores stay.
    pub fn erase(&mut self, id: u64) -> bool {
        self.extremes.erase(id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::score::Score;
    use crate::time::Timestamp;

    pub(super) fn sample(score: f64, at: i64) -> Sample {
        Sample {
            score: Score::from_f64(score).unwrap(),
            time: Timestamp::from_micros(at),
            id: u64::try_from(at).ok(),
            text_hash: 0,
            text: None,
        }
    }

    fn of(scores: &[f64]) -> Aggregate {
        let mut all = Aggregate::default();
        for (at, &score) in (0..).zip(scores) {
            all.add(&sample(score, at), Class::of(score), &[], 10);
        }
        all
    }

    #[test]
    fn mean_and_deviation_are_those_of_the_population() {
        let four = of(&[0.5, -0.5, 0.25, 0.75]);
        assert_eq!(four.mean_millionths(), Some(250_000));
        // sqrt((0.0625 + 0.5625 + 0 + 0.25) / 4) = 0.4677071733…
        assert_eq!(four.deviation_millionths(), Some(467_707));
        assert_eq!(of(&[-0.000_001, 0.0]).mean_millionths(), Some(-1));
        assert_eq!(of(&[]).mean_millionths(), None);
    }

    #[test]
    fn quantiles_are_by_the_nearest_rank() {
        let ten = of(&[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
        assert_eq!(ten.quantile(10), Some(0.0));
        assert_eq!(ten.quantile(50), Some(0.4));
        assert_eq!(ten.quantile(90), Some(0.8));
        assert_eq!(ten.quantile(100), Some(0.9));
    }

    type Post = (f64, i64, Vec<u8>);

    fn posts() -> impl Strategy<Value = Vec<Post>> {
        let post = (
            (-1000..=1000_i32).prop_map(|score| f64::from(score) / 700.0),
            0..20_i64,
            prop::collection::vec(0..12_u8, 0..4),
        );
        prop::collection::vec(post, 0..60)
    }

    fn add_all(all: &mut Aggregate, posts: &[Post]) {
        for (score, at, tags) in posts {
            let tags: Vec<_> = tags.iter().map(|tag| Tag::new(&tag.to_string())).collect();
            all.add(&sample(*score, *at), Class::of(*score), &tags, 5);
        }
    }

    proptest! {
        #[test]
        fn neither_order_nor_parts_matter(
            posts in posts(),
            swaps in prop::collection::vec(any::<[prop::sample::Index; 2]>(), 0..60),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut whole = Aggregate::default();
            add_all(&mut whole, &posts);

            let mut shuffled = posts.clone();
            for [one, other] in swaps.iter().filter(|_| !posts.is_empty()) {
                shuffled.swap(one.index(posts.len()), other.index(posts.len()));
            }
            let (front, back) = shuffled.split_at(cut.index(shuffled.len() + 1));
            let [mut one, mut two] = [Aggregate::default(), Aggregate::default()];
            add_all(&mut one, front);
            add_all(&mut two, back);
            two.merge(&one, 5);
            prop_assert_eq!(&two, &whole);

            let text = serde_json::to_string(&whole).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Aggregate>(&text).unwrap(), &whole);
        }
    }
}
