//! The job itself.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use moodring_pool::{Job, JobError, ShardId, Turn, Work, wire};
use moodring_record::{
    Cutting, FigureColumn, Layout, Malformed, ModelColumns, Place, Reader, Renderer,
};
use moodring_score::{Decimals, Mood, Scorer};

use crate::compress::Compressor;
use crate::message::{Content, Delivered, Grant, Reject, Report, Setup, Task};
use crate::part::PartWriter;
use crate::range::{Bounds, read_range};
use crate::tally::Tally;

/// The columns that `models` add to a record.
#[must_use]
pub fn columns(models: &[Box<dyn Scorer>]) -> Vec<ModelColumns> {
    let column = |figure: &moodring_score::Figure| FigureColumn {
        name: figure.name.to_owned(),
        decimals: match figure.decimals {
            Decimals::Rounded(decimals) => Some(decimals),
            Decimals::Shortest => None,
        },
    };
    let columns = |model: &dyn Scorer| ModelColumns {
        model: model.name().to_owned(),
        figures: model.figures().iter().map(column).collect(),
    };
    models.iter().map(|model| columns(&**model)).collect()
}

/// Scores shards of posts.
pub struct ScoreJob {
    setup: Setup,
    models: Vec<Box<dyn Scorer>>,
    columns: Vec<ModelColumns>,
    compressor: Compressor,
    part: Option<PartWriter>,
    /// The rendered bytes of shards whose turn has not come.
    kept: HashMap<ShardId, Vec<u8>>,
    /// Buffers of shards that are done, for those to come.
    spare: Vec<Vec<u8>>,
    input: Vec<u8>,
    /// Rendered bytes before they are compressed.
    plain: Vec<u8>,
    /// The file that was read last, which most likely is the next one too.
    open: Option<(PathBuf, File)>,
    #[cfg(feature = "faults")]
    faults: crate::faults::Faults,
}

/// What came of a shard, beside its rendered bytes.
#[derive(Default)]
struct Scored {
    records: u64,
    blanks: u64,
    lines: u64,
    tally: Tally,
    rejects: Vec<Reject>,
    quarantined: Vec<Reject>,
}

impl Job for ScoreJob {
    fn start(setup: &[u8]) -> Result<Self, JobError> {
        let setup: Setup = wire::decode(setup).map_err(JobError::new)?;
        let models = setup
            .models
            .iter()
            .map(|name| moodring_score::build(name))
            .collect::<Result<Vec<_>, _>>();
        let models = models.map_err(JobError::new)?;
        let part = setup
            .part
            .as_deref()
            .map(PartWriter::open)
            .transpose()
            .map_err(JobError::new)?;
        Ok(Self {
            columns: columns(&models),
            compressor: Compressor::new(setup.compression).map_err(JobError::new)?,
            models,
            part,
            setup,
            kept: HashMap::new(),
            spare: Vec::new(),
            input: Vec::new(),
            plain: Vec::new(),
            open: None,
            #[cfg(feature = "faults")]
            faults: crate::faults::Faults::from_environment(),
        })
    }

