//! Where the posts come from.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::anyhow;
use moodring_codec::Compression;
use moodring_feed::{
    AbsentColumn, Expanded, Feed, FeedOptions, Input, Origin, Skipped, expand, name_of, own_output,
};
use moodring_record::{
    FieldNames, Format, MAX_COLUMNS, OutputStyle, OwnOutput, Quoting, ReadOptions,
};

use super::args::InputArgs;
use super::feed_failure;
use super::fields;
use super::files::Files;
use super::pool_options::PoolOptions;
use crate::exit::{Failure, warn};
use crate::human::counted;
use crate::visible::visible;

/// The largest shard of a file that is chosen by itself: about 6,000 posts, a few milliseconds of work.
const MAX_SHARD: u64 = 1 << 20;
/// The smallest one: the cost of dispatch still disappears in it.
const MIN_SHARD: u64 = 32 << 10;
/// The size of a block of input that only the supervisor can read, and so has to hold.
const BLOCK: u64 = 256 << 10;
/// The largest shard or block that may be asked for. A block goes to a worker in one message, with one record behind it,
/// and the rejects of a shard come back in one: of lines of two bytes, about 40 times as much.
const LARGEST_SHARD: u64 = 16 << 20;
/// The same where the scored records come back in that message too: of lines of two bytes, up to 128 times as much.
const LARGEST_INLINE_SHARD: u64 = 8 << 20;

/// The number of workers that the inputs are cut for where their actual number must not show in the output. From 64 MB on
/// this makes no difference to [`MAX_SHARD`], and below that up to 64 workers have something to do.
const REFERENCE_WORKERS: u32 = 4;

/// The inputs, found but not opened.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) inputs: Vec<Input>,
    reading: ReadOptions,
    fields: FieldNames,
    /// Whether JSON becomes a table with all its fields.
    all_fields: bool,
    /// The columns of the output, if they were chosen.
    columns: Option<Vec<String>>,
    shard_size: u64,
    block_size: u64,
    /// Whether the person who ran the command chose these sizes.
    is_size_typed: bool,
    /// What the inputs that are files were like when they were found.
    stamps: Vec<Option<Stamp>>,
}

/// What to do with files of a folder that hold scored posts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scored {
    /// Read them like any other.
    Take,
    /// Refuse the run. The text says how a person can allow it.
    Refuse(&'static str),
}

/// What changes when a file is written: its length and the time of its last change.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    len: u64,
    modified: SystemTime,
}

impl Stamp {
    fn of(input: &Input) -> Option<Self> {
        let Origin::File(path) = &input.origin else {
            return None;
        };
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            len: metadata.len(),
            modified: metadata.modified().ok()?,
        })
        .filter(|_| metadata.is_file())
    }
}

impl Source {
    /// Finds what was named. `fields` says where to look in a record, beside the text; what the run writes itself is not
    /// taken from a folder or by a glob.
    pub(crate) fn find(
        args: InputArgs,
        pool: &PoolOptions,
        fields: FieldNames,
        written: &Files,
        scored: Scored,
    ) -> Result<Self, Failure> {
        let expanded = expand(&args.inputs, args.format).map_err(feed_failure)?;
        for (path, why) in &expanded.skipped {
            log_skipped(path, *why);
        }
        warn_of_folders(&expanded);
        let inputs = exclude_own_files(expanded, written, scored)?;
        if inputs.is_empty() {
            return Err(Failure::Usage(anyhow!(
                "there are no posts to score: no input has a known extension; add --format"
            )));
        }
        Ok(Self {
            reading: ReadOptions {
                quoting: args.quoting,
                delimiter: args.delimiter,
                max_record: pool.max_record(args.max_record)?,
            },
            fields: FieldNames {
                text: args.text_field,
                ..fields
            },
            columns: None,
            all_fields: false,
            shard_size: args
                .shard_size
                .unwrap_or_else(|| shard_size(&inputs, pool.workers))
                .min(LARGEST_SHARD),
            block_size: args.shard_size.unwrap_or(BLOCK).min(LARGEST_SHARD),
            is_size_typed: args.shard_size.is_some(),
            stamps: inputs.iter().map(Stamp::of).collect(),
            inputs,
        })
    }

    /// Keeps all fields of JSON objects that hold a single value in a table, unless columns are chosen.
    pub(crate) fn keep_all_fields(&mut self) {
        self.all_fields = true;
    }

    /// Keeps these columns in a table, instead of those that it would have.
    pub(crate) fn choose_columns(&mut self, names: Vec<String>) {
        self.columns = Some(names);
    }

    /// What the text is called.
    pub(crate) fn text_field(&self) -> &str {
        &self.fields.text
    }

