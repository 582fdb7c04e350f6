//! Worker processes: starts one, exchanges messages with it, and reports its end.
//!
//! Three threads attend to a worker. The *waiter* reads its standard error and waits for its end by its process
//! descriptor, so that another process which holds that standard error delays nothing. The *reader* accepts the
//! connection of the worker and turns its frames into events. The *writer* sends frames, and may block. The end is
//! reported only after the reader has read everything, so that a last result is not lost. Workers share no channels
//! and processes share no locks: no one waits for what a killed worker was doing.
//!
//! `bootstrap` connects a worker to its supervisor; `forward` passes standard error on.

pub(crate) mod bootstrap;
mod child;
mod forward;
mod spawn;
mod threads;

use std::io;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crossbeam_channel::{Sender, bounded, unbounded};

pub(crate) use child::await_children;
pub(crate) use forward::Forwarder;
pub use spawn::WorkerCommand;

pub use crate::exit::Exit;

use crate::black_box::BlackBox;
use crate::driver_event::DriverEvent;
use crate::helper;
use crate::ids::WorkerId;
use crate::limits::Limits;
use bootstrap::{BootstrapSocket, Relay};
use child::{kill, lock};
use threads::{Connections, Reader, Waiter, Writer};

/// A running worker process, as the driver holds it.
#[derive(Debug)]
pub(crate) struct WorkerProcess {
    child: Arc<Mutex<Child>>,
    outbox: Sender<Vec<u8>>,
    /// When it was started.
    pub(crate) started: Instant,
    /// What it is doing.
    pub(crate) black_box: BlackBox,
    /// Why it was killed, if it could not be talked to.
    pub(crate) fault: Option<String>,
}

impl WorkerProcess {
    /// Starts a worker; what it says and how it ends comes as events. Must be called from a thread that lives as long
    /// as the pool: the kernel ends a worker together with the *thread* that started it.
    ///
    /// All threads are started before the process, so that what the system refuses leaves nothing to be undone.
    pub(crate) fn start(
        command: &WorkerCommand,
        limits: &Limits,
        id: WorkerId,
        relay: &Arc<Mutex<Relay>>,
        stderr: &Forwarder,
        events: &Sender<DriverEvent>,
    ) -> io::Result<Self> {
        let socket = BootstrapSocket::open()?;
        let (black_box, page) = BlackBox::create()?;
        let line = Arc::new(Connections::new(&socket));
        let (outbox, inbox) = unbounded();
        let (tasks_in, tasks) = bounded(1);
        let (child_in, child) = bounded::<Arc<Mutex<Child>>>(1);
        let (pid_in, pid) = bounded(1);
        let (reading, read) = bounded(0);

        let waiter = Waiter::new(id, Arc::clone(&line), stderr.clone(), read, events.clone());
        helper::start(format!("wait {id}"), events, move || {
            if let Ok(child) = child.recv() {
                waiter.run(&child);
            }
        })?;
        let reader = Reader {
            id,
            listener: socket.listener,
            line,
            relay: Arc::clone(relay),
            tasks: tasks_in,
            events: events.clone(),
        };
        helper::start(format!("read {id}"), events, move || {
            let _reading = reading;
            if let Ok(pid) = pid.recv() {
                reader.run(pid);
            }
        })?;
        let writer = Writer {
            id,
            inbox,
            events: events.clone(),
        };
        helper::start(format!("write {id}"), events, move || {
            if let Ok(tasks) = tasks.recv() {
                writer.run(&tasks);
            }
        })?;

        let child_process = spawn::spawn(command, limits.resolve(id.slot), &socket.path_fd, &page)?;
        let _ = pid_in.send(rustix::process::Pid::from_child(&child_process));
        let child = Arc::new(Mutex::new(child_process));
        let _ = child_in.send(Arc::clone(&child));
        Ok(Self {
            child,
            outbox,
            started: Instant::now(),
            black_box,
            fault: None,
        })
    }

    /// Queues a frame for the worker. One that is dead never gets it: its `DriverEvent::Exited` is on the way.
    pub(crate) fn send(&self, frame: Vec<u8>) {
        let _ = self.outbox.send(frame);
    }

    /// Kills the process, unless it has ended by itself.
    pub(crate) fn kill(&self) {
        kill(&self.child);
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        lock(&self.child).id()
    }
}
