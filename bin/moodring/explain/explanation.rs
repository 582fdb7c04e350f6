//! What is told of a text and its score.

use moodring_score::SentimentClass;
use serde::Serialize;

/// How a model came to its scores.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Explanation {
    pub(super) model: String,
    pub(super) text: String,
    /// The tokens in the order of the text.
    pub(super) tokens: Vec<Token>,
    /// How what the tokens say is summed up, in order.
    pub(super) sums: Vec<Sum>,
    /// What the model says in the end.
    #[serde(rename = "figures")]
    pub(super) scores: Vec<Sum>,
    pub(super) sentiment: &'static str,
}

/// One token and what happened to it.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Token {
    pub(super) text: String,
    /// What it adds in the end, where the model has such a thing.
    pub(super) value: Option<f64>,
    pub(super) rules: Vec<Step>,
}

/// A rule that touched a token.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Step {
    pub(super) rule: String,
    /// What the token added after it, where the rule changed that.
    pub(super) value: Option<f64>,
}

/// A named number.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Sum {
    pub(super) name: &'static str,
    pub(super) value: f64,
}

impl Sum {
    pub(super) fn new(name: &'static str, value: f64) -> Self {
        Self { name, value }
    }
}

/// Returns the name of the sentiment that a primary score stands for.
pub(super) fn sentiment(primary: f64) -> &'static str {
    SentimentClass::of(primary).name()
}
