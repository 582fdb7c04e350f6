//! File descriptors: their numbers, and how many workers there are enough for.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit};

/// How many the supervisor holds for a worker, at most: while it starts, the socket that it connects to, its
/// connection, its descriptors as they came and as ipc-channel has them, and the pipe and the process itself. A
/// running one takes six.
const PER_WORKER: u64 = 8;

/// How many are kept for all else: the input, the output, and what a start takes for a moment.
const RESERVE: u64 = 16;

/// The limit as this process was started with; none before [`raise`] was called.
static INHERITED: OnceLock<Rlimit> = OnceLock::new();

/// Raises the limit as far as this process may without asking. Workers get the one that this process was started with.
pub(crate) fn raise() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let limit = *INHERITED.get_or_init(|| limit);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Where it is refused, there is less room, as `workers` finds.
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
}

/// The limit as it was before [`raise`].
pub(crate) fn inherited() -> Option<Rlimit> {
    INHERITED.get().copied()
}

/// The limit as it is; `None` if there is none.
pub(crate) fn limit() -> Option<u64> {
    rustix::process::getrlimit(Resource::Nofile).current
}

/// Returns how many descriptors are open. If not even the list can be opened, these are all that the limit allows.
///
/// # Errors
/// If `/proc` is not mounted.
pub(crate) fn open() -> io::Result<u64> {
    match std::fs::read_dir("/proc/self/fd") {
        Ok(open) => Ok(open.count() as u64),
        Err(error) if error.raw_os_error() == Some(libc::EMFILE) => Ok(limit().unwrap_or(0)),
        Err(error) => Err(error),
    }
}

/// Returns how many more workers there are descriptors for, if `open` ones are taken.
pub(crate) fn room(open: u64) -> u32 {
    limit().map_or(u32::MAX, |limit| workers_within(limit, open))
}

/// Returns how many descriptors a process needs for this many workers, if it has `open` ones already.
pub(crate) fn need(workers: u32, open: u64) -> u64 {
    open + RESERVE + PER_WORKER * u64::from(workers)
}

fn workers_within(limit: u64, open: u64) -> u32 {
    let free = limit.saturating_sub(open + RESERVE);
    u32::try_from(free / PER_WORKER).unwrap_or(u32::MAX)
}

/// The path that leads to what a descriptor of this process is of.
pub(crate) fn path(fd: impl AsFd) -> String {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd())
}

/// The same descriptor under a number that a child's standard input, output and error do not take.
pub(crate) fn above_stdio(fd: OwnedFd) -> io::Result<OwnedFd> {
    if fd.as_raw_fd() > 2 {
        return Ok(fd);
    }
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 3)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_already_leaves_less_room() {
        assert_eq!(workers_within(1024, 10), 124);
        assert_eq!(workers_within(1024, 900), 13);
        assert_eq!(workers_within(28, 5), 0);
        assert_eq!(workers_within(u64::MAX, 5), u32::MAX);
    }
}
