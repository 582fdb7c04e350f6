//! What the supervisor is told and what it answers: plain data.

use super::config::TaskPolicy;
use crate::black_box::Sample;
use crate::exit::Exit;
use crate::ids::{Scope, ShardId, WorkerId};

/// Something that happened, as [`Supervisor::handle`](super::Supervisor::handle) is told. Events of a worker that
/// is not the current one of its slot are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A worker has started its job.
    Ready(WorkerId),
    /// A worker reported that the job cannot start, for this reason.
    StartupFailed(WorkerId, String),
    /// A worker has prepared a shard.
    Prepared(WorkerId, ShardId),
    /// A worker has processed the one item that it was given to try.
    TrialPassed(WorkerId, ShardId),
    /// A worker has committed a shard.
    Committed(WorkerId, ShardId),
    /// The progress of a worker at this moment.
    Sampled(WorkerId, Sample),
    /// A worker has ended, and all its messages have been handled; with its last recorded progress, if there was a
    /// process.
    Exited(WorkerId, Exit, Option<Sample>),
    /// The feed returned the next shard, which an [`Action::Pull`] asked for.
    Input(TaskPolicy),
    /// The result of this shard is not wanted any more. Ignored if the shard is prepared or the pool is ordered.
    Cancel(ShardId),
    /// The input has ended.
    InputEnd,
    /// The number of workers is to be this.
    Resize(u32),
    /// This worker exceeds its memory limit, and is to be replaced once it holds nothing.
    Oversize(WorkerId),
    /// Every worker is to be replaced, one at a time.
    Renew,
    /// No more input is to be taken. What was taken is finished.
    Drain,
    /// The run is to end at once.
    Abort,
    /// The time of [`Supervisor::poll_timeout`](super::Supervisor::poll_timeout) has come.
    Tick,
}

/// Something that the caller of the supervisor has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Start this worker; answer with [`Event::Ready`], [`Event::StartupFailed`] or [`Event::Exited`].
    Spawn(WorkerId),
    /// Take one shard from the input; answer with [`Event::Input`] or [`Event::InputEnd`].
    Pull,
    /// Send a shard to a worker, or one item of it.
    Assign(WorkerId, ShardId, Scope),
    /// From now on, send the shard without this item: this many workers died on it, and the last exit was such a
    /// death.
    Quarantine(ShardId, u64, u32),
    /// Pass the report of a shard to the sink, and with [`Delivery::Commit`](super::Delivery::Commit) send the
    /// sink's grant to the worker that holds the result.
    Release(ShardId, WorkerId),
    /// A shard that was released before is prepared again: send its old grant to this worker.
    Regrant(ShardId, WorkerId),
    /// Drop a shard that is complete.
    Forget(ShardId),
    /// Drop a shard that was cancelled. It is neither released nor completed.
    Discard(ShardId),
    /// Tell a worker to leave, as it gets nothing more.
    Retire(WorkerId),
    /// Kill a worker.
    Kill(WorkerId),
}
