//! The job itself.

use std::collections::HashMap;

use moodring_codec::Compressor;
use moodring_pool::{Job, JobError, ShardId, Work, wire};
use moodring_record::{ModelColumns, Renderer, ScoreColumn};
use moodring_score::{Decimals, Scorer, SentimentClass};
use moodring_store::PartWriter;

use crate::findings::Findings;
use crate::language::Language;
use crate::message::{Delivered, Grant, Report, ScoreSetup, Setup, Task};
use crate::model::build_all;
use crate::records::{Found, NoObserver, RecordObserver, for_each_post};
use crate::shard_reader::{Records, ShardReader};
use crate::tally::Tally;

/// The columns that `models` add to a record, with `prefix` before their names.
#[must_use]
pub fn columns(models: &[Box<dyn Scorer>], prefix: &str) -> Vec<ModelColumns> {
    let column = |field: &moodring_score::ScoreField| ScoreColumn {
        name: field.name.to_owned(),
        decimals: match field.decimals {
            Decimals::Rounded(decimals) => Some(decimals),
            Decimals::Shortest => None,
        },
    };
    let columns = |model: &dyn Scorer| ModelColumns {
        model: model.name().to_owned(),
        prefix: prefix.to_owned(),
        scores: model.fields().iter().map(column).collect(),
    };
    models.iter().map(|model| columns(&**model)).collect()
}

/// Scores shards of posts.
pub struct ScoreJob<O = NoObserver> {
    setup: ScoreSetup,
    models: Vec<Box<dyn Scorer>>,
    columns: Vec<ModelColumns>,
    compressor: Compressor,
    part: Option<PartWriter>,
    /// The rendered bytes of shards whose turn has not come.
    kept: HashMap<ShardId, Vec<u8>>,
    /// Buffers of shards that are done, for those to come.
    spare: Vec<Vec<u8>>,
    reader: ShardReader,
    /// Rendered bytes before they are compressed.
    plain: Vec<u8>,
    observer: O,
}

/// What came of a shard, beside its rendered bytes.
struct Scored {
    records: u64,
    findings: Findings,
    found: Found,
}

impl<O: RecordObserver> Job for ScoreJob<O> {
    fn start(setup: &[u8]) -> Result<Self, JobError> {
        match wire::decode(setup).map_err(JobError::new)? {
            Setup::Score(setup) => Self::set_up(setup),
            Setup::Eval(_) | Setup::Live(_) => {
                Err(JobError::new("the supervisor set another job up"))
            }
        }
    }

    fn prepare(&mut self, work: &Work<'_>, report: &mut Vec<u8>) -> Result<(), JobError> {
        let task: Task<'_> = wire::decode(work.task).map_err(JobError::new)?;
        let mut output = self.spare.pop().unwrap_or_default();
        output.clear();
        let mut reader = std::mem::take(&mut self.reader);
        let records = reader.read(&task)?;
        let scored = self.score(work, &task, records, &mut output)?;
        let (consumed, end) = (records.consumed, records.end);
        self.reader = reader;
        let (delivered, checksum) = match self.part {
            Some(_) => (
                Delivered::Deferred(output.len() as u64),
                crc32fast::hash(&output),
            ),
            None => (Delivered::Inline(&output), 0),
        };
        let Scored {
            records,
            findings,
            found,
        } = scored;
        let summary = Report {
            index: task.index,
            source: task.source,
            stored: task.stored,
            end,
            bytes: consumed,
            records,
            blanks: found.blanks,
            lines: found.lines,
            first_line: task.layout.first_line(),
            findings,
            rejects: found.rejects,
            quarantined: found.quarantined,
            checksum,
            output: delivered,
        };
        wire::encode_into(&summary, report).map_err(JobError::new)?;
        match self.part {
            Some(_) => drop(self.kept.insert(work.shard, output)),
            None => self.spare.push(output),
        }
        Ok(())
    }

    fn commit(&mut self, shard: ShardId, grant: &[u8]) -> Result<(), JobError> {
        let Grant { offset } = wire::decode(grant).map_err(JobError::new)?;
        if let (Some(bytes), Some(part)) = (self.kept.remove(&shard), &self.part) {
            part.write_at(offset, &bytes).map_err(JobError::new)?;
            self.spare.push(bytes);
        }
        Ok(())
    }
}

impl<O: RecordObserver> ScoreJob<O> {
    pub(crate) fn set_up(setup: ScoreSetup) -> Result<Self, JobError> {
        let models = build_all(&setup.models).map_err(JobError::new)?;
        let part = setup
            .part
            .as_deref()
            .map(PartWriter::open)
            .transpose()
            .map_err(JobError::new)?;
        Ok(Self {
            columns: columns(&models, &setup.prefix),
            compressor: Compressor::new(setup.compression).map_err(JobError::new)?,
            models,
            part,
            setup,
            kept: HashMap::new(),
            spare: Vec::new(),
            reader: ShardReader::default(),
            plain: Vec::new(),
            observer: O::default(),
        })
    }

    /// Scores the records of a shard and appends the rendered ones to `output`, compressed if the run wants that.
    fn score(
        &mut self,
        work: &Work<'_>,
        task: &Task<'_>,
        records: Records<'_>,
        output: &mut Vec<u8>,
    ) -> Result<Scored, JobError> {
        let renderer = Renderer::new(self.setup.output, &task.layout, &self.columns);
        let is_compressed = self.compressor.is_active();
        self.plain.clear();
        let target = if is_compressed {
            &mut self.plain
        } else {
            &mut *output
        };
        let mut findings = Findings {
            tallies: vec![Tally::default(); self.models.len()],
            ..Findings::default()
        };
        let (mut count, mut scores) = (0, Vec::new());
        let models = &self.models;
        let found = for_each_post(work, &task.layout, records, &self.observer, |item, post| {
            scores.clear();
            let (primary, units) =
                scores_of(models, post.text(), &mut scores, &mut findings.tallies);
            let place = (task.index, item);
            findings.extremes.add(units, place, post.text());
            if Language::samples(records.offset + post.location().offset) {
                findings.language.add(post.text());
            }
            if let Some(field) = post.other_field() {
                findings.without_column.add(place, field);
            }
            count += 1;
            renderer.write(target, post, &scores, SentimentClass::of(primary).name());
            Ok(())
        });
        if is_compressed {
            self.compressor
                .compress(&self.plain, output)
                .map_err(JobError::new)?;
        }
        Ok(Scored {
            records: count,
            findings,
            found,
        })
    }
}

/// Appends the scores of every model, counts each primary score, and returns the first model's, also in units.
fn scores_of(
    models: &[Box<dyn Scorer>],
    text: &str,
    scores: &mut Vec<f64>,
    tallies: &mut [Tally],
) -> (f64, i64) {
    let mut first = None;
    for (model, tally) in models.iter().zip(tallies) {
        let all = model.score(text);
        let primary = all[model.primary()];
        let units = tally.add(primary, SentimentClass::of(primary));
        first.get_or_insert((primary, units));
        scores.extend_from_slice(&all[..model.fields().len()]);
    }
    first.unwrap_or_default()
}
