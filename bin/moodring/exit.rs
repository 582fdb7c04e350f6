//! How a command ends: the sentence a person reads and the code a script reads.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked the wrong way; code 2, as clap's own errors.
    Usage(anyhow::Error),
    /// It could not; code 1.
    Failed(anyhow::Error),
    /// The workers kept dying; code 3.
    Defeated(anyhow::Error),
    /// A signal ended it; code 128 and the signal's number.
    Interrupted(i32),
    /// Whoever read its output has gone, as `head` does. That is no error.
    OutputClosed,
}

impl Failure {
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    pub(crate) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self::Failed(error.into())
    }
}

/// Says what went wrong, in one line, and gives the exit code.
pub(crate) fn conclude(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(Failure::Usage(error)) => report(&error, 2),
        Err(Failure::Failed(error)) => report(&error, 1),
        Err(Failure::Defeated(error)) => report(&error, 3),
        Err(Failure::Interrupted(signal)) => {
            ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX))
        }
    }
}

fn report(error: &anyhow::Error, code: u8) -> ExitCode {
    // Where stderr is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "moodring: {}", one_line(format!("{error:#}")));
    ExitCode::from(code)
}

fn one_line(sentence: impl Display) -> String {
    sentence.to_string().replace('\n', " ")
}
