//! Explains the scores of VADER.
//!
//! Nothing is computed a second time: observers collect what the scoring code itself reports.

use smallvec::SmallVec;

use super::Vader;
use super::observe::{Observer, Rule, Sums};
use super::sum::{ALPHA, Scores};
use crate::class::SentimentClass;
use crate::explanation::{AppliedRule, ExplainedWord, Explanation, NamedValue};
use crate::scorer::{Explainer, ScoreError};

impl Explainer for Vader {
    fn explain(&self, text: &str) -> Result<Explanation, ScoreError> {
        let mut listener = Listener::default();
        let Scores {
            neg,
            neu,
            pos,
            compound,
        } = self.score_observed(text, &mut listener);
        let named = |(name, value)| NamedValue::new(name, value);
        Ok(Explanation {
            model: self.name.to_owned(),
            text: text.to_owned(),
            words: listener.words,
            steps: listener
                .sums
                .map(|sums| steps(&sums).map(named).into())
                .unwrap_or_default(),
            scores: [
                ("neg", neg),
                ("neu", neu),
                ("pos", pos),
                ("compound", compound),
            ]
            .map(named)
            .into(),
            sentiment: SentimentClass::of(compound),
        })
    }

    /// The compound is `x / sqrt(x² + 15)`, and a word adds its valence to `x`. So it contributes its valence over the
    /// same root. What is missing to the compound is the emphasis of exclamation and question marks, over the root.
    fn contributions(&self, text: &str, each: &mut dyn FnMut(&str, f64)) -> Result<(), ScoreError> {
        let mut found = FinalValences::default();
        self.score_observed(text, &mut found);
        if found.values.iter().any(|&(_, value)| value != 0.0) {
            let x = found.x;
            let root = (x * x + ALPHA).sqrt();
            let mut words = Contributions {
                values: found.values.into_iter().peekable(),
                root,
                each,
            };
            self.score_observed(text, &mut words);
        }
        Ok(())
    }
}

/// The steps from the valences of the words to the scores.
fn steps(sums: &Sums) -> [(&'static str, f64); 8] {
    let (of_positive, of_negative) = sums.emphasis_of_shares();
    let x = sums.valences + sums.emphasis_of_sum();
    [
        ("sum of valences", sums.valences),
        ("emphasis by ! and ?", sums.emphasis_of_sum()),
        ("x: sum of valences with its emphasis", x),
        ("x / sqrt(x^2 + 15): compound", x / (x * x + ALPHA).sqrt()),
        ("positive valences, plus 1 for each", sums.positive),
        ("negative valences, minus 1 for each", sums.negative),
        // One of the two is zero.
        (
            "emphasis by ! and ?, added to the stronger of these two",
            of_positive + of_negative,
        ),
        ("tokens without a valence", sums.neutral),
    ]
}

/// The valences of words by their position, ascending.
type Values = SmallVec<[(usize, f64); 16]>;

/// Collects the valence that each word has in the end, without reading the words.
#[derive(Default)]
struct FinalValences {
    values: Values,
    /// The sum of the valences with its emphasis.
    x: f64,
}

impl Observer for FinalValences {
    const READS_TOKENS: bool = false;

    fn rule(&mut self, index: usize, _rule: Rule, _before: f64, after: f64) {
        match self.values.binary_search_by_key(&index, |&(at, _)| at) {
            Ok(place) => self.values[place].1 = after,
            Err(place) => self.values.insert(place, (index, after)),
        }
    }

    fn sums(&mut self, sums: &Sums) {
        self.x = sums.valences + sums.emphasis_of_sum();
    }
}

/// Passes on the words that have a valence.
struct Contributions<'a> {
    values: std::iter::Peekable<<Values as IntoIterator>::IntoIter>,
    root: f64,
    each: &'a mut dyn FnMut(&str, f64),
}

