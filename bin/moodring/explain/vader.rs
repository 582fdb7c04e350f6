//! Listens to VADER.

use moodring_score::Vader;
use moodring_score::vader::{Observer, Rule, Sums};

use super::explanation::{Explanation, Step, Sum, Token, sentiment};

/// How VADER, or its rules over other words, score `text`.
pub(super) fn explain(vader: &Vader, model: String, text: &str) -> Explanation {
    let mut listener = Listener::default();
    let scores = vader.score_observed(text, &mut listener);
    let mut sums = Vec::new();
    if let Some(found) = listener.sums {
        let (of_positive, of_negative) = found.emphasis_of_shares();
        let x = found.valences + found.emphasis_of_sum();
        sums = vec![
            Sum::new("sum of valences", found.valences),
            Sum::new("emphasis by ! and ?", found.emphasis_of_sum()),
            Sum::new("x: sum of valences with its emphasis", x),
            Sum::new("x / sqrt(x^2 + 15): compound", x / (x * x + 15.0).sqrt()),
            Sum::new("positive valences, plus 1 for each", found.positive),
            Sum::new("negative valences, minus 1 for each", found.negative),
            // One of the two is zero.
            Sum::new(
                "emphasis by ! and ?, added to the stronger of these two",
                of_positive + of_negative,
            ),
            Sum::new("tokens without a valence", found.neutral),
        ];
    }
    let tokens = listener.tokens;
    Explanation {
        model,
        text: text.to_owned(),
        tokens,
        sums,
        scores: vec![
            Sum::new("neg", scores.neg),
            Sum::new("neu", scores.neu),
            Sum::new("pos", scores.pos),
            Sum::new("compound", scores.compound),
        ],
        sentiment: sentiment(scores.compound),
    }
}

#[derive(Default)]
struct Listener {
    tokens: Vec<Token>,
    sums: Option<Sums>,
}

impl Observer for Listener {
    fn token(&mut self, _index: usize, token: &str) {
        let token = token.to_owned();
        self.tokens.push(Token {
            text: token,
            value: Some(0.0),
            rules: Vec::new(),
        });
    }

    fn rule(&mut self, index: usize, rule: Rule, _before: f64, after: f64) {
        let said = self.sentence(rule);
        if let Some(token) = self.tokens.get_mut(index) {
            token.value = Some(after);
            token.rules.push(Step {
                rule: said,
                value: Some(after),
            });
        }
    }

    fn sums(&mut self, sums: &Sums) {
        self.sums = Some(*sums);
    }
}

impl Listener {
    fn sentence(&self, rule: Rule) -> String {
        match rule {
            Rule::Lexicon => "in the lexicon".to_owned(),
            Rule::NoAsModifier => "\"no\" modifies what follows".to_owned(),
            Rule::No { by } | Rule::Negation { by } | Rule::Least { by } => {
                format!("negated by {}", self.quoted(by, by))
            }
            Rule::Capitals => "in capitals".to_owned(),
            Rule::Booster { by } => format!("boosted by {}", self.quoted(by, by)),
            Rule::NeverSo { by } => format!("intensified by {}", self.quoted(by, self.so(by))),
            Rule::Idiom { first, last } => format!("in the idiom {}", self.quoted(first, last)),
            Rule::BoosterPhrase { first, last } => {
                format!("boosted by {}", self.quoted(first, last))
            }
            Rule::But { by } => format!("weighed by {}", self.quoted(by, by)),
            _ => "another rule".to_owned(),
        }
    }

    /// The last token of "never so" or "never this" that begins at `first`; `first` where it is "so" or "this" alone.
    fn so(&self, first: usize) -> usize {
        let is_never = self
            .tokens
            .get(first)
            .is_some_and(|token| token.text.eq_ignore_ascii_case("never"));
        first + usize::from(is_never)
    }

    /// The tokens from `first` to `last`, in quotes.
    fn quoted(&self, first: usize, last: usize) -> String {
        let words = self.tokens.get(first..=last).unwrap_or_default();
        let words: Vec<_> = words.iter().map(|token| token.text.as_str()).collect();
        format!("\"{}\"", words.join(" "))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "emphasis is added, not computed")]
