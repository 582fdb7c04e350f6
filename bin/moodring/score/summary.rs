//! What a run came to, for a person or for a machine.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use moodring_feed::name_of;
use moodring_job::Model;
use moodring_record::RejectKind;
use moodring_score::SentimentClass;

use super::plan::Plan;
use super::totals::Totals;
use crate::exit::Failure;
use crate::human::grouped;
use crate::run::args::SummaryFormat;
use crate::run::usage::Usage;
use crate::standard_error::{self, PATIENCE};
use crate::visible::visible;

mod fields;
mod page;

use fields::{ModelSummary, Post, Summary};

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
            let page = page::text(&summary, page::width());
            standard_error::write(page.as_bytes(), PATIENCE);
            Ok(())
        }
        SummaryFormat::Text | SummaryFormat::None => Ok(()),
    }
}

/// Says that an earlier run did everything, unless the plan wants quiet.
pub(crate) fn announce_nothing_to_do(plan: &Plan) -> Result<(), Failure> {
    if plan.quiet {
        return Ok(());
    }
    let output = plan.output.as_deref().unwrap_or(Path::new("-"));
    let line = format!(
        "\"{}\" is complete: an earlier run of the same command wrote it, and nothing is left to do\n",
        name_of(output)
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
fn summarize<'a>(plan: &'a Plan, totals: &'a Totals, restarts: u64, took: Duration) -> Summary<'a> {
    let seconds = took.as_secs_f64().max(1e-9);
    let usage = Usage::now();
    let findings = &totals.findings;
    let first = findings.first();
    let names = plan.models.names.iter();
    let model = |(at, name): (usize, &'a String)| {
        let tally = findings.tallies.get(at).copied().unwrap_or_default();
        ModelSummary::new(name, &tally)
    };
    let reasons = totals.reasons.iter();
    let windows = totals.windows.as_ref();
    Summary {
        records: totals.records,
        records_before: totals.before.records,
        rejects: totals.rejects,
        rejects_by_reason: reasons
            .map(|(&kind, &count)| (reason_name(kind), count))
            .collect(),
        quarantined: totals.quarantined,
        filtered: totals.filtered,
        blank_lines: totals.blanks,
        bytes: totals.bytes,
        seconds,
        records_per_second: (totals.records - totals.before.records) as f64 / seconds,
        bytes_per_second: (totals.bytes - totals.before.bytes) as f64 / seconds,
        models: names.enumerate().map(model).collect(),
        quoting: plan
            .source
            .quoting()
            .into_iter()
            .map(|(format, quoting)| (format.to_string(), quoting.to_string()))
            .collect(),
        mean: first.mean(),
        positive: first.of(SentimentClass::Positive),
        neutral: first.of(SentimentClass::Neutral),
        negative: first.of(SentimentClass::Negative),
        most_positive: Post::all(findings.extremes.positive()),
        most_negative: Post::all(findings.extremes.negative()),
        language_judged: findings.language.judged,
        language_foreign: findings.language.foreign,
        records_without_column: findings.without_column.records,
        workers: if plan.in_process {
            0
        } else {
            plan.pool.workers
        },
        restarts,
        shards: totals.shards,
        output: shown(plan.output.as_deref().filter(|_| !totals.is_worthless())),
        rejects_file: shown(totals.rejects_file.as_deref()),
        quarantine_file: shown(totals.quarantine_file.as_deref()),
        windows_file: windows.as_ref().and_then(|_| {
            let windows = plan.windows.as_ref()?;
            shown(Some(&windows.file.path))
        }),
        windows: windows.map_or(0, |windows| windows.windows),
        window_groups: windows.map_or(0, |windows| windows.groups),
        window_duplicates: windows.map_or(0, |windows| windows.duplicates),
        cpu_seconds: usage.supervisor_cpu + usage.workers_cpu,
        supervisor_cpu_seconds: usage.supervisor_cpu,
        supervisor_peak_rss_bytes: usage.supervisor_peak_rss,
    }
}

fn shown(path: Option<&Path>) -> Option<String> {
    path.map(name_of)
}

/// What a kind of fault is called in the summary.
fn reason_name(kind: RejectKind) -> &'static str {
    match kind {
        RejectKind::BadUtf8 => "not UTF-8",
        RejectKind::BadJson => "bad JSON",
        RejectKind::NotAnObject => "not a JSON object",
        RejectKind::TextMissing => "no text field",
        RejectKind::TextNotString => "text is not a string",
        RejectKind::FieldTaken => "a field has the name of a score",
        RejectKind::Ragged => "wrong number of fields",
        RejectKind::TextAfterQuote => "text after a closing quote",
        RejectKind::UnclosedQuote => "quote never closed",
        RejectKind::TooLong => "record too long",
        RejectKind::Time => "no readable time",
        RejectKind::NotScored => "a model cannot score it",
    }
}

/// Returns a warning if a table lacks fields that records have.
pub(crate) fn columns_warning(totals: &Totals) -> Option<String> {
    let without = &totals.findings.without_column;
    let field = visible(without.field()?);
    let records = match without.records {
        1 => "1 record has".to_owned(),
        records => format!("{} records have", grouped(records)),
    };
    Some(format!(
        "{records} fields that are not in the table, `{field}` first, as no record at the beginning of the inputs has them;          name the columns with --columns to keep them"
    ))
}

/// Returns a warning if most posts do not look English, though a model has English words.
pub(crate) fn language_warning(plan: &Plan, totals: &Totals) -> Option<String> {
    let language = totals.findings.language;
    let applies = language.is_mostly_foreign() && plan.models.list.iter().any(Model::is_english);
    applies.then(|| {
        format!(
            "{} of {} sampled posts do not look English; the built-in words are English, so posts in other languages \
             score near zero; use --model lexicon:FILE with words of their language",
            language.foreign, language.judged
        )
    })
}
