//! The worker process.
//!
//! [`serve`] connects to the supervisor, starts the [`Job`], and handles one message at a time until it is told to
//! leave or the supervisor is gone. It is single-threaded: a commit waits in the channel until the current shard is
//! prepared, and is then handled before the next shard, because other shards may wait for it.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::process::ExitCode;

use ipc_channel::ipc::{self, IpcSender};
use thiserror::Error;

use crate::black_box::Recorder;
use crate::context::Context;
use crate::descriptors;
use crate::error::{BoxError, with_causes};
use crate::ids::{Scope, ShardId, WorkerId};
use crate::transport::{self, FrameReceiver, FrameSender};
use crate::wire::{self, FromWorker, Hello, PROTOCOL, ToWorker, WireError};

/// An error that another worker would meet too, such as unreadable input or a full disk. It ends the run. If in
/// contrast a worker dies, by a panic or a signal, another worker gets its shard.
///
/// Its text is that of the error and its causes, and is all that reaches the supervisor.
#[derive(Debug, Error)]
#[error("{}", with_causes(&**error))]
pub struct JobError {
    error: BoxError,
}

impl JobError {
    /// Returns an error of the job for this reason: an error, or a sentence.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self {
            error: error.into(),
        }
    }

    /// Returns the reason, for those who run the job in their own process.
    #[must_use]
    pub fn into_inner(self) -> BoxError {
        self.error
    }
}

/// A task, as [`Job::prepare`] gets it.
#[derive(Debug)]
pub struct Work<'a> {
    /// The shard.
    pub shard: ShardId,
    /// The bytes that [`Feed::next_task`](crate::Feed::next_task) returned.
    pub task: &'a [u8],
    scope: Scope,
    quarantined: &'a [u64],
    recorder: &'a Recorder,
}

impl<'a> Work<'a> {
    /// Returns a whole shard with nothing quarantined, as for a first attempt.
    #[must_use]
    pub fn whole(shard: ShardId, task: &'a [u8], recorder: &'a Recorder) -> Self {
        Self {
            shard,
            task,
            scope: Scope::All,
            quarantined: &[],
            recorder,
        }
    }

    /// Returns the same work where these items, in ascending order, are quarantined.
    #[must_use]
    pub fn without(self, quarantined: &'a [u64]) -> Self {
        Self {
            quarantined,
            ..self
        }
    }

    /// Returns the same work as a trial of one item.
    #[must_use]
    pub fn only(self, item: u64) -> Self {
        Self {
            scope: Scope::Only(item),
            ..self
        }
    }

    /// Returns what to do with an item, and records that it is begun if it is to be processed. Call it before
    /// anything is done with the item. Items are numbered from 0, in the same way each time the shard is prepared.
    #[inline]
    #[must_use]
    pub fn action(&self, item: u64) -> ItemAction {
        match self.scope {
            Scope::Only(only) if only != item => return ItemAction::Skip,
            Scope::All if self.quarantined.binary_search(&item).is_ok() => {
                return ItemAction::Quarantined;
            }
            Scope::Only(_) | Scope::All => {}
        }
        self.recorder.begin(item);
        ItemAction::Process
    }
}

/// What to do with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemAction {
    /// Process it.
    Process,
    /// Do not process it, but report what it is: workers have died on it.
    Quarantined,
    /// Skip it: another item is being tried alone, and the report will not be used.
    Skip,
}

/// The work of a pool, as each worker process does it.
///
/// [`serve`] creates one value in each worker process and calls it in the main thread, one method at a time. The
/// same task may be prepared more than once, in the same process or another one, because a worker that dies loses
/// its results. So a job must be deterministic: if a shard that was already released is prepared again with another
/// report, the run fails with [`PoolError::Unstable`](crate::PoolError::Unstable).
///
/// A panic ends the worker process. The pool then restarts the worker and hands its shards out again, without the
/// item that was at fault if it can tell which one that was.
pub trait Job: Sized {
    /// Starts the job. Called once in each worker process, before its first task, with the bytes of
    /// [`PoolBuilder::setup`](crate::PoolBuilder::setup). A start that takes longer than
    /// [`PoolBuilder::start_timeout`](crate::PoolBuilder::start_timeout) is killed.
    ///
    /// # Errors
    /// Any error ends the run with [`RunFailure::StartupFailed`](crate::supervisor::RunFailure::StartupFailed):
    /// what cannot start in one process cannot start in another.
    fn start(setup: &[u8]) -> Result<Self, JobError>;

