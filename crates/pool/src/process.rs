//! Worker processes: starting one, talking to it, learning of its end.
//!
//! Three threads attend a worker. The *reader* accepts its bootstrap connection and turns its frames into signals; the
//! *writer* sends frames, and may block in that as long as it likes; the *waiter* waits for the process to end. The
//! end is reported only after the reader has met the end of the channel, so that a last result is not lost with its
//! sender. No channel is shared between workers and no lock is shared between processes: whatever a worker is doing
//! when it is killed, nobody else waits for it.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender, IpcOneShotServer};
use tracing::debug;

use crate::black_box::BlackBox;
use crate::driver::Signal;
use crate::ids::WorkerId;
use crate::limits::{Limits, Settled};
use crate::wire::{Hello, Report};

/// How much of what a worker said last is kept, in bytes.
const LAST_WORDS: usize = 2048;

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// Killed by this signal.
    Signal(i32),
    /// Killed by the supervisor, as it made no progress.
    TimedOut,
    /// It aborted, as it got no more memory than [`Limits::max_memory`] lets it have.
    OutOfMemory,
    /// It could not be started.
    NotStarted(String),
    /// Nobody can tell.
    Unknown,
}

impl Exit {
    /// Whether the process brought this upon itself. A signal such as SIGKILL may as well have come from outside: from
    /// a person, a script, or a kernel that is short of memory.
    #[must_use]
    pub fn is_own_fault(&self) -> bool {
        match self {
            Self::Code(_) | Self::TimedOut | Self::OutOfMemory => true,
            Self::Signal(signal) => OWN_SIGNALS.contains(signal),
            Self::NotStarted(_) | Self::Unknown => false,
        }
    }

    /// The same end, told apart by what the process said last: a worker with limited memory that gets no more says so and
    /// aborts.
    #[must_use]
    pub(crate) fn explained_by(self, last_words: &str, limits: &Limits) -> Self {
        /// What `std::alloc::handle_alloc_error` says.
        const NO_MEMORY: &str = "memory allocation of ";
        let aborted = self == Self::Signal(libc::SIGABRT) && limits.max_memory.is_some();
        if aborted && last_words.lines().any(|line| line.starts_with(NO_MEMORY)) {
            Self::OutOfMemory
        } else {
            self
        }
    }
}

/// The signals that a process earns by what it does: signal(7).
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

/// A running worker process, as the driver holds it.
#[derive(Debug)]
pub(crate) struct WorkerProcess {
    child: Arc<Mutex<Child>>,
    outbox: Sender<Vec<u8>>,
    /// When it was started.
    pub(crate) started: Instant,
    /// What it is doing, once it has said hello.
    pub(crate) black_box: Option<BlackBox>,
}

impl WorkerProcess {
    /// Starts a worker; what it says and how it ends comes as signals. Must be called from a thread that lives as long
    /// as the pool: the kernel ends a worker together with the *thread* that started it.
    pub(crate) fn start(
        command: &WorkerCommand,
        limits: &Limits,
        id: WorkerId,
        signals: &Sender<Signal>,
    ) -> io::Result<Self> {
        let (server, address) = IpcOneShotServer::<Hello>::new()?;
        let child = Arc::new(Mutex::new(spawn(
            command,
            limits.settle(id.slot),
            &address,
        )?));
        let (outbox, inbox) = unbounded();
        let (exit_tx, exit_rx) = bounded(1);
        let worker = Self {
            child: Arc::clone(&child),
            outbox,
            started: Instant::now(),
            black_box: None,
        };
        thread::Builder::new()
            .name(format!("wait {id}"))
            .spawn(move || wait(&child, &address, &exit_tx))
            .inspect_err(|_| {
                // There is nobody else to reap it.
                worker.kill();
                let _ = lock(&worker.child).wait();
            })?;
        let signals = signals.clone();
        thread::Builder::new()
            .name(format!("read {id}"))
            .spawn(move || {
                read(server, id, inbox, &signals);
                let (exit, last_words) = exit_rx.recv().unwrap_or((Exit::Unknown, String::new()));
                debug!(worker = %id, %exit, "worker ended");
                let _ = signals.send(Signal::Exited(id, exit, last_words));
            })
            .inspect_err(|_| worker.kill())?;
        Ok(worker)
    }

    /// Queues a frame for the worker. One that is dead never gets it: its `Signal::Exited` is on the way.
    pub(crate) fn send(&self, frame: Vec<u8>) {
        let _ = self.outbox.send(frame);
    }

    /// Kills the process, unless it has ended by itself.
    pub(crate) fn kill(&self) {
        // Fails only if the process is gone already, which is what is wanted.
        let _ = lock(&self.child).kill();
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        lock(&self.child).id()
    }
}