impl Observer for Contributions<'_> {
    fn token(&mut self, index: usize, token: &str) {
        if let Some((_, value)) = self.values.next_if(|&(at, _)| at == index)
            && value != 0.0
        {
            (self.each)(token, value / self.root);
        }
    }
}

/// Collects everything.
#[derive(Default)]
struct Listener {
    words: Vec<ExplainedWord>,
    sums: Option<Sums>,
}

impl Observer for Listener {
    fn token(&mut self, _index: usize, token: &str) {
        self.words.push(ExplainedWord {
            text: token.to_owned(),
            value: Some(0.0),
            rules: Vec::new(),
        });
    }

    fn rule(&mut self, index: usize, rule: Rule, _before: f64, after: f64) {
        let rule = self.sentence(rule);
        if let Some(word) = self.words.get_mut(index) {
            word.value = Some(after);
            word.rules.push(AppliedRule {
                rule,
                value: Some(after),
            });
        }
    }

    fn sums(&mut self, sums: &Sums) {
        self.sums = Some(*sums);
    }
}

impl Listener {
    /// Says what the rule did.
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
        }
    }

    /// Returns the position of the last word of "never so" or "never this" that begins at `first`, or `first` where
    /// "so" or "this" stands alone.
    fn so(&self, first: usize) -> usize {
        let is_never = self
            .words
            .get(first)
            .is_some_and(|word| word.text.eq_ignore_ascii_case("never"));
        first + usize::from(is_never)
    }

    /// Returns the words from `first` to `last`, in quotes.
    fn quoted(&self, first: usize, last: usize) -> String {
        let words = self.words.get(first..=last).unwrap_or_default();
        let words: Vec<_> = words.iter().map(|word| word.text.as_str()).collect();
        format!("\"{}\"", words.join(" "))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "emphasis is added, not computed")]
mod tests {
    use super::*;

    fn explain(text: &str) -> Explanation {
        Vader::new().explain(text).unwrap()
    }

    #[test]
    fn the_rules_that_touched_a_word_are_named() {
        let explanation = explain("It was VERY good, but not great!");
        let rules = |word: &str| {
            let found = explanation
                .words
                .iter()
                .find(|found| found.text == word)
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
            let words = explain(text).words.into_iter();
            words
                .flat_map(|word| word.rules)
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
            let sums = explain(text).steps;
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
    fn the_values_of_the_words_add_up_to_the_scores() {
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
                words,
                steps,
                scores,
                ..
            } = explain(text);
            let Ok(sums) = <[NamedValue; 8]>::try_from(steps) else {
                continue;
            };
            let valences = &sums[0];
            if words.is_empty() {
                assert!(scores.iter().all(|score| score.value == 0.0));
                continue;
            }
            let total: f64 = words.iter().filter_map(|word| word.value).sum();
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

    #[test]
    fn the_contributions_of_words_and_marks_add_up_to_the_compound() {
        let vader = Vader::new();
        let texts = [
            ("good", 1),
            ("not good, but GREAT and terrible", 3),
            ("a chair!!", 0),
            ("great!!!", 1),
            ("no", 1),
            ("love but amusing", 2),
            ("a 💔 for the bomb", 3),
        ];
        for (text, count) in texts {
            let mut words = Vec::new();
            let mut add = |word: &str, value: f64| words.push((word.to_owned(), value));
            vader.contributions(text, &mut add).unwrap();
            assert_eq!(words.len(), count, "{text}: {words:?}");
            let explanation = explain(text);
            let [emphasis, x, compound] = [1, 2, 3].map(|step| explanation.steps[step].value);
            let of_words: f64 = words.iter().map(|(_, value)| value).sum();
            let of_marks = emphasis / (x * x + ALPHA).sqrt();
            assert!((of_words + of_marks - compound).abs() < 1e-12, "{text}");
            assert!(
                words
                    .iter()
                    .all(|(word, _)| explanation.words.iter().any(|w| w.text == *word))
            );
        }
    }
}
