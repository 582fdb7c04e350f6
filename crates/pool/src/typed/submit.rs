//! Submits one input at a time.

use std::future::poll_fn;
use std::sync::Arc;

use super::Call;
use super::backlog::{Refused, Ticket};
use super::error::TrySubmitError;
use super::handle::Handle;
use super::options::CallOptions;
use super::slot::Slot;
use super::workers::Workers;

impl<C: Call> Workers<C> {
    /// Submits an input and returns a handle to wait for its result. Blocks while the
    /// [`backlog`](super::WorkersBuilder::backlog) is full. If the pool is closed or has ended, the handle gets
    /// [`CallError::Stopped`](super::CallError::Stopped).
    pub fn submit(&self, input: C::Input) -> Handle<C::Output> {
        self.with(CallOptions::new()).submit(input)
    }

    /// Like [`submit`](Self::submit), but never blocks.
    ///
    /// # Errors
    /// [`TrySubmitError`] with the input if the backlog is full or the pool takes no more inputs.
    pub fn try_submit(
        &self,
        input: C::Input,
    ) -> Result<Handle<C::Output>, TrySubmitError<C::Input>> {
        self.with(CallOptions::new()).try_submit(input)
    }

    /// Like [`submit`](Self::submit), for async code: the future is ready once there is room in the backlog, and
    /// returns the handle, which is itself a future. It works with any executor. Dropping the future withdraws the
    /// input.
    ///
    /// ```
    /// use moodring_pool::{Call, CallError, Workers};
    ///
    /// async fn call<F: Call>(pool: &Workers<F>, input: F::Input) -> Result<F::Output, CallError> {
    ///     pool.submit_async(input).await.await
    /// }
    /// ```
    pub fn submit_async(
        &self,
        input: C::Input,
    ) -> impl Future<Output = Handle<C::Output>> + use<'_, C> {
        self.with(CallOptions::new()).submit_async(input)
    }

    /// Returns a value that submits inputs with their own options, such as a timeout.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use moodring_pool::{Call, CallOptions, Handle, Workers};
    ///
    /// fn hurry<F: Call>(pool: &Workers<F>, input: F::Input) -> Handle<F::Output> {
    ///     let options = CallOptions::new().timeout(Duration::from_secs(1));
    ///     pool.with(options).submit(input)
    /// }
    /// ```
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Submit<'_, C> {
        Submit::new(self, options)
    }
}

/// Submits inputs with the same [`CallOptions`]; [`Workers::with`] returns it.
#[derive(Debug)]
pub struct Submit<'a, C: Call> {
    workers: &'a Workers<C>,
    options: CallOptions,
}

impl<C: Call> Clone for Submit<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Call> Copy for Submit<'_, C> {}

impl<'a, C: Call> Submit<'a, C> {
    pub(super) fn new(workers: &'a Workers<C>, options: CallOptions) -> Self {
        Self { workers, options }
    }

    /// As [`Workers::submit`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an input is given away here as it is in `map`"
    )]
    pub fn submit(self, input: C::Input) -> Handle<C::Output> {
        let (slot, ticket) = reply();
        let task = vec![self.workers.encode(&input)];
        if let Some(request) = self.workers.request(&task, self.options, ticket) {
            self.workers.backlog().push(request);
        }
        self.workers.handle(slot)
    }

    /// As [`Workers::try_submit`].
    ///
    /// # Errors
    /// As [`Workers::try_submit`].
    pub fn try_submit(
        self,
        input: C::Input,
    ) -> Result<Handle<C::Output>, TrySubmitError<C::Input>> {
        // Encoding an input that is then refused would be for nothing; most are refused here.
        if self.workers.backlog().is_full() {
            return Err(TrySubmitError::Full(input));
        }
        let (slot, ticket) = reply();
        let task = vec![self.workers.encode(&input)];
        let Some(request) = self.workers.request(&task, self.options, ticket) else {
            return Ok(self.workers.handle(slot));
        };
        match self.workers.backlog().try_push(request) {
            Ok(()) => Ok(self.workers.handle(slot)),
            Err(Refused::Full) => Err(TrySubmitError::Full(input)),
            Err(Refused::Stopped) => {
                let why = self.workers.backlog().why_lost();
                Err(TrySubmitError::Stopped(input, why))
            }
        }
    }

    /// As [`Workers::submit_async`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an input is given away here as it is in `map`"
    )]
    #[expect(
        clippy::async_yields_async,
        reason = "there is something to do between: other inputs can be submitted"
    )]
    pub fn submit_async(
        self,
        input: C::Input,
    ) -> impl Future<Output = Handle<C::Output>> + use<'a, C> {
        let (slot, ticket) = reply();
        let task = vec![self.workers.encode(&input)];
        let mut request = self.workers.request(&task, self.options, ticket);
        async move {
            if request.is_some() {
                poll_fn(|cx| self.workers.backlog().poll_push(&mut request, cx)).await;
            }
            self.workers.handle(slot)
        }
    }
}

/// A place for one reply, and the right to it.
fn reply() -> (Arc<Slot>, Ticket) {
    let slot = Arc::new(Slot::default());
    let ticket = Ticket::for_slot(Arc::clone(&slot));
    (slot, ticket)
}
