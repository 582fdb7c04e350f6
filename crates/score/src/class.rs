//! The classes of sentiment.

use serde::{Deserialize, Serialize};

/// The three classes that a text can belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
