//! The arguments of `moodring query`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use moodring_live::history::SeriesChoice;
use moodring_window::{TimeZone, Timestamp};

use crate::run::durations::parse_duration;

const EXAMPLES: &str = "\
Examples:
  moodring query state.db
      Show the windows of the newest series
  moodring query state.db --from 2h --window 5m --group-by tag --group rust
      Show the last two hours of one group in windows of five minutes
  moodring query state.db --format csv > windows.csv
      Write all windows as CSV
  moodring query state.db sources
      Show what became of the posts of each source";

/// Show what a live run found: windows, alerts and sources. Works beside the run and after it.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct QueryArgs {
    /// State file of the run, as given to its --state
    pub(super) state: PathBuf,

    /// What to show
    #[arg(value_enum, default_value = "windows")]
    pub(super) what: What,

    /// First time to show: a time such as 2026-11-24T09:00:00Z, or how long ago, such as 2h
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) from: Option<Timestamp>,

    /// Time before which to stop; windows belong to the time at which they begin
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) to: Option<Timestamp>,

    /// Width of the windows: a multiple of the panes that the run keeps [default: as in the run]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) window: Option<Duration>,

    /// Time from the start of one window to the start of the next [default: --window; without it, as in the run]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) slide: Option<Duration>,

    /// Dimension to show, as given to the run [default: its first one]
    #[arg(long, value_name = "DIMENSION")]
    pub(super) group_by: Option<String>,

    /// Show only this group
    #[arg(long, value_name = "VALUE")]
    pub(super) group: Option<String>,

    /// Number of the series to show, or `all` [default: the newest]
    #[arg(long, value_name = "N|all", value_parser = parse_series)]
    pub(super) series: Option<SeriesChoice>,

    /// Output format
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: Shape,
}

/// What can be shown of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum What {
    /// Sentiment by window and group
    Windows,
    /// Alerts that were raised and cleared
    Alerts,
    /// Sources and the counts of their posts
    Sources,
    /// Posts that came too late to be counted
    Late,
    /// Series of windows and their rules
    Series,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Shape {
    /// For a person
    Table,
    /// Comma-separated, with a header
    Csv,
    /// An object per line
    Jsonl,
}

/// Parses a time, or a duration before now.
fn parse_time(typed: &str) -> Result<Timestamp, String> {
    if let Ok(ago) = parse_duration(typed) {
        return Ok(Timestamp::from(SystemTime::now()).before(ago));
    }
    Timestamp::parse(typed, &TimeZone::UTC).map_err(|_| {
        "give a time such as 2026-11-24T09:00:00Z, or how long ago, such as 2h".to_owned()
    })
}

fn parse_series(typed: &str) -> Result<SeriesChoice, String> {
    if typed == "all" {
        return Ok(SeriesChoice::All);
    }
    let number = typed.parse().map(SeriesChoice::One);
    number.map_err(|_| "give the number of a series, or all".to_owned())
}
