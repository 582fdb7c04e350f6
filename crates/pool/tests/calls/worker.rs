//! The program that becomes the worker in the tests of calls.

mod moody;

use std::process::ExitCode;

use moodring_pool::serve_if_worker;

fn main() -> ExitCode {
    serve_if_worker::<moody::Moody>();
    serve_if_worker::<moody::Parent>();
    serve_if_worker::<moody::Carrier<moody::Untagged>>();
    serve_if_worker::<moody::Giver>();
    // A worker of a call that is not served comes here, and must do nothing.
    ExitCode::from(9)
}
