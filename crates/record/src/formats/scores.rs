//! Writes the scores and the sentiment that follow a record.

use crate::number::write_score;

/// The bytes around the scores of a record. They depend only on the names, so they are prepared once.
#[derive(Clone, Debug)]
pub(crate) struct ScoreTemplate {
    scores: Vec<(Separator, Option<u8>)>,
    before_sentiment: Separator,
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
        let scores = scores.into_iter();
        ScoreTemplate {
            scores: scores
                .map(|slot| (Separator::new(slot.before), slot.decimals))
                .collect(),
            before_sentiment: Separator::new(before_sentiment),
        }
    }

    /// Appends one value for each score, and the sentiment. `is_first` states that no field precedes them, so that the
    /// separator before the first one is left out.
    pub(crate) fn write(&self, out: &mut Vec<u8>, is_first: bool, scores: &[f64], sentiment: &str) {
        debug_assert_eq!(scores.len(), self.scores.len(), "one value for each score");
        let start = out.len();
        for ((before, decimals), &value) in self.scores.iter().zip(scores) {
            before.write(out);
            write_score(out, value, *decimals);
        }
        self.before_sentiment.write(out);
        out.extend_from_slice(sentiment.as_bytes());
        if is_first {
            out.remove(start);
        }
    }
}

/// The bytes before a value. Short ones are appended as a block of fixed size and cut, which is a few stores instead of a
/// call of memcpy: there are several to a record.
#[derive(Clone, Debug)]
struct Separator {
    bytes: Vec<u8>,
    /// The bytes and zeros behind them, if they are that short.
    block: Option<[u8; Separator::BLOCK]>,
}

impl Separator {
    const BLOCK: usize = 32;

    fn new(bytes: Vec<u8>) -> Self {
        let mut block = [0; Self::BLOCK];
        let start = block.get_mut(..bytes.len());
        let block = start
            .map(|start| start.copy_from_slice(&bytes))
            .map(|()| block);
        Self { bytes, block }
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        match &self.block {
            Some(block) => {
                let end = out.len() + self.bytes.len();
                out.extend_from_slice(block);
                out.truncate(end);
            }
            None => out.extend_from_slice(&self.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_before_a_value_may_be_of_any_length() {
        for len in 1..100 {
            let before: Vec<u8> = (0..len).map(|at| b'a' + at % 26).collect();
            let slot = ScoreSlot {
                before: before.clone(),
                decimals: None,
            };
            let template = ScoreTemplate::new(vec![slot], before.clone());
            for is_first in [false, true] {
                let mut out = b"<".to_vec();
                template.write(&mut out, is_first, &[0.5], "neutral");
                let first = &before[usize::from(is_first)..];
                let expected = [b"<", first, b"0.5", &before, b"neutral"].concat();
                assert_eq!(out, expected, "{len} bytes");
            }
        }
    }
}