mod tests {
    use super::*;

    fn explain(text: &str) -> Explanation {
        super::explain(&Vader::new(), "vader".to_owned(), text)
    }

    #[test]
    fn the_rules_that_touched_a_token_are_named() {
        let explanation = explain("It was VERY good, but not great!");
        let rules = |token: &str| {
            let found = explanation
                .tokens
                .iter()
                .find(|found| found.text == token)
                .unwrap();
            found
                .rules
                .iter()
                .map(|step| step.rule.as_str())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            rules("good"),
            [
                "in the lexicon",
                "boosted by \"VERY\"",
                "weighed by \"but\""
            ]
        );
        assert_eq!(
            rules("great"),
            ["in the lexicon", "negated by \"not\"", "weighed by \"but\""]
        );
        assert!(rules("It").is_empty());
    }

    #[test]
    fn the_word_that_intensifies_is_named() {
        let rules = |text: &str| -> Vec<String> {
            let tokens = explain(text).tokens.into_iter();
            tokens
                .flat_map(|token| token.rules)
                .map(|step| step.rule)
                .filter(|rule| rule.starts_with("intensified"))
                .collect()
        };
        assert_eq!(
            rules("It was good, I like this good pie"),
            ["intensified by \"this\""]
        );
        assert_eq!(
            rules("I was never so happy"),
            ["intensified by \"never so\"", "intensified by \"so\""],
            "the reference counts both"
        );
        assert_eq!(
            rules("never so very happy"),
            ["intensified by \"never so\""]
        );
        assert_eq!(rules("I think this is so good"), ["intensified by \"so\""]);
    }

    #[test]
    fn emphasis_is_shown_with_the_sign_it_acts_with() {
        let emphasis = |text: &str| {
            let sums = explain(text).sums;
            [sums[1].value, sums[6].value]
        };
        assert_eq!(emphasis("terrible!"), [-0.292, -0.292]);
        assert_eq!(emphasis("great!"), [0.292, 0.292]);
        assert_eq!(emphasis("a chair!"), [0.0, 0.0]);
        // 3.1 outweighs -1.5 and -1.1 in the sum; with one more for each word it does not.
        assert_eq!(emphasis("great and lonely and bored!"), [0.292, -0.292]);
    }

    /// What is shown must be what was summed, whatever the text.
    #[test]
    fn the_values_of_the_tokens_add_up_to_the_scores() {
        let texts = [
            "",
            "no",
            "GREAT :) but the food is the bomb!!!",
            "not kind of bad at all, no fun?? ???",
            "at least it was the least good 😀💔",
            "never so happy, without doubt sux",
            "terrible!!!",
            "great, but sad and bad and poor!!",
            "good bad ugly nice!?!?",
            "a chair!!",
        ];
        for text in texts {
            let Explanation {
                tokens,
                sums,
                scores,
                ..
            } = explain(text);
            let Ok(sums) = <[Sum; 8]>::try_from(sums) else {
                continue;
            };
            let valences = &sums[0];
            if tokens.is_empty() {
                assert!(scores.iter().all(|score| score.value == 0.0));
                continue;
            }
            let total: f64 = tokens.iter().filter_map(|token| token.value).sum();
            assert!(
                (total - valences.value).abs() < 1e-12,
                "{text}: {total} and {valences:?}"
            );
            let [
                _,
                emphasis,
                x,
                compound,
                positive,
                negative,
                of_stronger,
                neutral,
            ] = sums.each_ref().map(|sum| sum.value);
            assert!((total + emphasis - x).abs() < 1e-12, "{text}");
            assert!((compound - scores[3].value).abs() < 5.1e-5, "{text}");
            let (positive, negative) = (
                positive + of_stronger.max(0.0),
                negative + of_stronger.min(0.0),
            );
            let share = |part: f64| part.abs() / (positive - negative + neutral);
            for (part, score) in [negative, neutral, positive].into_iter().zip(&scores) {
                assert!(
                    (share(part) - score.value).abs() < 5.1e-4,
                    "{text}: {score:?}"
                );
            }
        }
    }
}
