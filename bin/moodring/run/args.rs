//! The arguments that commands share.

use std::ffi::OsString;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::OsStringValueParser;
use clap::{Args, ValueEnum};
use moodring_record::{Delimiter, Format, Quoting};
use moodring_score::{ModelSpec, listed};

use crate::hinted::hinted;

/// The input of a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArgs {
    /// Files, folders (all files below them, sorted, without hidden ones), globs, or `-` for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<OsString>,

    /// Input format if the extension does not name it: jsonl, csv, tsv or text
    #[arg(short, long, hide_possible_values = true,
        value_parser = hinted(Format::from_str, ["jsonl", "csv", "tsv", "text"]))]
    pub(crate) format: Option<Format>,

    /// Field or column with the text; in JSON also a path such as commit.record.text
    #[arg(long, default_value = "text", value_name = "NAME")]
    pub(crate) text_field: String,

    /// Meaning of quotes in CSV and TSV: rfc4180, none (each line is a row, quotes are text), or auto (rfc4180 for CSV,
    /// none for TSV)
    #[arg(long, default_value = "auto")]
    pub(crate) quoting: Quoting,

    /// Field delimiter of CSV and TSV, such as ';' or tab, also for an output in the same format [default: comma for CSV,
    /// tab for TSV]
    #[arg(long, value_name = "C")]
    pub(crate) delimiter: Option<Delimiter>,

    /// Maximum size of a record, such as 512K or 64M; larger records are rejected [default: 16M, or a quarter of
    /// --max-memory if that is less]
    #[arg(long, value_name = "BYTES", value_parser = parse_max_record)]
    pub(crate) max_record: Option<usize>,

    /// Input bytes per shard, such as 512K or 4M, at most 16M (8M if the output is a pipe); changes the bytes of
    /// compressed output, not their content [default: depends on the input size]
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) shard_size: Option<u64>,
}

/// The models of a run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Models")]
pub(crate) struct ModelArgs {
    #[arg(
        short,
        long,
        default_value = "vader",
        value_delimiter = ',',
        value_name = "MODEL",
        hide_possible_values = true,
        help = model_help(),
        value_parser = hinted(OsStringValueParser::new(), listed().map(ModelSpec::completion))
    )]
    pub(crate) model: Vec<OsString>,

    /// Add the words of lexicon:FILE to the built-in words instead of replacing them
    #[arg(long)]
    pub(crate) lexicon_extend: bool,
}

/// Returns the help of `--model`, which lists all models.
fn model_help() -> String {
    let models: Vec<_> = listed()
        .map(|spec| format!("{} ({})", spec.usage, spec.help))
        .collect();
    format!(
        "Models, separated by commas: {}. The first model decides `sentiment`",
        models.join(", ")
    )
}

/// The workers of a run, and their limits.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Workers")]
pub(crate) struct PoolArgs {
    /// Worker processes: a number, `auto` (one per CPU that this process may use, but no more than there are shards), or
    /// MIN..MAX to scale with the work and the load of the machine
    #[arg(short, long, default_value = "auto", value_name = "N|auto|MIN..MAX")]
    pub(crate) workers: Workers,

    /// Kill a worker that spends longer than this on one record; 0 disables the timeout, the minimum is 0.01 [default: 60,
    /// or 2 in `live`]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) record_timeout: Option<Duration>,

    /// Kill a worker that spends longer than this on reading a shard or writing a result; 0 disables the timeout
    #[arg(long, default_value = "600", value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) io_timeout: Duration,

    /// Abort with exit code 3 after this many consecutive worker crashes without progress
    #[arg(long, default_value = "5", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_crashes: u32,

    /// Restart a worker when its memory exceeds this limit, such as 500M; allocations beyond twice the limit fail. The
    /// minimum is 4M
    #[arg(long, value_name = "BYTES", value_parser = parse_max_memory)]
    pub(crate) max_memory: Option<u64>,

    /// Restart a worker after this many shards
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_shards: Option<u64>,

    /// Add this to the nice value of the workers
    #[arg(long, default_value = "0", value_name = "N", value_parser = clap::value_parser!(i32).range(0..=19))]
    pub(crate) nice: i32,

