//! The interface of observers, which learn how a text gets its score.

use std::ops::Range;

/// Is told how a text gets its scores. [`()`](unit) ignores everything and costs nothing.
///
/// For each word, [`Observer::word`] is called first, then [`Observer::rule`] for each rule that it triggers.
/// [`Observer::assessed`] is called when an assessment is final. The polarity and the subjectivity of the text are the
/// means over its calls, in their order; both are 0 if there is none.
pub trait Observer {
    /// Whether [`word`](Self::word) and [`rule`](Self::rule) are called. The model then has to look at each word by
    /// itself.
    const READS_WORDS: bool = true;

    /// The next word stands here in the text (bytes). It may hold whitespace: `: )` is one word.
    fn word(&mut self, span: Range<usize>) {
        let _ = span;
    }

    /// The word triggered this rule.
    fn rule(&mut self, rule: Rule) {
        let _ = rule;
    }

    /// An assessment is final.
    fn assessed(&mut self, polarity: f64, subjectivity: f64) {
        let _ = (polarity, subjectivity);
    }
}

impl Observer for () {
    const READS_WORDS: bool = false;
}

/// A rule that a word triggered.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// It is known, and opens an assessment: `good`.
    Known {
        /// The word's own, −1..1.
        polarity: f64,
        /// The word's own, 0..1.
        subjectivity: f64,
    },
    /// It is known and follows an adverb, and takes over the adverb's assessment: `good` in `very good`. What the
    /// adverb said is gone, but for its intensity.
    Modified {
        /// What the word's own values were multiplied by.
        intensity: f64,
        /// The product, −1..1.
        polarity: f64,
        /// The product, −1..1.
        subjectivity: f64,
    },
    /// It is a negation, and waits for a known word: `not`.
    Negates,
    /// A negation waited for it: the polarity of the assessment will be multiplied by −0.5.
    Negated,
    /// It is a negation behind an adverb in -ly and turns the adverb's assessment at once: `not` in `really not`.
    NegatesAdverb,
    /// It canceled a pending negation: `know` in `not know good`.
    ForgetsNegation,
    /// It separated an adverb from what follows: `the` in `really the best`.
    ForgetsAdverb,
    /// It is an exclamation mark, and multiplied the polarity of the last assessment by 1.25.
    Exclaims {
        /// The product, −1..1.
        polarity: f64,
    },
    /// It is an emoticon, and an assessment with subjectivity 1: `:)`.
    Emoticon {
        /// The polarity of that kind of face, −1..1.
        polarity: f64,
    },
    /// It is the irony mark `(!)`, an assessment with polarity 0 and subjectivity 1.
    Irony,
}
