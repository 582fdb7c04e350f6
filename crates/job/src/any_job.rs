//! The job of the program's workers: scoring, eval or live, as the setup says.

use moodring_pool::{Job, JobError, ShardId, Work, wire};

use crate::eval::EvalJob;
use crate::live::LiveJob;
use crate::message::Setup;
use crate::records::{NoObserver, RecordObserver};
use crate::score_job::ScoreJob;

/// The job selected by the [`Setup`].
pub enum AnyJob<O = NoObserver> {
    /// `moodring score`.
    Score(Box<ScoreJob<O>>),
    /// `moodring eval`.
    Eval(Box<EvalJob<O>>),
    /// `moodring live`.
    Live(Box<LiveJob<O>>),
}

impl<O: RecordObserver> Job for AnyJob<O> {
    fn start(setup: &[u8]) -> Result<Self, JobError> {
        Ok(match wire::decode(setup).map_err(JobError::new)? {
            Setup::Score(setup) => Self::Score(Box::new(ScoreJob::set_up(setup)?)),
            Setup::Eval(setup) => Self::Eval(Box::new(EvalJob::set_up(setup)?)),
            Setup::Live(setup) => Self::Live(Box::new(LiveJob::set_up(setup)?)),
        })
    }

    fn prepare(&mut self, work: &Work<'_>, report: &mut Vec<u8>) -> Result<(), JobError> {
        match self {
            Self::Score(job) => job.prepare(work, report),
            Self::Eval(job) => job.prepare(work, report),
            Self::Live(job) => job.prepare(work, report),
        }
    }

    fn commit(&mut self, shard: ShardId, grant: &[u8]) -> Result<(), JobError> {
        match self {
            Self::Score(job) => job.commit(shard, grant),
            // Their reports contain all results, so there is nothing to commit.
            Self::Eval(_) | Self::Live(_) => Ok(()),
        }
    }
}
