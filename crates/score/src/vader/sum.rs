//! From the valences of a text to its four scores.

use super::contrast::Valence;
use super::observe::Sums;
use super::round::round;

/// The scores of a text.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// The share of the text that is negative, in 0..1, to three decimals.
    pub neg: f64,
    /// The share of the text that is neutral, in 0..1, to three decimals. The three shares make one, but for rounding;
    /// for a text without tokens all are zero.
    pub neu: f64,
    /// The share of the text that is positive, in 0..1, to three decimals.
    pub pos: f64,
    /// The sentiment of the whole, from −1, the most negative, to 1, the most positive, to four decimals. Its authors
    /// call a text positive from 0.05 and negative from −0.05; see [`SentimentClass`](crate::SentimentClass).
    pub compound: f64,
}

/// The square of the largest sum that is not yet extreme: at a sum of √15 the compound is 0.7071.
pub(super) const ALPHA: f64 = 15.0;

/// Adds up the valences of a text with this number of tokens and marks. Additions go from left to right and in plain
/// doubles, as in Python up to 3.11; tokens without a valence add nothing.
#[inline]
pub(super) fn sums(valences: &[Valence], tokens: usize, exclaims: usize, questions: usize) -> Sums {
    let mut sums = Sums {
        valences: 0.0,
        emphasis: emphasis(exclaims, questions),
        tokens,
        positive: 0.0,
        negative: 0.0,
        neutral: 0.0,
    };
    let mut neutral = tokens;
    for &Valence { value, .. } in valences {
        sums.valences += value;
        // One more, since a neutral token counts as one.
        if value > 0.0 {
            sums.positive += value + 1.0;
            neutral -= 1;
        } else if value < 0.0 {
            sums.negative += value - 1.0;
            neutral -= 1;
        }
    }
    sums.neutral = neutral as f64;
    sums
}

/// What the marks of a text add to it, whatever their places: up to four exclamation marks count, a single question
/// mark does not, and from four on their number makes no difference.
fn emphasis(exclaims: usize, questions: usize) -> f64 {
    let exclaims = exclaims.min(4) as f64 * 0.292;
    let questions = match questions {
        0 | 1 => 0.0,
        2 | 3 => questions as f64 * 0.18,
        _ => 0.96,
    };
    exclaims + questions
}

/// The scores of a text.
#[expect(
    clippy::inline_always,
    reason = "it runs for every text, and is not inlined by itself where several observers are compiled"
)]
#[inline(always)]
pub(super) fn scores(sums: &Sums) -> Scores {
    if sums.tokens == 0 {
        return Scores::default();
    }
    // A sum of zero keeps its sign.
    let sum = if sums.valences == 0.0 {
        sums.valences
    } else {
        sums.valences + sums.emphasis_of_sum()
    };
    let (of_positive, of_negative) = sums.emphasis_of_shares();
    let (positive, negative) = (sums.positive + of_positive, sums.negative + of_negative);
    let total = positive + negative.abs() + sums.neutral;
    Scores {
        neg: round::<3>((negative / total).abs()),
        neu: round::<3>(sums.neutral / total),
        pos: round::<3>(positive / total),
        compound: round::<4>((sum / (sum * sum + ALPHA).sqrt()).clamp(-1.0, 1.0)),
    }
}
