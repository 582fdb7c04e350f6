//! Panics of others, as errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use thiserror::Error;

/// Returns what a panic says.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

/// A call of ipc-channel panicked, and said this.
#[derive(Debug, Error)]
#[error("its channel failed, as it does where file descriptors run out: {0}")]
pub(crate) struct ChannelPanicked(String);

/// Runs a call of ipc-channel, which panics where file descriptors run out.
pub(crate) fn ipc_call<T>(call: impl FnOnce() -> T) -> Result<T, ChannelPanicked> {
    // The channel is not used after a panic.
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| ChannelPanicked(message(&*panic)))
}
