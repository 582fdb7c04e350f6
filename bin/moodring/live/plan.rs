//! What the flags of `live` mean.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use moodring_job::{LiveSetup, Model, RowRules, TextRules};
use moodring_live::{
    GivenSource, LiveOptions, Role, SeriesKind, SeriesRules, SideFilePlan, SourceName, StreamRules,
};
use moodring_record::{FieldNames, ReadOptions};
use moodring_source::{Defaults, Place, Spec, SpecError};
use moodring_text::Steps;
use moodring_window::{Patience, TimeZone};

use super::args::{LiveArgs, StateArgs};
use crate::exit::Failure;
use crate::run::args::SummaryFormat;
use crate::run::models::Models;
use crate::run::pool_options::PoolOptions;
use crate::run::window_args::WindowPlan;

/// How wide windows are unless it is said.
const WINDOW: Duration = Duration::from_mins(1);
/// How long a worker may take for a record of a stream.
const RECORD_TIMEOUT: Duration = Duration::from_secs(2);
/// How large the files for rejects and for quarantined records may get.
const SIDE_FILE_MAX: u64 = 100 << 20;

/// A run that makes sense.
pub(super) struct Plan {
    pub(super) options: LiveOptions,
    pub(super) sources: Vec<GivenSource>,
    pub(super) series: SeriesRules,
    pub(super) setup: LiveSetup,
    pub(super) state: Option<PathBuf>,
    pub(super) pool: PoolOptions,
    pub(super) quiet: bool,
    pub(super) summary: SummaryFormat,
}

impl Plan {
    /// Understands the flags, and opens the sources as far as that shows mistakes.
    pub(super) fn new(args: &LiveArgs) -> Result<Self, Failure> {
        let models = Models::read(&args.models, "")?;
        let width = args.windows.window.unwrap_or(WINDOW);
        let windows = args.windows.plan(width)?;
        let texts = args
            .texts
            .clone()
            .rules(Steps::ALL)
            .map_err(Failure::Usage)?;
        let series = series(args, (width, &windows), &texts, &models.list)?;
        let specs = specs(args)?;
        let sources = open(args, &specs, windows.rows.fields())?;
        let pace = sources.iter().map(|given| given.source.kind().pace);
        // That of the slowest, as event time must not run ahead of a source.
        let pace = pace.fold(f64::INFINITY, f64::min).clamp(0.0, 1e6);
        let names = specs.iter().map(|spec| spec.name().to_owned());
        let output = &args.output;
        let side_files = output
            .state
            .as_deref()
            .map(|state| side_files(state, output));
        Ok(Self {
            options: LiveOptions {
                rules: stream_rules(args, &windows, pace),
                until_end: args.sources.until_end,
                side_files: side_files.unwrap_or_default(),
                keep: Some(output.keep),
            },
            sources,
            series,
            setup: LiveSetup {
                models: models.list,
                texts,
                rows: RowRules {
                    sources: names.collect(),
                    ..windows.rows
                },
                rendering: None,
            },
            state: output.state.clone(),
            pool: PoolOptions::from_args(&args.pool, RECORD_TIMEOUT),
            quiet: output.quiet,
            summary: output.summary,
        })
    }
}

fn series(
    args: &LiveArgs,
    (width, windows): (Duration, &WindowPlan),
    texts: &TextRules,
    models: &[Model],
) -> Result<SeriesRules, Failure> {
    let group_by = windows.rows.group_by.iter();
    let group_by: Vec<String> = group_by.map(ToString::to_string).collect();
    if group_by.iter().any(|dimension| dimension == "track") && texts.track.is_empty() {
        return Err(Failure::Usage(anyhow!(
            "--group-by track needs terms; add --track TERM,..."
        )));
    }
    let fields = [
        Some(args.sources.text_field.clone()),
        args.sources.time_field.clone(),
        Some(args.windows.time_zone.clone()),
    ];
    Ok(SeriesRules {
        kind: SeriesKind {
            slide_ms: millis(windows.grid.width()),
            align: args.windows.align.clone(),
            group_by,
            track: texts.track.clone(),
            models: models.iter().map(describe).collect(),
            clean: vec![texts.clean.to_string()],
            lang: texts.langs.clone(),
            fields,
        },
        window_ms: millis(width),
        corrections_ms: millis(args.patience.corrections),
        max_tags: windows.max_tags,
    })
}

