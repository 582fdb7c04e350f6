//! The rules: from words to assessments, and from those to the scores.
//!
//! An assessment is a known word with the adverb before it, or an emoticon, or the irony mark. The scores of a text
//! are the mean over its assessments; words that TextBlob does not know do not count. All of this is
//! `Sentiment.assessments` in TextBlob's `_text.py`, in the same order of floating-point operations. It keeps a list
//! of assessments and only ever looks at the last of them, so one is enough here.

use std::ops::Range;

use super::lexicon::{Adverb, Known, Meaning};
use super::observe::{Observer, Rule};

/// What TextBlob says about a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sentiment {
    /// From −1 (negative) to 1 (positive).
    pub polarity: f64,
    /// From 0 (a fact) to 1 (an opinion).
    pub subjectivity: f64,
}

/// The last assessment, which later words can still change.
#[derive(Debug, Clone, Copy)]
struct Assessment {
    polarity: f64,
    subjectivity: f64,
    /// What the next known word is multiplied by if this one is an adverb.
    intensity: f64,
    negated: bool,
}

/// The state of the rules between words.
pub(super) struct Rules<'o, O> {
    observer: &'o mut O,
    last: Option<Assessment>,
    /// The last known word is an adverb, and nothing separates it from the next word.
    adverb: Option<Adverb>,
    /// A negation waits for a known word.
    negation: bool,
    polarity: f64,
    subjectivity: f64,
    /// The number of assessments in the sums: a whole number.
    done: f64,
}

impl<'o, O: Observer> Rules<'o, O> {
    pub(super) fn telling(observer: &'o mut O) -> Self {
        Self {
            observer,
            last: None,
            adverb: None,
            negation: false,
            polarity: 0.0,
            subjectivity: 0.0,
            done: 0.0,
        }
    }

    /// Reports the position of the next word.
    #[inline]
    pub(super) fn at(&mut self, span: Range<usize>) {
        if O::READS_WORDS {
            self.observer.word(span);
        }
    }

    #[inline]
    fn tell(&mut self, rule: Rule) {
        if O::READS_WORDS {
            self.observer.rule(rule);
        }
    }

    /// Applies a word with this meaning and this number of characters in lower case.
    #[inline]
    pub(super) fn word(&mut self, meaning: Option<&Meaning>, characters: usize) {
        match meaning {
            None => self.unknown(characters),
            Some(Meaning::Known(known)) => self.known(known),
            Some(Meaning::Negation) => self.negation(characters),
            Some(Meaning::Emoticon(polarity)) => {
                self.unknown(characters);
                self.emoticon(*polarity);
            }
        }
    }

    fn known(&mut self, known: &Known) {
        if self.adverb.is_some()
            && let Some(last) = &mut self.last
        {
            let intensity = last.intensity;
            last.polarity = (known.polarity * intensity).clamp(-1.0, 1.0);
            last.subjectivity = (known.subjectivity * intensity).clamp(-1.0, 1.0);
            last.intensity = known.intensity;
            let (polarity, subjectivity) = (last.polarity, last.subjectivity);
            self.tell(Rule::Modified {
                intensity,
                polarity,
                subjectivity,
            });
        } else {
            let Known {
                polarity,
                subjectivity,
                intensity,
                ..
            } = *known;
            self.open(Assessment {
                polarity,
                subjectivity,
                intensity,
                negated: false,
            });
            self.tell(Rule::Known {
                polarity,
                subjectivity,
            });
        }
        if self.negation
            && let Some(last) = &mut self.last
        {
            // "not very good": the adverb weakens then what it would boost.
            last.intensity = 1.0 / last.intensity;
            last.negated = true;
            self.tell(Rule::Negated);
        }
        self.adverb = known.adverb;
        self.negation = false;
    }

    /// `no`, `not` or `never`. Behind an adverb in -ly, as in "really not good", it turns the adverb and not what
    /// follows; the adverb modifies that still, and so the assessment that it takes over is negated all the same.
    fn negation(&mut self, characters: usize) {
        match &mut self.last {
            Some(last) if self.adverb == Some(Adverb::InLy) => {
                last.negated = true;
                self.negation = false;
                self.tell(Rule::NegatesAdverb);
            }
            _ => {
                self.negation = true;
                self.tell(Rule::Negates);
                self.part_adverb(characters);
            }
        }
    }

    /// A word that is not in the list. Small ones pass unnoticed: a negation reaches over one character ("not a
    /// good"), an adverb over two ("really is good").
    #[inline]
    pub(super) fn unknown(&mut self, characters: usize) {
        if self.negation && characters > 1 {
            self.negation = false;
            self.tell(Rule::ForgetsNegation);
        }
        self.part_adverb(characters);
    }

    /// Some words that are not in the list, for an observer that reads no words: whether any has two characters or
    /// more, and three.
    #[inline]
    pub(super) fn pass(&mut self, two: bool, three: bool) {
        self.negation &= !two;
        if three {
            self.adverb = None;
        }
    }

    #[inline]
    fn part_adverb(&mut self, characters: usize) {
        if self.adverb.is_some() && characters > 2 {
            self.adverb = None;
            self.tell(Rule::ForgetsAdverb);
        }
    }

    /// The exclamation mark boosts the last assessment, however far away, and each further mark does so again.
    pub(super) fn exclaims(&mut self) {
        if let Some(last) = &mut self.last {
            let polarity = (last.polarity * 1.25).clamp(-1.0, 1.0);
            last.polarity = polarity;
            self.tell(Rule::Exclaims { polarity });
        }
    }

    /// An emoticon does not part an adverb from the next word unless it is three characters long. In "really :) good"
    /// the word takes over the emoticon's assessment.
    fn emoticon(&mut self, polarity: f64) {
        self.open(Assessment {
            polarity,
            subjectivity: 1.0,
            intensity: 1.0,
            negated: false,
        });
        self.tell(Rule::Emoticon { polarity });
    }

    pub(super) fn irony(&mut self) {
        self.open(Assessment {
            polarity: 0.0,
            subjectivity: 1.0,
            intensity: 1.0,
            negated: false,
        });
        self.tell(Rule::Irony);
    }

    fn open(&mut self, next: Assessment) {
        self.close();
        self.last = Some(next);
    }

    /// Adds the last assessment to the sums.
    fn close(&mut self) {
        if let Some(last) = self.last.take() {
            let polarity = if last.negated {
                last.polarity * -0.5
            } else {
                last.polarity
            };
            self.polarity += polarity;
            self.subjectivity += last.subjectivity;
            self.done += 1.0;
            self.observer.assessed(polarity, last.subjectivity);
        }
    }

    pub(super) fn finish(mut self) -> Sentiment {
        self.close();
        let count = self.done.max(1.0);
        Sentiment {
            polarity: self.polarity / count,
            subjectivity: self.subjectivity / count,
        }
    }
}
