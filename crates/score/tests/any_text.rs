//! What both models promise for any text: scores within their ranges, the same ones whether somebody looks on or not,
//! an explanation that adds up to them, and work in proportion to the length.
//!
//! Three kinds of text: of any characters; of what a model has rules for, in any order; and a few such pieces over and
//! over.

use std::hint::black_box;
use std::time::{Duration, Instant};

use moodring_score::{Scorer, TextBlob, Vader};
use proptest::prelude::*;

/// What either model has rules for, or a way of its own through.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    // Words, adverbs, negations, idioms.
    "good", "BAD", "Great", "terrible", "love", "sob", "no", "not", "never", "n't", "don't", "DON'T", "don’t", "without",
    "doubt", "very", "VERY", "really", "especially", "barely", "so", "this", "kind", "of", "least", "at", "but", "or", "nor",
    "the", "shit", "bomb", "heart", "beating", "yeah", "right", "is", "a", "I", "x", "X", "o", "O", "D", "8", "3", "c",
    "across-the-board", "f*cking", "thought-provokingly", "fig", "def",
    // Marks and emoticons, whole and torn.
    "!", "?", "!!!!", "???", ".", "..", "...", ",", ";", ":", "'", "\"", "(", ")", "-", "=", "_", "*", "^", "|", "<", ">",
    "@", "#", "%", "/", "\\", "(!)", ":)", ": )", ":-(", ":'(", "o.O", ">.>", "<3", "x-D",
    // Abbreviations, and what TextBlob writes between paragraphs.
    "etc.", "U.S.", "Mr.", "B|.", "END-OF-SENTENCE", "http://t.co/x",
    // Characters beyond ASCII: emoji, quotes, letters that become others in lower case.
    "😂", "❤️", "👍🏽", "♥", "°", "é", "Σ", "İ", "\u{212a}", "“", "”", "e\u{301}", "日本語",
    // Whitespace as Python has it, and what is none.
    "\n", "\n\n", "\r\n", "\t", "\u{1c}", "\u{85}", "\u{a0}", "\u{2003}", "\u{2028}", "\0", "\u{200d}",
    // Longer than the scanners look at once.
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "                                        ",
];

/// Some pieces, with a space behind each or not.
fn pieces(count: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        9 => prop::sample::select(PIECES).prop_map(String::from),
        1 => ".{0,12}",
    ];
    let spaced = (piece, any::<bool>())
        .prop_map(|(piece, is_spaced)| piece + if is_spaced { " " } else { "" });
    prop::collection::vec(spaced, count).prop_map(|pieces| pieces.concat())
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => any::<String>(),
        6 => pieces(0..60),
        2 => (pieces(1..5), 0..400_usize).prop_map(|(unit, times)| unit.repeat(times)),
    ]
}

mod vader {
    use moodring_score::vader::{Observer, Rule, Scores, Sums};

    use super::*;

    /// Takes the score apart as it is told of it.
    #[derive(Default)]
    pub(super) struct Ledger {
        /// What each token adds to the sum.
        valences: Vec<f64>,
        sums: Option<Sums>,
        pub(super) calls: usize,
    }

    impl Observer for Ledger {
        fn token(&mut self, index: usize, _: &str) {
            assert_eq!(index, self.valences.len());
            self.valences.push(0.0);
            self.calls += 1;
        }

        fn rule(&mut self, index: usize, _: Rule, before: f64, after: f64) {
            assert_eq!(self.valences[index].to_bits(), before.to_bits());
            self.valences[index] = after;
            self.calls += 1;
        }

        fn sums(&mut self, sums: &Sums) {
            self.sums = Some(*sums);
        }
    }

    impl Ledger {
        /// The scores once more, from nothing but the sums that were told, added up.
        fn scores_of_sums(&self) -> Option<Scores> {
            let sums = self.sums?;
            if sums.tokens == 0 {
                return Some(Scores::default());
            }
            let (of_positive, of_negative) = sums.emphasis_of_shares();
            let positive = sums.positive + of_positive;
            let negative = -(sums.negative + of_negative);
            let total = positive + negative + sums.neutral;
            let sum = sums.valences + sums.emphasis_of_sum();
            Some(Scores {
                neg: rounded(negative / total, 3).abs(),
                neu: rounded(sums.neutral / total, 3),
                pos: rounded(positive / total, 3),
                compound: rounded(sum / (sum * sum + 15.0).sqrt(), 4),
            })
        }

