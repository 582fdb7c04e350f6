//! Every model there is, by name.

use std::fmt;

use crate::scorer::{Decimals, ScoreField, Scorer, Scores};
use crate::textblob::TextBlob;
use crate::vader::Vader;

/// A model that gives zeros at once: what is left of a run's time with it is what everything but scoring costs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Zero;

impl Scorer for Zero {
    fn name(&self) -> &'static str {
        "zero"
    }

    fn fields(&self) -> &'static [ScoreField] {
        &[ScoreField {
            name: "zero",
            decimals: Decimals::Rounded(1),
        }]
    }

    fn primary(&self) -> usize {
        0
    }

    fn score(&self, _text: &str) -> Scores {
        Scores::default()
    }
}

/// There is no model of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownModel(pub String);

impl fmt::Display for UnknownModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there is no model `{}`; the models are: vader, textblob, lexicon:FILE",
            self.0
        )
    }
}

impl std::error::Error for UnknownModel {}

/// The model of that name.
///
/// # Errors
/// [`UnknownModel`] if there is none.
pub fn build(name: &str) -> Result<Box<dyn Scorer>, UnknownModel> {
    match name {
        "vader" => Ok(Box::new(Vader::new())),
        "textblob" => Ok(Box::new(TextBlob::new())),
        "zero" => Ok(Box::new(Zero)),
        _ => Err(UnknownModel(name.to_owned())),
    }
}
