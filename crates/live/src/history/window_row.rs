//! A window as it is output: a line of JSON or a row of a table.

use moodring_window::{Aggregate, Class, Grid, GroupKey, Sample, Timestamp, Window, WindowState};
use serde::{Serialize, Serializer};

/// Maximum number of tags in a window: the most frequent ones.
const TOP_TAGS: usize = 10;

/// A window of one group with at least one post. Its JSON has these fields in this order; some are omitted when they
/// are empty or false.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowRow {
    /// The series; none in a run over files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<i64>,
    /// The dimension, in the notation of `--group-by`.
    pub group_by: String,
    /// The group.
    pub group: String,
    /// Whether the group contains all values beyond the maximum number of groups.
    #[serde(skip_serializing_if = "is_false")]
    pub other: bool,
    /// When the window begins.
    #[serde(serialize_with = "as_text")]
    pub start: Timestamp,
    /// When the window ends: the first instant after it.
    #[serde(serialize_with = "as_text")]
    pub end: Timestamp,
    /// The number of posts.
    pub count: u64,
    /// Their mean score, to six decimals.
    pub mean: f64,
    /// Their population standard deviation, to six decimals.
    pub std: f64,
    /// The number of positive posts.
    pub positive: u64,
    /// The number of neutral posts.
    pub neutral: u64,
    /// The number of negative posts.
    pub negative: u64,
    /// The 10th percentile of the scores (nearest rank), to three decimals.
    pub p10: f64,
    /// The median.
    pub p50: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The most frequent tags.
    pub top_tags: Vec<TagRow>,
    /// If not all tags were counted exactly: the number of occurrences of the others, which limits the count of each.
    #[serde(skip_serializing_if = "is_zero")]
    pub top_tags_missing: u64,
    /// The most positive posts, the most positive first.
    pub most_positive: Vec<PostRow>,
    /// The most negative posts, the most negative first.
    pub most_negative: Vec<PostRow>,
    /// Whether the window can still change.
    pub state: WindowState,
    /// The number of posts that arrived after it was final.
    pub rev: u64,
    /// Whether it was closed before its end because another series began.
    #[serde(skip_serializing_if = "is_false")]
    pub partial: bool,
}

/// A tag of a window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagRow {
    /// The tag.
    pub tag: String,
    /// The number of posts with the tag.
    pub count: u64,
    /// Their mean score, to six decimals.
    pub mean: f64,
}

/// A post that a window shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PostRow {
    /// Its score.
    pub score: f64,
    /// When it was written.
    #[serde(serialize_with = "as_text")]
    pub time: Timestamp,
    /// Its text, if it was kept and has not been erased.
    pub text: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The series, dimension and group of some windows.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The series; none in a run over files.
    pub series: Option<i64>,
    /// The dimension, in the notation of `--group-by`.
    pub group_by: &'a str,
    /// The group.
    pub group: &'a GroupKey,
}

impl WindowRow {
    /// Returns the row of a window. `None` if the window has no post.
    #[must_use]
    pub fn new(owner: &Owner<'_>, grid: &Grid, window: &Window) -> Option<Self> {
        let aggregate = &window.aggregate;
        let (group, other) = match owner.group {
            GroupKey::Value(value) => (value.to_string(), false),
            GroupKey::Other => ("other".to_owned(), true),
        };
        Some(Self {
            series: owner.series,
            group_by: owner.group_by.to_owned(),
            group,
            other,
            start: grid.start(window.first),
            end: grid.end(window.last),
            count: aggregate.count(),
            mean: from_millionths(i128::from(aggregate.mean_millionths()?)),
            std: from_millionths(i128::from(aggregate.deviation_millionths()?)),
            positive: aggregate.class(Class::Positive),
            neutral: aggregate.class(Class::Neutral),
            negative: aggregate.class(Class::Negative),
            p10: aggregate.quantile(10)?,
            p50: aggregate.quantile(50)?,
            p90: aggregate.quantile(90)?,
            top_tags: tags(aggregate),
            top_tags_missing: aggregate.tags().dropped(),
            most_positive: posts(aggregate.extremes().positive()),
            most_negative: posts(aggregate.extremes().negative()),
            state: window.state,
            rev: window.revision,
            partial: window.partial,
        })
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn tags(aggregate: &Aggregate) -> Vec<TagRow> {
    let top = aggregate.tags().top(TOP_TAGS).into_iter();
    top.map(|tag| TagRow {
        tag: tag.name.to_string(),
        count: tag.count,
        mean: from_millionths(rounded(tag.sum_millionths, i128::from(tag.count.max(1)))),
    })
    .collect()
}

fn posts(samples: &[Sample]) -> Vec<PostRow> {
    let post = |sample: &Sample| PostRow {
        score: from_millionths(i128::from(sample.score.millionths())),
        time: sample.time,
        text: sample.text.as_deref().map(str::to_owned),
    };
    samples.iter().map(post).collect()
}

/// Returns a quotient, rounded half away from zero.
fn rounded(sum: i128, count: i128) -> i128 {
    (2 * sum + count * sum.signum()) / (2 * count)
}

/// Converts millionths to a number, which has at most six decimals when printed.
#[expect(
    clippy::cast_precision_loss,
    reason = "means and deviations are within ±2·10⁹"
)]
fn from_millionths(millionths: i128) -> f64 {
    millionths as f64 / 1e6
}
