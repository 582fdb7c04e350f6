//! Explains the scores of TextBlob.
//!
//! Nothing is computed a second time: observers collect what the scoring code itself reports.

use std::ops::Range;

use smallvec::SmallVec;

use super::TextBlob;
use super::observe::{Observer, Rule};
use crate::class::SentimentClass;
use crate::explanation::{AppliedRule, ExplainedWord, Explanation, NamedValue};
use crate::scorer::{Explainer, ScoreError};

impl Explainer for TextBlob {
    /// Each assessment has a polarity and a subjectivity, and the scores are their means.
    fn explain(&self, text: &str) -> Result<Explanation, ScoreError> {
        let mut listener = Listener {
            text,
            words: Vec::new(),
            steps: Vec::new(),
            open: Assessment::default(),
        };
        let scores = self.score_observed(text, &mut listener);
        Ok(Explanation {
            model: "textblob".to_owned(),
            text: text.to_owned(),
            words: listener.words,
            steps: listener.steps,
            scores: vec![
                NamedValue::new("polarity", scores.polarity),
                NamedValue::new("subjectivity", scores.subjectivity),
            ],
            sentiment: SentimentClass::of(scores.polarity),
        })
    }

    /// The polarity is the mean over the assessments. The word that was known last in an assessment contributes the
    /// polarity of the assessment, divided by their number.
    fn contributions(&self, text: &str, each: &mut dyn FnMut(&str, f64)) -> Result<(), ScoreError> {
        let mut found = AssessedWords::default();
        self.score_observed(text, &mut found);
        #[expect(clippy::cast_precision_loss, reason = "no text has 2^52 assessments")]
        let count = found.done.len() as f64;
        for (word, polarity) in found.done {
            if polarity != 0.0 {
                each(text.get(word).unwrap_or_default(), polarity / count);
            }
        }
        Ok(())
    }
}

/// Collects the word and the polarity of each assessment.
#[derive(Default)]
struct AssessedWords {
    /// The word that was read last.
    last: Range<usize>,
    /// The word of the open assessment.
    open: Range<usize>,
    done: SmallVec<[(Range<usize>, f64); 16]>,
}

impl Observer for AssessedWords {
    fn word(&mut self, span: Range<usize>) {
        self.last = span;
    }

    fn rule(&mut self, rule: Rule) {
        if matches!(
            rule,
            Rule::Known { .. } | Rule::Modified { .. } | Rule::Emoticon { .. } | Rule::Irony
        ) {
            self.open = self.last.clone();
        }
    }

    fn assessed(&mut self, polarity: f64, _subjectivity: f64) {
        self.done.push((self.open.clone(), polarity));
    }
}

/// Collects everything.
struct Listener<'a> {
    text: &'a str,
    words: Vec<ExplainedWord>,
    steps: Vec<NamedValue>,
    /// The assessment that the rules are about.
    open: Assessment,
}

/// The polarity of an assessment so far.
#[derive(Default)]
struct Assessment {
    /// Before any negation.
    polarity: f64,
    is_negated: bool,
}

impl Assessment {
    /// Applies a rule and returns the new polarity, or `None` if the rule does not change it.
    fn apply(&mut self, rule: Rule) -> Option<f64> {
        match rule {
            Rule::Known { polarity, .. } | Rule::Emoticon { polarity } => {
                *self = Self {
                    polarity,
                    is_negated: false,
                }
            }
            Rule::Irony => *self = Self::default(),
            Rule::Modified { polarity, .. } | Rule::Exclaims { polarity } => {
                self.polarity = polarity;
            }
            Rule::Negated | Rule::NegatesAdverb => self.is_negated = true,
            _ => return None,
        }
        let factor = if self.is_negated { -0.5 } else { 1.0 };
        Some(self.polarity * factor)
    }
}

