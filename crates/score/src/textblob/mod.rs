//! TextBlob: polarity and subjectivity of a text, equal to what Python's [TextBlob] 0.20.1 gives by default (its
//! `PatternAnalyzer`, from the library [pattern]) under CPython 3.11, to the last bit.
//!
//! It knows the polarity of 1,500 adjectives and the adverbs made from them, and returns the mean over those in a
//! text. An adverb before a word modifies it, a negation multiplies it by −0.5, an exclamation mark boosts it.
//!
//! A text is assessed in one of two ways. Both run in linear time without copying the text, and give the same result:
//!
//! - `slow_path`, the definition, goes word by word: `tokens` cuts the text and `words` joins emoticons that the cut
//!   split, each a stream over the one before. An [`Observer`] that reads words gets them from here.
//! - `fast_path` takes half the time: it finds all words of 64 bytes at once with the masks of `block`, and leaves
//!   what they cannot tell to the slow path.
//!
//! Both look words up in `lexicon` and feed `rules`. Rules that look wrong are TextBlob's own quirks, documented where
//! they stand.
//!
//! [TextBlob]: https://textblob.readthedocs.io/
//! [pattern]: https://github.com/clips/pattern

#![expect(clippy::doc_markdown, reason = "TextBlob is a name, not code")]

mod abbreviations;
mod block;
mod emoticons;
mod explain;
mod fast_path;
mod lexicon;
mod observe;
mod rules;
mod slow_path;
mod tokens;
mod words;

pub use observe::{Observer, Rule};
pub use rules::Sentiment;

use crate::scorer::{Decimals, Explainer, ScoreError, ScoreField, Scorer};
use lexicon::Lexicon;
use rules::Rules;

/// TextBlob's default model for English.
///
/// ```
/// use moodring_score::TextBlob;
///
/// let sentiment = TextBlob::new().score("Textblob is amazingly simple to use. What great fun!");
/// assert_eq!(sentiment.polarity, 0.39166666666666666);
/// assert_eq!(sentiment.subjectivity, 0.4357142857142857);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TextBlob {
    lexicon: &'static Lexicon,
}

impl TextBlob {
    /// Returns the model with its word list. The first call in a process takes some hundred microseconds to load it.
    #[must_use]
    pub fn new() -> Self {
        Self {
            lexicon: Lexicon::builtin(),
        }
    }

    /// Scores a text in time linear in its length, without allocating.
    #[must_use]
    pub fn score(&self, text: &str) -> Sentiment {
        self.score_observed(text, &mut ())
    }

    /// Scores a text and reports each step to an observer.
    ///
    /// ```
    /// use moodring_score::TextBlob;
    /// use moodring_score::textblob::{Observer, Rule};
    ///
    /// #[derive(Default)]
    /// struct Log(Vec<Rule>);
    ///
    /// impl Observer for Log {
    ///     fn rule(&mut self, rule: Rule) {
    ///         self.0.push(rule);
    ///     }
    /// }
    ///
    /// let mut log = Log::default();
    /// let sentiment = TextBlob::new().score_observed("not a bad film", &mut log);
    /// assert_eq!(sentiment.polarity, 0.3499999999999999);
    /// let bad = Rule::Known { polarity: -0.6999999999999998, subjectivity: 0.6666666666666666 };
    /// assert_eq!(log.0, [Rule::Negates, bad, Rule::Negated]);
    /// ```
    pub fn score_observed<O: Observer>(&self, text: &str, observer: &mut O) -> Sentiment {
        let mut rules = Rules::telling(observer);
        if O::READS_WORDS {
            slow_path::assess_words(text, 0..text.len(), self.lexicon, &mut rules);
        } else {
            fast_path::scan(text, self.lexicon, &mut rules);
        }
        rules.finish()
    }
}

impl Default for TextBlob {
    fn default() -> Self {
        Self::new()
    }
}

static FIELDS: [ScoreField; 2] = [
    ScoreField::new("polarity", Decimals::Shortest),
    ScoreField::new("subjectivity", Decimals::Shortest),
];

impl Scorer for TextBlob {
    fn name(&self) -> &'static str {
        "textblob"
    }

    fn fields(&self) -> &[ScoreField] {
        &FIELDS
    }

    fn primary(&self) -> usize {
        0
    }

    fn score(&self, text: &str, scores: &mut [f64]) -> Result<(), ScoreError> {
        let Sentiment {
            polarity,
            subjectivity,
        } = Self::score(self, text);
        scores.copy_from_slice(&[polarity, subjectivity]);
        Ok(())
    }

    fn explainer(&self) -> Option<&dyn Explainer> {
        Some(self)
    }
}
