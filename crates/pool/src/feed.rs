//! The source of a pool's tasks.

use crate::error::BoxError;
use crate::supervisor::TaskPolicy;

/// The source of a pool's tasks.
///
/// [`Pool::run`](crate::Pool::run) moves the feed into a thread of its own and calls it there, so a call may block
/// for as long as the input does. Meanwhile the pool works on the tasks that it has. The run does not wait for a
/// call that blocks: if the run ends first, the thread ends when the call returns.
///
/// A panic in the feed ends the run with [`PoolError::Panicked`](crate::PoolError::Panicked).
pub trait Feed: Send {
    /// Returns the next task, or `None` at the end of the input.
    ///
    /// Called each time the pool has room for another task, and never again after `None` or an error. The first
    /// task becomes shard 0, the next one shard 1, and so on. After a [drain](crate::Control::drain) the pool drops
    /// a task that was asked for before it.
    ///
    /// # Errors
    /// Any error ends the run with [`PoolError::Feed`](crate::PoolError::Feed). Results that are not released yet
    /// are lost.
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError>;

    /// Returns the policy of the task that [`next_task`](Self::next_task) returned last. Called once after each
    /// task, in the same thread. Must not block. The default is the pool's own policy.
    fn policy(&mut self) -> TaskPolicy {
        TaskPolicy::default()
    }
}
