//! The threads that attend one worker.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, ChildStderr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions};
use tracing::debug;

use super::bootstrap::{self, BootstrapSocket, HelloError, Relay};
use super::child::{kill, lock};
use super::forward::Forwarder;
use crate::driver_event::DriverEvent;
use crate::exit::Exit;
use crate::ids::WorkerId;
use crate::transport::{FrameReceiver, FrameSender, ReceiveError};
use crate::wire::WorkerMessage;

/// How much of what a worker said last is kept, in bytes.
const LAST_WORDS: usize = 2048;

/// How much of what is in the pipe at a worker's death is passed on, in bytes: more than a pipe holds unless a process
/// that the worker started writes on.
const MAX_DRAIN: usize = 1 << 20;

/// How often a process is looked at where the system gives no descriptor for it.
const LOOK_PERIOD: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

/// How long the reader may take to read what a dead worker has sent. It is not blocked in that by anyone.
const MAX_READING: Duration = Duration::from_secs(30);

/// The sockets to a worker, to be shut at its death.
///
/// Its end of them is closed then, unless a process that it forked still holds it; and a thread of ours that waits for
/// the worker must not wait for that one.
#[derive(Debug)]
pub(super) struct Connections(Mutex<Sockets>);

#[derive(Debug)]
struct Sockets {
    shut: bool,
    open: Vec<Arc<OwnedFd>>,
}

impl Connections {
    pub(super) fn new(socket: &BootstrapSocket) -> Self {
        Self(Mutex::new(Sockets {
            shut: false,
            open: vec![Arc::clone(&socket.listener)],
        }))
    }

    /// Has these sockets instead of those that it had.
    fn replace(&self, sockets: Vec<Arc<OwnedFd>>) {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        line.open = sockets;
        if line.shut {
            line.shut_all();
        }
    }

    /// Wakes whoever waits on a socket. What has been received already can still be read.
    fn shut(&self) {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        line.shut = true;
        line.shut_all();
    }
}

impl Sockets {
    fn shut_all(&mut self) {
        for socket in self.open.drain(..) {
            // Fails only if there is nobody at the other end, which is what is wanted.
            let _ = rustix::net::shutdown(&socket, rustix::net::Shutdown::Both);
        }
    }
}

/// Waits for a worker to end and reports it: however the thread ends, a panic included.
pub(super) struct Waiter {
    id: WorkerId,
    line: Arc<Connections>,
    stderr: Forwarder,
    /// Disconnected when the reader has ended.
    reading: Receiver<()>,
    events: Sender<DriverEvent>,
}

impl Waiter {
    pub(super) fn new(
        id: WorkerId,
        line: Arc<Connections>,
        stderr: Forwarder,
        reading: Receiver<()>,
        events: Sender<DriverEvent>,
    ) -> Self {
        Self {
            id,
            line,
            stderr,
            reading,
            events,
        }
    }

    pub(super) fn run(self, child: &Mutex<Child>) {
        let mut end = End {
            waiter: self,
            child,
            last_words: Tail::default(),
        };
        end.last_words.follow(child, &end.waiter.stderr);
    }
}

/// Reaps the worker and reports its end when it is dropped.
struct End<'a> {
    waiter: Waiter,
    child: &'a Mutex<Child>,
    last_words: Tail,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            // It may be alive, with nobody left who waits for it. Else it is not killed, as its id may be another's.
            kill(self.child);
        }
        let exit = lock(self.child).wait().map_or(Exit::Unknown, Exit::from);
        self.waiter.line.shut();
        let _ = self.waiter.reading.recv_timeout(MAX_READING);
        let id = self.waiter.id;
        let exited = DriverEvent::Exited(id, exit.clone(), self.last_words.text());
        let _ = self.waiter.events.send(exited);
        // Last, as the log may block.
        debug!(worker = %id, %exit, "worker ended");
    }
}

/// The end of what a process said on its standard error.
#[derive(Default)]
struct Tail(Vec<u8>);

impl Tail {
    /// Passes a worker's standard error on until the worker ends, and then what is still in the pipe.
    fn follow(&mut self, child: &Mutex<Child>, to: &Forwarder) {
        let mut stderr = lock(child).stderr.take();
        let pid = Pid::from_child(&lock(child));
        if let Some(pipe) = &stderr {
            set_nonblocking(pipe.as_fd());
        }
        // Where there is none, as on an old kernel or without a free descriptor, the process is looked at.
        let descriptor = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok();
        while !has_ended(pid) {
            wait_for(stderr.as_ref(), descriptor.as_ref());
            if stderr
                .as_mut()
                .is_some_and(|pipe| !self.copy(pipe, to, LAST_WORDS))
            {
                stderr = None;
            }
        }
        if let Some(pipe) = &mut stderr {
            self.copy(pipe, to, MAX_DRAIN);
        }
    }

