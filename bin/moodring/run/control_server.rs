//! The server of a run that `moodring ctl` talks to: answers requests and passes orders on.

use std::collections::HashMap;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{io, thread};

use anyhow::Context;
use moodring_live::LiveHandle;
use moodring_pool::{Control, WorkerStatus};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::run_control::RunControl;
use crate::ctl::line::write_line;
use crate::ctl::protocol::{Reply, Request, RunStatus, WorkerRow};
use crate::ctl::socket::{self, Socket};

/// How far a run is, for others to look at.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) records: AtomicU64,
    /// Bytes of input, as stored.
    pub(crate) bytes: AtomicU64,
}

/// What the server knows of its run.
pub(crate) struct ControlServer {
    pub(crate) command: &'static str,
    pub(crate) output: Option<String>,
    pub(crate) total_bytes: Option<u64>,
    pub(crate) began: Instant,
    pub(crate) counters: Arc<Counters>,
    pub(crate) pool: Control,
    pub(crate) control: RunControl,
    /// The live run, if it is one.
    pub(crate) live: Option<LiveHandle>,
}

/// How many clients are served side by side. Each has a deadline, so that those who say nothing or read nothing do not keep
/// others for long.
const SERVER_THREADS: usize = 4;

/// How long to wait where the system gives no connection, as where descriptors have run out: another try at once would
/// only take a CPU.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

impl ControlServer {
    /// Starts threads that answer until the process ends. If one of them panics, the run fails. If there can be none, the
    /// run continues without a control server.
    pub(crate) fn start(self) -> Option<OpenSocket> {
        match self.try_start() {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!("moodring ctl will not find this run: {error:#}");
                None
            }
        }
    }

    fn try_start(self) -> anyhow::Result<OpenSocket> {
        let socket = Socket::open()?;
        self.control.remove_on_exit(socket.path().to_owned());
        let server = Arc::new(self);
        let mut started = 0;
        let mut refused = None;
        for _ in 0..SERVER_THREADS {
            let listener = socket.listener.try_clone()?;
            let this = Arc::clone(&server);
            match server.pool.spawn("ctl", move || this.serve(&listener)) {
                Ok(()) => started += 1,
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if started == 0 => Err(error).context("cannot start a thread"),
            _ => Ok(OpenSocket { _socket: socket }),
        }
    }

    /// Serves one client after the other.
    fn serve(&self, listener: &UnixListener) {
        let mut system = System::new().ok();
        loop {
            match listener.accept() {
                // Whoever asked and left needs no answer.
                Ok((stream, _)) => drop(self.answer(&stream, system.as_mut())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => thread::sleep(ACCEPT_RETRY_DELAY),
            }
        }
    }

    fn answer(&self, stream: &UnixStream, system: Option<&mut System>) -> io::Result<()> {
        let deadline = socket::client_deadline();
        let request = match socket::read_request(stream, deadline)? {
            None => return Ok(()),
            Some(Err(reason)) => return write_line(stream, &Reply::Refused(reason), deadline),
            Some(Ok(request)) => request,
        };
        let reply = match request {
            Request::Status => Reply::Status(Box::new(self.status(system))),
            Request::Scale(workers) => {
                if self.control.scale(workers) {
                    Reply::Done
                } else {
                    Reply::Refused("the run has not begun or is over".to_owned())
                }
            }
            Request::Drain | Request::Stop => Reply::Done,
        };
        let told = write_line(stream, &reply, deadline);
        // Carried out even if the client does not wait for the reply.
        match request {
            Request::Drain => self.control.drain(),
            Request::Stop => self.control.stop(),
            Request::Status | Request::Scale(_) => {}
        }
        told
    }

    fn status(&self, system: Option<&mut System>) -> RunStatus {
        let workers = self.pool.workers();
        let processes = system
            .map(|system| processes(system, &workers))
            .unwrap_or_default();
        RunStatus {
            pid: std::process::id(),
            command: self.command.to_owned(),
            output: self.output.clone(),
            seconds: self.began.elapsed().as_secs_f64(),
            records: self.counters.records.load(Ordering::Relaxed),
            bytes: self.counters.bytes.load(Ordering::Relaxed),
            total_bytes: self.total_bytes,
            shards: self.pool.stats().shards(),
            restarts: self.pool.stats().restarts(),
            workers_wanted: self.control.workers(),
            workers: workers
                .iter()
                .map(|worker| row(worker, &processes))
                .collect(),
            live: self.live.as_ref().map(LiveHandle::status),
        }
    }
}

/// Removes the control socket when it is dropped.
#[derive(Debug)]
pub(crate) struct OpenSocket {
    _socket: Socket,
}

/// Processor seconds and resident bytes by process id.
fn processes(system: &mut System, workers: &[WorkerStatus]) -> HashMap<u32, (f64, u64)> {
    let pids: Vec<Pid> = workers
        .iter()
        .filter_map(|worker| Some(Pid::from_u32(worker.process?.pid)))
        .collect();
    let what = ProcessRefreshKind::nothing().with_memory().with_cpu();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), true, what);
    let usage = |pid: &Pid| {
        let process = system.process(*pid)?;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds are few")]
        let seconds = process.accumulated_cpu_time() as f64 / 1e3;
        Some((pid.as_u32(), (seconds, process.memory())))
    };
    pids.iter().filter_map(usage).collect()
}

fn row(worker: &WorkerStatus, processes: &HashMap<u32, (f64, u64)>) -> WorkerRow {
    let process = worker.process;
    let sample = process.and_then(|process| process.sample);
    let usage = process.and_then(|process| processes.get(&process.pid));
    let (cpu_seconds, rss_bytes) = usage.copied().unwrap_or_default();
    let works = |sample: &moodring_pool::black_box::Sample| {
        sample.phase != moodring_pool::black_box::Phase::Idle
    };
    WorkerRow {
        slot: worker.slot.id.slot,
        pid: process.map(|process| process.pid),
        state: worker.slot.state.name().to_owned(),
        shard: sample.filter(works).map(|sample| sample.shard.0),
        records: sample.map_or(0, |sample| sample.begun),
        cpu_seconds,
        rss_bytes,
        age_seconds: process.map_or(0.0, |process| process.age.as_secs_f64()),
        restarts: worker.slot.id.incarnation,
    }
}
