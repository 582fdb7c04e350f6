//! The job itself.

use moodring_pool::{Job, JobError, Work, wire};
use moodring_record::Post;

use super::agreement::Agreement;
use super::label::LabelMap;
use crate::message::{EvalReport, EvalSetup, Setup, Task, Unfit};
use crate::records::{NoObserver, RecordObserver, for_each_post};
use crate::scorers::Scorers;
use crate::shard_reader::{Records, ShardReader};

/// Compares the scores of posts with their labels.
pub struct EvalJob<O = NoObserver> {
    models: Scorers,
    labels: LabelMap,
    reader: ShardReader,
    observer: O,
}

impl<O: RecordObserver> Job for EvalJob<O> {
    fn start(setup: &[u8]) -> Result<Self, JobError> {
        match wire::decode(setup).map_err(JobError::new)? {
            Setup::Eval(setup) => Self::set_up(setup),
            Setup::Score(_) | Setup::Live(_) => {
                Err(JobError::new("the supervisor set another job up"))
            }
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

impl<O: RecordObserver> EvalJob<O> {
    pub(crate) fn set_up(setup: EvalSetup) -> Result<Self, JobError> {
        Ok(Self {
            models: Scorers::build(&setup.models).map_err(JobError::new)?,
            labels: setup.labels,
            reader: ShardReader::default(),
            observer: O::default(),
        })
    }

    fn compare(&mut self, work: &Work<'_>, task: &Task<'_>, records: Records<'_>) -> EvalReport {
        let mut report = EvalReport {
            source: task.source,
            stored: task.stored,
            first_line: task.layout.first_line(),
            agreements: vec![Agreement::default(); self.models.len()],
            ..EvalReport::default()
        };
        let Self {
            models,
            labels,
            observer,
            ..
        } = self;
        let found = for_each_post(work, &task.layout, records, observer, |_, post| {
            judge(models, labels, post, &mut report)
        });
        EvalReport {
            lines: found.lines,
            rejects: found.rejects,
            quarantined: found.quarantined,
            ..report
        }
    }
}

/// Compares what the models say of a text with what its label says.
fn judge(
    models: &mut Scorers,
    labels: &LabelMap,
    post: &Post<'_>,
    report: &mut EvalReport,
) -> Result<(), Unfit> {
    match post.label().filter(|label| !label.trim().is_empty()) {
        None => report.unlabelled += 1,
        Some(label) => match labels.meaning(label) {
            None => report.unknown(label),
            Some(meaning) => {
                models.score(post.text())?;
                for (primary, agreement) in models.primaries().zip(&mut report.agreements) {
                    agreement.add(primary, meaning);
                }
            }
        },
    }
    report.records += 1;
    Ok(())
}
