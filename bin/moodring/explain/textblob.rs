//! Listens to the `textblob` model.

use std::ops::Range;

use moodring_score::TextBlob;
use moodring_score::textblob::{Observer, Rule};

use super::{Explanation, Step, Sum, Token, sentiment};

/// How `textblob` scores `text`: each assessment has a polarity and a subjectivity, and the figures are their means.
pub(super) fn explain(text: &str) -> Explanation {
    let mut listener = Listener {
        text,
        tokens: Vec::new(),
        assessments: Vec::new(),
    };
    let figures = TextBlob::new().score_observed(text, &mut listener);
    let Listener {
        tokens,
        assessments,
        ..
    } = listener;
    let mut sums = Vec::new();
    for &(polarity, subjectivity) in &assessments {
        sums.push(Sum::new("an assessment's polarity", polarity));
        sums.push(Sum::new("its subjectivity", subjectivity));
    }
    Explanation {
        model: "textblob".to_owned(),
        text: text.to_owned(),
        tokens,
        sums,
        figures: vec![
            Sum::new("polarity", figures.polarity),
            Sum::new("subjectivity", figures.subjectivity),
        ],
        sentiment: sentiment(figures.polarity),
    }
}

struct Listener<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    assessments: Vec<(f64, f64)>,
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
        let (said, value) = sentence(rule);
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

/// What a rule did, and the polarity it led to.
fn sentence(rule: Rule) -> (&'static str, Option<f64>) {
    match rule {
        Rule::Known { polarity, .. } => ("in the lexicon", Some(polarity)),
        Rule::Modified { polarity, .. } => {
            ("in the lexicon, times the adverb before it", Some(polarity))
        }
        Rule::Negates => ("negates what follows", None),
        Rule::Negated => ("negated: times -0.5", None),
        Rule::NegatesAdverb => ("negates the adverb before it", None),
        Rule::ForgetsNegation => ("ends the negation", None),
        Rule::ForgetsAdverb => ("parts the adverb from what follows", None),
        Rule::Exclaims { polarity } => {
            ("an exclamation: the assessment times 1.25", Some(polarity))
        }
        Rule::Emoticon { polarity } => ("an emoticon", Some(polarity)),
        Rule::Irony => ("the mark of irony", Some(0.0)),
        _ => ("another rule", None),
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
                .any(|step| step.rule.starts_with("an exclamation"))
        );
    }

    #[test]
    fn the_figures_are_the_means_of_the_assessments() {
        for text in [
            "",
            "good",
            "not very good! but really awful :(",
            "wow (!) great, isn't it?",
        ] {
            let Explanation { sums, figures, .. } = explain(text);
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
            assert!((mean(0) - figures[0].value).abs() < 1e-12, "{text}");
            assert!((mean(1) - figures[1].value).abs() < 1e-12, "{text}");
        }
    }
}