    fn prepare(&mut self, work: &Work<'_>, report: &mut Vec<u8>) -> Result<(), JobError> {
        let task: Task<'_> = wire::decode(work.task).map_err(JobError::new)?;
        let mut output = self.spare.pop().unwrap_or_default();
        output.clear();
        let mut input = std::mem::take(&mut self.input);
        let (offset, bytes) = match &task.content {
            Content::Block { offset, bytes } => (*offset, *bytes),
            Content::Range { path, start, end } => {
                let offset = self.read(path, &task.layout, *start, *end, &mut input)?;
                (offset, &input[..])
            }
        };
        let scored = self.score(work, &task.layout, offset, bytes, &mut output)?;
        let consumed = match task.content {
            Content::Block { bytes, .. } => bytes.len() as u64,
            Content::Range { start, end, .. } => end - start,
        };
        self.input = input;
        let delivered = match self.part {
            Some(_) => Delivered::Kept(output.len() as u64),
            None => Delivered::Here(&output),
        };
        let Scored {
            records,
            blanks,
            lines,
            tally,
            rejects,
            quarantined,
        } = scored;
        let summary = Report {
            source: task.source,
            stored: task.stored,
            bytes: consumed,
            records,
            blanks,
            lines,
            first_line: task.layout.first_line(),
            tally,
            rejects,
            quarantined,
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

impl ScoreJob {
    /// Reads the records of a range of a file.
    fn read(
        &mut self,
        path: &Path,
        layout: &Layout,
        start: u64,
        end: u64,
        input: &mut Vec<u8>,
    ) -> Result<u64, JobError> {
        let bounds = match layout.cutting() {
            Cutting::AtLines => Bounds::Lines {
                first: layout.body_start(),
            },
            Cutting::AtRecords => Bounds::Records,
        };
        let failed = |error: std::io::Error| {
            let hint = match error.kind() {
                std::io::ErrorKind::UnexpectedEof => {
                    "; the file became shorter during the run, score it when it is complete"
                }
                _ => "",
            };
            JobError(format!(
                "failed to read bytes {start} to {end} of `{}`: {error}{hint}",
                path.display()
            ))
        };
        if self.open.as_ref().is_none_or(|(open, _)| open != path) {
            self.open = Some((path.to_owned(), File::open(path).map_err(failed)?));
        }
        match &self.open {
            Some((_, file)) => read_range(file, bounds, start, end, input).map_err(failed),
            None => Ok(start),
        }
    }

    /// Scores the records in `bytes`, which begin at `offset` of their input, and appends the rendered ones to
    /// `output`, compressed if the run wants that.
    fn score(
        &mut self,
        work: &Work<'_>,
        layout: &Layout,
        offset: u64,
        bytes: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Scored, JobError> {
        let renderer = Renderer::new(self.setup.output, layout, &self.columns);
        let compressed = self.compressor.is_active();
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        let target = if compressed { &mut plain } else { &mut *output };
        let mut scored = Scored::default();
        let mut figures = Vec::new();
        let mut reader = Reader::new(layout, bytes);
        for item in 0.. {
            let turn = work.turn(item);
            let Some(record) = reader.next_record() else {
                break;
            };
            match (turn, record) {
                (Turn::Pass, _) => {}
                (Turn::Do, Ok(post)) => {
                    #[cfg(feature = "faults")]
                    self.faults.strike(post.text());
                    figures.clear();
                    let headline = figures_of(&self.models, post.text(), &mut figures);
                    let mood = Mood::of(headline);
                    scored.tally.add(headline, mood);
                    scored.records += 1;
                    renderer.write(target, &post, &figures, mood.name());
                }
                (Turn::Quarantined, Ok(post)) => {
                    let aside = set_aside(offset, post.place(), post.raw(), String::new());
                    scored.quarantined.push(aside);
                }
                (turn, Err(malformed)) => {
                    let Malformed { place, raw, reason } = malformed;
                    let aside = set_aside(offset, place, raw, reason.to_string());
                    match turn {
                        Turn::Quarantined => scored.quarantined.push(aside),
                        Turn::Do | Turn::Pass => scored.rejects.push(aside),
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

/// A record at `place` of a shard that begins at `offset`.
fn set_aside(offset: u64, place: Place, raw: &[u8], reason: String) -> Reject {
    Reject {
        offset: offset + place.offset,
        line: place.line,
        reason,
        raw: raw.to_vec(),
    }
}

/// Appends the figures of every model and gives the first model's headline.
fn figures_of(models: &[Box<dyn Scorer>], text: &str, figures: &mut Vec<f64>) -> f64 {
    let mut headline = None;
    for model in models {
        let all = model.score(text);
        headline.get_or_insert(all[model.headline()]);
        figures.extend_from_slice(&all[..model.figures().len()]);
    }
    headline.unwrap_or(0.0)
}
