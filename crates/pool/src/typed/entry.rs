//! How one executable is both the program and its workers.

use std::env;
use std::ffi::OsString;
use std::process::{ExitCode, exit};

use super::Call;
use super::job::CallJob;
use crate::process::WorkerCommand;
use crate::worker;

/// The first argument of a worker. Then come the name of its call and the address of its supervisor.
const MARK: &str = "--moodring-worker";

/// Turns this process into a worker if it was started as one, and returns only if it was not. It must be the first
/// thing in `main`: what stands before it is done by every worker too.
///
/// A program with several types of call has one line for each; their [names](Call::name) tell them apart.
///
/// A worker is told by its command line and not by its environment, which the processes it starts would inherit.
pub fn serve_if_worker<C: Call>() {
    let Some([name, address]) = worker_arguments() else {
        return;
    };
    if name != C::name() {
        return;
    }
    let Some(address) = address.to_str() else {
        return;
    };
    let success = worker::serve::<CallJob<C>>(address) == ExitCode::SUCCESS;
    exit(i32::from(!success));
}

/// Whether this process was started as a worker, of whatever call.
pub(super) fn is_worker() -> bool {
    worker_arguments().is_some()
}

/// Starts this same executable as a worker of `C`, under the name that this process has.
pub(super) fn command<C: Call>() -> WorkerCommand {
    let name = env::args_os().next().unwrap_or_default();
    WorkerCommand::this_program(&name.to_string_lossy(), &[MARK, C::name()])
}

fn worker_arguments() -> Option<[OsString; 2]> {
    let mut args = env::args_os().skip(1);
    if args.next()? != MARK {
        return None;
    }
    let known = [args.next()?, args.next()?];
    args.next().is_none().then_some(known)
}
