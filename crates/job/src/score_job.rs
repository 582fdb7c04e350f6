//! The job itself.

use std::collections::HashMap;

use moodring_codec::Compressor;
use moodring_pool::{Job, JobError, ShardId, Work, wire};
use moodring_record::{ModelColumns, Renderer};
use moodring_score::SentimentClass;
use moodring_store::PartWriter;

use crate::findings::Findings;
use crate::language::Language;
use crate::live::RowMaker;
use crate::message::{Delivered, Grant, Report, ScoreSetup, Setup, Task};
use crate::preprocess::Preprocessor;
use crate::records::{Found, NoObserver, RecordObserver, for_each_post};
use crate::scorers::Scorers;
use crate::shard_reader::{Records, ShardReader};
use crate::tally::Tally;

/// Scores shards of posts.
pub struct ScoreJob<O = NoObserver> {
    setup: ScoreSetup,
    models: Scorers,
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
    preprocessor: Preprocessor,
    /// The rows of a shard, if the run makes windows of them.
    rows: Option<RowMaker>,
    observer: O,
}

/// What came of a shard, beside its rendered bytes.
struct Scored {
    records: u64,
    filtered: u64,
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
            filtered,
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
            filtered,
            blanks: found.blanks,
            lines: found.lines,
            first_line: task.layout.first_line(),
            findings,
            rows: self.rows.as_ref().map(RowMaker::rows),
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
        let models = Scorers::build(&setup.models).map_err(JobError::new)?;
        Self::with_models(setup, models)
    }

    fn with_models(setup: ScoreSetup, models: Scorers) -> Result<Self, JobError> {
        let part = setup
            .part
            .as_deref()
            .map(PartWriter::open)
            .transpose()
            .map_err(JobError::new)?;
        let rows = setup.rows.clone();
        let rows = rows.map(|rows| RowMaker::new(rows, &setup.texts));
        let rows = rows.transpose()?;
        let tells_lang = rows.as_ref().is_some_and(RowMaker::groups_by_lang);
        Ok(Self {
            columns: models.columns(&setup.prefix),
            preprocessor: Preprocessor::new(&setup.texts, tells_lang)?,
            compressor: Compressor::new(setup.compression).map_err(JobError::new)?,
            rows,
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
        let (mut count, mut filtered) = (0, 0);
        let Self {
            models,
            preprocessor,
            rows,
            ..
        } = self;
        if let Some(rows) = rows {
            rows.clear();
        }
        let found = for_each_post(work, &task.layout, records, &self.observer, |item, post| {
            // A post without a time is a reject in a run with windows, before it is counted.
            let time = rows.as_ref().map(|rows| rows.time_of(post, None));
            let time = time.transpose()?;
            let Some(processed) = preprocessor.process(post) else {
                filtered += 1;
                return Ok(());
            };
            models.score(processed.text())?;
            let (primary, units) = tally(models, &mut findings.tallies);
            let place = (task.index, item);
            findings.extremes.add(units, place, post.text());
            if Language::samples(records.offset + post.location().offset) {
                findings.language.add(post.text());
            }
            if let Some(field) = post.other_field() {
                findings.without_column.add(place, field);
            }
            if let (Some(rows), Some(time)) = (rows.as_mut(), time) {
                rows.add(task.source, post, &processed, time.time, primary);
            }
            count += 1;
            let sentiment = SentimentClass::of(primary).name();
            renderer.write(target, post, models.scores(), sentiment);
            Ok(())
        });
        if is_compressed {
            self.compressor
                .compress(&self.plain, output)
                .map_err(JobError::new)?;
        }
        Ok(Scored {
            records: count,
            filtered,
            findings,
            found,
        })
    }
}

/// Counts the primary score of each model, and returns the first one, also in units.
#[inline]
fn tally(models: &Scorers, tallies: &mut [Tally]) -> (f64, i64) {
    let mut first = None;
    for (primary, tally) in models.primaries().zip(tallies) {
        let units = tally.add(primary, SentimentClass::of(primary));
        first.get_or_insert((primary, units));
    }
    first.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use moodring_codec::Compression;
    use moodring_pool::black_box::Recorder;
    use moodring_record::{
        FieldNames, Format, Layout, OutputStyle, Quoting, ReadOptions, RejectKind,
    };

    use super::*;
    use crate::message::TaskContent;
    use crate::scorers::tests::Picky;

    /// A shard of a text file with these lines.
    fn shard(bytes: &[u8]) -> Vec<u8> {
        let names = FieldNames::default();
        let layout = Layout::detect(Format::Text, Quoting::Auto, &names, &[], b"", true).unwrap();
        let task = Task {
            index: 0,
            source: 0,
            layout,
            stored: bytes.len() as u64,
            content: TaskContent::Block { offset: 100, bytes },
            framing_errors: Cow::Borrowed(&[]),
            skipped: 0,
        };
        wire::encode(&task).unwrap()
    }

    #[test]
    fn a_text_that_a_model_cannot_score_is_rejected_with_the_reason() {
        let setup = ScoreSetup {
            models: Vec::new(),
            prefix: String::new(),
            output: OutputStyle::new(Format::Jsonl, ReadOptions::default(), []),
            texts: crate::message::TextRules::default(),
            rows: None,
            compression: Compression::None,
            part: None,
        };
        let models = Scorers::new(vec![
            Box::new(Picky::new("wide", "nothing", 9)),
            Box::new(Picky::new("picky", "bad", 2)),
        ]);
        let mut job = ScoreJob::<NoObserver>::with_models(setup, models).unwrap();
        let task = shard(b"good\na bad one\nfine\n");
        let recorder = Recorder::new();
        let mut report = Vec::new();
        job.prepare(&Work::whole(ShardId(0), &task, &recorder), &mut report)
            .unwrap();

        let report: Report<'_> = wire::decode(&report).unwrap();
        assert_eq!(report.records, 2);
        let [reject] = &report.rejects[..] else {
            panic!("one reject: {:?}", report.rejects);
        };
        assert_eq!((reject.offset, reject.line), (105, 1));
        assert_eq!(
            reject.reason,
            "the model picky cannot score the text: it contains bad"
        );
        assert_eq!(reject.kind, Some(RejectKind::NotScored));
        assert_eq!(reject.raw, b"a bad one");
        let counted = |tally: &Tally| SentimentClass::ALL.map(|class| tally.of(class));
        let tallies: Vec<_> = report.findings.tallies.iter().map(counted).collect();
        assert_eq!(tallies, [[0, 0, 2]; 2], "of no model is the reject counted");
        let Delivered::Inline(output) = report.output else {
            panic!("there is no file to write to");
        };
        let output = String::from_utf8(output.to_vec()).unwrap();
        assert_eq!(output.lines().count(), 2, "{output}");
        assert!(output.contains("\"class-8\":1.0"), "{output}");
    }
}
