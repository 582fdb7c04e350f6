//! The hidden command that a supervisor starts its workers with.

use std::process::ExitCode;

use moodring_job::AnyJob;
use moodring_pool::worker;

use crate::cli::WorkerArgs;

/// Serves the supervisor until it needs no more.
pub(crate) fn run(args: &WorkerArgs) -> ExitCode {
    #[cfg(feature = "faults")]
    moodring_job::faults::Faults::from_environment().strike_at(moodring_job::faults::Point::Hello);
    worker::serve::<AnyJob>(&args.address)
}
