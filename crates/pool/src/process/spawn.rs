//! Starting a worker process: its command line, its limits, and what it inherits.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::io::FdFlags;

use crate::limits::ResolvedLimits;

/// How to start a worker: a command that ends in [`worker::serve`](crate::worker::serve) when the address of its
/// bootstrap socket is appended to it.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The executable.
    pub program: std::path::PathBuf,
    /// Its name in process listings.
    pub name: String,
    /// Its arguments before the address.
    pub args: Vec<String>,
    /// Environment variables to set, or with `None` to remove, on top of those it inherits.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// Its working folder; the supervisor's if `None`.
    pub current_dir: Option<std::path::PathBuf>,
}

impl WorkerCommand {
    /// This same executable, started with `args`. It is named by `/proc/self/exe`, which stays the same program even
    /// if an upgrade replaces the file while the pool runs.
    #[must_use]
    pub fn this_program(name: &str, args: &[&str]) -> Self {
        Self {
            program: "/proc/self/exe".into(),
            name: name.to_owned(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            env: Vec::new(),
            current_dir: None,
        }
    }
}

/// Starts the process. It inherits `path_fd` and `page`, whose numbers are the last argument of its command line: see
/// [`worker::serve`](crate::worker::serve).
pub(super) fn spawn(
    command: &WorkerCommand,
    limits: ResolvedLimits,
    path_fd: &OwnedFd,
    page: &OwnedFd,
) -> io::Result<Child> {
    let supervisor = std::process::id();
    let inherited = [path_fd.as_raw_fd(), page.as_raw_fd()];
    let mut process = Command::new(&command.program);
    process
        .arg0(&command.name)
        .args(&command.args)
        .arg(format!("{}:{}", inherited[0], inherited[1]));
    for (name, value) in &command.env {
        match value {
            Some(value) => process.env(name, value),
            None => process.env_remove(name),
        };
    }
    if let Some(folder) = &command.current_dir {
        process.current_dir(folder);
    }
    // The results are on the channel; a worker must not be able to write into the output of the run.
    process.stdin(null()?).stdout(null()?);
    process.stderr(Stdio::piped());
    // SAFETY: between fork and exec only system calls are made, all of them async-signal-safe (fcntl, prctl, getppid,
    // and those that set limits), and no memory is allocated or shared.
    unsafe {
        process.pre_exec(move || {
            inherited.into_iter().try_for_each(keep_over_exec)?;
            die_with_parent(supervisor)?;
            limits.apply()
        });
    }
    process.spawn()
}

/// Opens the null device, and names it if that fails: the error of a start does not say which file is missing.
fn null() -> io::Result<Stdio> {
    let null = File::options().read(true).write(true).open("/dev/null");
    null.map(Stdio::from)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot open `/dev/null`: {error}")))
}

/// Lets the program that is executed next have this descriptor. Only the forked child's flag changes: no other process
/// that this one starts meanwhile gets it.
fn keep_over_exec(fd: RawFd) -> io::Result<()> {
    // SAFETY: the parent holds the descriptor open until the fork has returned there, so the child has its copy.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    Ok(rustix::io::fcntl_setfd(fd, FdFlags::empty())?)
}

/// Has the kernel kill this process when its parent dies, however that happens.
fn die_with_parent(parent: u32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // If the parent died before the call above, no signal will come.
    let alive = rustix::process::getppid()
        .is_some_and(|pid| pid.as_raw_nonzero().get().unsigned_abs() == parent);
    if alive {
        Ok(())
    } else {
        Err(io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
