//! Runs as tables for a person, or as JSON.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use moodring_live::{LiveStatus, SourceStatus};
use moodring_source::Status;

use super::look::Seen;
use super::protocol::{RunStatus, WorkerRow};
use crate::exit::Failure;
use crate::human::{age, bar, counted, grouped, rate, size};
use crate::visible::{visible, visible_json};

/// The width of a page that is not for a terminal.
pub(super) const WIDTH: usize = 100;

/// The width of a run's progress bar.
const BAR: usize = 24;

/// Prints the runs once.
pub(super) fn print(runs: &[Seen], json: bool, width: usize) -> Result<(), Failure> {
    let mut page = String::new();
    for run in runs {
        let shown = match (run, json) {
            (Seen::Running(run), true) => {
                let line = serde_json::to_string(run).map_err(Failure::failed)?;
                visible_json(&line).into_owned() + "\n"
            }
            (Seen::NotResponding { pid, why }, true) => {
                let line = serde_json::json!({"pid": pid, "state": "not responding", "error": why});
                visible_json(&line.to_string()).into_owned() + "\n"
            }
            (Seen::Running(run), false) => table(run, &Rates::default(), width),
            (Seen::NotResponding { pid, why }, false) => not_responding(*pid, why),
        };
        page += &shown;
    }
    if runs.is_empty() && !json {
        page += "there is no run\n";
    }
    match io::stdout().write_all(page.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::OutputClosed),
        written => written.map_err(Failure::failed),
    }
}

/// A run that is stopped, too busy to answer, or answers nonsense.
pub(super) fn not_responding(pid: u32, why: &str) -> String {
    format!("run {pid}: not responding ({})\n", visible(why))
}

/// Rates between two looks.
#[derive(Debug, Default)]
pub(super) struct Rates {
    /// Records per second of the run.
    records: Option<f64>,
    /// Bytes per second of the run, as stored.
    bytes: Option<f64>,
    /// By the worker's process: records per second, and the share of a CPU, 0..1.
    workers: HashMap<u32, (f64, f64)>,
    /// Posts per second, by source of a live run.
    sources: HashMap<String, f64>,
}

impl Rates {
    /// Between two looks at a run.
    #[expect(
        clippy::cast_precision_loss,
        reason = "rates are shown with a few digits"
    )]
    pub(super) fn between(before: &RunStatus, now: &RunStatus) -> Self {
        let seconds = now.seconds - before.seconds;
        if seconds <= 0.0 {
            return Self::default();
        }
        let earlier = |pid| before.workers.iter().find(|worker| worker.pid == Some(pid));
        let worker = |worker: &WorkerRow| {
            let pid = worker.pid?;
            let earlier = earlier(pid)?;
            let records = worker.records.saturating_sub(earlier.records) as f64 / seconds;
            let cpu = (worker.cpu_seconds - earlier.cpu_seconds).max(0.0) / seconds;
            Some((pid, (records, cpu)))
        };
        Self {
            records: Some(now.records.saturating_sub(before.records) as f64 / seconds),
            bytes: Some(now.bytes.saturating_sub(before.bytes) as f64 / seconds),
            workers: now.workers.iter().filter_map(worker).collect(),
            sources: source_rates(before, now, seconds),
        }
    }

    /// How long the rest of a run takes at this rate; `None` if that cannot be told.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a time is shown with a few digits"
    )]
    fn time_left(&self, run: &RunStatus) -> Option<Duration> {
        let left = run.total_bytes?.saturating_sub(run.bytes) as f64;
        let rate = self.bytes.filter(|&rate| rate > 0.0)?;
        Duration::try_from_secs_f64(left / rate).ok()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rates are shown with a few digits"
)]
fn source_rates(before: &RunStatus, now: &RunStatus, seconds: f64) -> HashMap<String, f64> {
    let (Some(before), Some(now)) = (&before.live, &now.live) else {
        return HashMap::new();
    };
    let rate = |source: &SourceStatus| {
        let earlier = before.sources.iter().find(|it| it.name == source.name)?;
        let posts = source.books.received.saturating_sub(earlier.books.received);
        Some((source.name.clone(), posts as f64 / seconds))
    };
    now.sources.iter().filter_map(rate).collect()
}

