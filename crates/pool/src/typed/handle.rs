//! The pending result of an input.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::backlog::Backlog;
use super::error::{CallError, CodecError, Part};
use super::message::{self, Answer, ChunkReport};
use super::slot::{Done, Slot, block_on};
use crate::control::Control;
use crate::wire;

/// The pending result of an input; [`Workers::submit`](super::Workers::submit) returns it. It does not keep the
/// pool alive.
///
/// Dropping a handle cancels the call. If no worker has the input yet, none will get it; if one has, that worker is
/// killed and replaced. [`detach`](Self::detach) gives up the result without cancelling the call.
///
/// A handle is also a [`Future`] of the result, for any executor. It must not be polled again after it was ready.
#[must_use = "dropping a handle cancels its call; `detach` leaves it to be done"]
pub struct Handle<T> {
    slot: Arc<Slot>,
    backlog: Arc<Backlog>,
    control: Control,
    detached: bool,
    output: PhantomData<fn() -> T>,
}

impl<T> Handle<T> {
    pub(super) fn new(slot: Arc<Slot>, backlog: Arc<Backlog>, control: Control) -> Self {
        Self {
            slot,
            backlog,
            control,
            detached: false,
            output: PhantomData,
        }
    }

    pub(super) fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Returns whether the result is there, so that [`wait`](Self::wait) returns at once.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !self.slot.is_waiting()
    }

    /// Cancels the call, as dropping the handle does. Does not wait for the worker to end.
    pub fn cancel(self) {
        drop(self);
    }

    /// Lets the call run and drops its result.
    pub fn detach(mut self) {
        self.detached = true;
    }
}

impl<T: DeserializeOwned> Handle<T> {
    /// Blocks until the result is there. The end of the pool counts as a result, so this does not block forever.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn wait(self) -> Result<T, CallError> {
        block_on(None, |cx| self.slot.poll_done(cx));
        self.open(self.slot.take())
    }

    /// Blocks until the result is there, but no longer than `timeout`. The call continues after that: to end it,
    /// drop the handle, or set a [`timeout`](super::CallOptions::timeout) for the call itself.
    ///
    /// # Errors
    /// The handle, if there is no result yet.
    pub fn wait_timeout(self, timeout: Duration) -> Result<Result<T, CallError>, Self> {
        match block_on(Some(timeout), |cx| self.slot.poll_done(cx)) {
            Some(()) => Ok(self.open(self.slot.take())),
            None => Err(self),
        }
    }

    fn open(&self, done: Option<Done>) -> Result<T, CallError> {
        let (results, _) = open(done, 1, &self.backlog);
        let mut results = results.into_iter();
        results
            .next()
            .unwrap_or_else(|| Err(stopped(&self.backlog)))
    }
}

impl<T: DeserializeOwned> Future for Handle<T> {
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.slot
            .poll_by_task(cx)
            .map(|()| self.open(self.slot.take()))
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        if !self.detached
            && self.slot.is_waiting()
            && let Some(shard) = self.backlog.cancel(&self.slot)
        {
            self.control.cancel(shard);
        }
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("done", &self.is_done())
            .finish_non_exhaustive()
    }
}

/// Returns the results of a chunk of this many inputs, and how long a worker took for it.
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
    let ChunkReport { nanos, mut answers } = match wire::decode(&report) {
        Ok(report) => report,
        Err(error) => {
            let error = CodecError::decode::<ChunkReport>(Part::Report, &error);
            return every(CallError::Codec(error));
        }
    };
    // Each input gets its one result, whatever the worker says.
    answers.resize_with(inputs, || {
        Answer::Codec(CodecError::Decode {
            part: Part::Report,
            reason: "it says nothing of this input".to_owned(),
        })
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
