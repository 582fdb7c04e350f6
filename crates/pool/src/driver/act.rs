//! What the supervisor decides, as processes, messages and calls of the sink.

use tracing::{info, warn};

use super::Driver;
use crate::driver_event::DriverEvent;
use crate::error::PoolError;
use crate::exit::Exit;
use crate::ids::{Scope, ShardId, WorkerId};
use crate::process::WorkerProcess;
use crate::sink::{Quarantined, Released};
use crate::supervisor::{Action, Delivery};
use crate::wire::{self, Payload, ToWorker};

impl Driver<'_> {
    pub(super) fn act(&mut self, action: Action) {
        let done = match action {
            Action::Spawn(id) => self.spawn(id),
            Action::Pull => {
                // The feed is gone once it has ended, of which its last event tells.
                let _ = self.pulls.send(());
                Ok(())
            }
            Action::Assign(id, shard, scope) => self.assign(id, shard, scope),
            Action::Quarantine(shard, item, attempts) => {
                self.quarantine(shard, item, attempts);
                Ok(())
            }
            Action::Release(shard, id) => self.release(shard, id),
            Action::Regrant(shard, id) => self.grant(shard, id),
            Action::Forget(shard) => {
                self.shards.remove(&shard);
                self.stats.completed();
                self.sink.complete(shard).map_err(PoolError::Sink)
            }
            Action::Discard(shard) => {
                self.shards.remove(&shard);
                self.sink.cancelled(shard).map_err(PoolError::Sink)
            }
            Action::Retire(id) => self.send(id, &ToWorker::Retire),
            Action::Kill(id) => {
                if let Some(worker) = self.workers.get(&id) {
                    worker.kill();
                }
                Ok(())
            }
        };
        if let Err(error) = done {
            let event = self.fail(error);
            self.supervisor.handle(self.now, event);
        }
    }

    fn spawn(&mut self, id: WorkerId) -> Result<(), PoolError> {
        let setup = wire::encode(&ToWorker::Setup {
            worker: id,
            setup: &self.setup,
        })?;
        match WorkerProcess::start(
            &self.command,
            &self.limits,
            id,
            &self.relay,
            &self.stderr,
            &self.events_in,
        ) {
            Ok(worker) => {
                info!(worker = %id, pid = worker.pid(), restarts = id.incarnation, "worker started");
                self.stats.spawned(id.incarnation);
                worker.send(setup);
                self.workers.insert(id, worker);
            }
            Err(error) => {
                let _ = self.events_in.send(DriverEvent::Exited(
                    id,
                    Exit::NotStarted(error.to_string()),
                    String::new(),
                ));
            }
        }
        Ok(())
    }

    fn assign(&mut self, id: WorkerId, shard: ShardId, scope: Scope) -> Result<(), PoolError> {
        if let Some(kept) = self.shards.get_mut(&shard) {
            kept.attempts = kept.attempts.saturating_add(1);
        }
        let Some(kept) = self.shards.get(&shard) else {
            return Ok(());
        };
        let quarantined = kept
            .quarantined
            .iter()
            .map(|quarantined| quarantined.item)
            .collect();
        self.send(
            id,
            &ToWorker::Assign {
                shard,
                scope,
                attempt: kept.attempts,
                quarantined,
                task: &kept.task,
            },
        )
    }

    /// Notes that a shard continues without an item, on which the worker that ended last died.
    fn quarantine(&mut self, shard: ShardId, item: u64, attempts: u32) {
        let Some(kept) = self.shards.get_mut(&shard) else {
            return;
        };
        let (exit, last_words) = self
            .last_exit
            .clone()
            .unwrap_or((Exit::Unknown, String::new()));
        warn!(%shard, item, attempts, %exit, "an item that kills workers is quarantined");
        let at = kept.quarantined.partition_point(|known| known.item < item);
        kept.quarantined.insert(
            at,
            Quarantined {
                item,
                exit,
                attempts,
                last_words,
            },
        );
    }

    /// Gives a report to the sink, and the sink's grant to the worker.
    fn release(&mut self, shard: ShardId, id: WorkerId) -> Result<(), PoolError> {
        let Some(kept) = self.shards.get_mut(&shard) else {
            return Ok(());
        };
        let report = kept.report.as_ref().map_or(&[][..], Payload::as_slice);
        let released = Released {
            shard,
            report,
            quarantined: &kept.quarantined,
        };
        kept.grant = self.sink.release(&released).map_err(PoolError::Sink)?;
        kept.released = true;
        self.grant(shard, id)
    }

    fn grant(&self, shard: ShardId, id: WorkerId) -> Result<(), PoolError> {
        let Some(kept) = self.shards.get(&shard) else {
            return Ok(());
        };
        if self.supervisor.delivery() == Delivery::Commit {
            self.send(
                id,
                &ToWorker::Commit {
                    shard,
                    grant: &kept.grant,
                },
            )?;
        }
        Ok(())
    }

    fn send(&self, id: WorkerId, message: &ToWorker<'_>) -> Result<(), PoolError> {
        if let Some(worker) = self.workers.get(&id) {
            worker.send(wire::encode(message)?);
        }
        Ok(())
    }
}