/// A run: what it does, how far it is, and a line for each worker.
pub(super) fn table(run: &RunStatus, rates: &Rates, width: usize) -> String {
    let mut page = format!("{} {}", visible(&run.command), run.pid);
    if let Some(output) = &run.output {
        let _ = write!(page, " to {}", visible(output));
    }
    page.push('\n');
    page += &progress(run, rates);
    let alive = run.workers.iter().filter(|worker| worker.pid.is_some());
    let _ = writeln!(
        page,
        "{}, {}/s, {} of {}, {}",
        counted(run.records, "record"),
        rate(rates.records.unwrap_or(mean(run.records, run.seconds))),
        alive.count(),
        counted(run.workers_wanted.into(), "worker"),
        counted(run.restarts, "restart"),
    );
    if let Some(live) = &run.live {
        page += &live_lines(live, rates);
    }
    page + &workers(run, rates, width)
}

/// What a live run has beside its workers: how far it is, and a line for each source.
fn live_lines(live: &LiveStatus, rates: &Rates) -> String {
    let totals = live.totals();
    let mut page = format!(
        "watermark {}, {} late, {}, {}\n",
        live.watermark.as_deref().map_or("none yet".into(), visible),
        grouped(totals.late),
        counted(totals.duplicate, "duplicate"),
        counted(live.commits, "commit"),
    );
    if let Some(trouble) = &live.trouble {
        let _ = writeln!(page, "waiting: {}", visible(trouble));
    }
    for source in &live.sources {
        let rate_of = rates.sources.get(&source.name);
        let _ = writeln!(
            page,
            "{}: {}, {}{}, lag {:.3} s, position {}",
            visible(&source.name),
            visible(&status_of(&source.status)),
            counted(source.books.received, "post"),
            rate_of.map_or_else(String::new, |per_second| format!(
                " ({}/s)",
                rate(*per_second)
            )),
            source.lag,
            or_dash(source.position),
        );
    }
    page
}

/// What a source is doing, in words.
fn status_of(status: &Status) -> String {
    match status {
        Status::Connecting => "connecting".to_owned(),
        Status::CatchingUp => "catching up".to_owned(),
        Status::Live => "live".to_owned(),
        Status::Retrying { wait, why } => format!("retrying in {} s: {why}", wait.as_secs()),
        Status::Ended => "ended".to_owned(),
        Status::Stopped { why } => format!("stopped: {why}"),
    }
}

/// The line with the bar, where the size of the input is known; else the time so far.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown with a few digits"
)]
fn progress(run: &RunStatus, rates: &Rates) -> String {
    let so_far = age(seconds(run.seconds));
    if run.live.is_some() {
        return format!("running for {so_far}\n");
    }
    let Some(total) = run.total_bytes.filter(|&total| total > 0) else {
        return format!("{} in {so_far}\n", size(run.bytes));
    };
    let share = run.bytes as f64 / total as f64;
    let left = rates.time_left(run).map(age);
    format!(
        "{:░<BAR$} {:>3.0} % in {so_far}{}\n",
        bar(share, BAR),
        100.0 * share,
        left.map(|left| format!(", ETA {left}")).unwrap_or_default()
    )
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// A column of the table of workers.
type Column = (&'static str, usize, fn(&WorkerRow, &Shown) -> String);

/// The rates of a worker.
struct Shown {
    records: f64,
    cpu: f64,
}

/// The columns, the most important ones first: those that do not fit the terminal are left out.
const COLUMNS: [Column; 9] = [
    ("worker", 6, |worker, _| worker.slot.to_string()),
    ("pid", 7, |worker, _| or_dash(worker.pid)),
    ("state", 8, |worker, _| visible(&worker.state).into_owned()),
    ("records/s", 9, |_, shown| rate(shown.records)),
    ("CPU", 5, |_, shown| format!("{:.0} %", 100.0 * shown.cpu)),
    ("RSS", 9, |worker, _| size(worker.rss_bytes)),
    ("restarts", 8, |worker, _| grouped(worker.restarts.into())),
    ("age", 6, |worker, _| age(seconds(worker.age_seconds))),
    ("shard", 8, |worker, _| or_dash(worker.shard)),
];

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn workers(run: &RunStatus, rates: &Rates, width: usize) -> String {
    let mut used = 0;
    let fits = |column: &&Column| {
        used += column.1 + usize::from(used > 0);
        used <= width
    };
    let columns: Vec<&Column> = COLUMNS.iter().take_while(fits).collect();
    let line = |cells: Vec<String>| {
        let cells: Vec<_> = columns
            .iter()
            .zip(cells)
            .map(|(&&(_, width, _), cell)| format!("{cell:>width$}"))
            .collect();
        cells.join(" ") + "\n"
    };
    let mut page = line(columns.iter().map(|column| column.0.to_owned()).collect());
    for worker in &run.workers {
        let known = worker.pid.and_then(|pid| rates.workers.get(&pid).copied());
        let (records, cpu) = known.unwrap_or((
            mean(worker.records, worker.age_seconds),
            worker.cpu_seconds / worker.age_seconds.max(0.001),
        ));
        let shown = Shown { records, cpu };
        page += &line(
            columns
                .iter()
                .map(|column| column.2(worker, &shown))
                .collect(),
        );
    }
    page
}

#[expect(
    clippy::cast_precision_loss,
    reason = "rates are shown with a few digits"
)]
fn mean(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds.max(0.001)
}

