//! A model that does nothing.

use crate::scorer::{Decimals, ScoreError, ScoreField, Scorer};

/// Scores every text 0, at no cost. The time of a run with it is the cost of everything but scoring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zero;

static FIELDS: [ScoreField; 1] = [ScoreField::new("zero", Decimals::Rounded(1))];

impl Scorer for Zero {
    fn name(&self) -> &'static str {
        "zero"
    }

    fn fields(&self) -> &[ScoreField] {
        &FIELDS
    }

    fn primary(&self) -> usize {
        0
    }

    fn score(&self, _text: &str, scores: &mut [f64]) -> Result<(), ScoreError> {
        scores.copy_from_slice(&[0.0]);
        Ok(())
    }
}
