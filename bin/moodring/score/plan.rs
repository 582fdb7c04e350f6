//! What the typed flags mean.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use moodring_feed::{Expanded, Feed, Input, Options, SourceId, expand};
use moodring_job::compress::Compression;
use moodring_job::{Setup, columns};
use moodring_pool::Limits;
use moodring_record::{FieldNames, Format, ModelColumns, Quoting, Renderer};
use moodring_store::StoreError;

use super::{feed_failure, store_failure};
use crate::cli::{ScoreArgs, SummaryFormat, Workers};
use crate::exit::Failure;

/// The largest shard of a file that is chosen by itself: about 6,000 posts, a few milliseconds of work.
const MAX_SHARD: u64 = 1 << 20;
/// The smallest one: the cost of dispatch still disappears in it.
const MIN_SHARD: u64 = 32 << 10;
/// The size of a block of input that only the supervisor can read, and so has to hold.
const BLOCK: u64 = 256 << 10;
/// What one worker may need with everything that is under way in it.
const WORKER_MEMORY: u64 = 48 << 20;

/// A run of `moodring score`, ready to start.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Plan {
    pub(crate) inputs: Vec<Input>,
    /// The file to write, if it is not standard output.
    pub(crate) output: Option<PathBuf>,
    pub(crate) output_format: Format,
    pub(crate) compression: Compression,
    pub(crate) rejects: PathBuf,
    pub(crate) quarantine: PathBuf,
    /// Whether the rejects or quarantine file of an earlier run may be replaced.
    pub(crate) replace_rejects: bool,
    pub(crate) replace_quarantine: bool,
    /// How long a worker may spend on one record.
    pub(crate) record_timeout: Option<Duration>,
    pub(crate) max_crashes: u32,
    pub(crate) max_shards: Option<u64>,
    pub(crate) limits: Limits,
    pub(crate) workers: u32,
    pub(crate) models: Vec<String>,
    columns: Vec<ModelColumns>,
    fields: FieldNames,
    quoting: Quoting,
    shard_size: u64,
    block_size: u64,
    pub(crate) unordered: bool,
    pub(crate) strict: bool,
    pub(crate) force: bool,
    pub(crate) quiet: bool,
    pub(crate) summary: SummaryFormat,
    pub(crate) in_process: bool,
}

impl Plan {
    /// Decides everything that can be decided before an input is opened.
    pub(crate) fn make(args: ScoreArgs) -> Result<Self, Failure> {
        let Expanded { inputs, skipped } =
            expand(&args.inputs, args.format).map_err(feed_failure)?;
        for path in &skipped {
            tracing::warn!(path = %path.display(), "skipped a file whose extension tells no format; --format would include it");
        }
        if inputs.is_empty() {
            return Err(Failure::Usage(anyhow!(
                "there are no posts to score: no input has a known extension; add --format"
            )));
        }
        let models = args
            .model
            .iter()
            .map(|name| moodring_score::build(name))
            .collect::<Result<Vec<_>, _>>();
        let models = models.map_err(Failure::usage)?;
        if let Some(twice) = args
            .model
            .iter()
            .enumerate()
            .find(|(at, name)| args.model[..*at].contains(name))
        {
            return Err(Failure::Usage(anyhow!("--model names {} twice", twice.1)));
        }
        let output = args.output.filter(|path| path.as_os_str() != "-");
        let (output_format, compression) =
            output_kind(output.as_deref(), args.output_format, &inputs)?;
        let workers = worker_count(args.workers);
        // What stands beside a named output is that output's; a name of our own choice in this folder is free.
        let replaceable =
            |named: &Option<PathBuf>| args.force || (named.is_none() && output.is_none());
        let (replace_rejects, replace_quarantine) =
            (replaceable(&args.rejects), replaceable(&args.quarantine));
        let beside =
            |named: Option<PathBuf>, kind| named.unwrap_or_else(|| beside(output.as_deref(), kind));
        let rejects = beside(args.rejects, "rejects");
        let quarantine = beside(args.quarantine, "quarantine");
        Ok(Self {
            shard_size: args
                .shard_size
                .unwrap_or_else(|| shard_size(&inputs, workers)),
            block_size: args.shard_size.unwrap_or(BLOCK),
            columns: columns(&models),
            models: args.model,
            fields: FieldNames {
                text: args.text_field,
                id: args.id_field,
                time: args.time_field,
            },
            quoting: args.quoting,
            unordered: args.unordered,
            strict: args.strict,
            force: args.force,
            quiet: args.quiet,
            summary: args.summary,
            in_process: args.in_process,
            inputs,
            output,
            output_format,
            compression,
            rejects,
            quarantine,
            replace_rejects,
            replace_quarantine,
            record_timeout: Some(args.record_timeout).filter(|timeout| !timeout.is_zero()),
            max_crashes: args.max_crashes,
            max_shards: args.max_shards,
            limits: Limits {
                nice: args.nice,
                pin: args.pin,
                max_memory: args.max_memory,
            },
            workers,
        })
    }

    /// Opens the inputs and looks at their heads, so that a missing column is found before anything is written.
    pub(crate) fn open_feed(&self) -> Result<Feed, Failure> {
        let options = Options {
            shard_size: self.shard_size,
            block_size: self.block_size,
            quoting: self.quoting,
            fields: self.fields.clone(),
            models: self.columns.clone(),
        };
        let mut feed = Feed::new(self.inputs.clone(), options);
        feed.check().map_err(feed_failure)?;
        Ok(feed)
    }

