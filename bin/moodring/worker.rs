//! The hidden command that a supervisor starts its workers with.

use std::process::ExitCode;

use crate::cli::WorkerArgs;

/// Serves the supervisor until it needs no more.
pub(crate) fn run(args: &WorkerArgs) -> ExitCode {
    moodring_job::serve(&args.address)
}
