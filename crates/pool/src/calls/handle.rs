//! The result of one input, to be waited for.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;
use serde::de::DeserializeOwned;

use super::CallError;
use super::backlog::{Backlog, Done, Reply};
use super::message::{self, Answer, Report};
use crate::wire;

/// An input on its way, from [`Workers::submit`](super::Workers::submit). It does not keep the pool alive, and dropping
/// it does not stop the call.
pub struct Handle<T> {
    replies: Receiver<Reply>,
    backlog: Arc<Backlog>,
    output: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Handle<T> {
    pub(super) fn new(replies: Receiver<Reply>, backlog: Arc<Backlog>) -> Self {
        Self {
            replies,
            backlog,
            output: PhantomData,
        }
    }

    /// Whether the result is here, so that [`wait`](Self::wait) returns at once.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !self.replies.is_empty()
    }

    /// Waits for the result. It comes in any case, as the pool's end is one too.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn wait(self) -> Result<T, CallError> {
        let reply = self.replies.recv().ok();
        self.open(reply)
    }

    /// Waits for the result for so long, and gives the handle back if it did not come. The call goes on: to end one that
    /// takes too long, there is [`timeout`](super::WorkersBuilder::timeout).
    ///
    /// # Errors
    /// The handle, if there is no result yet.
    pub fn wait_timeout(self, timeout: Duration) -> Result<Result<T, CallError>, Self> {
        match self.replies.recv_timeout(timeout) {
            Ok(reply) => Ok(self.open(Some(reply))),
            Err(_) => Err(self),
        }
    }

    fn open(&self, reply: Option<Reply>) -> Result<T, CallError> {
        let done = reply.and_then(|reply| reply.done);
        let (results, _) = open(done, 1, &self.backlog);
        let mut results = results.into_iter();
        results
            .next()
            .unwrap_or_else(|| Err(stopped(&self.backlog)))
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = !self.replies.is_empty();
        f.debug_struct("Handle")
            .field("done", &done)
            .finish_non_exhaustive()
    }
}

/// The results of a chunk of so many inputs, and how long a worker was at it.
pub(super) fn open<T: DeserializeOwned>(
    done: Option<Done>,
    inputs: usize,
    backlog: &Backlog,
) -> (Vec<Result<T, CallError>>, Duration) {
    let every = |error: CallError| {
        let results = (0..inputs).map(|_| Err(error.clone()));
        (results.collect(), Duration::ZERO)
    };
    let Some(Done {
        report,
        quarantined,
    }) = done
    else {
        return every(stopped(backlog));
    };
    let Report { nanos, mut answers } = match wire::decode(&report) {
        Ok(report) => report,
        Err(error) => return every(CallError::Codec(error.to_string())),
    };
    // Each input gets its one result, whatever the worker says.
    answers.resize_with(inputs, || {
        Answer::Codec("the answer: there is none".to_owned())
    });
    let mut quarantined = quarantined.into_iter();
    let results = answers
        .into_iter()
        .map(|answer| message::result(answer, &mut quarantined));
    (results.collect(), Duration::from_nanos(nanos))
}

fn stopped(backlog: &Backlog) -> CallError {
    CallError::Stopped(backlog.why_lost())
}
