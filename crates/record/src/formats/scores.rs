//! Writes the scores and the sentiment that follow a record.

use crate::number::write_score;

/// The bytes around the scores of a record. They depend only on the names, so they are prepared once.
#[derive(Clone, Debug)]
pub(crate) struct ScoreTemplate {
    scores: Vec<ScoreSlot>,
    before_sentiment: Vec<u8>,
}

/// One score: the bytes before it, and how it is written.
#[derive(Clone, Debug)]
pub(crate) struct ScoreSlot {
    pub(crate) before: Vec<u8>,
    pub(crate) decimals: Option<u8>,
}

impl ScoreTemplate {
    /// Returns a template in which the bytes before each value begin with one that separates it from what precedes it.
    pub(crate) fn new(scores: Vec<ScoreSlot>, before_sentiment: Vec<u8>) -> ScoreTemplate {
        ScoreTemplate {
            scores,
            before_sentiment,
        }
    }

    /// Appends one value for each score, and the sentiment. `is_first` states that no field precedes them, so that the
    /// separator before the first one is left out.
    pub(crate) fn write(&self, out: &mut Vec<u8>, is_first: bool, scores: &[f64], sentiment: &str) {
        debug_assert_eq!(scores.len(), self.scores.len(), "one value for each score");
        let mut skipped = usize::from(is_first);
        for (slot, &value) in self.scores.iter().zip(scores) {
            out.extend_from_slice(&slot.before[skipped..]);
            write_score(out, value, slot.decimals);
            skipped = 0;
        }
        out.extend_from_slice(&self.before_sentiment[skipped..]);
        out.extend_from_slice(sentiment.as_bytes());
    }
}
