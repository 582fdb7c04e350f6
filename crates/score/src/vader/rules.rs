//! The rules that change the valence of a word by the words around it.
//!
//! The order of the steps, the precedence of the conditions and the numbers are those of the reference, down to what
//! looks like slips there: people compare scores with published ones, and the same text must have the same score. Each
//! such quirk has an example.

use super::lexicon::Lexicon;
use super::observe::{Observer, Rule};
use super::scan::{LOOK_AHEAD, LOOK_BACK};
use super::word::Keyword::{
    At, Doubt, Kind, Least, Never, No, Nor, Of, Or, So, This, Very, Without,
};
use super::word::Word;

/// What a negation multiplies a valence by.
const NEGATION: f64 = -0.74;
/// What capitals add to the strength of a word.
const CAPITALS: f64 = 0.733;
/// What "never so" and "never this" multiply a valence by.
const NEVER_SO: f64 = 1.25;
/// How much of a booster counts one, two and three words before the word that it strengthens.
const FADING: [f64; LOOK_BACK] = [1.0, 0.95, 0.9];

/// A word with its neighbors.
pub(super) const VIEW: usize = LOOK_BACK + 1 + LOOK_AHEAD;

/// The kinds of neighbors that a rule can apply to.
const TOUCHING: u32 = Word::BOOSTER | Word::NEGATION | Word::KEYWORD | Word::OPENS_PHRASE;

/// A word whose valence is being found, in its surroundings.
struct Case<'a, O> {
    lexicon: &'a Lexicon,
    observer: &'a mut O,
    /// The position of the word in the text.
    at: usize,
    valence: f64,
    /// Some but not all tokens of the text are in capitals.
    capitals_matter: bool,
    word: Word,
    /// The words before it, the nearest first.
    before: [Word; LOOK_BACK],
    /// The words after it, the nearest first.
    after: [Word; LOOK_AHEAD],
}

/// The valence of the word in the middle of `view`, which is at position `at` and has one in the lexicon.
#[inline]
pub(super) fn valence<O: Observer>(
    lexicon: &Lexicon,
    view: &[Word; VIEW],
    at: usize,
    capitals_matter: bool,
    observer: &mut O,
) -> f64 {
    let &[third, second, first, word, next, after_next] = view;
    // "Kind of" is a booster, whatever kindness there is in "kind".
    if word.is(Kind) && next.is(Of) {
        return 0.0;
    }
    let before = [first, second, third];
    let mut case = Case {
        lexicon,
        observer,
        at,
        valence: 0.0,
        capitals_matter,
        word,
        before,
        after: [next, after_next],
    };
    case.set(Rule::Lexicon, lexicon.valence(word));
    let alone = !before.iter().any(|word| word.is_any(TOUCHING))
        && !word.is_any(Word::CAPITALS | Word::KEYWORD | Word::OPENS_PHRASE);
    if !alone {
        case.apply();
    }
    case.valence
}

