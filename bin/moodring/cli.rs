//! What may be typed. What it means is decided by each command.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use moodring_record::{Format, Quoting};

use crate::explain::ExplainArgs;
use crate::logging::{LogFormat, LogLevel};

const EXAMPLES: &str = "\
Examples:
  moodring score posts.jsonl -o scored.jsonl
      Score the `text` of every line, on all CPUs
  moodring score dumps/ 'more/*.csv.gz' -o scored.jsonl.zst --workers 8
      Folders, globs and compressed files, with eight worker processes
  moodring score firehose.jsonl --text-field commit.record.text --id-field commit.cid -o moods.csv
      A nested field; a table of id, text and scores
  zcat posts.gz | moodring score - --format jsonl | head
      Standard input to standard output";

/// Score the sentiment of text posts on all the cores of a server.
#[derive(Debug, Parser)]
#[command(version, about, after_long_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// What to log to standard error
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "warn",
        env = "MOODRING_LOG",
        hide_env = true
    )]
    pub(crate) log_level: LogLevel,

    /// How to log it
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Score files of posts
    Score(Box<ScoreArgs>),
    /// Show why a text has the score it has
    Explain(ExplainArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// Serve a supervisor (started by it, not by hand)
    #[command(hide = true)]
    Worker(WorkerArgs),
}

#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// The supervisor's address
    pub(crate) address: String,
}

/// Score files of posts.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ScoreArgs {
    /// Files, folders (all their files, sorted), globs, or `-` for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<OsString>,

    /// Where to write: .jsonl, .csv or .tsv, also .gz or .zst; standard output if absent
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Worker processes: a number, or `auto` for one per CPU that this process may use
    #[arg(short, long, default_value = "auto", value_name = "N|auto")]
    pub(crate) workers: Workers,

    /// Models to score with, separated by commas; the first one says the sentiment
    #[arg(
        short,
        long,
        default_value = "vader",
        value_delimiter = ',',
        value_name = "MODEL"
    )]
    pub(crate) model: Vec<String>,

    /// Format of the input, where the file's extension does not tell: jsonl, csv, tsv or text
    #[arg(short, long)]
    pub(crate) format: Option<Format>,

    /// Format of the output, where its extension does not tell: jsonl, csv or tsv
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_format: Option<Format>,

    /// Field or column with the text; in JSON also a path such as commit.record.text
    #[arg(long, default_value = "text", value_name = "NAME")]
    pub(crate) text_field: String,

    /// Field or column with the post's id, a column of CSV made from JSON
    #[arg(long, value_name = "NAME")]
    pub(crate) id_field: Option<String>,

    /// Field or column with the post's time, a column of CSV made from JSON
    #[arg(long, value_name = "NAME")]
    pub(crate) time_field: Option<String>,

    /// What quotes mean in CSV and TSV: rfc4180, none, or auto (CSV: rfc4180; TSV: rfc4180 if its quotes are well-formed)
    #[arg(long, default_value = "auto")]
    pub(crate) quoting: Quoting,

    /// Release results as they come instead of in input order
    #[arg(long)]
    pub(crate) unordered: bool,

    /// Where malformed records go [default: OUTPUT.rejects.jsonl; moodring.rejects.jsonl with standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,

    /// Where records go on which workers die [default: OUTPUT.quarantine.jsonl, or moodring.quarantine.jsonl]
    #[arg(long, value_name = "FILE")]
    pub(crate) quarantine: Option<PathBuf>,

    /// Kill a worker that spends longer than this on one record (0: never)
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) record_timeout: Duration,

    /// End the run, with exit code 3, when so many workers in a row die without having achieved anything
    #[arg(long, default_value = "5", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_crashes: u32,

    /// Replace a worker that holds more memory than this, such as 500M
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) max_memory: Option<u64>,

    /// Replace a worker after so many shards
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_shards: Option<u64>,

    /// Run the workers at a lower priority: added to their nice value
    #[arg(long, default_value = "0", value_name = "N", value_parser = clap::value_parser!(i32).range(0..=19))]
    pub(crate) nice: i32,

    /// Bind each worker to a CPU
    #[arg(long)]
    pub(crate) pin: bool,

    /// Stop at the first malformed record
    #[arg(long)]
    pub(crate) strict: bool,

    /// Overwrite files that exist
    #[arg(long)]
    pub(crate) force: bool,

    /// Bytes of input that a worker takes at a time, such as 512K or 4M [default: by the input's size]
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) shard_size: Option<u64>,

    /// No progress bar and no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// How to print the summary: text (to standard error), json (to standard output if that is free), or none
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(crate) summary: SummaryFormat,

    /// Score in one thread of this process, to measure what the workers gain
    #[arg(long, hide = true)]
    pub(crate) in_process: bool,
}

/// How many workers were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workers {
    Auto,
    Exactly(u32),
}

/// More processes than this on one machine is a slip of the finger.
pub(crate) const MAX_WORKERS: u32 = 4096;

impl std::str::FromStr for Workers {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        match typed.parse() {
            _ if typed == "auto" => Ok(Self::Auto),
            Ok(count @ 1..=MAX_WORKERS) => Ok(Self::Exactly(count)),
            _ => Err(format!("give a number from 1 to {MAX_WORKERS}, or auto")),
        }
    }
}

/// How the summary of a run is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryFormat {
    Text,
    Json,
    None,
}

/// A number of bytes with an optional unit of 1024: `4096`, `512K`, `4M`, `1G`.
fn parse_bytes(typed: &str) -> Result<u64, String> {
    let digits = typed.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match typed[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        unit => return Err(format!("there is no unit `{unit}`; use K, M or G")),
    };
    let bytes = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift));
    bytes
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| "give a number of bytes above 0, such as 512K or 4M".to_owned())
}

/// A number of seconds, which may have a fraction.
fn parse_seconds(typed: &str) -> Result<Duration, String> {
    let seconds: Result<f64, _> = typed.trim_end_matches('s').parse();
    let duration = seconds
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| "give a number of seconds, such as 10 or 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_may_have_units() {
        assert_eq!(
            ["1", "4k", "2MiB"].map(|typed| parse_bytes(typed).unwrap()),
            [1, 4096, 2 << 20]
        );
        for wrong in ["", "0", "x", "5X", "-1", "99999999999G"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }
}