impl Observer for Listener<'_> {
    fn word(&mut self, span: Range<usize>) {
        self.words.push(ExplainedWord {
            text: self.text.get(span).unwrap_or_default().to_owned(),
            value: None,
            rules: Vec::new(),
        });
    }

    fn rule(&mut self, rule: Rule) {
        let value = self.open.apply(rule);
        if let Some(word) = self.words.last_mut() {
            word.value = value.or(word.value);
            word.rules.push(AppliedRule {
                rule: sentence(rule).to_owned(),
                value,
            });
        }
    }

    fn assessed(&mut self, polarity: f64, subjectivity: f64) {
        self.steps.extend([
            NamedValue::new("polarity of an assessment", polarity),
            NamedValue::new("subjectivity of the same", subjectivity),
        ]);
    }
}

/// Says what a rule did.
fn sentence(rule: Rule) -> &'static str {
    match rule {
        Rule::Known { .. } => "in the lexicon",
        Rule::Modified { .. } => "in the lexicon, multiplied by the adverb before it",
        Rule::Negates => "negates what follows",
        Rule::Negated => "negated: times -0.5",
        Rule::NegatesAdverb => "negates the adverb before it: times -0.5",
        Rule::ForgetsNegation => "ends the negation",
        Rule::ForgetsAdverb => "separates the adverb from what follows",
        Rule::Exclaims { .. } => "exclamation: the assessment times 1.25",
        Rule::Emoticon { .. } => "emoticon",
        Rule::Irony => "mark of irony",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(text: &str) -> Explanation {
        TextBlob::new().explain(text).unwrap()
    }

    #[test]
    fn the_rules_that_touched_a_word_are_named() {
        let explanation = explain("not very good!");
        let rules: Vec<_> = explanation
            .words
            .iter()
            .flat_map(|word| &word.rules)
            .collect();
        assert_eq!(rules[0].rule, "negates what follows");
        assert!(
            rules
                .iter()
                .any(|applied| applied.rule.starts_with("exclamation"))
        );
    }

    #[test]
    fn a_negated_word_is_shown_with_the_sign_it_acts_with() {
        let value = |text: &str, word: &str| {
            let words = explain(text).words;
            words
                .into_iter()
                .find(|found| found.text == word)
                .unwrap()
                .value
        };
        assert_eq!(value("not good", "good"), Some(-0.35));
        assert_eq!(value("not good!", "!"), Some(-0.4375));
        assert_eq!(value("good", "good"), Some(0.7));
    }

    #[test]
    fn the_scores_are_the_means_of_the_assessments() {
        for text in [
            "",
            "good",
            "not very good! but really awful :(",
            "wow (!) great, isn't it?",
        ] {
            let Explanation { steps, scores, .. } = explain(text);
            let mean = |which: usize| {
                let values: Vec<f64> = steps
                    .iter()
                    .skip(which)
                    .step_by(2)
                    .map(|step| step.value)
                    .collect();
                let count = u32::try_from(values.len().max(1)).unwrap();
                values.iter().sum::<f64>() / f64::from(count)
            };
            assert!((mean(0) - scores[0].value).abs() < 1e-12, "{text}");
            assert!((mean(1) - scores[1].value).abs() < 1e-12, "{text}");
        }
    }

    #[test]
    fn the_contributions_of_words_add_up_to_the_polarity() {
        let model = TextBlob::new();
        let contributions = |text: &str| {
            let mut words = Vec::new();
            let mut add = |word: &str, value: f64| words.push((word.to_owned(), value));
            model.contributions(text, &mut add).unwrap();
            words
        };
        let texts = [
            "",
            "good",
            "not very good! but really awful :(",
            "wow (!) great, isn't it?",
            "really not good",
        ];
        for text in texts {
            let total: f64 = contributions(text).iter().map(|(_, value)| value).sum();
            assert!((total - model.score(text).polarity).abs() < 1e-12, "{text}");
        }
        let words = contributions("a very good film with an awful end");
        assert_eq!(words[0].0, "good", "the adverb does not count by itself");
        assert_eq!(words[1], ("awful".to_owned(), -0.5));
    }
}
