//! The rules: from words to assessments, and from those to the figures.
//!
//! An assessment is a known word with the adverb before it, or an emoticon, or the irony mark. The figures of a text are the
//! mean over its assessments; words that TextBlob does not know do not count. All of this is `Sentiment.assessments` in
//! TextBlob's `_text.py`, in the same order of floating-point operations. It keeps a list of assessments and only ever
//! looks at the last of them, so one is enough here.

use std::ops::Range;

use super::Sentiment;
use super::lexicon::{Adverb, Known, LONGEST, Lexicon, Meaning};
use super::words::{Word, Words};

/// Is told how the figures of a text come about. [`()`](unit) listens to nothing and costs nothing.
///
/// For each word there is first a call of [`Observer::word`], then one of [`Observer::rule`] for each rule that it set off.
/// [`Observer::assessed`] comes when an assessment can change no more. The polarity and the subjectivity of the text are
/// the means of what it tells, in the order told; both are 0 if it tells nothing.
pub trait Observer {
    /// The next word stands here in the text (bytes). It may hold whitespace: `: )` is one word.
    fn word(&mut self, span: Range<usize>) {
        let _ = span;
    }

    /// The word set off this rule.
    fn rule(&mut self, rule: Rule) {
        let _ = rule;
    }

    /// An assessment is done.
    fn assessed(&mut self, polarity: f64, subjectivity: f64) {
        let _ = (polarity, subjectivity);
    }
}

impl Observer for () {}

/// What a word did.
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
    /// It is known and follows an adverb, and takes over the adverb's assessment: `good` in `very good`. What the adverb said
    /// is gone, but for its intensity.
    Modified {
        /// What the word's own figures were multiplied by.
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
    /// It ended the wait of a negation: `know` in `not know good`.
    ForgetsNegation,
    /// It parted an adverb from what follows: `the` in `really the best`.
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

/// The figures of the text.
#[inline]
pub(super) fn assess<O: Observer>(text: &str, lexicon: &Lexicon, observer: &mut O) -> Sentiment {
    let bytes = text.as_bytes();
    let mut words = Words::of(text);
    let mut rules = Rules::telling(observer);
    while let Some(word) = words.next() {
        match word {
            Word::Plain(token) => {
                rules.observer.word(token.start..token.end);
                if token.len() == 1 {
                    if bytes[token.start] == b'!' {
                        rules.exclaims();
                    }
                } else if token.ascii {
                    rules.word(lexicon.find(bytes, token.start, token.end), token.len());
                } else {
                    wide_word(&bytes[token.start..token.end], lexicon, &mut rules);
                }
            }
            Word::Joined(joined) => {
                rules.observer.word(joined.start..joined.end);
                wide_word(joined.spelling(), lexicon, &mut rules);
            }
            Word::Irony { start, end } => {
                rules.observer.word(start..end);
                rules.unknown(3);
                rules.irony();
            }
        }
    }
    rules.finish()
}

/// A word that may hold characters beyond ASCII. Of all of them only one is an ASCII letter in lower case, and can stand in a
/// known word: the Kelvin sign, in `liKe`. And only one becomes two characters: `İ` is long enough to end a negation.
#[inline(never)]
fn wide_word<O: Observer>(word: &[u8], lexicon: &Lexicon, rules: &mut Rules<'_, O>) {
    let characters = word.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    let doubled = word
        .windows(2)
        .filter(|pair| *pair == "İ".as_bytes())
        .count();
    let (mut folded, mut len, mut rest) = ([0; LONGEST + 1], 0, word);
    while len < folded.len()
        && let Some((&first, others)) = rest.split_first()
    {
        (folded[len], rest) = rest
            .strip_prefix("\u{212a}".as_bytes())
            .map_or((first, others), |others| (b'k', others));
        len += 1;
    }
    rules.word(lexicon.find(&folded[..len], 0, len), characters + doubled);
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

/// What the rules remember from word to word.
struct Rules<'o, O> {
    observer: &'o mut O,
    last: Option<Assessment>,
    /// The last known word is an adverb, and nothing has parted it from the next word.
    adverb: Option<Adverb>,
    /// A negation waits for a known word.
    negation: bool,
    polarity: f64,
    subjectivity: f64,
    /// How many assessments the sums hold: a whole number.
    done: f64,
}

impl<'o, O: Observer> Rules<'o, O> {
    fn telling(observer: &'o mut O) -> Self {
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

    /// A word of that meaning, and of that many characters in lower case.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "an eighth fewer instructions for a post, with `Tokens::next`"
    )]
    fn word(&mut self, meaning: Option<&Meaning>, characters: usize) {
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
            self.observer.rule(Rule::Modified {
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
            self.observer.rule(Rule::Known {
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
            self.observer.rule(Rule::Negated);
        }
        self.adverb = known.adverb;
        self.negation = false;
    }

    /// `no`, `not` or `never`. Behind an adverb in -ly, as in "really not good", it turns the adverb and not what follows;
    /// the adverb modifies that still, and so the assessment that it takes over is negated all the same.
    fn negation(&mut self, characters: usize) {
        match &mut self.last {
            Some(last) if self.adverb == Some(Adverb::InLy) => {
                last.negated = true;
                self.negation = false;
                self.observer.rule(Rule::NegatesAdverb);
            }
            _ => {
                self.negation = true;
                self.observer.rule(Rule::Negates);
                self.part_adverb(characters);
            }
        }
    }

    /// A word that is not in the list. Small ones pass unnoticed: a negation reaches over one character ("not a good"), an
    /// adverb over two ("really is good").
    #[inline]
    fn unknown(&mut self, characters: usize) {
        if self.negation && characters > 1 {
            self.negation = false;
            self.observer.rule(Rule::ForgetsNegation);
        }
        self.part_adverb(characters);
    }

    #[inline]
    fn part_adverb(&mut self, characters: usize) {
        if self.adverb.is_some() && characters > 2 {
            self.adverb = None;
            self.observer.rule(Rule::ForgetsAdverb);
        }
    }

    /// The exclamation mark boosts the last assessment, however far away, and each further mark does so again.
    fn exclaims(&mut self) {
        if let Some(last) = &mut self.last {
            last.polarity = (last.polarity * 1.25).clamp(-1.0, 1.0);
            self.observer.rule(Rule::Exclaims {
                polarity: last.polarity,
            });
        }
    }

    /// An emoticon does not part an adverb from the next word unless it is three characters long. In "really :) good" the
    /// word takes over the emoticon's assessment.
    fn emoticon(&mut self, polarity: f64) {
        self.open(Assessment {
            polarity,
            subjectivity: 1.0,
            intensity: 1.0,
            negated: false,
        });
        self.observer.rule(Rule::Emoticon { polarity });
    }

    fn irony(&mut self) {
        self.open(Assessment {
            polarity: 0.0,
            subjectivity: 1.0,
            intensity: 1.0,
            negated: false,
        });
        self.observer.rule(Rule::Irony);
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

    fn finish(mut self) -> Sentiment {
        self.close();
        let count = self.done.max(1.0);
        Sentiment {
            polarity: self.polarity / count,
            subjectivity: self.subjectivity / count,
        }
    }
}
