//! The usual metrics of a classifier, computed from the counts.
//!
//! Precision, recall and F1 as in any textbook; a share of nothing is 0. Averages over classes (macro) take each class
//! that occurs among the labels once, however often it occurs.

use moodring_score::SentimentClass;
use serde::Serialize;

use super::agreement::Agreement;
use super::label::{Reading, SLOTS, Scheme};

/// How well a model did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// Records whose label stands for a class.
    pub classified: u64,
    /// The share of those whose class the model found, 0..1; `None` if there are none, like the averages.
    pub accuracy: Option<f64>,
    /// The mean of the classes' F1, 0..1.
    pub macro_f1: Option<f64>,
    /// The mean of the classes' recall, 0..1.
    pub macro_recall: Option<f64>,
    /// Pearson's r of the primary score and the label, where labels are numbers, −1..1.
    pub pearson_r: Option<f64>,
    /// By class: negative, neutral, positive.
    pub classes: [ClassMetrics; 3],
}

/// How well a model did on one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// Its name.
    pub class: &'static str,
    /// Records with a label of this class.
    pub support: u64,
    /// How often the model found each class among those: negative, neutral, positive. A row of the confusion matrix.
    pub predicted: [u64; 3],
    /// Of the records that the model gave this class, the share that has it, 0..1.
    pub precision: f64,
    /// Of the records that have this class, the share that the model gave it, 0..1.
    pub recall: f64,
    /// The harmonic mean of the two, 0..1.
    pub f1: f64,
}

impl Agreement {
    /// What the numbers among the labels most likely mean.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let mut present = [false; SLOTS];
        for (present, met) in present.iter_mut().zip(&self.met) {
            *present = met.iter().any(|&count| count > 0);
        }
        Reading::of(&present)
    }

    /// The one class that all labels fall in if numbers mean what `scheme` says; `None` if there are several.
    #[must_use]
    pub fn only_class(&self, scheme: Scheme) -> Option<SentimentClass> {
        let classes = self.metrics(scheme).classes;
        let mut present = SentimentClass::ALL
            .into_iter()
            .zip(&classes)
            .filter(|(_, class)| class.support > 0);
        let only = present.next();
        only.filter(|_| present.next().is_none())
            .map(|(class, _)| class)
    }

    /// The metrics, with numbers that mean what `scheme` says.
    #[must_use]
    pub fn metrics(&self, scheme: Scheme) -> Metrics {
        let mut confusion = [[0; 3]; 3];
        for (slot, met) in self.met.iter().enumerate() {
            if let Some(class) = scheme.class(slot) {
                for (sum, count) in confusion[class as usize].iter_mut().zip(met) {
                    *sum += count;
                }
            }
        }
        let classes = SentimentClass::ALL.map(|class| ClassMetrics::of(class, &confusion));
        let classified: u64 = classes.iter().map(|class| class.support).sum();
        let right: u64 = SentimentClass::ALL
            .iter()
            .map(|&at| confusion[at as usize][at as usize])
            .sum();
        let mean = |metric: fn(&ClassMetrics) -> f64| {
            let present = classes.iter().filter(|class| class.support > 0);
            let (sum, count) = present.fold((0.0, 0_u32), |(sum, count), class| {
                (sum + metric(class), count + 1)
            });
            (count > 0).then(|| sum / f64::from(count))
        };
        Metrics {
            classified,
            accuracy: (classified > 0).then(|| share(right, classified)),
            macro_f1: mean(|class| class.f1),
            macro_recall: mean(|class| class.recall),
            pearson_r: self.sums.pearson(),
            classes,
        }
    }
}

impl ClassMetrics {
    fn of(class: SentimentClass, confusion: &[[u64; 3]; 3]) -> Self {
        let at = class as usize;
        let right = confusion[at][at];
        let support = confusion[at].iter().sum();
        let given: u64 = confusion.iter().map(|row| row[at]).sum();
        Self {
            class: class.name(),
            support,
            predicted: confusion[at],
            precision: share(right, given),
            recall: share(right, support),
            f1: share(2 * right, support + given),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown with a few digits"
)]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the shares are exact")]
mod tests {
    use super::super::label::LabelMap;
    use super::*;

    #[test]
    fn the_metrics_are_those_of_the_textbook() {
        let mut agreement = Agreement::default();
        let records = [
            (0.9, "positive"),
            (0.9, "positive"),
            (0.0, "positive"),
            (-0.9, "positive"),
            (-0.9, "negative"),
            (0.9, "negative"),
        ];
        for (primary, label) in records {
            agreement.add(primary, LabelMap::default().meaning(label).unwrap());
        }
        let metrics = agreement.metrics(Scheme::Sign);
        assert_eq!(metrics.classified, 6);
        assert_eq!(metrics.accuracy, Some(0.5));
        let [negative, neutral, positive] = &metrics.classes;
        assert_eq!(positive.predicted, [1, 1, 2]);
        assert_eq!((positive.precision, positive.recall), (2.0 / 3.0, 0.5));
        assert_eq!(positive.f1, 4.0 / 7.0);
        assert_eq!(
            (negative.precision, negative.recall, negative.f1),
            (0.5, 0.5, 0.5)
        );
        assert_eq!((neutral.support, neutral.recall), (0, 0.0));
        assert_eq!(
            metrics.macro_recall,
            Some(0.5),
            "no label is neutral, so it does not count"
        );
        assert_eq!(metrics.macro_f1, Some(f64::midpoint(0.5, 4.0 / 7.0)));
    }

    #[test]
    fn nothing_gives_no_metrics() {
        let metrics = Agreement::default().metrics(Scheme::Sign);
        assert_eq!(
            (metrics.accuracy, metrics.macro_f1, metrics.pearson_r),
            (None, None, None)
        );
    }
}
