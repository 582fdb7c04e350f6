//! What the supervisor is told and what it answers: plain data.

use super::config::TaskPolicy;
use crate::black_box::Sample;
use crate::exit::Exit;
use crate::ids::{Scope, ShardId, WorkerId};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A worker has started its job.
    Ready(WorkerId),
    /// A worker says that its job cannot start anywhere.
    StartupFailed(WorkerId, String),
    /// A worker has prepared a shard.
    Prepared(WorkerId, ShardId),
    /// A worker has survived the one item it was to try.
    TrialPassed(WorkerId, ShardId),
    /// A worker has committed a shard.
    Committed(WorkerId, ShardId),
    /// What a worker's black box shows.
    Sampled(WorkerId, Sample),
    /// A worker is dead, and everything it ever said has been handled; what its black box showed last, if it had one.
    Exited(WorkerId, Exit, Option<Sample>),
    /// The input gave the shard that an [`Action::Pull`] asked for.
    Input(TaskPolicy),
    /// The result of this shard is not wanted any more. Ignored where the shard is done or the pool is ordered.
    Cancel(ShardId),
    /// The input has ended.
    InputEnd,
    /// Have so many workers from now on.
    Resize(u32),
    /// Replace this worker when it can be spared: it has grown too large.
    Oversize(WorkerId),
    /// Replace every worker, one at a time.
    Renew,
    /// Take no more input; finish what is under way.
    Drain,
    /// End at once: something outside failed.
    Abort,
    /// Time has passed.
    Tick,
}

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Start this worker.
    Spawn(WorkerId),
    /// Take one shard from the input; answer with [`Event::Input`] or [`Event::InputEnd`].
    Pull,
    /// Send a shard to a worker, or one item of it.
    Assign(WorkerId, ShardId, Scope),
    /// From now on, send a shard without this item: so many workers died on it, the last one just now.
    Quarantine(ShardId, u64, u32),
    /// The turn of a shard has come: give its report to the sink, and with [`Delivery::Commit`] send the sink's grant
    /// to the worker that holds the result.
    Release(ShardId, WorkerId),
    /// A shard that was released before is prepared again: send its old grant to this worker.
    Regrant(ShardId, WorkerId),
    /// A shard is complete: what was kept of it can go.
    Forget(ShardId),
    /// A shard was cancelled: what was kept of it can go. It is neither released nor completed.
    Discard(ShardId),
    /// Tell a worker that nothing more will come.
    Retire(WorkerId),
    /// Kill a worker.
    Kill(WorkerId),
}