        /// The scores once more, from the valences of the tokens and the emphasis alone.
        fn scores(&self) -> Option<Scores> {
            let emphasis = self.sums?.emphasis;
            let sum_of = |value: fn(f64) -> f64| self.valences.iter().copied().map(value).sum();
            let sum: f64 = sum_of(|valence| valence);
            let positive: f64 = sum_of(|valence| if valence > 0.0 { valence + 1.0 } else { 0.0 });
            let negative: f64 = sum_of(|valence| if valence < 0.0 { 1.0 - valence } else { 0.0 });
            let neutral: f64 = sum_of(|valence| if valence == 0.0 { 1.0 } else { 0.0 });
            let positive = positive + if positive > negative { emphasis } else { 0.0 };
            let negative = negative + if negative > positive { emphasis } else { 0.0 };
            let total = positive + negative + neutral;
            if total == 0.0 {
                return Some(Scores::default());
            }
            let sum = if sum == 0.0 {
                sum
            } else {
                sum + emphasis.copysign(sum)
            };
            Some(Scores {
                neg: rounded(negative / total, 3),
                neu: rounded(neutral / total, 3),
                pos: rounded(positive / total, 3),
                compound: rounded(sum / (sum * sum + 15.0).sqrt(), 4),
            })
        }
    }

    /// The standard library rounds as Python does.
    fn rounded(score: f64, decimals: usize) -> f64 {
        format!("{score:.decimals$}").parse().unwrap_or(f64::NAN)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn scores_are_in_range_and_add_up_from_what_an_observer_hears(text in texts()) {
            let mut ledger = Ledger::default();
            let scores = Vader::new().score_observed(&text, &mut ledger);
            for share in [scores.neg, scores.neu, scores.pos] {
                prop_assert!((0.0..=1.0).contains(&share), "{scores:?}");
            }
            prop_assert!((-1.0..=1.0).contains(&scores.compound), "{scores:?}");
            prop_assert_eq!(scores, Vader::new().score(&text));
            prop_assert_eq!(Some(scores), ledger.scores());
            prop_assert_eq!(Some(scores), ledger.scores_of_sums());
            prop_assert_eq!(ledger.sums.map(|sums| sums.tokens), Some(ledger.valences.len()));
        }
    }
}

mod textblob {
    use std::ops::Range;

    use moodring_score::textblob::{Observer, Rule, Sentiment};

    use super::*;

    /// Takes the score apart as it is told of it, and puts it together again from the rules.
    #[derive(Default)]
    pub(super) struct Ledger {
        words: Vec<Range<usize>>,
        /// Polarity and subjectivity, as told.
        assessed: Vec<(f64, f64)>,
        /// The same by the rules: polarity, subjectivity, and whether it is negated.
        by_rules: Vec<(f64, f64, bool)>,
        pub(super) calls: usize,
    }

    impl Observer for Ledger {
        fn word(&mut self, span: Range<usize>) {
            self.words.push(span);
            self.calls += 1;
        }

        fn rule(&mut self, rule: Rule) {
            assert!(!self.words.is_empty(), "a rule is set off by a word");
            self.calls += 1;
            let opened = match rule {
                Rule::Known {
                    polarity,
                    subjectivity,
                } => Some((polarity, subjectivity)),
                Rule::Emoticon { polarity } => Some((polarity, 1.0)),
                Rule::Irony => Some((0.0, 1.0)),
                _ => None,
            };
            self.by_rules
                .extend(opened.map(|(polarity, subjectivity)| (polarity, subjectivity, false)));
            let Some(last) = self.by_rules.last_mut() else {
                return;
            };
            match rule {
                Rule::Modified {
                    polarity,
                    subjectivity,
                    ..
                } => (last.0, last.1) = (polarity, subjectivity),
                Rule::Negated | Rule::NegatesAdverb => last.2 = true,
                Rule::Exclaims { polarity } => last.0 = polarity,
                _ => {}
            }
        }

        fn assessed(&mut self, polarity: f64, subjectivity: f64) {
            self.assessed.push((polarity, subjectivity));
        }
    }

    impl Ledger {
        fn mean(&self) -> Sentiment {
            let (mut polarity, mut subjectivity, mut count) = (0.0, 0.0, 0.0);
            for assessment in &self.assessed {
                polarity += assessment.0;
                subjectivity += assessment.1;
                count += 1.0;
            }
            let count = f64::max(count, 1.0);
            Sentiment {
                polarity: polarity / count,
                subjectivity: subjectivity / count,
            }
        }

