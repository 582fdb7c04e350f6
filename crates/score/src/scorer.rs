//! The seam between the models and those who run them.

/// The most scores that a model can give for a text.
pub const MAX_SCORE_FIELDS: usize = 4;

/// How a score is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimals {
    /// The model rounds the score to at most this many decimals, so that it can be written as an integer with a point.
    Rounded(u8),
    /// The score is any double, written as the shortest decimal that reads back as itself.
    Shortest,
}

/// Describes one of the scores that a model gives for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScoreField {
    /// Its name in the output, such as `compound`.
    pub name: &'static str,
    /// How it is written.
    pub decimals: Decimals,
}

/// The scores of one text, in the order of [`Scorer::fields`]; what a model does not use stays zero.
pub type Scores = [f64; MAX_SCORE_FIELDS];

/// The three classes that a text can belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentimentClass {
    /// At most −0.05.
    Negative,
    /// Between the two.
    Neutral,
    /// At least 0.05.
    Positive,
}

impl SentimentClass {
    /// All classes, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Negative, Self::Neutral, Self::Positive];

    /// Returns the class of a primary score in −1..1, by the thresholds that VADER's authors give (±0.05).
    #[must_use]
    pub fn of(primary: f64) -> Self {
        if primary >= 0.05 {
            Self::Positive
        } else if primary <= -0.05 {
            Self::Negative
        } else {
            Self::Neutral
        }
    }

    /// Returns the name in the output: `negative`, `neutral` or `positive`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
        }
    }
}

/// A model: text in, scores out.
pub trait Scorer: Send + Sync {
    /// The model's name, which is also the key of its scores in the output.
    fn name(&self) -> &'static str;

    /// Describes the scores that [`Scorer::score`] returns, in order.
    fn fields(&self) -> &'static [ScoreField];

    /// Returns the index in [`Scorer::fields`] of the score that decides the sentiment class. It is in −1..1.
    fn primary(&self) -> usize;

    /// The scores of `text`. Any text will do; the time is linear in its length.
    fn score(&self, text: &str) -> Scores;
}
