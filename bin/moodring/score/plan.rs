//! What the typed flags mean.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use moodring_codec::Compression;
use moodring_feed::{Feed, Input, name_of};
use moodring_job::{RowRules, ScoreSetup, TextRules};
use moodring_record::{FieldNames, Format, MAX_COLUMNS, OutputStyle, added_names};
use moodring_store::{PartFile, StoreError, is_stdout};
use moodring_text::Steps;

use super::windows::WindowsFile;
use crate::cli::{OutputArgs, ScoreArgs, ScoreWindowArgs};
use crate::exit::Failure;
use crate::run::args::SummaryFormat;
use crate::run::columns::Columns;
use crate::run::files::Files;
use crate::run::models::Models;
use crate::run::pool_options::{PoolOptions, RECORD_TIMEOUT};
use crate::run::source::{Scored, Source};
use crate::run::store_failure;
use crate::run::window_args::WindowPlan;

/// A run of `moodring score`, ready to start.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Plan {
    pub(crate) source: Source,
    pub(crate) models: Models,
    /// Which texts are scored, and what of them.
    pub(crate) texts: TextRules,
    pub(crate) pool: PoolOptions,
    /// The file to write, if it is not standard output.
    pub(crate) output: Option<PathBuf>,
    pub(crate) output_format: Format,
    pub(crate) compression: Compression,
    /// Where malformed records go; without a file they are told on standard error.
    pub(crate) rejects: Option<PathBuf>,
    /// The same for records on which workers died.
    pub(crate) quarantine: Option<PathBuf>,
    /// The windows of the posts, if they are asked for.
    pub(crate) windows: Option<Windows>,
    pub(crate) unordered: bool,
    pub(crate) strict: bool,
    /// What stands before the names of the fields that are added.
    pub(crate) prefix: String,
    /// Whether those replace fields of the same name.
    pub(crate) replace: bool,
    pub(crate) force: bool,
    /// Whether to resume an unfinished run, and to leave one that can be resumed.
    pub(crate) resume: bool,
    pub(crate) quiet: bool,
    pub(crate) summary: SummaryFormat,
    pub(crate) in_process: bool,
}

impl Plan {
    /// Decides everything that can be decided before a file is opened for writing.
    pub(crate) fn make(args: ScoreArgs) -> Result<Self, Failure> {
        let ScoreArgs {
            input,
            output: args,
            windows,
            models,
            texts,
            pool,
        } = args;
        let windows = Windows::plan(windows, &args)?;
        // A file gives the same windows as its replay.
        let clean = match windows {
            Some(_) => Steps::ALL,
            None => Steps::NONE,
        };
        let texts = texts.rules(clean).map_err(Failure::Usage)?;
        let mut pool = PoolOptions::from_args(&pool, RECORD_TIMEOUT);
        let fields = FieldNames {
            id: args.id_field.clone(),
            time: args.time_field,
            lang: args.lang_field,
            extra: windows
                .as_ref()
                .map_or_else(Vec::new, |windows| windows.plan.rows.fields()),
            ..FieldNames::default()
        };
        let output = args.output.filter(|path| !is_stdout(path));
        let beside = |named: Option<PathBuf>, kind| {
            let output = output.as_deref();
            named.or_else(|| beside(output?, kind))
        };
        let rejects = beside(args.rejects, "rejects");
        let quarantine = beside(args.quarantine, "quarantine");
        let asides = [rejects.as_deref(), quarantine.as_deref()];
        let mut files = written(output.as_deref(), asides, args.summary);
        if let Some(windows) = &windows {
            files.write_windows(&windows.file.path);
        }
        let scored = if args.replace || !args.prefix.is_empty() {
            Scored::Take
        } else {
            Scored::Refuse(
                "name each file that is to be scored; to score it again, add --replace, or --prefix NAME to keep both scores",
            )
        };
        let mut source = Source::find(input, &pool, fields, &files, scored)?;
        let models = Models::read(&models, &args.prefix)?;
        files.read_inputs(&source.inputs);
        files.read_models(&models.list);
        files.check()?;
        let (output_format, compression) =
            output_kind(output.as_deref(), args.output_format, &source.inputs)?;
        // Each shard becomes a piece that is compressed by itself, so where it begins shows in the bytes.
        if !args.columns.is_empty() {
            let added = added_names(output_format, &models.columns);
            check_columns(&args.columns, output_format, &added)?;
            source.choose_columns(args.columns);
        } else if output_format != Format::Jsonl {
            source.keep_all_fields();
        }
        if compression != Compression::None {
            source.cut_for_any_worker_count();
        }
        if output.as_deref().and_then(PartFile::path_of).is_none() {
            source.cut_for_inline_output();
        }
        pool.limit_to_shards(source.most_shards());
        let plan = Self {
            source,
            models,
            texts,
            pool,
            windows,
            unordered: args.unordered,
            strict: args.strict,
            prefix: args.prefix,
            replace: args.replace,
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
        };
        match plan.source.reads(&plan.added()) {
            None => Ok(plan),
            Some(field) => Err(Failure::Usage(anyhow!(
                "the field `{field}` is read, so the scores cannot replace it; give theirs other names with --prefix NAME"
            ))),
        }
    }

