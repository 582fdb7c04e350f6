//! Calls in real worker processes. This executable becomes the worker, which the usual test harness has no place for;
//! so `main` is ours, and understands what cargo and nextest ask of a test executable.

mod errors;
mod lifecycle;
mod moody;
mod results;

use std::panic::catch_unwind;
use std::process::ExitCode;

use moodring_pool::serve_if_worker;

type Test = (&'static str, fn());

fn main() -> ExitCode {
    serve_if_worker::<moody::Moody>();
    serve_if_worker::<moody::Parent>();

    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    // An `Unserved` worker comes here, and must do nothing.
    if has("--moodring-worker") {
        return ExitCode::from(9);
    }
    let tests = [results::TESTS, errors::TESTS, lifecycle::TESTS].concat();
    // No test is ignored.
    if has("--ignored") {
        return ExitCode::SUCCESS;
    }
    if has("--list") {
        for (name, _) in tests {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| {
        let matches = |filter: &&String| {
            name == filter.as_str() || !has("--exact") && name.contains(filter.as_str())
        };
        filters.is_empty() || filters.iter().any(matches)
    };
    run(tests.into_iter().filter(|(name, _)| wanted(name)))
}

/// Runs the tests one after the other, as they look at the children of this process.
fn run(tests: impl Iterator<Item = Test>) -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in tests {
        let ok = catch_unwind(test).is_ok();
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        if ok {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. {passed} passed; {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}

/// The tests of a module, by name. One that is not listed is dead code, and said to be.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        pub(crate) const TESTS: &[crate::Test] = &[$((stringify!($name), $name)),*];
    };
}
use tests;
