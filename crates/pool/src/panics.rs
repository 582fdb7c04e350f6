//! Panics of others, as errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic says.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|&text| text.to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it does not say why".to_owned())
}

/// Runs a call of ipc-channel, which panics where file descriptors run out.
pub(crate) fn ipc_call<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    // The channel is not used after a panic.
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let panic = message(&*panic);
        format!("its channel failed, as it does where file descriptors run out: {panic}")
    })
}