    /// Passes on what is there, `most` bytes or a little more; false at the end.
    fn copy(&mut self, stderr: &mut ChildStderr, to: &Forwarder, most: usize) -> bool {
        let mut buffer = [0; 4096];
        let mut copied = 0;
        while copied < most {
            match stderr.read(&mut buffer) {
                Ok(0) => return false,
                Ok(got) => {
                    to.push(&buffer[..got]);
                    self.0.extend_from_slice(&buffer[..got]);
                    self.0.drain(..self.0.len().saturating_sub(LAST_WORDS));
                    copied += got;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        true
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).trim_end().to_owned()
    }
}

fn set_nonblocking(pipe: BorrowedFd<'_>) {
    if let Ok(flags) = rustix::fs::fcntl_getfl(pipe) {
        let _ = rustix::fs::fcntl_setfl(pipe, flags | rustix::fs::OFlags::NONBLOCK);
    }
}

/// Whether a child has ended. It is not reaped, so that its process id stays its own until the lock on it is held.
fn has_ended(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    match rustix::process::waitid(WaitId::Pid(pid), options) {
        Ok(status) => status.is_some(),
        Err(rustix::io::Errno::INTR) => false,
        // Somebody else in this process has reaped it.
        Err(_) => true,
    }
}

/// Waits until a process says something or ends, or for a moment where it has no descriptor.
fn wait_for(stderr: Option<&ChildStderr>, process: Option<&OwnedFd>) {
    let fds = [stderr.map(AsFd::as_fd), process.map(AsFd::as_fd)];
    let mut fds: Vec<_> = fds
        .iter()
        .flatten()
        .map(|fd| PollFd::new(fd, PollFlags::IN))
        .collect();
    let timeout = process.is_none().then_some(&LOOK_PERIOD);
    // Whoever calls looks again, whatever ended the wait.
    let _ = rustix::event::poll(&mut fds, timeout);
}

/// Lets a worker in and turns what it says into events.
pub(super) struct Reader {
    pub(super) id: WorkerId,
    pub(super) listener: Arc<OwnedFd>,
    pub(super) line: Arc<Connections>,
    pub(super) relay: Arc<Mutex<Relay>>,
    /// Gets the channel to the worker, for the writer.
    pub(super) tasks: Sender<FrameSender>,
    pub(super) events: Sender<DriverEvent>,
}

impl Reader {
    /// Accepts the connection of the process `pid`, and reads its reports until there are no more.
    pub(super) fn run(self, pid: Pid) {
        match self.accept_hello(pid) {
            Ok(Some(reports)) => self.read_reports(&reports),
            Ok(None) => debug!(worker = %self.id, "worker did not say hello"),
            Err(error) => {
                let reason = error.to_string();
                let _ = self.events.send(DriverEvent::Broken(self.id, reason));
            }
        }
    }

    /// The channel on which the worker reports. `None` if it ended before it said hello, or is not fit.
    fn accept_hello(&self, pid: Pid) -> Result<Option<FrameReceiver>, HelloError> {
        let Some(connection) = bootstrap::accept(&self.listener, pid) else {
            return Ok(None);
        };
        let connection = Arc::new(connection);
        self.line.replace(vec![Arc::clone(&connection)]);
        let Some(packet) = bootstrap::receive(&connection)? else {
            return Ok(None);
        };
        let hello = packet.deliver(&self.relay)?;
        self.line
            .replace(packet.descriptors.into_iter().map(Arc::new).collect());
        if let Err(builds) = hello.check() {
            let reason = builds.to_string();
            let _ = self.events.send(DriverEvent::Said(
                self.id,
                WorkerMessage::StartupFailed(reason),
            ));
            return Ok(None);
        }
        let _ = self.tasks.send(FrameSender::new(hello.tasks));
        Ok(Some(FrameReceiver::new(hello.reports)))
    }

    fn read_reports(&self, reports: &FrameReceiver) {
        loop {
            let frame = match reports.recv() {
                Ok(frame) => WorkerMessage::from_frame(frame).map_err(|error| error.to_string()),
                Err(ReceiveError::Closed) => return,
                Err(error @ ReceiveError::BadFrame(_)) => Err(error.to_string()),
                Err(error) => {
                    let broken = DriverEvent::Broken(self.id, error.to_string());
                    let _ = self.events.send(broken);
                    return;
                }
            };
            let event = match frame {
                Ok(report) => DriverEvent::Said(self.id, report),
                Err(error) => DriverEvent::BadFrame(self.id, error),
            };
            if self.events.send(event).is_err() {
                return;
            }
        }
    }
}

/// Sends the worker its frames.
pub(super) struct Writer {
    pub(super) id: WorkerId,
    pub(super) inbox: Receiver<Vec<u8>>,
    pub(super) events: Sender<DriverEvent>,
}

impl Writer {
    /// Sends frames until there are no more or the worker is dead, of which the waiter tells.
    pub(super) fn run(self, tasks: &FrameSender) {
        for mut frame in self.inbox {
            if let Err(error) = tasks.send(&mut frame) {
                if !is_hangup(&error) {
                    let _ = self
                        .events
                        .send(DriverEvent::Broken(self.id, error.to_string()));
                }
                return;
            }
        }
    }
}

/// Whether a send failed as there is nobody any more to receive.
fn is_hangup(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
    matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected)
}
