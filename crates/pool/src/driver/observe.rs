//! What reaches the driver's loop, as events for the supervisor.

use tracing::{info, warn};

use super::{Driver, InFlight};
use crate::descriptors;
use crate::driver_event::DriverEvent;
use crate::error::PoolError;
use crate::exit::Exit;
use crate::ids::{ShardId, WorkerId};
use crate::status::{ProcessStatus, WorkerStatus};
use crate::supervisor::{Event, SlotStatus, TaskPolicy};
use crate::wire::{Payload, WorkerMessage};

impl Driver<'_> {
    /// What a driver event means to the supervisor.
    pub(super) fn observe(&mut self, event: DriverEvent) -> Option<Event> {
        Some(match event {
            DriverEvent::Said(id, WorkerMessage::Ready) => Event::Ready(id),
            DriverEvent::Said(id, WorkerMessage::StartupFailed(reason)) => {
                Event::StartupFailed(id, reason)
            }
            DriverEvent::Said(id, WorkerMessage::Prepared(shard, report)) => {
                self.prepared(id, shard, report)?
            }
            DriverEvent::Said(id, WorkerMessage::TrialPassed(shard)) => {
                Event::TrialPassed(id, shard)
            }
            DriverEvent::Said(id, WorkerMessage::Committed(shard)) => Event::Committed(id, shard),
            DriverEvent::Said(_, WorkerMessage::Failed(shard, reason)) => {
                self.fail(PoolError::Job { shard, reason })
            }
            DriverEvent::BadFrame(id, error) => {
                warn!(worker = %id, error, "a worker sent garbage and is killed for it");
                self.workers.get(&id)?.kill();
                return None;
            }
            DriverEvent::Broken(id, error) => {
                warn!(worker = %id, error, "a worker cannot be talked to and is killed");
                let worker = self.workers.get_mut(&id)?;
                worker.fault = Some(error);
                worker.kill();
                return None;
            }
            DriverEvent::Panicked(thread, message) => {
                self.fail(PoolError::Panicked { thread, message })
            }
            DriverEvent::Abort => Event::Abort,
            DriverEvent::Exited(id, exit, last_words) => {
                let worker = self.workers.remove(&id);
                if worker.is_some() {
                    self.stats.exited();
                }
                let sample = worker.as_ref().map(|worker| worker.black_box.read());
                let fault = worker.and_then(|worker| worker.fault);
                // The signal that ended it may have been ours.
                let exit = match fault {
                    Some(fault) => Exit::NotStarted(fault),
                    None => exit.explained_by(&last_words, self.limits.max_memory.is_some()),
                };
                let cause = self.supervisor.cause_of(id, exit.clone());
                info!(worker = %id, exit = %cause, "worker ended");
                self.last_exit = Some((cause, last_words));
                Event::Exited(id, exit, sample)
            }
            DriverEvent::Input(Ok(Some((task, policy)))) => self.take_in(task, policy),
            DriverEvent::Input(Ok(None)) => Event::InputEnd,
            DriverEvent::Input(Err(error)) => self.fail(PoolError::Feed(error)),
            // The event of its input is still on its way from the feed's thread.
            DriverEvent::Cancel(shard) if shard.0 >= self.taken => {
                self.cancelled_early.insert(shard);
                return None;
            }
            DriverEvent::Cancel(shard) => Event::Cancel(shard),
            DriverEvent::AwaitReady(waiting) => {
                self.await_ready.push(waiting);
                return None;
            }
            DriverEvent::Resize(workers) => {
                let workers = self.within_descriptors(workers);
                info!(workers, "pool resized");
                Event::Resize(workers)
            }
            DriverEvent::Renew => {
                info!("workers are restarted one at a time");
                Event::Renew
            }
            DriverEvent::Inspect(reply) => {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(self.inspect());
                return None;
            }
            DriverEvent::Drain => {
                info!("pool drained");
                self.drained = true;
                Event::Drain
            }
        })
    }

    /// So many workers, or as many as there are file descriptors for.
    fn within_descriptors(&self, workers: u32) -> u32 {
        let have = u32::try_from(self.workers.len()).unwrap_or(u32::MAX);
        if workers <= have {
            return workers;
        }
        let most = have
            .saturating_add(descriptors::open().map_or(0, descriptors::room))
            .max(1);
        if workers > most {
            warn!(
                workers,
                most,
                "there are not enough file descriptors for this many workers; see `ulimit -n`"
            );
        }
        workers.min(most)
    }

    fn inspect(&self) -> Vec<WorkerStatus> {
        let process = |id| {
            let worker = self.workers.get(&id)?;
            Some(ProcessStatus {
                pid: worker.pid(),
                age: worker.started.elapsed(),
                sample: Some(worker.black_box.read()),
            })
        };
        let status = |slot: SlotStatus| WorkerStatus {
            process: process(slot.id),
            slot,
        };
        self.supervisor.workers().map(status).collect()
    }

    pub(super) fn fail(&mut self, error: PoolError) -> Event {
        self.failure.get_or_insert(error);
        Event::Abort
    }

    /// Keeps a task; once the supervisor wants no more input, late ones are dropped here as they are there.
    fn take_in(&mut self, task: Vec<u8>, policy: TaskPolicy) -> Event {
        if !self.drained {
            let shard = ShardId(self.taken);
            self.shards.insert(
                shard,
                InFlight {
                    task,
                    policy,
                    attempts: 0,
                    report: None,
                    grant: Vec::new(),
                    released: false,
                    quarantined: Vec::new(),
                },
            );
            self.taken += 1;
            if self.cancelled_early.remove(&shard) {
                // This event comes first.
                let _ = self.events_in.send(DriverEvent::Cancel(shard));
            }
            if let Some(period) = policy.sample_period() {
                let due = self.now + period;
                self.next_sample = Some(self.next_sample.map_or(due, |next| next.min(due)));
            }
        }
        Event::Input(policy)
    }

    /// Keeps a report. One that comes again after its shard was released must be the same.
    fn prepared(&mut self, id: WorkerId, shard: ShardId, report: Payload) -> Option<Event> {
        let kept = self.shards.get_mut(&shard)?;
        let same = kept
            .report
            .as_ref()
            .is_some_and(|known| known.as_slice() == report.as_slice());
        if kept.released && !same {
            return Some(self.fail(PoolError::Unstable(shard)));
        }
        kept.report = Some(report);
        Some(Event::Prepared(id, shard))
    }
}
