//! How a model came to its scores, as data: for `moodring explain`, and for whoever shows it elsewhere.

use serde::{Deserialize, Serialize};

use crate::class::SentimentClass;

/// How a model came to the scores of a text: the rules that touched each word, then the steps from the values of the
/// words to the scores.
///
/// The names of the fields in JSON are those that `moodring explain --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The name of the model.
    pub model: String,
    /// The text.
    pub text: String,
    /// The words in the order of the text.
    #[serde(rename = "tokens")]
    pub words: Vec<ExplainedWord>,
    /// The steps from the values of the words to the scores, in order.
    #[serde(rename = "sums")]
    pub steps: Vec<NamedValue>,
    /// The scores, in the order of [`Scorer::fields`](crate::Scorer::fields).
    #[serde(rename = "figures")]
    pub scores: Vec<NamedValue>,
    /// The class that the primary score belongs to.
    pub sentiment: SentimentClass,
}

/// A word, and what happened to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExplainedWord {
    /// The word as the model reads it: without punctuation around it, or an emoticon.
    pub text: String,
    /// What it adds in the end, in the unit of the model's words; `None` if it adds nothing by itself.
    pub value: Option<f64>,
    /// The rules that touched it, in order.
    pub rules: Vec<AppliedRule>,
}

/// A rule that touched a word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppliedRule {
    /// What the rule did, such as `negated by "not"`.
    pub rule: String,
    /// What the word adds after the rule, if the rule changed that.
    pub value: Option<f64>,
}

/// A number with its meaning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedValue {
    /// What it is, such as `sum of valences`.
    pub name: String,
    /// The number.
    pub value: f64,
}

impl NamedValue {
    pub(crate) fn new(name: &str, value: f64) -> Self {
        let name = name.to_owned();
        Self { name, value }
    }
}