    /// Warns if a column was named that the first post does not have: it would be empty.
    pub(crate) fn warn_of_missing_columns(&self) {
        let FieldNames { id, time, lang, .. } = &self.fields;
        let named = [
            ("--id-field", id),
            ("--time-field", time),
            ("--lang-field", lang),
        ];
        for (flag, name) in named {
            let missing = name
                .as_deref()
                .and_then(|name| fields::missing(&self.inputs, flag, name));
            if let Some(missing) = missing {
                warn(&missing);
            }
        }
    }

    /// The first of these names that a field has which the run reads.
    pub(crate) fn reads<'n>(&self, names: &'n [String]) -> Option<&'n String> {
        let FieldNames {
            text,
            id,
            time,
            lang,
            extra,
            ..
        } = &self.fields;
        let fields = [Some(text), id.as_ref(), time.as_ref(), lang.as_ref()];
        let is_read = |name: &String| {
            // With a path into an object of that name, all of the object goes.
            let mut fields = fields.into_iter().flatten().chain(extra);
            fields.any(|field| field == name || field.split('.').next() == Some(name))
        };
        names.iter().find(|name| is_read(name))
    }

    /// How many bytes of a file make a shard, and of what only this process can read.
    pub(crate) fn sizes(&self) -> (u64, u64) {
        (self.shard_size, self.block_size)
    }

    /// Cuts the inputs in the same way for any number of workers, unless a size was typed.
    pub(crate) fn cut_for_any_worker_count(&mut self) {
        if !self.is_size_typed {
            self.shard_size = shard_size(&self.inputs, REFERENCE_WORKERS);
        }
    }

    /// Makes shards small enough for messages that hold the scored records.
    pub(crate) fn cut_for_inline_output(&mut self) {
        self.shard_size = self.shard_size.min(LARGEST_INLINE_SHARD);
        self.block_size = self.block_size.min(LARGEST_INLINE_SHARD);
    }

    /// Returns the largest number of shards that there can be, if the sizes of all inputs are known.
    pub(crate) fn most_shards(&self) -> Option<u64> {
        let shards = self.inputs.iter().map(|input| {
            let is_plain = input.compression == Compression::None;
            let size = input.size.filter(|_| is_plain)?;
            Some(size.div_ceil(self.shard_size))
        });
        shards.sum()
    }

    /// Cuts the inputs in another way.
    pub(crate) fn recut(&mut self, shard_size: u64, block_size: u64) {
        (self.shard_size, self.block_size) = (shard_size, block_size);
    }

    /// How the inputs are read: names and values, as a person would say them.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let shown = |field: &Option<String>| field.as_deref().unwrap_or("none").to_owned();
        let setting = |name: &str, value: String| (name.to_owned(), value);
        let delimiter = self.reading.delimiter;
        let delimiter = delimiter.map_or("the format's".to_owned(), |typed| typed.to_string());
        let mut settings = vec![
            setting("text field", self.fields.text.clone()),
            setting("id field", shown(&self.fields.id)),
            setting("time field", shown(&self.fields.time)),
            setting("language field", shown(&self.fields.lang)),
            setting("quoting", self.reading.quoting.to_string()),
            setting("delimiter", delimiter),
            setting(
                "longest record",
                format!("{} bytes", self.reading.max_record),
            ),
        ];
        if let Some(columns) = &self.columns {
            settings.push(setting("columns", columns.join(",")));
        }
        for input in &self.inputs {
            let format = input
                .format
                .map_or("unknown".to_owned(), |format| format.to_string());
            settings.push((format!("format of {}", input.name), format));
        }
        settings
    }

    /// How records are written in an output of this format.
    pub(crate) fn output_style(&self, format: Format) -> OutputStyle {
        let formats = self.inputs.iter().map(|input| input.format);
        OutputStyle::new(format, self.reading, formats)
    }

    /// How quotes are read in each table format among the inputs.
    pub(crate) fn quoting(&self) -> Vec<(Format, Quoting)> {
        let is_input = |format: &Format| {
            self.inputs
                .iter()
                .any(|input| input.format == Some(*format))
        };
        [Format::Csv, Format::Tsv]
            .into_iter()
            .filter(is_input)
            .map(|format| (format, self.reading.quoting.resolve(format)))
            .collect()
    }

    /// Whether all inputs are files, which can be read again.
    pub(crate) fn is_lasting(&self) -> bool {
        self.inputs.iter().all(|input| input.size.is_some())
    }

    /// Fails if an input was overwritten while it was read, as the results would be of no single state of it. One that only
    /// grew, or is gone, has been read as it was at the start; that is a warning.
    pub(crate) fn check_unchanged(&self) -> Result<(), Failure> {
        let mut grown = Vec::new();
        for (input, was) in self.inputs.iter().zip(&self.stamps) {
            let Some(was) = was else { continue };
            match Stamp::of(input) {
                Some(now) if now == *was => {}
                Some(now) if now.len <= was.len => {
                    return Err(Failure::Failed(anyhow!(
                        "`{}` was overwritten during the run, so the results would mix two states of it; run again when nobody writes it",
                        input.name
                    )));
                }
                _ => grown.push(&input.name),
            }
        }
        if let [first, others @ ..] = &grown[..] {
            let others = match others.len() {
                0 => String::new(),
                others => format!(" and {others} other inputs"),
            };
            warn(&format!(
                "`{first}`{others} changed during the run; what was added is not in the results"
            ));
        }
        Ok(())
    }

    /// Opens the inputs and looks at their heads, so that a missing column is found before anything is written, and one that
    /// is to be `added` and is not to be replaced.
    pub(crate) fn open(&self, added: Vec<String>, replace: bool) -> Result<Feed, Failure> {
        let options = FeedOptions {
            shard_size: self.shard_size,
            block_size: self.block_size,
            reading: self.reading,
            fields: self.fields.clone(),
            added,
            replace,
            columns: self.columns.clone(),
            all_fields: self.all_fields,
        };
        let mut feed = Feed::new(self.inputs.clone(), options);
        feed.check().map_err(feed_failure)?;
        if let [first, others @ ..] = feed.left_out_fields() {
            warn(&format!(
                "the table has the first {MAX_COLUMNS} fields and leaves out {}, `{first}` first, and any later ones; choose with --columns",
                others.len() + 1
            ));
        }
        for AbsentColumn { name, near } in feed.absent_columns() {
            let near = near.map_or(String::new(), |near| {
                format!("; did you mean `{}`?", visible(&near))
            });
            warn(&format!(
                "--columns has `{}`, which is in no record at the beginning of the inputs; the column may stay empty{near}",
                visible(&name)
            ));
        }
        Ok(feed)
    }

    /// How many bytes the inputs have as stored, if all of them are known.
    pub(crate) fn stored_bytes(&self) -> Option<u64> {
        self.inputs.iter().map(|input| input.size).sum()
    }
}

