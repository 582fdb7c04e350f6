//! Where the tasks of a pool come from.

use crate::error::BoxError;
use crate::supervisor::TaskPolicy;

/// Where tasks come from.
pub trait Feed: Send {
    /// The next task, or `None` at the end. May block.
    ///
    /// # Errors
    /// Any error ends the run.
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError>;

    /// Returns how the task that [`next_task`](Self::next_task) just gave is to be done. Called once after each.
    fn policy(&mut self) -> TaskPolicy {
        TaskPolicy::default()
    }
}
