//! What a journal says. One JSON value to a line.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::{Context, anyhow};
use moodring_feed::{Input, Origin, name_of};
use moodring_job::{Findings, Model, Report};
use moodring_record::RejectKind;
use serde::{Deserialize, Serialize};

use super::super::plan::Plan;
use crate::exit::Failure;

/// A line of the journal.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::score) enum Entry {
    /// What the run is about: the first line.
    #[serde(rename = "terms")]
    Fingerprint(RunFingerprint),
    /// A shard's bytes are in the output.
    Done(Box<ShardRecord>),
    /// The run was resumed behind this many releases; later ones that were noted before are void.
    Resumed(u64),
    /// All shards are done, this many: all is on the disk, and the files get their names next.
    Complete(u64),
}

/// A range of a file, and the CRC-32 of its bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::score) struct Extent {
    pub(in crate::score) at: u64,
    pub(in crate::score) len: u64,
    pub(in crate::score) checksum: u32,
}

impl Extent {
    /// Returns the offset behind its last byte.
    pub(in crate::score) fn end(&self) -> u64 {
        self.at + self.len
    }
}

/// A released shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::score) struct ShardRecord {
    /// How many shards were released before it.
    pub(in crate::score) release: u64,
    /// Its number in the input.
    pub(in crate::score) index: u64,
    pub(in crate::score) source: u32,
    /// Where it ends in the (decompressed) input.
    pub(in crate::score) end: u64,
    pub(in crate::score) output: Extent,
    /// The rejects file as it is after this shard, whole.
    pub(in crate::score) rejects: Extent,
    /// The quarantine file, in the same way.
    pub(in crate::score) quarantine: Extent,
    pub(in crate::score) counts: Counts,
}

/// What one shard adds to the run's totals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::score) struct Counts {
    pub(in crate::score) stored: u64,
    pub(in crate::score) bytes: u64,
    pub(in crate::score) records: u64,
    pub(in crate::score) blanks: u64,
    #[serde(default)]
    pub(in crate::score) filtered: u64,
    pub(in crate::score) lines: u64,
    pub(in crate::score) rejects: u64,
    pub(in crate::score) quarantined: u64,
    /// The rejects by reason.
    pub(in crate::score) reasons: BTreeMap<RejectKind, u64>,
    pub(in crate::score) findings: Findings,
}

impl Counts {
    pub(in crate::score) fn of(report: &Report<'_>) -> Self {
        let mut reasons = BTreeMap::new();
        for kind in report.rejects.iter().filter_map(|reject| reject.kind) {
            *reasons.entry(kind).or_default() += 1;
        }
        Self {
            stored: report.stored,
            bytes: report.bytes,
            records: report.records,
            blanks: report.blanks,
            filtered: report.filtered,
            lines: report.lines,
            rejects: report.rejects.len() as u64,
            quarantined: report.quarantined.len() as u64,
            reasons,
            findings: report.findings.clone(),
        }
    }
}

/// What must be the same for a run to go on: everything that shapes the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::score) struct RunFingerprint {
    /// Names and values, as a person would say them.
    settings: Vec<(String, String)>,
    /// When anything about each input was changed last, in nanoseconds: unlike the time in its setting, no program can set
    /// this one.
    #[serde(default)]
    touched: Vec<i128>,
    /// How the inputs are cut; a resumed run uses the same sizes.
    pub(in crate::score) shard_size: u64,
    pub(in crate::score) block_size: u64,
    /// What stands in the output before the first shard.
    pub(in crate::score) header: Extent,
}

impl RunFingerprint {
    pub(in crate::score) fn of(plan: &Plan, header: Extent) -> Result<Self, Failure> {
        let (shard_size, block_size) = plan.source.sizes();
        let mut settings = vec![setting("version", env!("CARGO_PKG_VERSION"))];
        settings.extend(plan.models.list.iter().map(model));
        settings.extend(plan.source.settings());
        let list = |names: &[String]| match names {
            [] => "none".to_owned(),
            names => format!("`{}`", names.join("`, `")),
        };
        settings.extend([
            setting("cleaning", plan.texts.clean.to_string()),
            setting("languages", list(&plan.texts.langs)),
            setting("tracked terms", list(&plan.texts.track)),
        ]);
        settings.extend([
            setting("format of the output", plan.output_format.to_string()),
            setting("compression", format!("{:?}", plan.compression)),
            setting("prefix", format!("`{}`", plan.prefix)),
            setting(
                "rule for fields of the same name",
                if plan.replace { "replace" } else { "refuse" },
            ),
            setting(
                "order",
                if plan.unordered {
                    "none"
                } else {
                    "the input's"
                },
            ),
            setting("file for rejects", shown(plan.rejects.as_deref())),
            setting("file for the quarantine", shown(plan.quarantine.as_deref())),
        ]);
        let mut touched = Vec::new();
        for input in &plan.source.inputs {
            let (identity, changed) = identity(input)?;
            settings.push((format!("input {}", input.name), identity));
            touched.push(changed);
        }
        Ok(Self {
            settings,
            touched,
            shard_size,
            block_size,
            header,
        })
    }