    /// Processes the items of a task and appends to `report`, which is empty, what the sink is to get.
    ///
    /// Must call [`Work::action`] before each item and do what it returns, so that the supervisor knows which item
    /// killed a worker and can have the others done without it. A worker is killed if it stays at one item for
    /// longer than the item timeout, or takes longer than
    /// [`PoolBuilder::io_timeout`](crate::PoolBuilder::io_timeout) before its first item.
    ///
    /// # Errors
    /// Any error ends the run with [`PoolError::Job`](crate::PoolError::Job). Return one only for what another
    /// worker would meet too, such as input that cannot be read.
    fn prepare(&mut self, work: &Work<'_>, report: &mut Vec<u8>) -> Result<(), JobError>;

    /// Puts the result of a shard that this process prepared where `grant` says.
    ///
    /// Called only with [`Delivery::Commit`](crate::Delivery::Commit), once the sink has released the shard, and
    /// before the next task is begun. If the worker dies in it, another worker prepares the shard again and commits
    /// it with the same grant, so what is written must not depend on what is there. The default does nothing.
    ///
    /// # Errors
    /// Any error ends the run with [`PoolError::Job`](crate::PoolError::Job).
    fn commit(&mut self, shard: ShardId, grant: &[u8]) -> Result<(), JobError> {
        let (_, _) = (shard, grant);
        Ok(())
    }
}

/// Serves the supervisor at `address` until it has no more work. This is the whole `main` of a worker.
///
/// The address is the last argument of the process. It names the inherited file descriptors of the supervisor's
/// socket and of the [`black_box`](crate::black_box) page. Call this once, before the process opens any file.
///
/// Returns success if the worker was told to leave or its supervisor is gone, and failure if it cannot connect or
/// the job cannot start.
///
/// Ignores SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2, which may reach every process of a group: the supervisor
/// decides what they mean. Ignores SIGXFSZ too, so that the job gets an error when a file reaches its size limit.
#[must_use]
pub fn serve<J: Job>(address: &str) -> ExitCode {
    ignore_signals();
    // A process that was started as `/proc/self/exe` would be listed as `exe`. A wrong name does no harm.
    let _ = rustix::thread::set_name(c"moodring-worker");
    let (tasks, reports, recorder) = match connect(address) {
        Ok(connected) => connected,
        Err(error) => {
            // If nobody reads it, the exit code has to do.
            let _ = writeln!(
                io::stderr(),
                "moodring worker: no supervisor listens at `{address}` ({error}); this command is not for typing"
            );
            return ExitCode::FAILURE;
        }
    };
    let mut worker = Worker {
        tasks,
        reports,
        recorder,
        queue: VecDeque::new(),
        frame: Vec::new(),
        report: Vec::new(),
    };
    match worker.run::<J>() {
        Ok(()) | Err(Ending::SupervisorGone) => ExitCode::SUCCESS,
        Err(Ending::Told) => ExitCode::FAILURE,
    }
}

fn ignore_signals() {
    for signal in [
        libc::SIGINT,
        libc::SIGTERM,
        libc::SIGHUP,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGXFSZ,
    ] {
        // SAFETY: ignoring a signal installs no handler, so there is no code that could run at a bad moment.
        unsafe {
            libc::signal(signal, libc::SIG_IGN);
        }
    }
}

fn connect(address: &str) -> io::Result<(FrameReceiver, FrameSender, Recorder)> {
    let (path_fd, page) = address.split_once(':').ok_or(io::ErrorKind::InvalidInput)?;
    let (path_fd, page) = (inherited(path_fd)?, inherited(page)?);
    let recorder = Recorder::open(&page)?;
    transport::prepare()?;
    let bootstrap = IpcSender::<Hello>::connect(descriptors::path(&path_fd))?;
    let (task_sender, tasks) = ipc::bytes_channel()?;
    let (reports, report_receiver) = ipc::bytes_channel()?;
    let hello = Hello {
        protocol: PROTOCOL,
        build: wire::build_id().to_owned(),
        tasks: task_sender,
        reports: report_receiver,
    };
    bootstrap.send(hello).map_err(io::Error::other)?;
    Ok((
        FrameReceiver::new(tasks),
        FrameSender::new(reports),
        recorder,
    ))
}

/// The descriptor of that number, which this process was started with.
fn inherited(number: &str) -> io::Result<OwnedFd> {
    let number: RawFd = number.parse().map_err(io::Error::other)?;
    // SAFETY: asking for a descriptor's flags changes nothing, and fails if it is not open.
    let is_open = number > 2 && unsafe { libc::fcntl(number, libc::F_GETFD) } != -1;
    if !is_open {
        return Err(io::Error::from(rustix::io::Errno::BADF));
    }
    // SAFETY: the descriptor is open, and the supervisor has opened it for this function: it is called once for each,
    // at the start, and nobody else in this process knows of it.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    Ok(fd)
}

/// Whether this worker's next message is to be garbage, for tests.
#[cfg(feature = "faults")]
pub static SEND_BAD_FRAME: std::sync::atomic::AtomicBool =
    std::sync::atomic::AtomicBool::new(false);

/// Why a worker stops before it is retired.
enum Ending {
    /// Its supervisor is gone; nobody is there to tell.
    SupervisorGone,
    /// It has told its supervisor why.
    Told,
}

struct Worker {
    tasks: FrameReceiver,
    reports: FrameSender,
    recorder: Recorder,
    /// Messages received and not done yet.
    queue: VecDeque<Vec<u8>>,
    frame: Vec<u8>,
    report: Vec<u8>,
}

impl Worker {
    fn run<J: Job>(&mut self) -> Result<(), Ending> {
        let (id, mut job) = self.start::<J>()?;
        self.say(&FromWorker::Ready)?;
        loop {
            let frame = self.next_message()?;
            match wire::decode(&frame) {
                Ok(ToWorker::Assign {
                    shard,
                    scope,
                    attempt,
                    quarantined,
                    task,
                }) => {
                    let quarantined = &quarantined;
                    Context::set(id, attempt);
                    self.prepare(&mut job, shard, scope, quarantined, task)?;
                    Context::set(id, 0);
                }
                Ok(ToWorker::Commit { shard, grant }) => self.commit(&mut job, shard, grant)?,
                Ok(ToWorker::Retire) => return Ok(()),
                Ok(ToWorker::Setup { .. }) => {
                    return self.startup_failed("the supervisor set the job up twice");
                }
                Err(error) => return self.startup_failed(&error.to_string()),
            }
        }
    }

