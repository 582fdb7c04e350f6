//! Why a run fails.

use thiserror::Error;

use crate::ids::ShardId;
use crate::supervisor::RunFailure;
use crate::wire;

/// Any error of a feed, a sink or a call. The caller can downcast it to the type that it knows.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a run failed.
#[derive(Debug, Error)]
pub enum PoolError {
    /// The supervisor gave up, because workers kept dying or could not start, or because the run was aborted.
    #[error("{0}")]
    GivenUp(RunFailure),
    /// A job met an error that another worker would meet too.
    #[error("{reason}")]
    Job {
        /// The shard that it worked on.
        shard: ShardId,
        /// The text of the [`JobError`](crate::JobError), which crossed from the worker.
        reason: String,
    },
    /// [`Feed::next_task`](crate::Feed::next_task) returned this error.
    #[error(transparent)]
    Feed(BoxError),
    /// A method of the [`Sink`](crate::Sink) returned this error.
    #[error(transparent)]
    Sink(BoxError),
    /// The job is not deterministic: a shard that was prepared again gave another report.
    #[error(
        "{0} gave another result when it was done again after a worker's death; the job must be deterministic"
    )]
    Unstable(ShardId),
    /// A message could not be encoded.
    #[error(transparent)]
    Wire(#[from] wire::WireError),
    /// A helper thread of the pool panicked. For the thread `feed` and those of
    /// [`Control::spawn`](crate::Control::spawn) that is a bug of the caller, for others of this crate.
    #[error("the thread `{thread}` of the supervisor panicked: {message}")]
    Panicked {
        /// Its name.
        thread: String,
        /// What the panic said.
        message: String,
    },
    /// The system allows fewer file descriptors than the workers need. No worker was started.
    #[error(
        "{workers} workers need {need} file descriptors, and this process may open {limit}; raise the limit (`ulimit -n {need}`){}",
        or_fewer(*most)
    )]
    Descriptors {
        /// How many workers were asked for.
        workers: u32,
        /// How many descriptors they need, including those that are open already.
        need: u64,
        /// How many descriptors this process may open.
        limit: u64,
        /// How many workers that is enough for.
        most: u32,
    },
    /// `/proc` is not mounted, by which workers find their supervisor.
    #[error("failed to read `/proc/self/fd` ({0}); workers cannot run where /proc is not mounted")]
    Proc(std::io::Error),
    /// The socket by which workers reach this process cannot be opened.
    #[error("failed to open a socket for the workers: {0}")]
    Bootstrap(std::io::Error),
    /// The operating system refused a thread.
    #[error("failed to start a thread of the supervisor: {0}")]
    Thread(std::io::Error),
}

/// Returns what an error says, followed by what its causes say, separated by colons: an error as such cannot leave its
/// process. A cause that the text contains already is left out.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = error.source();
    }
    text
}

/// Returns what else to do where descriptors are enough for `most` workers only.
fn or_fewer(most: u32) -> String {
    match most {
        0 => String::new(),
        1 => " or start only one worker".to_owned(),
        most => format!(" or start at most {most} workers"),
    }
}
