//! Runs as tables for a person, or as JSON.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::protocol::{RunStatus, WorkerRow};
use super::visible::{visible, visible_json};
use crate::exit::Failure;

/// Prints the runs once.
pub(super) fn print(runs: &[RunStatus], json: bool) -> Result<(), Failure> {
    let mut page = String::new();
    for run in runs {
        if json {
            let line = serde_json::to_string(run).map_err(Failure::failed)?;
            page += &visible_json(&line);
            page.push('\n');
        } else {
            page += &table(run, &Rates::default());
        }
    }
    if runs.is_empty() && !json {
        page += "there is no run\n";
    }
    match io::stdout().write_all(page.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::OutputClosed),
        written => written.map_err(Failure::failed),
    }
}

/// How fast things go, from two looks at them.
#[derive(Debug, Default)]
pub(super) struct Rates {
    /// Records per second of the run.
    records: Option<f64>,
    /// By the worker's process: records per second, and the share of a CPU, 0..1.
    workers: HashMap<u32, (f64, f64)>,
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
            workers: now.workers.iter().filter_map(worker).collect(),
        }
    }
}

/// A run: a line about all of it, and one for each worker.
#[expect(
    clippy::cast_precision_loss,
    reason = "rates and shares are shown with a few digits"
)]
pub(super) fn table(run: &RunStatus, rates: &Rates) -> String {
    let rate = rates
        .records
        .unwrap_or(run.records as f64 / run.seconds.max(0.001));
    let mut page = format!("{} {}", visible(&run.command), run.pid);
    if let Some(output) = &run.output {
        let _ = write!(page, " to {}", visible(output));
    }
    let _ = write!(page, ": {} records, {rate:.0}/s", run.records);
    if let Some(total) = run.total_bytes.filter(|&total| total > 0) {
        let _ = write!(page, ", {:.0} %", 100.0 * run.bytes as f64 / total as f64);
    }
    let _ = writeln!(
        page,
        ", {}, {} of {} workers, {} restarts",
        age(run.seconds),
        run.workers
            .iter()
            .filter(|worker| worker.pid.is_some())
            .count(),
        run.workers_wanted,
        run.restarts
    );
    page +=
        " worker      pid  state           shard  records/s    CPU       RSS  restarts     age\n";
    for worker in &run.workers {
        let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let known = worker.pid.and_then(|pid| rates.workers.get(&pid));
        let mean = worker.records as f64 / worker.age_seconds.max(0.001);
        let (rate, cpu) = known
            .copied()
            .unwrap_or((mean, worker.cpu_seconds / worker.age_seconds.max(0.001)));
        let _ = writeln!(
            page,
            "{:>7}  {:>7}  {:11}  {:>8}  {:>9}  {:>3.0} %  {:>8}  {:>8}  {:>6}",
            worker.slot,
            shown(worker.pid.map(|pid| pid.to_string())),
            visible(&worker.state),
            shown(worker.shard.map(|shard| shard.to_string())),
            format!("{rate:.0}"),
            100.0 * cpu,
            format!("{:.1} MiB", worker.rss_bytes as f64 / f64::from(1 << 20)),
            worker.restarts,
            age(worker.age_seconds)
        );
    }
    page
}

/// A time such as `12s`, `3m40s` or `5h02m`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an age is not negative, and no run takes 2^64 seconds"
)]
fn age(seconds: f64) -> String {
    let seconds = seconds as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s:02}s"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seconds: f64, records: u64) -> RunStatus {
        RunStatus {
            pid: 17,
            command: "score".to_owned(),
            output: Some("out.jsonl".to_owned()),
            seconds,
            records,
            bytes: 250,
            total_bytes: Some(1000),
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
        }
    }

    #[test]
    fn a_run_is_a_line_and_a_line_for_each_worker() {
        let page = table(&run(100.0, 5_000), &Rates::default());
        let lines: Vec<_> = page.lines().collect();
        assert_eq!(
            lines[0],
            "score 17 to out.jsonl: 5000 records, 50/s, 25 %, 1m40s, 1 of 2 workers, 2 restarts"
        );
        let words: Vec<_> = lines[2].split_whitespace().collect();
        assert_eq!(words[..5], ["0", "18", "ready", "4", "50"]);
        assert_eq!(words[5..], ["50", "%", "3.0", "MiB", "0", "1m40s"]);
        assert!(lines[3].contains("backoff"));
        assert!(lines.iter().all(|line| line.len() <= 90));
    }

    #[test]
    fn rates_are_those_between_two_looks() {
        let rates = Rates::between(&run(10.0, 1_000), &run(12.0, 5_000));
        assert_eq!(rates.records, Some(2_000.0));
        assert_eq!(rates.workers[&18], (2_000.0, 0.5));
        assert_eq!(Rates::between(&run(3.0, 1), &run(3.0, 1)).records, None);
    }
}