    fn start<J: Job>(&mut self) -> Result<(WorkerId, J), Ending> {
        let frame = self.tasks.recv().map_err(|_| Ending::SupervisorGone)?;
        let (worker, setup) = match wire::decode(&frame) {
            Ok(ToWorker::Setup { worker, setup }) => (worker, setup),
            Ok(_) => return self.startup_failed("the supervisor sent a task before the setup"),
            Err(error) => return self.startup_failed(&error.to_string()),
        };
        Context::set(worker, 0);
        let job = J::start(setup).or_else(|error| self.startup_failed(&error.to_string()))?;
        Ok((worker, job))
    }

    fn prepare<J: Job>(
        &mut self,
        job: &mut J,
        shard: ShardId,
        scope: Scope,
        quarantined: &[u64],
        task: &[u8],
    ) -> Result<(), Ending> {
        let mut report = std::mem::take(&mut self.report);
        report.clear();
        self.recorder.preparing(shard);
        let work = Work {
            shard,
            task,
            scope,
            quarantined,
            recorder: &self.recorder,
        };
        let done = job.prepare(&work, &mut report);
        self.recorder.idle();
        let said = match (&done, scope) {
            (Ok(()), Scope::All) => self.say(&FromWorker::Prepared {
                shard,
                report: &report,
            }),
            (Ok(()), Scope::Only(_)) => self.say(&FromWorker::TrialPassed { shard }),
            (Err(error), _) => self.say(&FromWorker::Failed {
                shard,
                reason: &error.to_string(),
            }),
        };
        self.report = report;
        said
    }

    fn commit<J: Job>(&mut self, job: &mut J, shard: ShardId, grant: &[u8]) -> Result<(), Ending> {
        self.recorder.committing(shard);
        let done = job.commit(shard, grant);
        self.recorder.idle();
        match done {
            Ok(()) => self.say(&FromWorker::Committed { shard }),
            Err(error) => self.say(&FromWorker::Failed {
                shard,
                reason: &error.to_string(),
            }),
        }
    }

    /// The next thing to do: commits first, then shards in the order they came. Blocks while there is nothing.
    fn next_message(&mut self) -> Result<Vec<u8>, Ending> {
        loop {
            match self.tasks.try_recv() {
                Ok(Some(frame)) if matches!(wire::decode(&frame), Ok(ToWorker::Commit { .. })) => {
                    return Ok(frame);
                }
                Ok(Some(frame)) => self.queue.push_back(frame),
                Ok(None) => break,
                Err(_) => return Err(Ending::SupervisorGone),
            }
        }
        match self.queue.pop_front() {
            Some(frame) => Ok(frame),
            None => self.tasks.recv().map_err(|_| Ending::SupervisorGone),
        }
    }

    fn say(&mut self, message: &FromWorker<'_>) -> Result<(), Ending> {
        self.frame.clear();
        if let Err(error) = wire::encode_into(message, &mut self.frame) {
            return self.cannot_say(message, &error);
        }
        #[cfg(feature = "faults")]
        if SEND_BAD_FRAME.swap(false, std::sync::atomic::Ordering::Relaxed) {
            self.frame.fill(0xa5);
        }
        self.reports
            .send(&mut self.frame)
            .map_err(|_| Ending::SupervisorGone)
    }

    /// Says why something cannot be said: a result that is too large would be so in any worker.
    fn cannot_say(&mut self, message: &FromWorker<'_>, error: &WireError) -> Result<(), Ending> {
        let reason = &error.to_string();
        match *message {
            FromWorker::Prepared { shard, .. } => self.say(&FromWorker::Failed { shard, reason }),
            _ => self.startup_failed(reason),
        }
    }

    fn startup_failed<T>(&mut self, reason: &str) -> Result<T, Ending> {
        self.frame.clear();
        if wire::encode_into(&FromWorker::StartupFailed { reason }, &mut self.frame).is_ok() {
            let _ = self.reports.send(&mut self.frame);
        }
        Err(Ending::Told)
    }
}
