//! Listens to the `textblob` model.

use std::ops::Range;

use moodring_score::TextBlob;
use moodring_score::textblob::{Observer, Rule};

use super::explanation::{Explanation, Step, Sum, Token, sentiment};

/// How `textblob` scores `text`: each assessment has a polarity and a subjectivity, and the scores are their means.
pub(super) fn explain(text: &str) -> Explanation {
    let mut listener = Listener {
        text,
        tokens: Vec::new(),
        assessments: Vec::new(),
        open: Assessment::default(),
    };
    let scores = TextBlob::new().score_observed(text, &mut listener);
    let Listener {
        tokens,
        assessments,
        ..
    } = listener;
    let mut sums = Vec::new();
    for &(polarity, subjectivity) in &assessments {
        sums.push(Sum::new("polarity of an assessment", polarity));
        sums.push(Sum::new("subjectivity of the same", subjectivity));
    }
    Explanation {
        model: "textblob".to_owned(),
        text: text.to_owned(),
        tokens,
        sums,
        scores: vec![
            Sum::new("polarity", scores.polarity),
            Sum::new("subjectivity", scores.subjectivity),
        ],
        sentiment: sentiment(scores.polarity),
    }
}

struct Listener<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    assessments: Vec<(f64, f64)>,
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
    /// What the rule makes of it; `None` if the rule does not change it.
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
        let token = self.text.get(span).unwrap_or_default().to_owned();
        self.tokens.push(Token {
            text: token,
            value: None,
            rules: Vec::new(),
        });
    }

    fn rule(&mut self, rule: Rule) {
        let said = sentence(rule);
        let value = self.open.apply(rule);
        if let Some(token) = self.tokens.last_mut() {
            token.value = value.or(token.value);
            token.rules.push(Step {
                rule: said.to_owned(),
                value,
            });
        }
    }

    fn assessed(&mut self, polarity: f64, subjectivity: f64) {
        self.assessments.push((polarity, subjectivity));
    }
}

/// What a rule did.
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
        _ => "another rule",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_touched_a_word_are_named() {
        let explanation = explain("not very good!");
        let rules: Vec<_> = explanation
            .tokens
            .iter()
            .flat_map(|token| &token.rules)
            .collect();
        assert_eq!(rules[0].rule, "negates what follows");
        assert!(
            rules
                .iter()
                .any(|step| step.rule.starts_with("exclamation"))
        );
    }

    #[test]
    fn a_negated_word_is_shown_with_the_sign_it_acts_with() {
        let value = |text: &str, token: &str| {
            let tokens = explain(text).tokens;
            tokens
                .into_iter()
                .find(|found| found.text == token)
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
            let Explanation { sums, scores, .. } = explain(text);
            let mean = |which: usize| {
                let values: Vec<f64> = sums
                    .iter()
                    .skip(which)
                    .step_by(2)
                    .map(|sum| sum.value)
                    .collect();
                let count = u32::try_from(values.len().max(1)).unwrap();
                values.iter().sum::<f64>() / f64::from(count)
            };
            assert!((mean(0) - scores[0].value).abs() < 1e-12, "{text}");
            assert!((mean(1) - scores[1].value).abs() < 1e-12, "{text}");
        }
    }
}
