//! How a command ends: the sentence a person reads and the code a script reads.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::human::counted;
use crate::run::progress;
use crate::standard_error::{self, PATIENCE};
use crate::streams;
use crate::visible::visible;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked the wrong way; code 2, as clap's own errors.
    Usage(anyhow::Error),
    /// It could not; code 1.
    Failed(anyhow::Error),
    /// The workers kept dying; code 3.
    Defeated(anyhow::Error),
    /// It was asked to end before it was done; code 143, as if by a signal.
    Drained(anyhow::Error),
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
    if let dropped @ 1.. = standard_error::take_dropped() {
        let lines = counted(dropped, "line");
        say(&format!(
            "{lines} that belonged here were dropped: nobody read them in time"
        ));
    }
    match result {
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(Failure::Usage(error)) => report(&error, 2),
        Err(Failure::Failed(error)) => report(&error, 1),
        Err(Failure::Defeated(error)) => report(&error, 3),
        Err(Failure::Drained(error)) => report(&error, 143),
        Err(Failure::Interrupted(signal)) => {
            ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX))
        }
    }
}

/// Says why the command line cannot be understood, in one line like any other error; help is printed as it is.
pub(crate) fn conclude_parsing(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        if !error.use_stderr()
            && let Err(closed) = streams::check_output()
        {
            return conclude(Err(Failure::Usage(closed)));
        }
        // Where the output is closed there is nobody to read it.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    if let Some(sentence) = forgotten_command(error) {
        say(&sentence);
        return ExitCode::from(2);
    }
    let rendered = error.to_string();
    let lines = rendered
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let telling = lines.filter(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    // What is listed stands on lines of its own below a line that ends with a colon.
    let mut sentence = String::new();
    for line in telling {
        let joint = match &sentence {
            empty if empty.is_empty() => "",
            sentence if sentence.ends_with(':') => " ",
            _ if line.starts_with(['<', '-']) => ", ",
            _ => "; ",
        };
        sentence.push_str(joint);
        sentence.push_str(line);
    }
    let sentence = sentence.strip_prefix("error: ").unwrap_or(&sentence);
    let lacks_input = error.kind() == ErrorKind::MissingRequiredArgument
        && sentence.contains("<INPUT>")
        && !io::stdin().is_terminal();
    let hint = if lacks_input {
        "; give `-` to read standard input"
    } else {
        ""
    };
    say(&format!("{sentence}{hint}; see --help"));
    ExitCode::from(2)
}

/// Returns what to say to someone who left out `score` and began with an input.
fn forgotten_command(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let ContextValue::String(typed) = error.get(ContextKind::InvalidSubcommand)? else {
        return None;
    };
    let is_input = typed == "-" || typed.contains(['.', '/', '*']) || Path::new(typed).exists();
    is_input.then(|| {
        let typed = visible(typed);
        format!("`{typed}` is not a command; to score it, run `moodring score {typed}`")
    })
}

fn report(error: &anyhow::Error, code: u8) -> ExitCode {
    let mut sentence = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Our own errors say what caused them; others leave that to their sources.
        if sentence.is_empty() {
            sentence = cause;
        } else if !sentence.contains(&cause) {
            sentence = format!("{sentence}: {cause}");
        }
    }
    say(&sentence);
    ExitCode::from(code)
}

/// Prints what became of a run that was ended early.
pub(crate) fn note(sentence: &str) {
    say(sentence);
}

/// Prints a warning that must be seen, whatever the log level.
pub(crate) fn warn(sentence: &str) {
    say(&format!("warning: {sentence}"));
}

/// Prints one line, whatever stands in the sentence. Where stderr is closed there is nobody to tell.
fn say(sentence: &str) {
    let mut line = format!("moodring: {}", sentence.replace('\n', " "));
    if io::stderr().is_terminal() {
        line = wrapped(&line, usize::from(console::Term::stderr().size().1));
    }
    line.push('\n');
    progress::above(|| standard_error::write(line.as_bytes(), PATIENCE));
}

/// Breaks a line between words, so that a terminal of this width does not break it within one.
fn wrapped(line: &str, width: usize) -> String {
    let mut page = String::new();
    let mut used = 0;
    for word in line.split(' ') {
        let wide = console::measure_text_width(word);
        if used > 0 && used + 1 + wide > width {
            page.push_str("\n  ");
            used = 2;
        } else if used > 0 {
            page.push(' ');
            used += 1;
        }
        page.push_str(word);
        used += wide;
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_broken_between_words() {
        let line = "moodring: there is no file `a`: check its name";
        assert_eq!(wrapped(line, 80), line);
        assert_eq!(
            wrapped(line, 24),
            "moodring: there is no\n  file `a`: check its\n  name"
        );
        assert_eq!(wrapped("a_very_long_word b", 4), "a_very_long_word\n  b");
    }
}
