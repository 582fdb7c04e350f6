//! VADER: sentiment by a lexicon and a handful of rules, made for social media.
//!
//! [`Vader`] gives a text the same four scores, to the last bit, as the Python package [vaderSentiment] 3.3.2 under
//! `CPython` 3.11. The method is that of C. J. Hutto and E. Gilbert, *VADER: A Parsimonious Rule-based Model for
//! Sentiment Analysis of Social Media Text* (ICWSM 2014); where paper and package differ, this follows the package,
//! quirks included.
//!
//! A text goes through four steps:
//!
//! 1. `scan` cuts it into tokens and looks each up in the [`Lexicon`]; from here on there are only words, no text.
//!    It stands on `block` (what the bytes are), `table` (where a short word is), `emoji` and `unicode`.
//! 2. `rules` finds the valence of each word that has one, by the words around it.
//! 3. `contrast` weighs the valences if there is a "but".
//! 4. `sum` adds them up, and `round` rounds the scores.
//!
//! An [`Observer`] receives each step, to explain the score afterwards. The time is linear in the length of the text (but for
//! a logarithm where a text with "but" has more than 32 words with a valence), nothing is allocated for a text of up
//! to ninety tokens of which sixteen have a valence, and nothing recurses.
//!
//! [vaderSentiment]: https://github.com/cjhutto/vaderSentiment

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "hashes are folded on purpose, and no text has 2^52 tokens"
)]

mod block;
mod builder;
mod contrast;
mod emoji;
mod explain;
mod lexicon;
mod list;
mod observe;
mod round;
mod rules;
mod scan;
mod sum;
mod table;
mod unicode;
mod word;

use std::sync::Arc;

pub use builder::{BadWord, LexiconBuilder, MAX_VALUE};
pub use lexicon::Lexicon;
pub use list::{BadLine, BadList, Fault};
pub use observe::{Nobody, Observer, Rule, Sums};
pub use sum::Scores;

use contrast::{Valence, Valences};
use scan::Scan;
use word::Word;

use crate::scorer::{Decimals, Explainer, ScoreError, ScoreField, Scorer};

/// The model.
///
/// ```
/// use moodring_score::Vader;
///
/// let vader = Vader::new();
/// let scores = vader.score("VADER is VERY SMART, uber handsome, and FRIGGIN FUNNY!!!");
/// assert_eq!(scores.compound, 0.9469);
/// assert_eq!((scores.neg, scores.neu, scores.pos), (0.0, 0.294, 0.706));
/// ```
#[derive(Debug, Clone)]
pub struct Vader {
    lexicon: Arc<Lexicon>,
    name: &'static str,
}

impl Default for Vader {
    fn default() -> Self {
        Self::new()
    }
}

impl Vader {
    /// The version of the Python package that the scores are equal to.
    pub const REFERENCE: &str = "vaderSentiment 3.3.2";

    /// Returns the model with its built-in lexicon, which is shared within the process.
    #[must_use]
    pub fn new() -> Self {
        Self {
            lexicon: Lexicon::built_in(),
            name: "vader",
        }
    }

    /// Returns the rules with other words: a model with the name `lexicon`.
    #[must_use]
    pub fn with_lexicon(lexicon: impl Into<Arc<Lexicon>>) -> Self {
        Self {
            lexicon: lexicon.into(),
            name: "lexicon",
        }
    }

    /// The scores of `text`.
    #[must_use]
    pub fn score(&self, text: &str) -> Scores {
        self.score_observed(text, &mut Nobody)
    }

    /// Scores `text` and reports each step to an observer.
    pub fn score_observed<O: Observer>(&self, text: &str, observer: &mut O) -> Scores {
        let mut scan = Scan::room();
        scan.fill(text, &self.lexicon, observer);
        let words = scan.words();
        let kinds = Word::kinds_of(words);

        let mut valences = Valences::new();
        if kinds & Word::VALENCED != 0 {
            // Capitals mean something only beside tokens that are not in capitals.
            let capitals_matter =
                kinds & Word::CAPITALS != 0 && !words.iter().all(|word| word.is_capitals());
            self.find_valences(&scan, capitals_matter, &mut valences, observer);
        }
        if kinds & Word::BUT != 0
            && let Some(but) = words.iter().position(|word| word.is_any(Word::BUT))
        {
            contrast::weigh(&mut valences, but, observer);
        }
        let sums = sum::sums(&valences, words.len(), scan.exclaims, scan.questions);
        observer.sums(&sums);
        sum::scores(&sums)
    }

    /// Finds the valences of the words that have one, in order.
    #[inline]
    fn find_valences<O: Observer>(
        &self,
        scan: &Scan,
        capitals_matter: bool,
        valences: &mut Valences,
        observer: &mut O,
    ) {
        // Which of 64 words have a valence is put into a mask first: a branch for each word would
        // be guessed wrong for nearly every one that has.
        for (chunk, words) in scan.words().chunks(64).enumerate() {
            let mut scored = words
                .iter()
                .rev()
                .fold(0_u64, |mask, word| mask << 1 | u64::from(word.is_scored()));
            while scored != 0 {
                let at = 64 * chunk + scored.trailing_zeros() as usize;
                scored &= scored - 1;
                let view = scan.padded()[at..].first_chunk();
                let view = view.expect("there is padding on both sides");
                let value = rules::valence(&self.lexicon, view, at, capitals_matter, observer);
                valences.push(Valence { at, value });
            }
        }
    }
}

static FIELDS: [ScoreField; 4] = [
    ScoreField::new("neg", Decimals::Rounded(3)),
    ScoreField::new("neu", Decimals::Rounded(3)),
    ScoreField::new("pos", Decimals::Rounded(3)),
    ScoreField::new("compound", Decimals::Rounded(4)),
];

impl Scorer for Vader {
    fn name(&self) -> &str {
        self.name
    }

    fn fields(&self) -> &[ScoreField] {
        &FIELDS
    }

    fn primary(&self) -> usize {
        3
    }

    fn score(&self, text: &str, scores: &mut [f64]) -> Result<(), ScoreError> {
        let Scores {
            neg,
            neu,
            pos,
            compound,
        } = Self::score(self, text);
        scores.copy_from_slice(&[neg, neu, pos, compound]);
        Ok(())
    }

    fn explainer(&self) -> Option<&dyn Explainer> {
        Some(self)
    }
}
