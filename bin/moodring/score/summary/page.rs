//! The summary for a person.

use std::io::{self, IsTerminal};

use console::Term;

use super::fields::{ModelSummary, Post, Summary};
use crate::human::{bar, counted, grouped, rate, size};
use crate::visible::visible;

/// The width where standard error is no terminal.
const WIDTH: usize = 100;

/// No line is cut to less.
const MIN_WIDTH: usize = 20;

/// The width of the longest bar of the histogram.
const BAR: usize = 24;

/// No name of a model is shown longer.
const MAX_NAME: usize = 20;

/// Returns how wide standard error is.
pub(super) fn width() -> usize {
    if io::stderr().is_terminal() {
        usize::from(Term::stderr().size().1)
    } else {
        WIDTH
    }
}

/// Returns the lines, none wider than `width`.
pub(super) fn text(summary: &Summary<'_>, width: usize) -> String {
    let mut lines = vec![
        format!(
            "{} in {:.2} s: {} records/s, {}/s",
            counted(summary.records, "record"),
            summary.seconds,
            rate(summary.records_per_second),
            size(whole(summary.bytes_per_second)),
        ),
        format!(
            "{}, {}",
            counted(summary.workers.into(), "worker"),
            counted(summary.restarts, "restart"),
        ),
    ];
    lines.extend(set_aside(summary));
    if summary.records > 0 {
        lines.extend(models(&summary.models));
        lines.extend(
            summary
                .models
                .first()
                .iter()
                .flat_map(|model| histogram(model)),
        );
        lines.extend(posts("most positive", &summary.most_positive));
        lines.extend(posts("most negative", &summary.most_negative));
    }
    let width = width.max(MIN_WIDTH);
    let fitted = lines
        .iter()
        .map(|line| console::truncate_str(line, width, "…").into_owned() + "\n");
    fitted.collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive and far below 2^63"
)]
fn whole(rate: f64) -> u64 {
    rate.max(0.0) as u64
}

/// What was done before, skipped or set aside.
fn set_aside(summary: &Summary<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let is_unquoted = |format| summary.quoting.get(format).is_some_and(|how| how == "none");
    if is_unquoted("tsv") {
        let hint = "quotes in TSV were read as text; --quoting rfc4180 reads quoted fields";
        lines.push(hint.to_owned());
    }
    if is_unquoted("csv") {
        lines.push("quotes in CSV were read as text".to_owned());
    }
    if summary.records_before > 0 {
        let before = counted(summary.records_before, "record");
        lines.push(format!("{before} of these scored by an earlier run"));
    }
    if summary.filtered > 0 {
        let filtered = counted(summary.filtered, "record");
        lines.push(format!("{filtered} left out by --lang or --track"));
    }
    if summary.blank_lines > 0 {
        let blanks = counted(summary.blank_lines, "empty line");
        lines.push(format!("{blanks} skipped"));
    }
    if summary.rejects > 0 {
        let rejects = counted(summary.rejects, "malformed record");
        lines.push(match &summary.rejects_file {
            Some(file) => format!("{rejects} in {file}:"),
            None => format!("{rejects}:"),
        });
        let reasons = summary.rejects_by_reason.iter();
        lines.extend(reasons.map(|(reason, &count)| format!("  {:>9}  {reason}", grouped(count))));
    }
    if let Some(file) = &summary.windows_file {
        let windows = counted(summary.windows, "window");
        let groups = counted(summary.window_groups, "group");
        lines.push(format!("{windows} of {groups} in {file}"));
    }
    if summary.window_duplicates > 0 {
        let duplicates = counted(summary.window_duplicates, "duplicate post");
        lines.push(format!("{duplicates} left out of the windows"));
    }
    if summary.quarantined > 0 {
        let crashing = counted(summary.quarantined, "record");
        lines.push(match &summary.quarantine_file {
            Some(file) => format!("{crashing} that crashed a worker in {file}"),
            None => format!("{crashing} that crashed a worker"),
        });
    }
    lines
}

/// A line for each model.
fn models(models: &[ModelSummary<'_>]) -> Vec<String> {
    let names: Vec<_> = models
        .iter()
        .map(|model| {
            let name = visible(model.name);
            console::truncate_str(&name, MAX_NAME, "…").into_owned()
        })
        .collect();
    let wide = names.iter().map(|name| console::measure_text_width(name));
    let wide = wide.max().unwrap_or(0).max(5);
    let title =
        |name: &str| console::pad_str(name, wide, console::Alignment::Left, None).into_owned();
    let mut lines = vec![
        String::new(),
        format!("{}     mean  positive  neutral  negative", title("model")),
    ];
    for (model, name) in models.iter().zip(&names) {
        let [positive, neutral, negative] = [model.positive, model.neutral, model.negative]
            .map(|count| percent(count, total(model)));
        lines.push(format!(
            "{}  {:>+7.4}   {positive}  {neutral}   {negative}",
            title(name),
            model.mean.unwrap_or(0.0),
        ));
    }
    lines
}

fn total(model: &ModelSummary<'_>) -> u64 {
    model.histogram.iter().sum()
}

/// The primary scores of a model, a line for each tenth of −1..1.
fn histogram(model: &ModelSummary<'_>) -> Vec<String> {
    let total = total(model);
    let most = model.histogram.iter().copied().max().unwrap_or(0);
    let mut lines = vec![String::new(), format!("scores of {}", visible(model.name))];
    for (at, &count) in (0_i32..).zip(&model.histogram) {
        let from = f64::from(at - 5) / 5.0;
        lines.push(format!(
            "{from:>+4.1} to {:>+4.1}  {:<BAR$} {:>11} {}",
            from + 0.2,
            bar(share(count, most), BAR),
            grouped(count),
            percent(count, total),
        ));
    }
    lines
}

fn posts(title: &str, posts: &[Post<'_>]) -> Vec<String> {
    if posts.is_empty() {
        return Vec::new();
    }
    let line = |post: &Post<'_>| format!("  {:>+7.4}  {}", post.score, visible(post.text));
    let heading = [String::new(), title.to_owned()];
    heading.into_iter().chain(posts.iter().map(line)).collect()
}

fn percent(count: u64, total: u64) -> String {
    format!("{:>5.1} %", 100.0 * share(count, total))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown with three digits"
)]
fn share(count: u64, total: u64) -> f64 {
    count as f64 / total.max(1) as f64
}