    /// The number of the first input that somebody touched since, if there is no other [`difference`](Self::difference).
    pub(in crate::score) fn first_touched(&self, now: &Self) -> Option<usize> {
        let mut pairs = self.touched.iter().zip(&now.touched);
        pairs.position(|(was, is)| was != is)
    }

    /// What is not as it was, in words.
    pub(in crate::score) fn difference(&self, now: &Self) -> Option<String> {
        let mut pairs = self.settings.iter().zip(&now.settings);
        if let Some(((name, was), (now_name, is))) = pairs.find(|(was, is)| was != is) {
            return Some(if name == now_name {
                format!("the {name} was {was} and is {is}")
            } else {
                format!("the {name} ({was}) has become the {now_name} ({is})")
            });
        }
        let (was, is) = (self.settings.len(), now.settings.len());
        (was != is).then(|| {
            let longer = if was > is { self } else { now };
            let (name, value) = &longer.settings[was.min(is)];
            let verb = if was > is { "is missing" } else { "is new" };
            format!("the {name} ({value}) {verb}")
        })
    }
}

fn shown(path: Option<&Path>) -> String {
    path.map_or("none".to_owned(), name_of)
}

fn setting(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

fn model(model: &Model) -> (String, String) {
    let name = model.name();
    let Some(file) = model.file() else {
        return setting("model", name);
    };
    let (path, content) = (name_of(&file.path), crc32fast::hash(&file.content));
    let extends = if model.extends() { ", extending" } else { "" };
    setting("model", format!("{name} {path} ({content:08x}{extends})"))
}

/// Which file an input is and when it was last written, and when anything about it was changed.
fn identity(input: &Input) -> Result<(String, i128), Failure> {
    let Origin::File(path) = &input.origin else {
        return Err(not_again(input));
    };
    let metadata = fs::metadata(path)
        .with_context(|| format!("cannot look at `{}`", input.name))
        .map_err(Failure::Failed)?;
    if !metadata.is_file() {
        return Err(not_again(input));
    }
    let place = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let modified = metadata.modified().ok();
    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let identity = format!(
        "{} of {} bytes, changed at {}",
        name_of(&place),
        metadata.len(),
        modified.unwrap_or_default().as_nanos()
    );
    let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
    Ok((identity, changed))
}

fn not_again(input: &Input) -> Failure {
    Failure::Usage(anyhow!(
        "`{}` cannot be read a second time, so a run over it cannot be resumed; put the posts into a file first",
        input.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(settings: &[(&str, &str)]) -> RunFingerprint {
        RunFingerprint {
            settings: settings
                .iter()
                .map(|&(name, value)| setting(name, value))
                .collect(),
            touched: Vec::new(),
            shard_size: 1,
            block_size: 1,
            header: Extent::default(),
        }
    }

    #[test]
    fn a_difference_is_said_in_words() {
        let was = fingerprint(&[("model", "vader"), ("text field", "text")]);
        assert_eq!(was.difference(&was), None);
        let said = |now: &[(&str, &str)]| was.difference(&fingerprint(now)).unwrap();
        assert_eq!(
            said(&[("model", "vader"), ("text field", "body")]),
            "the text field was text and is body"
        );
        assert_eq!(
            said(&[("model", "vader"), ("model", "textblob")]),
            "the text field (text) has become the model (textblob)"
        );
        assert_eq!(
            said(&[("model", "vader")]),
            "the text field (text) is missing"
        );
    }

    #[test]
    fn entries_are_lines_of_json() {
        let mut tally = moodring_job::Tally::default();
        tally.add(-0.5, moodring_score::SentimentClass::Negative);
        let findings = Findings {
            tallies: vec![tally],
            ..Findings::default()
        };
        let done = ShardRecord {
            release: 3,
            index: 4,
            source: 0,
            end: u64::MAX,
            output: Extent::default(),
            rejects: Extent::default(),
            quarantine: Extent::default(),
            counts: Counts {
                reasons: BTreeMap::from([(RejectKind::BadJson, 2)]),
                findings,
                ..Counts::default()
            },
        };
        for entry in [
            Entry::Done(Box::new(done)),
            Entry::Resumed(7),
            Entry::Complete(9),
        ] {
            let line = serde_json::to_vec(&entry).unwrap();
            assert!(!line.contains(&b'\n'));
            assert_eq!(serde_json::from_slice::<Entry>(&line).unwrap(), entry);
        }
    }
}
