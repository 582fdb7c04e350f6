//! The interface of observers, which learn how a text gets its score.

/// Is told each step by which a text gets its score.
///
/// The engine is generic over its observer and calls it from the very code that scores; with the one that `score`
/// uses, which ignores everything, nothing of this is left in the compiled code. All methods do nothing unless they
/// are given.
///
/// For each token, the `after` of one call of [`rule`](Self::rule) is the `before` of its next, the first `before` is
/// zero, and the last `after` is what the token adds to [`Sums::valences`].
pub trait Observer {
    /// Whether [`token`](Self::token) is called. The engine then has to find the text of every token.
    const READS_TOKENS: bool = true;

    /// The text has this token at `index`: a word without the punctuation around it, an emoticon, or a word of the
    /// description of an emoji.
    fn token(&mut self, index: usize, token: &str) {
        let _ = (index, token);
    }

    /// The tokens that come next are those of the description of an emoji, with what sticks to it.
    fn emoji(&mut self, emoji: char, description: &str) {
        let _ = (emoji, description);
    }

    /// A rule changed the valence of the token at `index`.
    fn rule(&mut self, index: usize, rule: Rule, before: f64, after: f64) {
        let _ = (index, rule, before, after);
    }

    /// All tokens have their final valence, and these are the sums.
    fn sums(&mut self, sums: &Sums) {
        let _ = sums;
    }
}

/// Observes nothing, for texts that are only scored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Observer for Nobody {
    const READS_TOKENS: bool = false;
}

/// What can happen to the valence of a token. The positions are those of other tokens of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// It has this valence in the lexicon.
    Lexicon,
    /// It is "no" before a word with a valence: not a feeling but a modifier of that word.
    NoAsModifier,
    /// "No" stands before it: the lexicon's valence times −0.74, whatever was before.
    No {
        /// The position of "no".
        by: usize,
    },
    /// It is in capitals and other tokens are not: 0.733 away from zero.
    Capitals,
    /// A booster stands before it: its amount, less with distance and more in capitals.
    Booster {
        /// The position of the booster.
        by: usize,
    },
    /// A negation stands before it: times −0.74.
    Negation {
        /// The position of the negation.
        by: usize,
    },
    /// "Never so", "never this" and the like stand before it: times 1.25.
    NeverSo {
        /// The position of "never", or of "so" or "this" where it acts without a "never".
        by: usize,
    },
    /// It is part of an idiom, or stands after one, and has the valence of the idiom.
    Idiom {
        /// The position of the first word of the idiom.
        first: usize,
        /// The position of its last word.
        last: usize,
    },
    /// A booster of several words, such as "kind of", stands before it.
    BoosterPhrase {
        /// The position of its first word.
        first: usize,
        /// The position of its last word.
        last: usize,
    },
    /// "Least" stands before it, and neither "at least" nor "very least": times −0.74.
    Least {
        /// The position of "least".
        by: usize,
    },
    /// The text has a "but": times 0.5 before it, times 1.5 after it.
    But {
        /// The position of the first "but".
        by: usize,
    },
}

/// The sums over the tokens of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums {
    /// The sum of the valences, from the first token to the last.
    pub valences: f64,
    /// The weight of the exclamation and question marks; never negative. See
    /// [`emphasis_of_sum`](Self::emphasis_of_sum) and [`emphasis_of_shares`](Self::emphasis_of_shares) for where it
    /// goes.
    pub emphasis: f64,
    /// The number of tokens.
    pub tokens: usize,
    /// The positive valences, one more for each.
    pub positive: f64,
    /// The negative valences, one less for each: zero or below.
    pub negative: f64,
    /// The number of tokens without a valence.
    pub neutral: f64,
}

impl Sums {
    /// What the marks add to [`valences`](Self::valences) before the compound is made of them: the emphasis with the
    /// sign of the sum, so that it is away from zero. Nothing where the sum is zero.
    #[must_use]
    #[inline]
    pub fn emphasis_of_sum(&self) -> f64 {
        if self.valences > 0.0 {
            self.emphasis
        } else if self.valences < 0.0 {
            -self.emphasis
        } else {
            0.0
        }
    }

    /// What the marks add to [`positive`](Self::positive) and to [`negative`](Self::negative) before the shares are
    /// made of them: the emphasis goes to the one that is further from zero. That may be another sign than that of the
    /// sum: one "great" against two weaker negative words, each of which counts one more.
    #[must_use]
    #[inline]
    pub fn emphasis_of_shares(&self) -> (f64, f64) {
        let negative = self.negative.abs();
        if self.positive > negative {
            (self.emphasis, 0.0)
        } else if self.positive < negative {
            (0.0, -self.emphasis)
        } else {
            (0.0, 0.0)
        }
    }
}