fn log_skipped(path: &Path, why: Skipped) {
    let name = name_of(path);
    match why {
        Skipped::UnknownExtension => {
            tracing::warn!(
                "skipped {name}: its extension tells no format; name it and add --format"
            );
        }
        Skipped::DanglingLink => tracing::warn!("skipped {name}: the link leads nowhere"),
        Skipped::NoFile => {
            tracing::warn!("skipped {name}: it is no regular file; name it to read it");
        }
        Skipped::SideFile => tracing::info!("skipped {name}: a run keeps it beside its output"),
        Skipped::Folder => tracing::info!("skipped {name}: it is a folder that a glob matches"),
    }
}

/// Warns if a glob matches folders: a shell would have named them, and what is below them would be read.
fn warn_of_folders(expanded: &Expanded) {
    let skipped = expanded.skipped.iter();
    let mut folders = skipped.filter(|(_, why)| matches!(why, Skipped::Folder));
    let Some((first, _)) = folders.next() else {
        return;
    };
    let (name, others) = (name_of(first), folders.count());
    let others = match others {
        0 => String::new(),
        others => format!(" and {}", counted(others as u64, "other folder")),
    };
    warn(&format!(
        "skipped the folder {name}{others}, which a glob matches; name it to read the files below it, or end the glob with `/**/*`"
    ));
}

/// The inputs, but for what this program wrote into a folder: the files of this run, and records that were set aside. That
/// scored posts of an earlier run are scored again must be asked for.
fn exclude_own_files(
    expanded: Expanded,
    written: &Files,
    scored: Scored,
) -> Result<Vec<Input>, Failure> {
    let Expanded { inputs, found, .. } = expanded;
    let mut kept = Vec::new();
    for (at, input) in inputs.into_iter().enumerate() {
        let own = found.contains(&at).then(|| own_output(&input)).flatten();
        let is_empty = input.size == Some(0);
        let is_written = match &input.origin {
            Origin::File(path) => found.contains(&at) && written.is_written(path),
            Origin::Stdin => false,
        };
        match own {
            // Anything else in the place of this run's output is an input that would be overwritten: the run is refused.
            _ if is_written && (own.is_some() || is_empty) => {
                tracing::info!("skipped {}: this run writes it", input.name);
            }
            Some(OwnOutput::SetAside) => {
                tracing::info!(
                    "skipped {}: it holds records that were set aside",
                    input.name
                );
            }
            Some(OwnOutput::Scored) => match scored {
                Scored::Take => kept.push(input),
                Scored::Refuse(remedy) => {
                    return Err(Failure::Usage(anyhow!(
                        "`{}` holds posts that are scored already, maybe by an earlier run over the same folder; move it \
                         to another folder, or {remedy}",
                        input.name
                    )));
                }
            },
            None => kept.push(input),
        }
    }
    Ok(kept)
}

/// Enough shards to keep every worker busy to the end, but none so small that dispatch would show.
fn shard_size(inputs: &[Input], workers: u32) -> u64 {
    let total: u64 = inputs.iter().filter_map(|input| input.size).sum();
    (total / (u64::from(workers) * 16)).clamp(MIN_SHARD, MAX_SHARD)
}
