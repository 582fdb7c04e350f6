//! The flags that commands share.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use moodring_record::{Delimiter, Format, Quoting};

/// Where the posts are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArgs {
    /// Files, folders (all their files but hidden ones, sorted), globs, or `-` for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<OsString>,

    /// Format of the input, where the file's extension does not tell: jsonl, csv, tsv or text
    #[arg(short, long)]
    pub(crate) format: Option<Format>,

    /// Field or column with the text; in JSON also a path such as commit.record.text
    #[arg(long, default_value = "text", value_name = "NAME")]
    pub(crate) text_field: String,

    /// What quotes mean in CSV and TSV: rfc4180, none (a line is a row, quotes are text), or auto (CSV: rfc4180; TSV:
    /// none)
    #[arg(long, default_value = "auto")]
    pub(crate) quoting: Quoting,

    /// Character between the fields of CSV and TSV, such as ';' or tab; an output in the input's format has it too
    /// [default: a comma in CSV, a tab in TSV]
    #[arg(long, value_name = "C")]
    pub(crate) delimiter: Option<Delimiter>,

    /// Longest record, in bytes such as 512K or 64M; longer ones are rejects
    #[arg(long, default_value = "16M", value_name = "BYTES", value_parser = parse_max_record)]
    pub(crate) max_record: usize,

    /// Bytes of input that a worker takes at a time, such as 512K or 4M; changes the bytes of compressed output, not their
    /// content [default: by the input's size]
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub(crate) shard_size: Option<u64>,
}

/// What scores them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Models")]
pub(crate) struct ModelArgs {
    /// Models, separated by commas: vader, textblob, or lexicon:FILE for the rules of vader over your own words
    #[arg(
        short,
        long,
        default_value = "vader",
        value_delimiter = ',',
        value_name = "MODEL"
    )]
    pub(crate) model: Vec<OsString>,

    /// Add the words of lexicon:FILE to the built-in ones, or override those, instead of replacing them all
    #[arg(long)]
    pub(crate) lexicon_extend: bool,
}

/// How the work is spread, and what a worker may take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Workers")]
pub(crate) struct PoolArgs {
    /// Worker processes: a number, `auto` for one per CPU that this process may use, or MIN..MAX to follow the work and
    /// the machine's load
    #[arg(short, long, default_value = "auto", value_name = "N|auto|MIN..MAX")]
    pub(crate) workers: Workers,

    /// Kill a worker that spends longer than this on one record, from 0.01 (0: never)
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) record_timeout: Duration,

    /// Kill a worker that spends longer than this on reading its shard or writing its result, from 0.01 (0: never)
    #[arg(long, default_value = "600", value_name = "SECONDS", value_parser = parse_seconds)]
    pub(crate) io_timeout: Duration,

    /// End the run, with exit code 3, when this many workers in a row crash and nothing progresses meanwhile
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

impl std::str::FromStr for Workers {
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

/// The largest record that may be asked for: what is sent between processes holds it with room to spare.
const LARGEST_RECORD: usize = 256 << 20;

/// A number of bytes that a record may have.
fn parse_max_record(typed: &str) -> Result<usize, String> {
    usize::try_from(parse_bytes(typed)?)
        .ok()
        .filter(|&bytes| bytes <= LARGEST_RECORD)
        .ok_or_else(|| "a record may have 256M at most".to_owned())
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
    fn workers_are_a_number_a_range_or_auto() {
        let parsed = ["auto", "3", "2..8"].map(|typed| typed.parse::<Workers>().unwrap());
        let expected = [Workers::Auto, Workers::Exactly(3), Workers::Between(2, 8)];
        assert_eq!(parsed, expected);
        for wrong in ["", "0", "-1", "5000", "8..2", "..", "1..", "0..3", "two"] {
            assert!(wrong.parse::<Workers>().is_err(), "{wrong}");
        }
    }
}
