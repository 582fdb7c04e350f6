//! The job itself.

use moodring_pool::{Job, JobError, Turn, Work, wire};
use moodring_record::Reader;
use moodring_score::Scorer;
use serde::{Deserialize, Serialize};

use super::agreement::Agreement;
use super::label::LabelMap;
use crate::message::{Reject, Setup, Task};
use crate::model::{Model, build_all};
use crate::shard_reader::{Records, ShardReader};

/// How many different labels that mean nothing are kept as examples.
const EXAMPLES: usize = 10;

/// How scores are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvalSetup {
    /// The models.
    pub models: Vec<Model>,
    /// The user's own labels.
    pub labels: LabelMap,
}

/// What came of a shard.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EvalReport {
    /// Which input it is from.
    pub source: u32,
    /// See [`Task::stored`].
    pub stored: u64,
    /// Records read, whatever their label.
    pub records: u64,
    /// Records without a label.
    pub unlabelled: u64,
    /// Records with a label that means nothing.
    pub unknown: u64,
    /// The first of those labels.
    pub unknown_labels: Vec<String>,
    /// By model.
    pub agreements: Vec<Agreement>,
    /// Line ends passed.
    pub lines: u64,
    /// The number of the input's first line that is a record.
    pub first_line: u64,
    /// The records that could not be read.
    pub rejects: Vec<Reject>,
    /// The records that were left out because workers died on them.
    pub quarantined: Vec<Reject>,
}

impl EvalReport {
    /// Counts a label that means nothing.
    fn unknown(&mut self, label: &str) {
        self.unknown += 1;
        self.keep_example(label);
    }

    /// Keeps a label as an example if there is room.
    pub fn keep_example(&mut self, label: &str) {
        if self.unknown_labels.len() < EXAMPLES
            && !self.unknown_labels.iter().any(|known| known == label)
        {
            self.unknown_labels.push(label.to_owned());
        }
    }
}

/// Compares the scores of posts with their labels.
pub struct EvalJob {
    models: Vec<Box<dyn Scorer>>,
    labels: LabelMap,
    reader: ShardReader,
    #[cfg(feature = "faults")]
    faults: crate::faults::Faults,
}

impl Job for EvalJob {
    fn start(setup: &[u8]) -> Result<Self, JobError> {
        match wire::decode(setup).map_err(JobError::new)? {
            Setup::Eval(setup) => Self::set_up(setup),
            Setup::Score(_) => Err(JobError("the supervisor set another job up".to_owned())),
        }
    }

    fn prepare(&mut self, work: &Work<'_>, report: &mut Vec<u8>) -> Result<(), JobError> {
        let task: Task<'_> = wire::decode(work.task).map_err(JobError::new)?;
        let mut reader = std::mem::take(&mut self.reader);
        let records = reader.read(&task)?;
        let found = self.compare(work, &task, records);
        self.reader = reader;
        wire::encode_into(&found, report).map_err(JobError::new)
    }
}

impl EvalJob {
    pub(crate) fn set_up(setup: EvalSetup) -> Result<Self, JobError> {
        Ok(Self {
            models: build_all(&setup.models).map_err(JobError::new)?,
            labels: setup.labels,
            reader: ShardReader::default(),
            #[cfg(feature = "faults")]
            faults: crate::faults::Faults::from_environment(),
        })
    }

    fn compare(&self, work: &Work<'_>, task: &Task<'_>, records: Records<'_>) -> EvalReport {
        let mut report = EvalReport {
            source: task.source,
            stored: task.stored,
            first_line: task.layout.first_line(),
            agreements: vec![Agreement::default(); self.models.len()],
            ..EvalReport::default()
        };
        let Records {
            offset,
            bytes,
            faults,
            ..
        } = records;
        let mut reader = Reader::of_shard(&task.layout, bytes, offset, faults);
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
                    self.judge(post.text(), post.label(), &mut report);
                }
                (Turn::Quarantined, Ok(post)) => {
                    report
                        .quarantined
                        .push(Reject::new(offset, post.place(), post.raw()));
                }
                (_, Err(malformed)) => {
                    report.rejects.push(Reject::malformed(offset, &malformed));
                }
            }
        }
        report.lines = reader.lines();
        report
    }

    /// Compares what the models say of a text with what its label says.
    fn judge(&self, text: &str, label: Option<&str>, report: &mut EvalReport) {
        report.records += 1;
        let Some(label) = label.filter(|label| !label.trim().is_empty()) else {
            report.unlabelled += 1;
            return;
        };
        let Some(meaning) = self.labels.meaning(label) else {
            report.unknown(label);
            return;
        };
        for (model, agreement) in self.models.iter().zip(&mut report.agreements) {
            agreement.add(model.score(text)[model.headline()], meaning);
        }
    }
}