    /// The names of the fields that are added to each record.
    pub(crate) fn added(&self) -> Vec<String> {
        added_names(self.output_format, &self.models.columns)
    }

    /// The columns of a CSV or TSV output, on which all inputs must agree; none for JSONL.
    pub(crate) fn columns(&self, feed: &Feed) -> Result<Columns, Failure> {
        Columns::find(self.output_style(), &self.models.columns, feed).map_err(Failure::usage)
    }

    fn output_style(&self) -> OutputStyle {
        self.source.output_style(self.output_format)
    }

    /// What the workers are told.
    pub(crate) fn setup(&self, part: Option<&Path>) -> ScoreSetup {
        ScoreSetup {
            models: self.models.list.clone(),
            prefix: self.prefix.clone(),
            output: self.output_style(),
            texts: self.texts.clone(),
            rows: self.windows.as_ref().map(|windows| self.row_rules(windows)),
            compression: self.compression,
            part: part.map(Path::to_owned),
        }
    }

    fn row_rules(&self, windows: &Windows) -> RowRules {
        let names = self.source.inputs.iter().map(|input| input.name.clone());
        RowRules {
            sources: names.collect(),
            ..windows.plan.rows.clone()
        }
    }

    /// Whether the summary as JSON has standard output to itself.
    pub(crate) fn stdout_is_free(&self) -> bool {
        self.output.is_some()
    }
}

/// Refuses columns that an output in this format cannot have, beside those that are added.
fn check_columns(columns: &[String], output: Format, added: &[String]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    let refused = if output == Format::Jsonl {
        "--columns chooses the columns of a CSV or TSV output, and this one is JSONL: remove it, or add --output-format csv"
            .to_owned()
    } else if columns.len() > MAX_COLUMNS {
        format!("--columns takes at most {MAX_COLUMNS} names")
    } else if columns.iter().any(String::is_empty) {
        "--columns has an empty name: give the names with nothing but a comma between them"
            .to_owned()
    } else if let Some(name) = columns.iter().find(|name| !seen.insert(*name)) {
        format!("--columns has `{name}` twice")
    } else if let Some(name) = columns.iter().find(|name| added.contains(name)) {
        format!(
            "--columns has `{name}`, which is the name of a score; give the scores other names with --prefix NAME"
        )
    } else {
        return Ok(());
    };
    Err(Failure::Usage(anyhow!(refused)))
}

/// The windows of a run.
#[derive(Debug)]
pub(crate) struct Windows {
    pub(crate) file: WindowsFile,
    pub(crate) plan: WindowPlan,
}

impl Windows {
    /// Checks what was typed. `None` if no windows are asked for.
    fn plan(typed: ScoreWindowArgs, args: &OutputArgs) -> Result<Option<Self>, Failure> {
        let usage = |sentence: &str| Err(Failure::Usage(anyhow!("{sentence}")));
        let Some(path) = typed.windows else {
            return match typed.args.stray() {
                Some(flag) => usage(&format!(
                    "{flag} needs --windows FILE, where the windows go"
                )),
                None => Ok(None),
            };
        };
        let Some(window) = typed.args.window else {
            return usage("--windows needs --window, the width of the windows, such as 1h");
        };
        if args.time_field.is_none() {
            return usage("--windows needs --time-field, the field with the time of a post");
        }
        if args.resume || args.unordered {
            return usage(
                "--windows needs all posts in their order: leave --resume and --unordered out",
            );
        }
        let (compression, extension) = Compression::of_path(&path);
        let known = |format: &Format| matches!(format, Format::Csv | Format::Jsonl);
        let Some(format) = Format::from_extension(&extension).filter(known) else {
            return usage(&format!(
                "cannot tell the format of {} from its name: call it .csv or .jsonl (also .gz or .zst)",
                name_of(&path)
            ));
        };
        Ok(Some(Self {
            file: WindowsFile {
                path,
                format,
                compression,
            },
            plan: typed.args.plan(window)?,
        }))
    }
}

/// The files that a run writes.
fn written(
    output: Option<&Path>,
    [rejects, quarantine]: [Option<&Path>; 2],
    summary: SummaryFormat,
) -> Files {
    let mut files = Files::default();
    files.write_output(output);
    if let Some(rejects) = rejects {
        files.write_rejects(rejects);
    }
    if let Some(quarantine) = quarantine {
        files.write_quarantine(quarantine);
    }
    if summary == SummaryFormat::Json && output.is_some() {
        files.write_stdout();
    }
    files.write_notices();
    files
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
    let (compression, extension) = Compression::of_path(path);
    let by_name = Format::from_extension(&extension).filter(|&format| format != Format::Text);
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
            name_of(path)
        ))),
    }
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

/// The file of that kind that belongs to an output: `OUTPUT.rejects.jsonl`. None if the output is a stream, beside which
/// nobody would look for one.
fn beside(output: &Path, kind: &str) -> Option<PathBuf> {
    PartFile::path_of(output)?;
    let mut name = output.as_os_str().to_owned();
    name.push(format!(".{kind}.jsonl"));
    Some(name.into())
}
