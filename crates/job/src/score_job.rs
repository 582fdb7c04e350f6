//! The job itself.

use std::collections::HashMap;

use moodring_codec::Compressor;
use moodring_pool::{ItemAction, Job, JobError, ShardId, Work, wire};
use moodring_record::{FigureColumn, ModelColumns, Reader, Renderer};
use moodring_score::{Decimals, Mood, Scorer};
use moodring_store::PartWriter;

#[cfg(feature = "faults")]
use crate::faults::Point;
use crate::findings::Findings;
use crate::language::Language;
use crate::message::{Delivered, Grant, Reject, Report, ScoreSetup, Setup, Task};
use crate::model::build_all;
use crate::shard_reader::{Records, ShardReader};
use crate::tally::Tally;

/// The columns that `models` add to a record, with `prefix` before their names.
#[must_use]
pub fn columns(models: &[Box<dyn Scorer>], prefix: &str) -> Vec<ModelColumns> {
    let column = |figure: &moodring_score::Figure| FigureColumn {
        name: figure.name.to_owned(),
        decimals: match figure.decimals {
            Decimals::Rounded(decimals) => Some(decimals),
            Decimals::Shortest => None,
        },
    };
    let columns = |model: &dyn Scorer| ModelColumns {
        model: model.name().to_owned(),
        prefix: prefix.to_owned(),
        figures: model.figures().iter().map(column).collect(),
    };
    models.iter().map(|model| columns(&**model)).collect()
}

/// Scores shards of posts.
pub struct ScoreJob {
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
    #[cfg(feature = "faults")]
    faults: crate::faults::Faults,
}

/// What came of a shard, beside its rendered bytes.
#[derive(Default)]
struct Scored {
    records: u64,
    blanks: u64,
    lines: u64,
    findings: Findings,
    rejects: Vec<Reject>,
    quarantined: Vec<Reject>,
}

impl Job for ScoreJob {
    fn start(setup: &[u8]) -> Result<Self, JobError> {
        match wire::decode(setup).map_err(JobError::new)? {
            Setup::Score(setup) => Self::set_up(setup),
            Setup::Eval(_) => Err(JobError::new("the supervisor set another job up")),
        }
    }

    fn prepare(&mut self, work: &Work<'_>, report: &mut Vec<u8>) -> Result<(), JobError> {
        #[cfg(feature = "faults")]
        self.faults.strike_at(Point::Receive);
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
            blanks,
            lines,
            findings,
            rejects,
            quarantined,
        } = scored;
        let summary = Report {
            index: task.index,
            source: task.source,
            stored: task.stored,
            end,
            bytes: consumed,
            records,
            blanks,
            lines,
            first_line: task.layout.first_line(),
            findings,
            rejects,
            quarantined,
            checksum,
            output: delivered,
        };
        wire::encode_into(&summary, report).map_err(JobError::new)?;
        match self.part {
            Some(_) => drop(self.kept.insert(work.shard, output)),
            None => self.spare.push(output),
        }
        #[cfg(feature = "faults")]
        {
            self.faults.strike_at(Point::Send);
            self.faults.strike_at(Point::Sent);
        }
        Ok(())
    }

    fn commit(&mut self, shard: ShardId, grant: &[u8]) -> Result<(), JobError> {
        #[cfg(feature = "faults")]
        self.faults.strike_at(Point::Commit);
        let Grant { offset } = wire::decode(grant).map_err(JobError::new)?;
        if let (Some(bytes), Some(part)) = (self.kept.remove(&shard), &self.part) {
            part.write_at(offset, &bytes).map_err(JobError::new)?;
            self.spare.push(bytes);
        }
        Ok(())
    }
}

impl ScoreJob {
    pub(crate) fn set_up(setup: ScoreSetup) -> Result<Self, JobError> {
        let models = build_all(&setup.models).map_err(JobError::new)?;
        let part = setup
            .part
            .as_deref()
            .map(PartWriter::open)
            .transpose()
            .map_err(JobError::new)?;
        #[cfg(feature = "faults")]
        let faults = {
            let faults = crate::faults::Faults::from_environment();
            faults.strike_at(Point::Setup);
            faults
        };
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
            #[cfg(feature = "faults")]
            faults,
        })
    }

    /// Scores the records in `bytes`, and appends the rendered ones to
    /// `output`, compressed if the run wants that.
    fn score(
        &mut self,
        work: &Work<'_>,
        task: &Task<'_>,
        Records {
            offset,
            bytes,
            faults,
            ..
        }: Records<'_>,
        output: &mut Vec<u8>,
    ) -> Result<Scored, JobError> {
        let renderer = Renderer::new(self.setup.output, &task.layout, &self.columns);
        let compressed = self.compressor.is_active();
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        let target = if compressed { &mut plain } else { &mut *output };
        let mut scored = Scored::default();
        scored.findings.tallies = vec![Tally::default(); self.models.len()];
        let mut figures = Vec::new();
        let mut reader = Reader::of_shard(&task.layout, bytes, offset, faults);
        for item in 0.. {
            let action = work.action(item);
            let Some(record) = reader.next_record() else {
                break;
            };
            match (action, record) {
                (ItemAction::Skip, _) => {}
                (ItemAction::Process, Ok(post)) => {
                    #[cfg(feature = "faults")]
                    {
                        if post.place().offset > bytes.len() as u64 / 2 {
                            self.faults.strike_at(Point::Score);
                        }
                        self.faults.strike(post.text());
                    }
                    figures.clear();
                    let findings = &mut scored.findings;
                    let headline = figures_of(
                        &self.models,
                        post.text(),
                        &mut figures,
                        &mut findings.tallies,
                    );
                    let mood = Mood::of(headline);
                    findings
                        .extremes
                        .add(headline, (task.index, item), post.text());
                    let begins_at = offset + post.place().offset;
                    if Language::samples(begins_at) {
                        findings.language.add(post.text());
                    }
                    scored.records += 1;
                    renderer.write(target, &post, &figures, mood.name());
                }
                (ItemAction::Quarantined, Ok(post)) => {
                    let aside = Reject::new(offset, post.place(), post.raw());
                    scored.quarantined.push(aside);
                }
                (action, Err(malformed)) => {
                    let aside = Reject::malformed(offset, &malformed);
                    match action {
                        ItemAction::Quarantined => scored.quarantined.push(aside),
                        ItemAction::Process | ItemAction::Skip => scored.rejects.push(aside),
                    }
                }
            }
        }
        scored.lines = reader.lines();
        scored.blanks = reader.blanks();
        if compressed {
            self.compressor
                .compress(&plain, output)
                .map_err(JobError::new)?;
        }
        self.plain = plain;
        Ok(scored)
    }
}

/// Appends the figures of every model, counts each headline, and gives the first model's.
fn figures_of(
    models: &[Box<dyn Scorer>],
    text: &str,
    figures: &mut Vec<f64>,
    tallies: &mut [Tally],
) -> f64 {
    let mut first = None;
    for (model, tally) in models.iter().zip(tallies) {
        let all = model.score(text);
        let headline = all[model.headline()];
        tally.add(headline, Mood::of(headline));
        first.get_or_insert(headline);
        figures.extend_from_slice(&all[..model.figures().len()]);
    }
    first.unwrap_or(0.0)
}

#[cfg(feature = "faults")]
impl Drop for ScoreJob {
    fn drop(&mut self) {
        self.faults.strike_at(Point::Exit);
    }
}