impl<O: Observer> Case<'_, O> {
    fn set(&mut self, rule: Rule, valence: f64) {
        self.observer.rule(self.at, rule, self.valence, valence);
        self.valence = valence;
    }

    fn scale(&mut self, rule: Rule, factor: f64) {
        self.set(rule, self.valence * factor);
    }

    /// Adds to the valence, away from zero. A valence of zero counts as negative.
    fn strengthen(&mut self, rule: Rule, amount: f64) {
        self.set(
            rule,
            if self.valence > 0.0 {
                self.valence + amount
            } else {
                self.valence - amount
            },
        );
    }

    /// Returns the position of the word at this distance before this one.
    fn back(&self, distance: usize) -> usize {
        self.at - distance
    }

    fn apply(&mut self) {
        self.no();
        if self.word.is_capitals() && self.capitals_matter {
            self.strengthen(Rule::Capitals, CAPITALS);
        }
        for distance in 1..=LOOK_BACK {
            // A neighbor with a valence of its own neither boosts nor negates, and hides the idioms that begin with
            // it if it is the third. Idioms are thus only found from the fourth word on: "the shit" alone is bad,
            // "This new phone is the shit" is good.
            if !self.before[distance - 1].is_valenced() {
                self.boost(distance);
                self.negate(distance);
                if distance == LOOK_BACK {
                    self.idioms();
                }
            }
        }
        self.least();
    }

    /// "No" is both a word with a valence and a negation: "No good" is negative, "No" is negative, "No problem" is
    /// not.
    fn no(&mut self) {
        if self.word.is(No) && self.after[0].is_valenced() {
            self.set(Rule::NoAsModifier, 0.0);
        }
        let [first, second, third] = self.before;
        let distance = if first.is(No) {
            1
        } else if second.is(No) {
            2
        } else if third.is(No) && (first.is(Or) || first.is(Nor)) {
            3
        } else {
            return;
        };
        // From the lexicon's valence, not from the zero of a "no" before a word: the last "no" of "no no good" is
        // 0.888.
        self.set(
            Rule::No {
                by: self.back(distance),
            },
            self.lexicon.valence(self.word) * NEGATION,
        );
    }

    /// Applies a booster before the word.
    fn boost(&mut self, distance: usize) {
        let booster = self.before[distance - 1];
        if !booster.is_any(Word::BOOSTER) {
            return;
        }
        let mut amount = self.lexicon.boost(booster);
        if self.valence < 0.0 {
            amount *= -1.0;
        }
        // In capitals, a dampener strengthens too: "BARELY good" is better than "good".
        if booster.is_capitals() && self.capitals_matter {
            amount += if self.valence > 0.0 {
                CAPITALS
            } else {
                -CAPITALS
            };
        }
        self.set(
            Rule::Booster {
                by: self.back(distance),
            },
            self.valence + amount * FADING[distance - 1],
        );
    }

    /// Applies a negation before the word.
    fn negate(&mut self, distance: usize) {
        let [first, second, third] = self.before;
        let by = self.back(distance);
        let is_so = |word: Word| word.is(So) || word.is(This);
        let (never_so, no_doubt) = match distance {
            1 => (false, false),
            2 => (
                second.is(Never) && is_so(first),
                second.is(Without) && first.is(Doubt),
            ),
            // `and` binds before `or` in the reference, so that a "so" or "this" right before the word does without
            // the "never": "I think this is so good" and "I think it is this good" are better than they should be.
            _ => (
                third.is(Never) && is_so(second) || is_so(first),
                third.is(Without) && (second.is(Doubt) || first.is(Doubt)),
            ),
        };
        if never_so {
            let is_never = self.before[distance - 1].is(Never);
            let by = if is_never { by } else { self.back(1) };
            self.scale(Rule::NeverSo { by }, NEVER_SO);
        } else if !no_doubt && self.before[distance - 1].is_any(Word::NEGATION) {
            self.scale(Rule::Negation { by }, NEGATION);
        }
    }

    /// Applies idioms around the word. An idiom replaces the valence, whatever earlier rules did to it.
    fn idioms(&mut self) {
        let [first, second, third] = self.before;
        let (word, [next, after_next]) = (self.word, self.after);
        if ![third, second, first, word]
            .iter()
            .any(|word| word.is_any(Word::OPENS_PHRASE))
        {
            return;
        }
        let at = self.at;
        // An idiom need not contain the word itself: in "the bomb was nice", "nice" gets the valence of "the bomb".
        let behind: [(&[Word], usize); 5] = [
            (&[first, word], at),
            (&[second, first, word], at),
            (&[second, first], at - 1),
            (&[third, second, first], at - 1),
            (&[third, second], at - 2),
        ];
        if let Some((valence, first, last)) = behind
            .into_iter()
            .find_map(|(words, last)| self.idiom(words, last))
        {
            self.set(Rule::Idiom { first, last }, valence);
        }
        let ahead: [(&[Word], usize); 2] =
            [(&[word, next], at + 1), (&[word, next, after_next], at + 2)];
        for (words, last) in ahead {
            if let Some((valence, first, last)) = self.idiom(words, last) {
                self.set(Rule::Idiom { first, last }, valence);
            }
        }
        // Unlike a booster of one word, one of several is added as it is, whichever sign the valence has: "kind of
        // bad", late enough in a text, is worse than "bad".
        let boosters: [(&[Word], usize); 3] = [
            (&[third, second, first], at - 1),
            (&[third, second], at - 2),
            (&[second, first], at - 1),
        ];
        for (words, last) in boosters {
            if let Some(amount) = self.lexicon.booster_phrase(words) {
                let first = last + 1 - words.len();
                self.set(Rule::BoosterPhrase { first, last }, self.valence + amount);
            }
        }
    }

    fn idiom(&self, words: &[Word], last: usize) -> Option<(f64, usize, usize)> {
        self.lexicon
            .idiom(words)
            .map(|valence| (valence, last + 1 - words.len(), last))
    }

    /// Applies "least" before the word, which negates it, except in "at least" and "very least".
    fn least(&mut self) {
        let [first, second, _] = self.before;
        if first.is(Least) && !first.is_valenced() && !second.is(At) && !second.is(Very) {
            self.scale(Rule::Least { by: self.back(1) }, NEGATION);
        }
    }
}