    /// The header of a CSV or TSV output, on which all inputs must agree; empty for JSONL.
    pub(crate) fn header(&self, feed: &Feed) -> Result<Vec<u8>, Failure> {
        let mut agreed: Option<(&Input, Vec<u8>)> = None;
        for (source, input) in (0..).map(SourceId).zip(&self.inputs) {
            let Some(layout) = feed.layout(source) else {
                continue;
            };
            let Some(header) = Renderer::new(self.output_format, layout, &self.columns).header()
            else {
                continue;
            };
            match &agreed {
                None => agreed = Some((input, header)),
                Some((_, first)) if trimmed(first) == trimmed(&header) => {}
                Some((first, _)) => {
                    return Err(Failure::Usage(anyhow!(
                        "`{}` and `{}` have different columns, so they cannot share a {} output; write JSONL with -o NAME.jsonl, or score them apart",
                        first.name,
                        input.name,
                        self.output_format
                    )));
                }
            }
        }
        Ok(agreed.map(|(_, header)| header).unwrap_or_default())
    }

    /// What the workers are told.
    pub(crate) fn setup(&self, part: Option<&Path>) -> Setup {
        Setup {
            models: self.models.clone(),
            output: self.output_format,
            compression: self.compression,
            part: part.map(Path::to_owned),
        }
    }

    /// How many bytes the inputs have as stored, if all of them are known.
    pub(crate) fn stored_bytes(&self) -> Option<u64> {
        self.inputs.iter().map(|input| input.size).sum()
    }

    /// Whether the summary as JSON has standard output to itself.
    pub(crate) fn stdout_is_free(&self) -> bool {
        self.output.is_some()
    }
}

/// A header without its line end, which may be either kind.
fn trimmed(header: &[u8]) -> &[u8] {
    header.trim_ascii_end()
}

/// The format and compression of the output: by its name, by the flag, or like the input's.
fn output_kind(
    output: Option<&Path>,
    typed: Option<Format>,
    inputs: &[Input],
) -> Result<(Format, Compression), Failure> {
    if typed == Some(Format::Text) {
        return Err(Failure::Usage(anyhow!(
            "--output-format text cannot hold scores; use jsonl, csv or tsv"
        )));
    }
    let Some(path) = output else {
        return Ok((
            typed.unwrap_or_else(|| common_format(inputs)),
            Compression::None,
        ));
    };
    let (compression, extension) = extensions(path);
    let by_name = extension
        .and_then(|extension| Format::from_extension(&extension))
        .filter(|&format| format != Format::Text);
    if path.is_dir() {
        let folder = StoreError::IsFolder {
            path: path.to_owned(),
        };
        return Err(store_failure(folder));
    }
    let device = path.exists() && !path.is_file();
    match typed.or(by_name) {
        Some(format) => Ok((format, compression)),
        None if device => Ok((common_format(inputs), compression)),
        None => Err(Failure::Usage(anyhow!(
            "cannot tell the format of \"{}\" from its name: call it .jsonl, .csv or .tsv (also .gz or .zst), or add --output-format",
            path.display()
        ))),
    }
}

/// The compression that a name tells, and the extension that tells the format.
fn extensions(path: &Path) -> (Compression, Option<String>) {
    let extension = |path: &Path| {
        path.extension()
            .and_then(OsStr::to_str)
            .map(str::to_ascii_lowercase)
    };
    let compression = match extension(path).as_deref() {
        Some("gz") => Compression::Gzip,
        Some("zst") => Compression::Zstd,
        _ => return (Compression::None, extension(path)),
    };
    (compression, extension(&path.with_extension("")))
}

/// The format that all inputs share; JSONL can hold any mixture.
fn common_format(inputs: &[Input]) -> Format {
    match inputs.first().and_then(|input| input.format) {
        Some(first)
            if first != Format::Text && inputs.iter().all(|input| input.format == Some(first)) =>
        {
            first
        }
        _ => Format::Jsonl,
    }
}

/// The file of that kind that belongs to an output: `OUTPUT.rejects.jsonl`.
fn beside(output: Option<&Path>, kind: &str) -> PathBuf {
    match output {
        Some(path) if !path.exists() || path.is_file() => {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{kind}.jsonl"));
            name.into()
        }
        _ => format!("moodring.{kind}.jsonl").into(),
    }
}

/// Enough shards to keep every worker busy to the end, but none so small that dispatch would show.
fn shard_size(inputs: &[Input], workers: u32) -> u64 {
    let total: u64 = inputs.iter().filter_map(|input| input.size).sum();
    (total / (u64::from(workers) * 16)).clamp(MIN_SHARD, MAX_SHARD)
}

fn worker_count(typed: Workers) -> u32 {
    match typed {
        Workers::Exactly(count) => count,
        Workers::Auto => {
            let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            let by_memory =
                usize::try_from(available_memory() / WORKER_MEMORY).unwrap_or(usize::MAX);
            u32::try_from(cpus.min(by_memory.max(1))).unwrap_or(1)
        }
    }
}

/// The memory that this process may still take, its control group's limit respected.
fn available_memory() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else {
        return u64::MAX;
    };
    system.refresh_memory();
    let free = system.available_memory();
    match system.cgroup_limits() {
        Some(limits) => limits.free_memory.min(free),
        None => free,
    }
}