/// All that the scores of a model depend on.
fn describe(model: &Model) -> String {
    let (name, version) = (model.name(), env!("CARGO_PKG_VERSION"));
    match model.file() {
        None => format!("{name} {version}"),
        Some(file) => {
            let words = crc32fast::hash(&file.content);
            let extends = if model.extends() { "+" } else { "" };
            format!("{name} {extends}{words:08x} {version}")
        }
    }
}

fn stream_rules(args: &LiveArgs, windows: &WindowPlan, pace: f64) -> StreamRules {
    let patience = &args.patience;
    StreamRules {
        window: windows.rules(patience.corrections),
        patience: Patience {
            lateness: patience.lateness,
            idle: patience.idle,
            hold: patience.hold,
            pace,
        },
        max_groups: windows.max_groups,
    }
}

fn specs(args: &LiveArgs) -> Result<Vec<Spec>, Failure> {
    if args.sources.source.is_empty() {
        return Err(Failure::Usage(anyhow!(
            "there is no source; add --source URI, such as file:posts.jsonl, push: or demo:"
        )));
    }
    let specs = args.sources.source.iter().map(|typed| Spec::parse(typed));
    let specs: Vec<Spec> = specs
        .collect::<Result<_, SpecError>>()
        .map_err(Failure::usage)?;
    let mut seen = HashMap::new();
    for (number, spec) in specs.iter().enumerate() {
        if seen.insert(spec.name(), number).is_some() {
            return Err(Failure::Usage(anyhow!(
                "two sources are called `{}`; positions and counts are kept by name: add name=NAME to one of them",
                spec.name()
            )));
        }
    }
    let stdins = specs.iter().filter(|spec| *spec.place() == Place::Stdin);
    if stdins.count() > 1 {
        return Err(Failure::Usage(anyhow!(
            "standard input can be only one source"
        )));
    }
    Ok(specs)
}

fn open(args: &LiveArgs, specs: &[Spec], extra: Vec<String>) -> Result<Vec<GivenSource>, Failure> {
    let given = &args.sources;
    let zone = TimeZone::get(&args.windows.time_zone).map_err(Failure::usage)?;
    let state = args.output.state.as_deref().and_then(Path::parent);
    let scratch = state.filter(|folder| !folder.as_os_str().is_empty());
    let defaults = Defaults {
        format: given.format,
        reading: ReadOptions::default(),
        fields: field_names(args, extra),
        time_zone: zone,
        scratch: scratch.map_or_else(std::env::temp_dir, Path::to_owned),
    };
    let open = |spec: &Spec| {
        let scope = match spec.dedupe() {
            Some(key) => format!("key:{key}"),
            None => format!("source:{}", spec.name()),
        };
        Ok(GivenSource {
            name: SourceName {
                name: spec.name().to_owned(),
                scope,
            },
            source: spec.open(&defaults).map_err(Failure::usage)?,
        })
    };
    specs.iter().map(open).collect()
}

fn field_names(args: &LiveArgs, extra: Vec<String>) -> FieldNames {
    FieldNames {
        text: args.sources.text_field.clone(),
        id: args.sources.id_field.clone(),
        time: args.sources.time_field.clone(),
        extra,
        ..FieldNames::default()
    }
}

fn side_files(state: &Path, args: &StateArgs) -> Vec<SideFilePlan> {
    let beside = |ending: &str| {
        let mut name = state.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let or_beside = |path: &Option<PathBuf>, ending| path.clone().unwrap_or_else(|| beside(ending));
    let plan = |role, path, max| SideFilePlan { role, path, max };
    vec![
        plan(Role::Late, beside(".late.jsonl"), args.late_max),
        plan(
            Role::Rejects,
            or_beside(&args.rejects, ".rejects.jsonl"),
            SIDE_FILE_MAX,
        ),
        plan(
            Role::Quarantine,
            or_beside(&args.quarantine, ".quarantine.jsonl"),
            SIDE_FILE_MAX,
        ),
    ]
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
