//! TextBlob: polarity and subjectivity of a text, equal to what Python's [TextBlob] 0.20.1 gives by default (its
//! `PatternAnalyzer`, from the library [pattern]) under CPython 3.11, to the last bit.
//!
//! It knows the polarity of 1,500 adjectives (and the adverbs made from them), and takes the mean over those that a text holds.
//! An adverb before a word modifies it, a negation turns it half around, an exclamation mark boosts it.
//!
//! There are two ways through a text, and `assess` takes the one that is called for. Both are without a copy and in linear
//! time, and come to the same; the first is the definition, and what an [`Observer`] hears is found on it.
//!
//! - Word by word: `tokens` cuts the text and `words` puts emoticons back together, each a stream over the one before.
//! - Block by block, in half the time: `scan` finds all words of 64 bytes at once, with the masks of `block`, and sends on
//!   what they cannot tell.
//!
//! Both ask `lexicon` what a word means and tell `rules`. A rule that looks odd is documented where it stands; it is odd in
//! TextBlob too.
//!
//! [TextBlob]: https://textblob.readthedocs.io/
//! [pattern]: https://github.com/clips/pattern

#![expect(clippy::doc_markdown, reason = "TextBlob is a name, not code")]

mod abbreviations;
mod assess;
mod block;
mod emoticons;
mod lexicon;
mod observe;
mod rules;
mod scan;
mod tokens;
mod words;

pub use observe::{Observer, Rule};

use crate::{Decimals, Figure, Figures, Scorer};
use lexicon::Lexicon;

/// What TextBlob says about a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sentiment {
    /// From −1 (negative) to 1 (positive).
    pub polarity: f64,
    /// From 0 (a fact) to 1 (an opinion).
    pub subjectivity: f64,
}

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
    /// The model with its word list. The first one of a process takes some hundred microseconds to load it.
    #[must_use]
    pub fn new() -> Self {
        Self {
            lexicon: Lexicon::builtin(),
        }
    }

    /// The sentiment of any text, in time linear in its length and without allocating.
    #[must_use]
    pub fn score(&self, text: &str) -> Sentiment {
        assess::assess(text, self.lexicon, &mut ())
    }

    /// The same, and tells the observer how it came about.
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
        assess::assess(text, self.lexicon, observer)
    }
}

impl Default for TextBlob {
    fn default() -> Self {
        Self::new()
    }
}

impl Scorer for TextBlob {
    fn name(&self) -> &'static str {
        "textblob"
    }

    fn figures(&self) -> &'static [Figure] {
        &[
            Figure {
                name: "polarity",
                decimals: Decimals::Shortest,
            },
            Figure {
                name: "subjectivity",
                decimals: Decimals::Shortest,
            },
        ]
    }

    fn headline(&self) -> usize {
        0
    }

    fn score(&self, text: &str) -> Figures {
        let Sentiment {
            polarity,
            subjectivity,
        } = Self::score(self, text);
        let mut figures = Figures::default();
        (figures[0], figures[1]) = (polarity, subjectivity);
        figures
    }
}
