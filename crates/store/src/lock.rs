//! Locks on files, held for as long as the file is open.

use std::fs::File;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// How long to wait for whoever has the lock. A process that is starting a child shares its locks with that child until
/// the child runs its own program; if the process is killed in that moment, its locks outlive it by as long as the child
/// takes to die.
const PATIENCE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(5);

/// Locks a file against others who do the same. Returns false if another still has it after half a second.
pub(crate) fn lock(file: &File) -> Result<bool, Errno> {
    let ends = Instant::now() + PATIENCE;
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK) if Instant::now() < ends => thread::sleep(PAUSE),
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    #[test]
    fn a_lock_that_outlives_its_owner_for_a_moment_is_waited_for() {
        let named = tempfile::NamedTempFile::new().unwrap();
        let open = || OpenOptions::new().write(true).open(named.path()).unwrap();
        let (first, second) = (open(), open());
        assert_eq!(lock(&first), Ok(true));
        assert_eq!(lock(&second), Ok(false), "its owner is alive");
        let dying = thread::spawn(move || drop(first));
        assert_eq!(lock(&second), Ok(true));
        dying.join().unwrap();
    }
}