        fn assessed_by_rules(&self) -> Vec<(f64, f64)> {
            let scores = |&(polarity, subjectivity, is_negated)| {
                let factor = if is_negated { -0.5 } else { 1.0 };
                (polarity * factor, subjectivity)
            };
            self.by_rules.iter().map(scores).collect()
        }
    }

    fn check(text: &str) -> Result<(), TestCaseError> {
        let mut ledger = Ledger::default();
        let observed = TextBlob::new().score_observed(text, &mut ledger);
        prop_assert!((-1.0..=1.0).contains(&observed.polarity), "{observed:?}");
        prop_assert!((0.0..=1.0).contains(&observed.subjectivity), "{observed:?}");
        prop_assert_eq!(observed, TextBlob::new().score(text));
        prop_assert_eq!(observed, ledger.mean());
        prop_assert_eq!(&ledger.assessed, &ledger.assessed_by_rules());
        let is_in_text = |span: &Range<usize>| !span.is_empty() && text.get(span.clone()).is_some();
        prop_assert!(ledger.words.iter().all(is_in_text));
        prop_assert!(ledger.words.is_sorted_by(|one, next| one.end <= next.start));
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn scores_are_in_range_and_add_up_from_what_an_observer_hears(text in texts()) {
            check(&text)?;
        }

        #[test]
        fn whitespace_around_a_text_does_not_matter(text in texts()) {
            let model = TextBlob::new();
            prop_assert_eq!(model.score(&text), model.score(&format!(" \n\n{text}\u{3000} ")));
        }

        /// Without an observer a text is looked at in blocks, and each piece may come to lie across the edge of one.
        #[test]
        fn scores_do_not_depend_on_where_in_a_text_a_word_stands(
            before in 0..140_usize,
            filler in "[ a.!é]",
            text in pieces(1..6),
        ) {
            check(&format!("not {}{text}", filler.repeat(before)))?;
        }
    }

    #[test]
    fn an_observer_that_reads_no_words_is_told_of_assessments_alone() {
        struct Assessments(Vec<f64>);

        impl Observer for Assessments {
            const READS_WORDS: bool = false;

            fn word(&mut self, span: Range<usize>) {
                panic!("told of {span:?}");
            }

            fn rule(&mut self, rule: Rule) {
                panic!("told of {rule:?}");
            }

            fn assessed(&mut self, polarity: f64, _: f64) {
                self.0.push(polarity);
            }
        }

        let mut assessments = Assessments(Vec::new());
        let _ =
            TextBlob::new().score_observed("not good at all, : ) très BAD! (!)", &mut assessments);
        assert_eq!(assessments.0, [-0.35, 0.5, -0.874_999_999_999_999_8, 0.0]);
    }
}

proptest! {
    /// What is done for a text is done for each of its tokens: an observer is told no more of a text that is four
    /// times as long than four times as much, but for the seams.
    #[test]
    fn what_an_observer_hears_grows_with_the_text_and_no_faster(unit in pieces(1..5), times in 8..64_usize) {
        let calls = |times: usize| {
            let text = unit.repeat(times);
            let (mut vader, mut textblob) = (vader::Ledger::default(), textblob::Ledger::default());
            let _ = Vader::new().score_observed(&text, &mut vader);
            let _ = TextBlob::new().score_observed(&text, &mut textblob);
            [vader.calls, textblob.calls]
        };
        for (short, long) in calls(times).into_iter().zip(calls(4 * times)) {
            prop_assert!(long <= 5 * short + 200, "{short} calls, then {long}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 0, ..ProptestConfig::default() })]

    /// Eight times the text takes eight times the time if that is linear in the length, and 64 times if it is
    /// quadratic. Other work on the machine can spoil a try, but not all of them.
    #[test]
    fn time_grows_with_the_text_and_no_faster(unit in pieces(1..6)) {
        let text = |len: usize| unit.repeat(len / unit.len().max(1));
        let (short, long) = (text(1 << 13), text(1 << 16));
        let models: [&dyn Scorer; 2] = [&Vader::new(), &TextBlob::new()];
        for model in models {
            let is_linear = (0..40).any(|_| {
                best_of(3, model, &long) < best_of(3, model, &short).max(Duration::from_micros(20)) * 24
            });
            prop_assert!(is_linear, "{} on {unit:?}", model.name());
        }
    }
}

fn best_of(tries: u32, model: &dyn Scorer, text: &str) -> Duration {
    let time = |_| {
        let start = Instant::now();
        let mut scores = vec![0.0; model.fields().len()];
        let _ = black_box(model.score(black_box(text), &mut scores));
        start.elapsed()
    };
    (0..tries).map(time).min().unwrap_or_default()
}
