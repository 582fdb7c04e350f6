//! The program that becomes the worker in the tests of calls.

mod test_call;

use std::process::ExitCode;

use moodring_pool::serve_if_worker;

fn main() -> ExitCode {
    serve_if_worker::<test_call::TestCall>();
    serve_if_worker::<test_call::Parent>();
    serve_if_worker::<test_call::Carrier<test_call::Untagged>>();
    serve_if_worker::<test_call::Giver>();
    // A worker of a call that is not served comes here, and must do nothing.
    ExitCode::from(9)
}
