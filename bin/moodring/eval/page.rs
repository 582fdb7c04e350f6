//! Prints the metrics: a table for a person, one line of JSON for a machine.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use moodring_job::eval::{Metrics, Scheme};
use serde::Serialize;

use super::eval_sink::Totals;
use crate::exit::Failure;

/// How the numbers among the labels are read, and why so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    pub(super) scheme: Scheme,
    pub(super) reason: &'static str,
}

/// What the run came to, as JSON. Counts; shares are parts of 1.
#[derive(Debug, Serialize)]
struct Page<'a> {
    records: u64,
    labelled: u64,
    unlabelled: u64,
    unknown_labels: u64,
    unknown_label_examples: &'a [String],
    rejects: u64,
    quarantined: u64,
    /// What numbers were taken to mean, if labels are numbers.
    numbers: Option<&'static str>,
    /// Which of them stand for which class.
    numbers_classes: Option<&'static str>,
    /// Why they were read in this way.
    numbers_reason: Option<&'static str>,
    /// Labels that are a number, but none of that scale.
    outside_scale: u64,
    models: Vec<Model<'a>>,
}

#[derive(Debug, Serialize)]
struct Model<'a> {
    model: &'a str,
    #[serde(flatten)]
    metrics: Metrics,
}

/// Prints what came of the models with these names.
pub(super) fn print(
    names: &[String],
    totals: &Totals,
    numbers: Option<Numbers>,
    json: bool,
) -> Result<(), Failure> {
    let scheme = numbers.map_or(Scheme::Sign, |numbers| numbers.scheme);
    let models: Vec<_> = names
        .iter()
        .zip(&totals.agreements)
        .map(|(model, agreement)| Model {
            model,
            metrics: agreement.metrics(scheme),
        })
        .collect();
    let labelled = totals.records - totals.unlabelled - totals.unknown;
    let classified = models.first().map_or(0, |model| model.metrics.classified);
    let page = Page {
        records: totals.records,
        labelled,
        unlabelled: totals.unlabelled,
        unknown_labels: totals.unknown,
        unknown_label_examples: &totals.unknown_labels,
        rejects: totals.rejects,
        quarantined: totals.quarantined,
        numbers: numbers.map(|numbers| numbers.scheme.name()),
        numbers_classes: numbers.map(|numbers| numbers.scheme.classes()),
        numbers_reason: numbers.map(|numbers| numbers.reason),
        outside_scale: labelled - classified,
        models,
    };
    let text = if json {
        let mut line = serde_json::to_string(&page).map_err(Failure::failed)?;
        line.push('\n');
        line
    } else {
        table(&page)
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::OutputClosed),
        written => written.map_err(Failure::failed),
    }
}

fn table(page: &Page<'_>) -> String {
    let mut text = format!("{} records, {} with a label", page.records, page.labelled);
    let mut also = |count: u64, what: &str| {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    };
    also(page.unlabelled, "without");
    also(page.unknown_labels, "with one that means nothing");
    also(page.rejects, "malformed");
    also(page.quarantined, "on which workers died");
    text.push('\n');
    if !page.unknown_label_examples.is_empty() {
        let examples = page.unknown_label_examples.join("`, `");
        let _ = writeln!(
            text,
            "Labels that mean nothing: `{examples}`; say what they mean with --labels LABEL=CLASS,..."
        );
    }
    if let (Some(numbers), Some(classes), Some(reason)) =
        (page.numbers, page.numbers_classes, page.numbers_reason)
    {
        let _ = writeln!(
            text,
            "Numbers as labels: {numbers}, since {reason}: {classes}"
        );
        if page.outside_scale > 0 {
            let outside = page.outside_scale;
            let _ = writeln!(
                text,
                "Labels that are a number outside this scale: {outside}"
            );
        }
    }
    let width = page.models.iter().map(|model| model.model.len()).max();
    let width = width.unwrap_or(0).max(8);
    let _ = writeln!(
        text,
        "\n{:width$}  accuracy  macro-F1  macro-recall  Pearson r",
        "model"
    );
    for Model { model, metrics } in &page.models {
        let shown = |metric: Option<f64>| metric.map_or("-".to_owned(), |f| format!("{f:.4}"));
        let _ = writeln!(
            text,
            "{model:width$}  {:>8}  {:>8}  {:>12}  {:>9}",
            shown(metrics.accuracy),
            shown(metrics.macro_f1),
            shown(metrics.macro_recall),
            shown(metrics.pearson_r),
        );
    }
    for model in page
        .models
        .iter()
        .filter(|model| model.metrics.classified > 0)
    {
        classes(&mut text, model);
    }
    text
}

/// The confusion matrix of a model, a row for each class that people gave, and what it comes to.
fn classes(text: &mut String, Model { model, metrics }: &Model<'_>) {
    let _ = writeln!(
        text,
        "\n{model}, by label and found class\n          negative   neutral  positive  precision  recall      F1"
    );
    for class in &metrics.classes {
        let [negative, neutral, positive] = class.predicted;
        let _ = writeln!(
            text,
            "{:8}  {negative:>8}  {neutral:>8}  {positive:>8}  {:>9.4}  {:>6.4}  {:>6.4}",
            class.class, class.precision, class.recall, class.f1
        );
    }
}
