//! The interface between the models and the code that runs them.

use std::borrow::Cow;

use thiserror::Error;

use crate::explanation::Explanation;

/// How a score is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimals {
    /// The model rounds the score to at most this many decimals, so that it can be written as an integer with a point.
    Rounded(u8),
    /// The score is any double, written as the shortest decimal that reads back as itself.
    Shortest,
}

/// Describes one of the scores that a model gives for a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreField {
    /// Its name in the output, such as `compound`.
    pub name: Cow<'static, str>,
    /// How it is written.
    pub decimals: Decimals,
}

impl ScoreField {
    /// Describes a score whose name is part of the program.
    #[must_use]
    pub const fn new(name: &'static str, decimals: Decimals) -> Self {
        Self {
            name: Cow::Borrowed(name),
            decimals,
        }
    }
}

/// Why a model cannot score a text. The text becomes a reject with this reason; other texts are not affected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ScoreError(Box<str>);

impl ScoreError {
    /// Creates an error with a reason: a sentence without a capital and a full stop.
    #[must_use]
    pub fn new(reason: impl Into<Box<str>>) -> Self {
        Self(reason.into())
    }
}

/// A model: text in, scores out.
///
/// A worker builds its models once and then calls [`score`](Self::score) for each post from one thread. A model does
/// no I/O after it is built. It must return the same scores for the same text in every process, because a shard whose
/// worker died is scored again elsewhere.
pub trait Scorer: Send + Sync {
    /// Returns the model's name, which is also the key of its scores in the output. No two models of a run have the
    /// same name.
    fn name(&self) -> &str;

    /// Describes the scores of a text, in order. There is at least one, and they never change.
    fn fields(&self) -> &[ScoreField];

    /// Returns the index in [`fields`](Self::fields) of the score that decides the sentiment class. That score is in
    /// −1..1.
    fn primary(&self) -> usize;

    /// Writes the scores of `text` to `scores`, which has one element for each of the [`fields`](Self::fields).
    ///
    /// The time must be linear in the length of the text, whatever it contains.
    ///
    /// # Errors
    /// If the model cannot score this text. The content of `scores` is then unspecified.
    ///
    /// # Panics
    /// If `scores` has another length.
    fn score(&self, text: &str, scores: &mut [f64]) -> Result<(), ScoreError>;

    /// Scores several texts and writes their scores to `scores`, one row of [`fields`](Self::fields) after the other.
    /// Returns the indexes of the texts that could not be scored, with the reason; their rows are unspecified.
    ///
    /// The result of a text does not depend on the other texts. A model that is faster on many texts at once overrides
    /// this method; the default scores one after the other.
    ///
    /// # Panics
    /// If `scores` does not have one row for each text.
    fn score_batch(&self, texts: &[&str], scores: &mut [f64]) -> Vec<(usize, ScoreError)> {
        let width = self.fields().len();
        assert_eq!(scores.len(), texts.len() * width, "one row for each text");
        let rows = scores.chunks_exact_mut(width);
        let results = texts
            .iter()
            .zip(rows)
            .map(|(text, row)| self.score(text, row));
        let failures = results.enumerate().filter_map(|(index, result)| {
            let error = result.err()?;
            Some((index, error))
        });
        failures.collect()
    }

    /// Returns the interface that explains the model's scores, or `None` if the model cannot explain them.
    fn explainer(&self) -> Option<&dyn Explainer> {
        None
    }
}

/// A model that can tell how a text gets its scores.
pub trait Explainer {
    /// Explains the scores of `text`.
    ///
    /// # Errors
    /// If the model cannot score this text.
    fn explain(&self, text: &str) -> Result<Explanation, ScoreError>;

    /// Calls `each` with every word that moves the primary score of `text` away from zero, and with what it adds to
    /// that score. A word that occurs twice is reported twice.
    ///
    /// The numbers of a text add up to its primary score before rounding, except for what no word is responsible for,
    /// such as exclamation marks in VADER. So sums over many posts tell which words moved the mean. This takes about
    /// twice as long as scoring and does not allocate for ordinary texts; it is meant for workers, post by post.
    ///
    /// # Errors
    /// If the model cannot score this text.
    fn contributions(&self, text: &str, each: &mut dyn FnMut(&str, f64)) -> Result<(), ScoreError>;
}
