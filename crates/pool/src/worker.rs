//! The other side: what a worker process does.
//!
//! [`serve`] connects to the supervisor, starts the [`Job`], and works through one message at a time until it is
//! retired or the supervisor is gone. It is single-threaded: a commit waits in the channel for the shard under way,
//! and is then done before the next shard, as other shards' turns depend on it.

use std::collections::VecDeque;
use std::process::ExitCode;

use ipc_channel::TryRecvError;
use ipc_channel::ipc::{self, IpcBytesReceiver, IpcBytesSender, IpcSender};
use thiserror::Error;

use crate::ids::ShardId;
use crate::wire::{self, FromWorker, Hello, PROTOCOL, ToWorker};

/// An error that another worker would meet too, such as an unreadable input or a full disk. It ends the run: a death
/// (a panic, a signal) in contrast is the worker's own, and its shard goes out again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct JobError(pub String);

impl JobError {
    /// The error that says what `error` says.
    pub fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// What the workers of a pool do.
pub trait Job: Sized {
    /// Called once in each worker process, with the bytes the pool was built with.
    ///
    /// # Errors
    /// A job that cannot start here can start nowhere: the run ends with this error.
    fn start(setup: &[u8]) -> Result<Self, JobError>;

    /// Works through `task` and appends to `report` what the sink must get. The same task must give the same report in
    /// any worker, as it may have to be done again.
    ///
    /// # Errors
    /// See [`JobError`].
    fn prepare(
        &mut self,
        shard: ShardId,
        task: &[u8],
        report: &mut Vec<u8>,
    ) -> Result<(), JobError>;

    /// Puts the result of a prepared shard where `grant` says. Only called with
    /// [`Delivery::Commit`](crate::Delivery::Commit).
    ///
    /// # Errors
    /// See [`JobError`].
    fn commit(&mut self, shard: ShardId, grant: &[u8]) -> Result<(), JobError> {
        let (_, _) = (shard, grant);
        Ok(())
    }
}

/// Serves the supervisor at `address` until it needs no more. This is the whole `main` of a worker.
///
/// Interrupts and termination requests are ignored here: they reach every process of a terminal's foreground group,
/// and it is the supervisor who decides what they mean.
#[must_use]
pub fn serve<J: Job>(address: &str) -> ExitCode {
    ignore_terminal_signals();
    let Some((tasks, reports)) = connect(address) else {
        eprintln!(
            "moodring worker: no supervisor listens at `{address}`; this command is not for typing"
        );
        return ExitCode::FAILURE;
    };
    let mut worker = Worker {
        tasks,
        reports,
        queue: VecDeque::new(),
        frame: Vec::new(),
        report: Vec::new(),
    };
    match worker.run::<J>() {
        Ok(()) | Err(Ending::SupervisorGone) => ExitCode::SUCCESS,
        Err(Ending::Told) => ExitCode::FAILURE,
    }
}

fn ignore_terminal_signals() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: ignoring a signal installs no handler, so there is no code that could run at a bad moment.
        unsafe {
            libc::signal(signal, libc::SIG_IGN);
        }
    }
}

fn connect(address: &str) -> Option<(IpcBytesReceiver, IpcBytesSender)> {
    let bootstrap = IpcSender::<Hello>::connect(address.to_owned()).ok()?;
    let (task_sender, tasks) = ipc::bytes_channel().ok()?;
    let (reports, report_receiver) = ipc::bytes_channel().ok()?;
    let build = wire::build_id().to_owned();
    bootstrap
        .send(Hello {
            protocol: PROTOCOL,
            build,
            tasks: task_sender,
            reports: report_receiver,
        })
        .ok()?;
    Some((tasks, reports))
}

/// Why a worker stops before it is retired.
enum Ending {
    /// Its supervisor is gone; nobody is there to tell.
    SupervisorGone,
    /// It has told its supervisor why.
    Told,
}

struct Worker {
    tasks: IpcBytesReceiver,
    reports: IpcBytesSender,
    /// Messages received and not done yet.
    queue: VecDeque<Vec<u8>>,
    frame: Vec<u8>,
    report: Vec<u8>,
}

impl Worker {
    fn run<J: Job>(&mut self) -> Result<(), Ending> {
        let mut job = self.start::<J>()?;
        self.say(&FromWorker::Ready)?;
        loop {
            let frame = self.next_message()?;
            match wire::decode(&frame) {
                Ok(ToWorker::Assign { shard, task }) => self.prepare(&mut job, shard, task)?,
                Ok(ToWorker::Commit { shard, grant }) => self.commit(&mut job, shard, grant)?,
                Ok(ToWorker::Retire) => return Ok(()),
                Ok(ToWorker::Setup { .. }) => {
                    return self.unfit("the supervisor set the job up twice");
                }
                Err(error) => return self.unfit(&error.to_string()),
            }
        }
    }

    fn start<J: Job>(&mut self) -> Result<J, Ending> {
        let frame = self.tasks.recv().map_err(|_| Ending::SupervisorGone)?;
        let setup = match wire::decode(&frame) {
            Ok(ToWorker::Setup { setup }) => setup,
            Ok(_) => return self.unfit("the supervisor sent a task before the setup"),
            Err(error) => return self.unfit(&error.to_string()),
        };
        J::start(setup).or_else(|JobError(reason)| self.unfit(&reason))
    }

    fn prepare<J: Job>(&mut self, job: &mut J, shard: ShardId, task: &[u8]) -> Result<(), Ending> {
        let mut report = std::mem::take(&mut self.report);
        report.clear();
        let done = job.prepare(shard, task, &mut report);
        let said = match &done {
            Ok(()) => self.say(&FromWorker::Prepared {
                shard,
                report: &report,
            }),
            Err(JobError(reason)) => self.say(&FromWorker::Failed { shard, reason }),
        };
        self.report = report;
        said
    }

    fn commit<J: Job>(&mut self, job: &mut J, shard: ShardId, grant: &[u8]) -> Result<(), Ending> {
        match job.commit(shard, grant) {
            Ok(()) => self.say(&FromWorker::Committed { shard }),
            Err(JobError(reason)) => self.say(&FromWorker::Failed {
                shard,
                reason: &reason,
            }),
        }
    }

    /// The next thing to do: commits first, then shards in the order they came. Blocks while there is nothing.
    fn next_message(&mut self) -> Result<Vec<u8>, Ending> {
        loop {
            match self.tasks.try_recv() {
                Ok(frame) if matches!(wire::decode(&frame), Ok(ToWorker::Commit { .. })) => {
                    return Ok(frame);
                }
                Ok(frame) => self.queue.push_back(frame),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::IpcError(_)) => return Err(Ending::SupervisorGone),
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
            return self.unfit(&error.to_string());
        }
        self.reports
            .send(&self.frame)
            .map_err(|_| Ending::SupervisorGone)
    }

    fn unfit<T>(&mut self, reason: &str) -> Result<T, Ending> {
        self.frame.clear();
        if wire::encode_into(&FromWorker::Unfit { reason }, &mut self.frame).is_ok() {
            let _ = self.reports.send(&self.frame);
        }
        Err(Ending::Told)
    }
}
