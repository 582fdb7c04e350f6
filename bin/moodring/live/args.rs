//! The arguments of `moodring live`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use moodring_record::Format;

use crate::run::args::{ModelArgs, PoolArgs, SummaryFormat, parse_bytes};
use crate::run::durations::parse_duration;
use crate::run::texts::TextArgs;
use crate::run::window_args::WindowArgs;

const EXAMPLES: &str = "\
Examples:
  moodring live --source 'replay:tweets.csv?time-field=created&speed=max' --until-end --window 1h --state moods.db
      Fold a recorded file into windows of an hour, then show them with `moodring query moods.db`
  moodring live --source file:/var/log/posts.jsonl --time-field created_at --window 1m --slide 10s --state moods.db
      Follow a file that grows
  moodring live --source push: --source stdin: --group-by tag --track rust,python --state moods.db
      Take posts over HTTP and from a pipe, and keep those that mention one of two terms
  moodring live --config live.toml
      Take all flags from a file";

/// Score posts as they come, and fold them into windows over the time at which they were written.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct LiveArgs {
    #[command(flatten)]
    pub(super) sources: SourceArgs,

    #[command(flatten)]
    pub(super) windows: WindowArgs,

    #[command(flatten)]
    pub(super) patience: PatienceArgs,

    #[command(flatten)]
    pub(super) texts: TextArgs,

    #[command(flatten)]
    pub(super) output: StateArgs,

    #[command(flatten)]
    pub(super) models: ModelArgs,

    #[command(flatten)]
    pub(super) pool: PoolArgs,
}

/// Where posts come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sources")]
pub(super) struct SourceArgs {
    /// Source of posts, with options behind a `?`; can be given several times: `stdin:`, `file:PATH`, `replay:PATH`,
    /// `push:[ADDR:PORT]` or `demo:`
    #[arg(short, long = "source", value_name = "URI")]
    pub(super) source: Vec<OsString>,

    /// File with flags: `name = value` for each, and a `[[source]]` table for each source. Flags of the command line win
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// End once all sources have ended, and close all windows
    #[arg(long)]
    pub(super) until_end: bool,

    /// Format of sources whose name does not tell it: jsonl, csv, tsv or text
    #[arg(short, long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,

    /// Field or column with the text
    #[arg(long, default_value = "text", value_name = "NAME")]
    pub(super) text_field: String,

    /// Field or column with the time of a post [default: the time of its arrival; replays need a field]
    #[arg(long, value_name = "NAME")]
    pub(super) time_field: Option<String>,

    /// Field or column with the ID of a post, by which duplicates are dropped
    #[arg(long, value_name = "NAME")]
    pub(super) id_field: Option<String>,
}

/// When windows are final.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Windows")]
pub(super) struct PatienceArgs {
    /// How far a post may be behind the newest one of its source and still be on time
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = parse_duration)]
    pub(super) lateness: Duration,

    /// How long a source must be quiet until the others do not wait for it
    #[arg(long, default_value = "30s", value_name = "DURATION", value_parser = parse_duration)]
    pub(super) idle: Duration,

    /// How long the others wait for a source that connects, retries or catches up
    #[arg(long, default_value = "5m", value_name = "DURATION", value_parser = parse_duration)]
    pub(super) hold: Duration,

    /// For how long after a window is final late posts correct it
    #[arg(long, default_value = "1h", value_name = "DURATION", value_parser = parse_duration)]
    pub(super) corrections: Duration,
}

/// What is kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "State")]
pub(super) struct StateArgs {
    /// File that keeps windows, positions and counts; a later run with it continues where this one ended. Without it nothing
    /// survives the process
    #[arg(long, value_name = "FILE")]
    pub(super) state: Option<PathBuf>,

    /// Delete windows that are older than this
    #[arg(long, default_value = "30d", value_name = "DURATION", value_parser = parse_duration)]
    pub(super) keep: Duration,

    /// Largest size of STATE.late.jsonl, the file for posts that are too late for a correction
    #[arg(long, default_value = "100M", value_name = "BYTES", value_parser = parse_bytes)]
    pub(super) late_max: u64,

    /// File for malformed records [default: STATE.rejects.jsonl]
    #[arg(long, value_name = "FILE", requires = "state")]
    pub(super) rejects: Option<PathBuf>,

    /// File for records that crash a worker [default: STATE.quarantine.jsonl]
    #[arg(long, value_name = "FILE", requires = "state")]
    pub(super) quarantine: Option<PathBuf>,

    /// Do not show progress or the summary
    #[arg(short, long)]
    pub(super) quiet: bool,

    /// Summary format: text (to standard error), json (to standard output), or none
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(super) summary: SummaryFormat,
}
