//! What the typed flags mean.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use moodring_feed::{Feed, Input, SourceId};
use moodring_job::ScoreSetup;
use moodring_job::compress::Compression;
use moodring_record::{FieldNames, Format, Renderer};
use moodring_store::StoreError;

use crate::cli::{ScoreArgs, SummaryFormat};
use crate::exit::Failure;
use crate::run::models::Models;
use crate::run::scale::Scale;
use crate::run::source::Source;
use crate::run::store_failure;

/// A run of `moodring score`, ready to start.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Plan {
    pub(crate) source: Source,
    pub(crate) models: Models,
    pub(crate) scale: Scale,
    /// The file to write, if it is not standard output.
    pub(crate) output: Option<PathBuf>,
    pub(crate) output_format: Format,
    pub(crate) compression: Compression,
    pub(crate) rejects: PathBuf,
    pub(crate) quarantine: PathBuf,
    /// Whether the rejects or quarantine file of an earlier run may be replaced.
    pub(crate) replace_rejects: bool,
    pub(crate) replace_quarantine: bool,
    pub(crate) unordered: bool,
    pub(crate) strict: bool,
    pub(crate) force: bool,
    /// Whether to go on with an unfinished run, and to leave one that can be gone on with.
    pub(crate) resume: bool,
    pub(crate) quiet: bool,
    pub(crate) summary: SummaryFormat,
    pub(crate) in_process: bool,
}

impl Plan {
    /// Decides everything that can be decided before an input is opened.
    pub(crate) fn make(args: ScoreArgs) -> Result<Self, Failure> {
        let ScoreArgs {
            input,
            output: args,
            models,
            pool,
        } = args;
        let scale = Scale::of(&pool);
        let fields = FieldNames {
            id: args.id_field,
            time: args.time_field,
            ..FieldNames::default()
        };
        let source = Source::find(input, scale.workers, fields)?;
        let models = Models::read(&models)?;
        let output = args.output.filter(|path| path.as_os_str() != "-");
        let (output_format, compression) =
            output_kind(output.as_deref(), args.output_format, &source.inputs)?;
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
            source,
            models,
            scale,
            unordered: args.unordered,
            strict: args.strict,
            force: args.force,
            resume: args.resume,
            quiet: args.quiet,
            summary: args.summary,
            in_process: args.in_process,
            output,
            output_format,
            compression,
            rejects,
            quarantine,
            replace_rejects,
            replace_quarantine,
        })
    }

    /// The header of a CSV or TSV output, on which all inputs must agree; empty for JSONL.
    pub(crate) fn header(&self, feed: &Feed) -> Result<Vec<u8>, Failure> {
        let mut agreed: Option<(&Input, Vec<u8>)> = None;
        for (source, input) in (0..).map(SourceId).zip(&self.source.inputs) {
            let Some(layout) = feed.layout(source) else {
                continue;
            };
            let Some(header) =
                Renderer::new(self.output_format, layout, &self.models.columns).header()
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
    pub(crate) fn setup(&self, part: Option<&Path>) -> ScoreSetup {
        ScoreSetup {
            models: self.models.list.clone(),
            output: self.output_format,
            compression: self.compression,
            part: part.map(Path::to_owned),
        }
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
