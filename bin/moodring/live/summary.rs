//! What a live run came to, for a person or for a machine.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use moodring_live::LiveStatus;
use serde_json::json;

use crate::exit::Failure;
use crate::human::{age, counted, grouped, rate};
use crate::run::args::SummaryFormat;
use crate::run::usage::Usage;
use crate::visible::visible;

/// Prints the summary of a run that has ended.
pub(super) fn print(
    format: SummaryFormat,
    quiet: bool,
    status: &LiveStatus,
    restarts: u64,
    took: Duration,
) -> Result<(), Failure> {
    match format {
        SummaryFormat::Json => {
            let line = json(status, restarts, took).to_string() + "\n";
            match io::stdout().write_all(line.as_bytes()) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    Err(Failure::OutputClosed)
                }
                written => written.map_err(Failure::failed),
            }
        }
        SummaryFormat::Text if !quiet => {
            // Everything is saved, whether its summary can be printed or not.
            let _ = io::stderr().write_all(text(status, restarts, took).as_bytes());
            Ok(())
        }
        SummaryFormat::Text | SummaryFormat::None => Ok(()),
    }
}

fn per_second(count: u64, took: Duration) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is shown with a few digits"
    )]
    let count = count as f64;
    count / took.as_secs_f64().max(1e-9)
}

fn json(status: &LiveStatus, restarts: u64, took: Duration) -> serde_json::Value {
    let totals = status.totals();
    let usage = Usage::now();
    json!({
        "received": totals.received,
        "on_time": totals.on_time,
        "corrected": totals.corrected,
        "late": totals.late,
        "duplicate": totals.duplicate,
        "filtered": totals.filtered,
        "rejected": totals.rejected,
        "quarantined": totals.quarantined,
        "seconds": took.as_secs_f64(),
        "posts_per_second": per_second(totals.received, took),
        "watermark": status.watermark,
        "latency_ms": status.latency,
        "commits": status.commits,
        "restarts": restarts,
        "supervisor_cpu_seconds": usage.supervisor_cpu,
        "cpu_seconds": usage.supervisor_cpu + usage.workers_cpu,
        "supervisor_peak_rss_bytes": usage.supervisor_peak_rss,
        "sources": status.sources,
    })
}

fn text(status: &LiveStatus, restarts: u64, took: Duration) -> String {
    let totals = status.totals();
    let mut page = format!(
        "{} in {}, {}/s, {}, {}\n",
        counted(totals.received, "post"),
        age(took),
        rate(per_second(totals.received, took)),
        counted(status.commits, "commit"),
        counted(restarts, "restart"),
    );
    let counts = [
        ("on time", totals.on_time),
        ("corrected", totals.corrected),
        ("late", totals.late),
        ("duplicate", totals.duplicate),
        ("filtered", totals.filtered),
        ("rejected", totals.rejected),
        ("quarantined", totals.quarantined),
    ];
    let counts = counts.iter().filter(|count| count.1 > 0);
    let counts: Vec<_> = counts
        .map(|(name, count)| format!("{} {name}", grouped(*count)))
        .collect();
    if !counts.is_empty() {
        let _ = writeln!(page, "  {}", counts.join(", "));
    }
    if let Some(watermark) = &status.watermark {
        let _ = writeln!(page, "  watermark {}", visible(watermark));
    }
    if status.sources.len() > 1 {
        for source in &status.sources {
            let posts = counted(source.books.received, "post");
            let _ = writeln!(page, "  {}: {posts}", visible(&source.name));
        }
    }
    page
}
