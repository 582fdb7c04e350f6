//! Controls a run by signals.
//!
//! SIGINT and SIGTERM: the first ends the run after the work in progress, the second ends it at once. SIGUSR1 and SIGUSR2
//! add and remove a worker; SIGHUP replaces all workers, one at a time.
//!
//! gunicorn and other servers scale by SIGTTIN and SIGTTOU. A server has no terminal. A terminal sends these two repeatedly
//! to a background job that reads from it or changes its settings, and each would scale the run. So they keep their default
//! action here: the job stops until it is in the foreground.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use moodring_pool::Control;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
use signal_hook::iterator::Signals;

use super::clean_up::CleanUp;
use super::run_control::RunControl;

/// Makes a write beyond the limit on a file's size (`ulimit -f`) an error instead of a signal that kills the process.
pub(crate) fn ignore_file_size_signal() -> io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop)
}

/// Passes signals on to `control` from now on. If the thread that does so panics, the run of the pool fails; a process
/// without one ends.
pub(crate) fn listen(
    control: RunControl,
    pool: Option<&Control>,
    clean_up: CleanUp,
) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP])
        .map_err(|error| cannot_listen(&error))?;
    let forward = move || {
        for signal in signals.forever() {
            match signal {
                SIGINT | SIGTERM => control.end(signal),
                SIGUSR1 => control.add_worker(),
                SIGUSR2 => control.remove_worker(),
                _ => control.renew(),
            }
        }
    };
    let spawned = match pool {
        Some(pool) => pool.spawn("signals", forward),
        None => thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                if catch_unwind(AssertUnwindSafe(forward)).is_err() {
                    clean_up.exit(1);
                }
            })
            .map(drop),
    };
    spawned.map_err(|error| cannot_listen(&error))
}

/// Explains an error of the system.
fn cannot_listen(error: &io::Error) -> io::Error {
    let sentence = format!(
        "failed to listen for signals ({error}): try again when fewer processes run and fewer files are open, or raise \
         the limits that `ulimit -a` shows"
    );
    io::Error::new(error.kind(), sentence)
}
