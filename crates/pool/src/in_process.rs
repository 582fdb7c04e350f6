//! Runs a job in the calling thread, without processes: to test a job, or to measure what a pool costs.

use crate::black_box::Recorder;
use crate::error::PoolError;
use crate::feed::Feed;
use crate::ids::ShardId;
use crate::sink::{Released, Sink};
use crate::supervisor::{Delivery, RunFailure};
use crate::worker::{Job, JobError, Work};

/// Runs every task of `feed` in this thread, passes the results to `sink` in order, and returns how many tasks
/// there were. A panic of the job is not caught.
///
/// # Errors
/// The errors of [`Pool::run`](crate::Pool::run) that the job, the feed and the sink cause.
pub fn run<J: Job>(
    setup: &[u8],
    delivery: Delivery,
    feed: &mut dyn Feed,
    sink: &mut dyn Sink,
) -> Result<u64, PoolError> {
    let startup_failed =
        |error: JobError| PoolError::GivenUp(RunFailure::StartupFailed(error.to_string()));
    let mut job = J::start(setup).map_err(startup_failed)?;
    let recorder = Recorder::new();
    let mut shard = ShardId(0);
    let mut report = Vec::new();
    let failed = |shard| {
        move |error: JobError| PoolError::Job {
            shard,
            reason: error.to_string(),
        }
    };
    while let Some(task) = feed.next_task().map_err(PoolError::Feed)? {
        report.clear();
        let work = Work::whole(shard, &task, &recorder);
        job.prepare(&work, &mut report).map_err(failed(shard))?;
        let released = Released {
            shard,
            report: &report,
            quarantined: &[],
        };
        let grant = sink.release(&released).map_err(PoolError::Sink)?;
        if delivery == Delivery::Commit {
            job.commit(shard, &grant).map_err(failed(shard))?;
        }
        sink.complete(shard).map_err(PoolError::Sink)?;
        shard = shard.next();
    }
    Ok(shard.0)
}
