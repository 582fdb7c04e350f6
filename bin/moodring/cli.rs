//! What may be typed. What it means is decided by each command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use moodring_record::Format;

use crate::ctl::CtlArgs;
use crate::eval::EvalArgs;
use crate::explain::ExplainArgs;
use crate::logging::{LogFormat, LogLevel};
use crate::run::args::{InputArgs, ModelArgs, PoolArgs};

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
    /// Compare the models with labels that people gave
    Eval(Box<EvalArgs>),
    /// Look at runs, and steer them
    Ctl(CtlArgs),
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
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) models: ModelArgs,

    #[command(flatten)]
    pub(crate) pool: PoolArgs,
}

/// What comes out.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct OutputArgs {
    /// Where to write: .jsonl, .csv or .tsv, also .gz or .zst; standard output if absent
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Format of the output, where its extension does not tell: jsonl, csv or tsv
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_format: Option<Format>,

    /// Field or column with the post's id, a column of CSV made from JSON
    #[arg(long, value_name = "NAME")]
    pub(crate) id_field: Option<String>,

    /// Field or column with the post's time, a column of CSV made from JSON
    #[arg(long, value_name = "NAME")]
    pub(crate) time_field: Option<String>,

    /// Put this before the names of all fields and columns that are added, as in `my_sentiment`
    #[arg(long, default_value = "", hide_default_value = true, value_name = "PREFIX", value_parser = parse_prefix)]
    pub(crate) prefix: String,

    /// Replace fields of the input that have the name of an added one; without this they are refused
    #[arg(long)]
    pub(crate) replace: bool,

    /// Release results as they come instead of in input order
    #[arg(long)]
    pub(crate) unordered: bool,

    /// Where malformed records go [default: OUTPUT.rejects.jsonl; named on standard error if the output is no file]
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,

    /// Where records go that kill workers [default: OUTPUT.quarantine.jsonl; named on standard error if the output is no
    /// file]
    #[arg(long, value_name = "FILE")]
    pub(crate) quarantine: Option<PathBuf>,

    /// Stop at the first malformed record
    #[arg(long)]
    pub(crate) strict: bool,

    /// Overwrite files that exist
    #[arg(long)]
    pub(crate) force: bool,

    /// Continue an interrupted run of this output, if there is one; exit with 0 if it is complete; keep what is done, and the
    /// journal at the end, for the next --resume
    #[arg(long)]
    pub(crate) resume: bool,

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

/// The beginning of a name, which has to fit into a header.
fn parse_prefix(typed: &str) -> Result<String, String> {
    let is_odd = |letter: char| letter.is_control() || matches!(letter, '"' | ',' | ';');
    if typed.contains(is_odd) {
        return Err("use no quotes, commas, semicolons or control characters".to_owned());
    }
    Ok(typed.to_owned())
}

/// How the summary of a run is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryFormat {
    Text,
    Json,
    None,
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
