//! How a worker process ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// How a worker process ended. Its text follows "the worker", as in "the worker exited with code 1".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// A signal with this number killed it.
    Signal(i32),
    /// The supervisor killed it because it made no progress.
    TimedOut,
    /// It aborted because of [`Limits::max_memory`](crate::Limits::max_memory).
    OutOfMemory,
    /// It could not be started, or could not be talked to, for this reason.
    NotStarted(String),
    /// Something else in this process reaped it, so how it ended is not known.
    Unknown,
}

impl Exit {
    /// Returns whether the process itself caused its end. A signal such as SIGKILL may as well have come from
    /// outside: from a person, a script, or a kernel that is short of memory.
    #[must_use]
    pub fn is_own_fault(&self) -> bool {
        match self {
            Self::Code(_) | Self::TimedOut | Self::OutOfMemory => true,
            Self::Signal(signal) => OWN_SIGNALS.contains(signal),
            Self::NotStarted(_) | Self::Unknown => false,
        }
    }

    /// Returns [`Exit::OutOfMemory`] instead of an abort if the last words say so: a Rust program whose memory is
    /// limited prints a message and aborts when an allocation fails.
    #[must_use]
    pub(crate) fn explained_by(self, last_words: &str, memory_is_limited: bool) -> Self {
        /// What `std::alloc::handle_alloc_error` prints.
        const NO_MEMORY: &str = "memory allocation of ";
        let aborted = self == Self::Signal(libc::SIGABRT) && memory_is_limited;
        if aborted && last_words.lines().any(|line| line.starts_with(NO_MEMORY)) {
            Self::OutOfMemory
        } else {
            self
        }
    }
}

/// The signals that a process gets for what it does itself: signal(7).
const OWN_SIGNALS: [i32; 8] = [
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGSEGV,
    libc::SIGSYS,
    libc::SIGTRAP,
    libc::SIGXCPU,
];

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(signal) => write!(f, "was killed by signal {signal}"),
            Self::TimedOut => f.write_str("made no progress and was killed"),
            Self::OutOfMemory => f.write_str("exceeded its memory limit"),
            Self::NotStarted(reason) => write!(f, "could not be started: {reason}"),
            Self::Unknown => f.write_str("ended for no known reason"),
        }
    }
}