    /// Bind each worker to a CPU
    #[arg(long)]
    pub(crate) pin: bool,
}

/// How many workers were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workers {
    Auto,
    Exactly(u32),
    Between(u32, u32),
}

/// More processes than this on one machine is a slip of the finger.
pub(crate) use moodring_pool::MAX_WORKERS;

impl FromStr for Workers {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let count = |typed: &str| {
            let count = typed.parse().ok();
            count.filter(|count| (1..=MAX_WORKERS).contains(count))
        };
        let workers = match typed.split_once("..") {
            None if typed == "auto" => Some(Self::Auto),
            None => count(typed).map(Self::Exactly),
            Some((min, max)) => count(min)
                .zip(count(max))
                .filter(|(min, max)| min <= max)
                .map(|(min, max)| Self::Between(min, max)),
        };
        workers.ok_or_else(|| {
            format!("give a number from 1 to {MAX_WORKERS}, two of them as in 2..8, or auto")
        })
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
pub(crate) fn parse_bytes(typed: &str) -> Result<u64, String> {
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

/// The largest record that may be asked for: what is sent between processes holds it with room to spare.
const LARGEST_RECORD: usize = 256 << 20;

/// A number of bytes that a record may have.
fn parse_max_record(typed: &str) -> Result<usize, String> {
    usize::try_from(parse_bytes(typed)?)
        .ok()
        .filter(|&bytes| bytes <= LARGEST_RECORD)
        .ok_or_else(|| "a record may have 256M at most".to_owned())
}

/// The least memory with which a worker starts and can do shards of the usual size.
const LEAST_MEMORY: u64 = 4 << 20;

/// A number of bytes that a worker may take.
fn parse_max_memory(typed: &str) -> Result<u64, String> {
    let bytes = parse_bytes(typed)?;
    if bytes < LEAST_MEMORY {
        return Err("a worker needs 4M at the least".to_owned());
    }
    Ok(bytes)
}

/// The limits of a timeout, in seconds. Shorter than this, a worker that only waits for a CPU would count as one that
/// hangs.
const MIN_SECONDS: f64 = 0.01;
const MAX_SECONDS: f64 = 1e6;

/// A timeout in seconds, which may have a fraction; 0 is none.
fn parse_seconds(typed: &str) -> Result<Duration, String> {
    let typed = typed.strip_suffix('s').unwrap_or(typed);
    let seconds = typed.parse().ok();
    seconds
        .filter(|&seconds: &f64| seconds == 0.0 || (MIN_SECONDS..=MAX_SECONDS).contains(&seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| {
            format!("give 0 for none, or a number of seconds from {MIN_SECONDS} to {MAX_SECONDS}")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_timeout_that_could_not_be_honored_is_refused() {
        let parsed = ["0", "0.01", "0.5s", "60", "1e6"].map(|typed| parse_seconds(typed).unwrap());
        let expected = [0.0, 0.01, 0.5, 60.0, 1e6].map(Duration::from_secs_f64);
        assert_eq!(parsed, expected);
        let wrong = [
            "", "s", "0.009", "-0.5", "-1", "NaN", "inf", "1e7", "1e300", "0.5ss",
        ];
        for wrong in wrong {
            let error = parse_seconds(wrong).unwrap_err();
            assert!(error.contains("from 0.01 to 1000000"), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_record_fits_between_processes() {
        assert_eq!(parse_max_record("256M"), Ok(LARGEST_RECORD));
        assert!(parse_max_record("257M").is_err());
    }

    #[test]
    fn a_limit_under_which_no_worker_can_live_is_refused() {
        assert_eq!(parse_max_memory("4M"), Ok(LEAST_MEMORY));
        for wrong in ["1K", "4095K", "0"] {
            assert!(parse_max_memory(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn workers_are_a_number_a_range_or_auto() {
        let parsed = ["auto", "3", "2..8"].map(|typed| typed.parse::<Workers>().unwrap());
        let expected = [Workers::Auto, Workers::Exactly(3), Workers::Between(2, 8)];
        assert_eq!(parsed, expected);
        for wrong in ["", "0", "-1", "5000", "8..2", "..", "1..", "0..3", "two"] {
            assert!(wrong.parse::<Workers>().is_err(), "{wrong}");
        }
    }
}
