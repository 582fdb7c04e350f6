//! The arguments of each command. What they mean is decided by the command.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use moodring_record::Format;

use crate::ctl::CtlArgs;
use crate::eval::EvalArgs;
use crate::explain::ExplainArgs;
use crate::hinted::hinted;
use crate::live::LiveArgs;
use crate::logging::{LogFormat, LogLevel};
use crate::query::QueryArgs;
use crate::run::args::{InputArgs, ModelArgs, PoolArgs, SummaryFormat};
use crate::run::texts::TextArgs;
use crate::run::window_args::WindowArgs;

const EXAMPLES: &str = "\
Examples:
  moodring score posts.jsonl -o scored.jsonl
      Score the field `text` of each line on all CPUs
  moodring score dumps/ 'more/*.csv.gz' -o scored.jsonl.zst --workers 8
      Read folders, globs and compressed files with eight worker processes
  moodring score firehose.jsonl --text-field commit.record.text --id-field commit.cid -o moods.csv
      Read a nested field and write a table of ID, text and scores
  zcat posts.gz | moodring score - --format jsonl | head
      Score standard input to standard output";

/// Score the sentiment of English text posts on all cores of a Linux machine.
#[derive(Debug, Parser)]
#[command(version, after_long_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Log messages of this level and above to standard error
    #[arg(
        long,
        global = true,
        help_heading = "Logging",
        display_order = 1000,
        value_enum,
        value_name = "LEVEL",
        default_value = "warn",
        env = "MOODRING_LOG",
        hide_env = true
    )]
    pub(crate) log_level: LogLevel,

    /// Format of log messages
    #[arg(
        long,
        global = true,
        help_heading = "Logging",
        display_order = 1001,
        value_enum,
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Score posts
    Score(Box<ScoreArgs>),
    /// Score posts as they come, and fold them into windows
    Live(Box<LiveArgs>),
    /// Compare model scores with human labels
    Eval(Box<EvalArgs>),
    /// Show what a live run found
    Query(Box<QueryArgs>),
    /// Show runs and control them
    Ctl(CtlArgs),
    /// Show how a text gets its score
    Explain(ExplainArgs),
    /// Print a completion script for a shell
    Completions {
        /// Shell to print the script for
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print a manual page
    Man(ManArgs),
    /// Serve a supervisor (started by it, not by hand)
    #[command(hide = true)]
    Worker(WorkerArgs),
}

impl Command {
    /// Whether standard output is where its result goes, always. Other commands see for themselves.
    pub(crate) fn prints_its_result(&self) -> bool {
        match self {
            Self::Explain(_) | Self::Query(_) | Self::Completions { .. } => true,
            Self::Ctl(args) => args.prints_its_result(),
            Self::Man(args) => args.dir.is_none(),
            Self::Score(_) | Self::Eval(_) | Self::Live(_) | Self::Worker(_) => false,
        }
    }
}

/// Print a manual page, or write all of them to a folder.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Command whose page to print, such as `score` or `ctl top` [default: the overview]
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,

    /// Folder to write all pages to, such as /usr/local/share/man/man1
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// The supervisor's address
    pub(crate) address: String,
}

/// Score posts.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) input: InputArgs,

    #[command(flatten)]
    pub(crate) windows: ScoreWindowArgs,

    #[command(flatten)]
    pub(crate) models: ModelArgs,

    #[command(flatten)]
    pub(crate) texts: TextArgs,

    #[command(flatten)]
    pub(crate) pool: PoolArgs,
}

/// The windows of a run over files.
#[derive(Debug, Args)]
pub(crate) struct ScoreWindowArgs {
    /// File for sentiment by window of event time and group: .csv or .jsonl, optionally with .gz or .zst. Needs --window and
    /// --time-field; a post whose --id-field was there before in its input counts once
    #[arg(long, value_name = "FILE", help_heading = "Windows")]
    pub(crate) windows: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) args: WindowArgs,
}

/// The output of a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct OutputArgs {
    /// Output file: .jsonl, .csv or .tsv, optionally with .gz or .zst [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Output format if the extension does not name it: jsonl, csv or tsv
    #[arg(long, value_name = "FORMAT", hide_possible_values = true,
        value_parser = hinted(Format::from_str, ["jsonl", "csv", "tsv"]))]
    pub(crate) output_format: Option<Format>,

    /// Field with the ID of a post, written as a column when JSON becomes a table
    #[arg(long, value_name = "NAME")]
    pub(crate) id_field: Option<String>,

    /// Field with the time of a post, written as a column when JSON becomes a table
    #[arg(long, value_name = "NAME")]
    pub(crate) time_field: Option<String>,

    /// Field with the language of a post, such as `en` or `en-US`; where it has none, the language is detected. Used by
    /// --lang and --group-by lang
    #[arg(long, value_name = "NAME")]
    pub(crate) lang_field: Option<String>,

    /// Columns that a CSV or TSV output keeps of its input, in this order; for JSON also paths such as user.name [default:
    /// all columns of a table; all fields of JSON that hold a single value, as the first 64 KiB of each input have them]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,

    /// Prefix for the names of all added fields and columns, as in `my_sentiment`
    #[arg(long, default_value = "", hide_default_value = true, value_name = "PREFIX", value_parser = parse_prefix)]
    pub(crate) prefix: String,

    /// Replace input fields that have the name of an added field; without this flag they are an error
    #[arg(long)]
    pub(crate) replace: bool,

    /// Write results as they become available instead of in input order
    #[arg(long)]
    pub(crate) unordered: bool,

    /// File for malformed records [default: OUTPUT.rejects.jsonl, or standard error without -o]
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,

    /// File for records that crash a worker [default: OUTPUT.quarantine.jsonl, or standard error without -o]
    #[arg(long, value_name = "FILE")]
    pub(crate) quarantine: Option<PathBuf>,

    /// Stop at the first malformed record
    #[arg(long)]
    pub(crate) strict: bool,

    /// Overwrite existing files
    #[arg(long)]
    pub(crate) force: bool,

    /// Continue an interrupted run with byte-identical output; start a new run if there is none, and exit with 0 if it is
    /// complete. Keep the finished part if this run is interrupted, and the journal if it completes
    #[arg(long)]
    pub(crate) resume: bool,

    /// Do not show the progress bar or the summary
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Summary format: text (to standard error), json (to standard output if -o is given), or none
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(crate) summary: SummaryFormat,

    /// Score in one thread of this process, to measure the gain from workers
    #[arg(long, hide = true)]
    pub(crate) in_process: bool,
}

/// The beginning of a name, which has to fit into a header.
fn parse_prefix(typed: &str) -> Result<String, String> {
    let is_odd = |letter: char| letter.is_control() || matches!(letter, '"' | ',' | ';');
    if typed.contains(is_odd) {
        return Err("use no quotes, commas, semicolons or control characters".to_owned());
    }
    Ok(typed.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
