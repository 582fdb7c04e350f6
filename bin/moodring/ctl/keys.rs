//! Keys, one at a time and without Enter.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// What ended a wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// The time is over.
    Time,
    /// A key was pressed.
    Key(u8),
    /// A signal that asks for the end.
    Signal(i32),
}

/// The terminal of standard input, which gives each key at once and shows none, until the value is dropped.
#[derive(Debug)]
pub(super) struct Keys {
    before: Termios,
    /// The last signal that came; 0 if none did.
    signal: Arc<AtomicUsize>,
}

impl Keys {
    /// Changes the terminal's mode; `None` if standard input is no terminal, or one of another job.
    pub(super) fn open() -> io::Result<Option<Self>> {
        let stdin = io::stdin();
        let is_foreground = rustix::termios::tcgetpgrp(&stdin)
            .is_ok_and(|group| group == rustix::process::getpgrp());
        if !stdin.is_terminal() || !is_foreground {
            return Ok(None);
        }
        let signal = Arc::new(AtomicUsize::new(0));
        for (number, value) in [(SIGINT, 2), (SIGTERM, 15), (SIGHUP, 1)] {
            signal_hook::flag::register_usize(number, Arc::clone(&signal), value)?;
        }
        let before = tcgetattr(&stdin)?;
        let mut mode = before.clone();
        mode.local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Now, &mode)?;
        Ok(Some(Self { before, signal }))
    }

    /// Waits for a key or a signal, but no longer than `limit`.
    pub(super) fn wait(&self, limit: Duration) -> io::Result<Woken> {
        let deadline = Instant::now() + limit;
        let stdin = io::stdin();
        loop {
            if let signal @ 1.. = self.signal.load(Ordering::SeqCst) {
                return Ok(Woken::Signal(i32::try_from(signal).unwrap_or(SIGTERM)));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).ok();
            let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
            match poll(&mut polled, left.as_ref()) {
                Ok(0) => return Ok(Woken::Time),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let mut key = [0];
            return match rustix::io::read(&stdin, &mut key)? {
                // The terminal is gone.
                0 => Ok(Woken::Signal(SIGHUP)),
                _ => Ok(Woken::Key(key[0])),
            };
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that is gone needs no mode.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