/// A thread that panicked with the lock held has not left a `Child` in pieces.
fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn(command: &WorkerCommand, limits: Settled, address: &str) -> io::Result<Child> {
    let supervisor = std::process::id();
    let mut process = Command::new(&command.program);
    process
        .arg0(&command.name)
        .args(&command.args)
        .arg(address)
        .stdin(std::process::Stdio::null());
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
    process.stdout(std::process::Stdio::null());
    process.stderr(std::process::Stdio::piped());
    // SAFETY: between fork and exec only system calls are made, all of them async-signal-safe (prctl, getppid, and those
    // that set limits), and no memory is allocated or shared.
    unsafe {
        process.pre_exec(move || {
            die_with_parent(supervisor)?;
            limits.apply()
        });
    }
    process.spawn()
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

/// Passes on what the process says on its standard error, waits for it to end, and reports how, with its last words.
fn wait(child: &Mutex<Child>, address: &str, exit: &Sender<(Exit, String)>) {
    let stderr = lock(child).stderr.take();
    let last_words = stderr.map(pass_on).unwrap_or_default();
    // Waiting without reaping leaves the lock free for a kill, and the process id ours until the lock is held.
    let pid = rustix::process::Pid::from_child(&lock(child));
    let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) =
        rustix::process::waitid(rustix::process::WaitId::Pid(pid), options)
    {}
    let status = lock(child).wait();
    let _ = exit.send((status.map_or(Exit::Unknown, Exit::from), last_words));
    // A worker that died before it connected would leave the reader in `accept` for ever: connect in its place. Where
    // the reader is past that, the address is gone and this fails.
    let _ = knock(address);
}

/// Connects to a bootstrap socket and says nothing. `IpcSender::connect` does the same, but leaves a file descriptor
/// open each time it fails, which here is the rule.
fn knock(address: &str) -> rustix::io::Result<()> {
    use rustix::net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with,
    };
    let seqpacket = SocketType::SEQPACKET;
    let socket = socket_with(AddressFamily::UNIX, seqpacket, SocketFlags::CLOEXEC, None)?;
    connect(&socket, &SocketAddrUnix::new(address)?)
}

/// Copies a worker's standard error to ours until it ends; gives the tail of it.
fn pass_on(mut stderr: ChildStderr) -> String {
    let mut tail = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stderr.read(&mut buffer) {
            Ok(0) => break,
            Ok(got) => {
                // Where our standard error is closed there is nobody to read it.
                let _ = io::stderr().write_all(&buffer[..got]);
                tail.extend_from_slice(&buffer[..got]);
                tail.drain(..tail.len().saturating_sub(LAST_WORDS));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&tail).trim_end().to_owned()
}

/// Accepts the worker's connection, starts its writer, and reads its reports until there are no more.
fn read(
    server: IpcOneShotServer<Hello>,
    id: WorkerId,
    inbox: Receiver<Vec<u8>>,
    signals: &Sender<Signal>,
) {
    let hello = match server.accept() {
        Ok((_bootstrap, hello)) => hello,
        Err(error) => {
            debug!(worker = %id, %error, "worker did not say hello");
            return;
        }
    };
    if let Err(reason) = hello.check() {
        let _ = signals.send(Signal::Said(id, Report::Unfit(reason)));
        return;
    }
    let Hello {
        tasks,
        reports,
        black_box,
        ..
    } = hello;
    let Some(black_box) = BlackBox::new(black_box) else {
        let reason = "its black box is too small".to_owned();
        let _ = signals.send(Signal::Said(id, Report::Unfit(reason)));
        return;
    };
    let _ = signals.send(Signal::Connected(id, black_box));
    let writer = thread::Builder::new()
        .name(format!("write {id}"))
        .spawn(move || write(&tasks, &inbox));
    if let Err(error) = writer {
        let _ = signals.send(Signal::Said(
            id,
            Report::Unfit(format!("cannot start a thread: {error}")),
        ));
        return;
    }
    read_reports(&reports, id, signals);
}

fn read_reports(reports: &IpcBytesReceiver, id: WorkerId, signals: &Sender<Signal>) {
    while let Ok(frame) = reports.recv() {
        let signal = match Report::from_frame(frame) {
            Ok(report) => Signal::Said(id, report),
            Err(error) => Signal::Garbled(id, error.to_string()),
        };
        if signals.send(signal).is_err() {
            return;
        }
    }
}

/// Sends frames until there are no more or the worker is dead. Any error of a send is the worker's death, of which
/// the waiter tells.
fn write(tasks: &IpcBytesSender, inbox: &Receiver<Vec<u8>>) {
    for frame in inbox {
        if tasks.send(&frame).is_err() {
            return;
        }
    }
}
