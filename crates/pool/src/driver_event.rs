//! What reaches the driver's loop: news of workers, of the feed, and requests of other threads.

use crossbeam_channel::Sender;

use crate::error::BoxError;
use crate::exit::Exit;
use crate::ids::{ShardId, WorkerId};
use crate::status::WorkerStatus;
use crate::supervisor::TaskPolicy;
use crate::wire::WorkerMessage;

/// Something that reached the driver's loop.
#[derive(Debug)]
pub(crate) enum DriverEvent {
    Said(WorkerId, WorkerMessage),
    BadFrame(WorkerId, String),
    /// A worker cannot be talked to.
    Broken(WorkerId, String),
    Exited(WorkerId, Exit, String),
    Input(Result<Option<(Vec<u8>, TaskPolicy)>, BoxError>),
    Cancel(ShardId),
    /// A thread of that name panicked with that message.
    Panicked(String, String),
    Drain,
    Abort,
    Resize(u32),
    Renew,
    Inspect(Sender<Vec<WorkerStatus>>),
    /// Send one message once every worker has started.
    AwaitReady(Sender<()>),
}