#[cfg(test)]
mod tests {
    use moodring_window::Books;

    use super::*;

    fn run(seconds: f64, records: u64) -> RunStatus {
        RunStatus {
            pid: 17,
            command: "score".to_owned(),
            output: Some("out.jsonl".to_owned()),
            seconds,
            records,
            bytes: records / 4,
            total_bytes: Some(5000),
            shards: 1,
            restarts: 2,
            workers_wanted: 2,
            workers: vec![
                WorkerRow {
                    pid: Some(18),
                    state: "ready".to_owned(),
                    shard: Some(4),
                    records,
                    cpu_seconds: seconds / 2.0,
                    rss_bytes: 3 << 20,
                    age_seconds: seconds,
                    ..WorkerRow::default()
                },
                WorkerRow {
                    slot: 1,
                    state: "backoff".to_owned(),
                    ..WorkerRow::default()
                },
            ],
            live: None,
        }
    }

    #[test]
    fn a_run_is_a_bar_and_a_line_for_each_worker() {
        let page = table(&run(100.0, 5_000), &Rates::default(), 80);
        let lines: Vec<_> = page.lines().collect();
        assert_eq!(lines[0], "score 17 to out.jsonl");
        assert_eq!(lines[1], "██████░░░░░░░░░░░░░░░░░░  25 % in 1m40s");
        assert_eq!(lines[2], "5,000 records, 50/s, 1 of 2 workers, 2 restarts");
        let words: Vec<_> = lines[4].split_whitespace().collect();
        assert_eq!(words[..6], ["0", "18", "ready", "50", "50", "%"]);
        assert_eq!(words[6..], ["3.0", "MiB", "0", "1m40s", "4"]);
        assert!(lines[5].contains("backoff"));
    }

    #[test]
    fn memory_and_restarts_are_shown_at_sixty_columns() {
        let page = table(&run(100.0, 5_000), &Rates::default(), 60);
        let lines: Vec<_> = page.lines().collect();
        assert!(lines[3].ends_with("RSS restarts"), "{page}");
        assert!(
            lines.iter().all(|line| line.chars().count() <= 60),
            "{page}"
        );
    }

    #[test]
    fn rates_and_the_time_left_are_those_between_two_looks() {
        let now = run(12.0, 5_000);
        let rates = Rates::between(&run(10.0, 1_000), &now);
        assert_eq!(rates.records, Some(2_000.0));
        assert_eq!(rates.workers[&18], (2_000.0, 0.5));
        assert!(table(&now, &rates, 80).contains("25 % in 12s, ETA 7s"));
        assert_eq!(Rates::between(&run(3.0, 1), &run(3.0, 1)).records, None);
    }

    #[test]
    fn a_live_run_has_a_line_for_each_source() {
        let status_after = |received| {
            let books = Books {
                received,
                late: 3,
                ..Books::default()
            };
            Some(LiveStatus {
                watermark: Some("2026-01-05T10:00:00Z".to_owned()),
                sources: vec![SourceStatus {
                    name: "push:".to_owned(),
                    status: Status::Stopped {
                        why: "no room".to_owned(),
                    },
                    books,
                    clamped: 0,
                    lag: 0.25,
                    position: Some(17),
                    newest: None,
                    queued_bytes: 0,
                }],
                commits: 2,
                ..LiveStatus::default()
            })
        };
        let [before, now] = [(10.0, 0), (12.0, 800)].map(|(at, received)| RunStatus {
            live: status_after(received),
            ..run(at, received)
        });
        let page = table(&now, &Rates::between(&before, &now), 80);
        let expected = "watermark 2026-01-05T10:00:00Z, 3 late, 0 duplicates, 2 commits";
        assert!(page.lines().any(|it| it == expected), "{page}");
        let expected = "push:: stopped: no room, 800 posts (400/s), lag 0.250 s, position 17";
        assert!(page.lines().any(|it| it == expected), "{page}");
    }

    #[test]
    fn a_run_that_makes_no_progress_has_no_eta() {
        let rates = Rates::between(&run(10.0, 1_000), &run(12.0, 1_000));
        assert_eq!(rates.time_left(&run(12.0, 1_000)), None);
    }
}
