//! What a run came to, for a person or for a machine.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use moodring_feed::name_of;
use moodring_score::Mood;
use serde::Serialize;

use super::ledger::Totals;
use super::plan::Plan;
use super::usage::Usage;
use crate::cli::SummaryFormat;
use crate::exit::Failure;

/// The width of a full bar, in characters.
const BAR: usize = 24;

/// The summary as JSON: one object on one line. Seconds, bytes and counts; shares are parts of 1.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    records: u64,
    records_before: u64,
    rejects: u64,
    quarantined: u64,
    blank_lines: u64,
    bytes: u64,
    seconds: f64,
    records_per_second: f64,
    megabytes_per_second: f64,
    models: &'a [String],
    /// How quotes were read, for each table format among the inputs.
    quoting: BTreeMap<String, String>,
    mean: Option<f64>,
    positive: u64,
    neutral: u64,
    negative: u64,
    workers: u32,
    restarts: u64,
    shards: u64,
    output: Option<String>,
    rejects_file: Option<String>,
    quarantine_file: Option<String>,
    cpu_seconds: f64,
    supervisor_cpu_seconds: f64,
    supervisor_peak_rss_bytes: u64,
}

/// Prints the summary of a complete run where the plan wants it.
pub(crate) fn print(
    plan: &Plan,
    totals: &Totals,
    restarts: u64,
    took: Duration,
) -> Result<(), Failure> {
    let summary = summarize(plan, totals, restarts, took);
    match plan.summary {
        SummaryFormat::Json => {
            let mut line = serde_json::to_string(&summary).map_err(Failure::failed)?;
            line.push('\n');
            if plan.stdout_is_free() {
                write(&mut io::stdout(), &line)
            } else {
                write(&mut io::stderr(), &line)
            }
        }
        SummaryFormat::Text if !plan.quiet => {
            // The output is complete, whether its summary can be printed or not.
            let _ = io::stderr().write_all(text(&summary, totals).as_bytes());
            Ok(())
        }
        SummaryFormat::Text | SummaryFormat::None => Ok(()),
    }
}

/// Says that an earlier run did everything, unless the plan wants quiet.
pub(crate) fn tell_of_nothing_to_do(plan: &Plan) -> Result<(), Failure> {
    if plan.quiet {
        return Ok(());
    }
    let output = plan.output.as_deref().unwrap_or(Path::new("-"));
    let line = format!(
        "\"{}\" is complete: an earlier run of the same command wrote it, and nothing is left to do\n",
        output.display()
    );
    write(&mut io::stderr(), &line)
}

fn write(to: &mut dyn Write, text: &str) -> Result<(), Failure> {
    match to.write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::OutputClosed),
        written => written.map_err(Failure::failed),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rates are shown with a few digits"
)]
fn summarize<'a>(plan: &'a Plan, totals: &Totals, restarts: u64, took: Duration) -> Summary<'a> {
    let seconds = took.as_secs_f64().max(1e-9);
    let usage = Usage::now();
    Summary {
        records: totals.records,
        records_before: totals.before.records,
        rejects: totals.rejects,
        quarantined: totals.quarantined,
        blank_lines: totals.blanks,
        bytes: totals.bytes,
        seconds,
        records_per_second: (totals.records - totals.before.records) as f64 / seconds,
        megabytes_per_second: (totals.bytes - totals.before.bytes) as f64 / 1e6 / seconds,
        models: &plan.models.names,
        quoting: plan
            .source
            .quoting()
            .into_iter()
            .map(|(format, quoting)| (format.to_string(), quoting.to_string()))
            .collect(),
        mean: totals.tally.mean(),
        positive: totals.tally.of(Mood::Positive),
        neutral: totals.tally.of(Mood::Neutral),
        negative: totals.tally.of(Mood::Negative),
        workers: if plan.in_process {
            0
        } else {
            plan.scale.workers
        },
        restarts,
        shards: totals.shards,
        output: shown(plan.output.as_deref().filter(|_| !totals.is_worthless())),
        rejects_file: shown(totals.rejects_file.as_deref()),
        quarantine_file: shown(totals.quarantine_file.as_deref()),
        cpu_seconds: usage.supervisor_cpu + usage.workers_cpu,
        supervisor_cpu_seconds: usage.supervisor_cpu,
        supervisor_peak_rss_bytes: usage.supervisor_peak_rss,
    }
}

fn shown(path: Option<&Path>) -> Option<String> {
    path.map(name_of)
}

fn text(summary: &Summary<'_>, totals: &Totals) -> String {
    let mut lines = vec![format!(
        "{} in {:.2} s: {} records/s, {:.1} MB/s, {}, {}",
        counted(summary.records, "record"),
        summary.seconds,
        grouped(round(summary.records_per_second)),
        summary.megabytes_per_second,
        counted(summary.workers.into(), "worker"),
        counted(summary.restarts, "restart"),
    )];
    if summary.records_before > 0 {
        let before = counted(summary.records_before, "record");
        lines.push(format!("{before} of them done by an earlier run"));
    }
    if let Some(file) = &summary.rejects_file {
        let rejects = counted(summary.rejects, "malformed record");
        lines.push(format!("{rejects} set aside in {file}"));
    }
    if let Some(file) = &summary.quarantine_file {
        let killers = counted(summary.quarantined, "record");
        lines.push(format!(
            "{killers} on which workers died set aside in {file}"
        ));
    }
    if summary
        .quoting
        .get("tsv")
        .is_some_and(|quoting| quoting == "none")
    {
        lines.push(
            "quotes in TSV were read as text; --quoting rfc4180 reads quoted fields".to_owned(),
        );
    }
    if summary
        .quoting
        .get("csv")
        .is_some_and(|quoting| quoting == "none")
    {
        lines.push("quotes in CSV were read as text".to_owned());
    }
    if summary.blank_lines > 0 {
        lines.push(format!(
            "{} skipped",
            counted(summary.blank_lines, "empty line")
        ));
    }
    if let Some(mean) = summary.mean {
        lines.push(format!("mean sentiment {mean:+.4}"));
        lines.extend(Mood::ALL.iter().rev().map(|&mood| share(mood, totals)));
    }
    lines.join("\n") + "\n"
}

/// One line such as `positive  ███████▌      31.2 %`.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown with three digits"
)]
fn share(mood: Mood, totals: &Totals) -> String {
    let share = totals.tally.of(mood) as f64 / totals.tally.count().max(1) as f64;
    format!(
        "  {:<9} {:<BAR$} {:5.1} %",
        mood.name(),
        bar(share),
        share * 100.0
    )
}

/// A bar in eighths of a character.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share is within 0..1"
)]
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * (BAR * 8) as f64).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive and far below 2^63"
)]
fn round(rate: f64) -> u64 {
    rate.round() as u64
}

/// So many of something, as in `1 worker` and `2,400 records`.
fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 49_570, 1_234_567].map(grouped),
            ["0", "999", "1,000", "49,570", "1,234,567"]
        );
    }

    #[test]
    fn a_bar_has_the_length_of_its_share() {
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(0.5).chars().count(), BAR / 2);
        assert_eq!(bar(1.0).chars().count(), BAR);
    }
}
