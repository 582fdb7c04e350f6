//! What workers do when they are told to, and what becomes of them.

use std::time::Duration;

use moodring_pool::black_box::Phase;
use moodring_pool::process::Exit;
use moodring_pool::supervisor::Event;
use moodring_pool::{Scope, ShardId, WorkerId};

use crate::faults::{Fault, ITEMS};
use crate::worker::SimWorker;
use crate::world::{TICK, World};

impl World {
    pub(crate) fn spawn(&mut self, id: WorkerId) {
        self.workers.insert(id, SimWorker::new(id, self.now));
        if self.dice.strikes(self.faults.startup_failed) {
            self.say(
                id,
                1_000,
                Event::StartupFailed(id, "no such model".to_owned()),
            );
            let at = self.now + Duration::from_millis(1);
            return self.die(id, at, Exit::Code(1), true);
        }
        let starts = self.now < self.faults.start_from || !self.dice.strikes(self.faults.start);
        if starts {
            return self.say(id, 1_000, Event::Ready(id));
        }
        let at = self.now + self.dice.micros(2_000);
        match self.dice.roll(4) {
            0 => {}
            1 => {
                let code = i32::from(self.dice.roll(2) == 0);
                self.die(id, at, Exit::Code(code), true);
            }
            2 => {
                let no_process = Exit::NotStarted("out of processes".to_owned());
                self.die(id, self.now, no_process, false);
            }
            // It says that it is ready if it gets to that. It may get a trial, so this is not its own fault.
            _ => {
                self.say(id, 1_000, Event::Ready(id));
                self.die(id, at, Exit::Signal(9), true);
            }
        }
    }

    /// The worker does the items of a shard.
    pub(crate) fn prepare(&mut self, id: WorkerId, shard: ShardId, scope: Scope) {
        self.show(id, Phase::Preparing, shard);
        self.spend(id, 100);
        self.wait_for_disk(id);
        self.sporadic_fault(id, scope);
        let items = match scope {
            Scope::Only(item) => item..item + 1,
            Scope::All => 0..ITEMS,
        };
        for item in items {
            if scope != Scope::All || !self.checks.quarantined.contains(&(shard, item)) {
                self.work_on(id, shard, item, scope);
            }
        }
        self.sporadic_fault(id, scope);
        self.show(id, Phase::Idle, shard);
        let done = match scope {
            Scope::All => Event::Prepared(id, shard),
            Scope::Only(_) => Event::TrialPassed(id, shard),
        };
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.on_trial = scope != Scope::All;
        }
        self.say(id, 1_000, done);
    }

    fn work_on(&mut self, id: WorkerId, shard: ShardId, item: u64, scope: Scope) {
        let mut spent = Duration::from_micros(1) + self.dice.micros(200);
        if let Some(timeout) = self.item_timeout
            && self.dice.strikes(self.faults.slow)
        {
            spent = timeout * 19 / 20;
        }
        let now = self.now;
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.begin(now, item);
            worker.spend(now, spent);
        }
        if let Some(fault) = self.faults.fault_at(shard, item, scope) {
            self.meet(id, fault);
        }
        self.sporadic_fault(id, scope);
    }

    /// The worker puts a result in its place.
    pub(crate) fn commit(&mut self, id: WorkerId, shard: ShardId) {
        self.show(id, Phase::Committing, shard);
        self.wait_for_disk(id);
        if let Some(fault) = self.faults.fault_in_commit(shard) {
            self.meet(id, fault);
        }
        self.sporadic_fault(id, Scope::All);
        self.say(id, 1_000, Event::Committed(id, shard));
        self.show(id, Phase::Idle, shard);
    }

    /// The disk is slow, by chance.
    fn wait_for_disk(&mut self, id: WorkerId) {
        if let Some(timeout) = self.io_timeout
            && self.dice.strikes(self.faults.slow_io)
            && let Some(worker) = self.workers.get_mut(&id)
        {
            worker.spend(self.now, timeout * 19 / 20);
        }
    }

    /// The worker has been told that nothing more will come.
    pub(crate) fn leave(&mut self, id: WorkerId) {
        let faults = self.faults;
        let fault = if self.dice.strikes(faults.leave) {
            let hang = self.dice.roll(2) == 0;
            if hang {
                Fault::Hangs
            } else {
                faults.any_fault(&mut self.dice)
            }
        } else {
            Fault::Dies(Exit::Code(0))
        };
        self.spend(id, 500);
        self.meet(id, fault);
    }

    fn spend(&mut self, id: WorkerId, most: u64) {
        let time = self.dice.micros(most);
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.spend(self.now, time);
        }
    }

    fn show(&mut self, id: WorkerId, phase: Phase, shard: ShardId) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.show(self.now, phase, shard);
        }
    }

    /// The worker spends some time and then says something.
    fn say(&mut self, id: WorkerId, most: u64, what: Event) {
        let (spent, on_its_way) = (self.dice.micros(most), self.dice.micros(300));
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let said = worker.spend(self.now, spent);
        let arrives = worker.send(said, on_its_way);
        self.deliver(Some(id), said, arrives, what);
    }

    /// By chance, the worker does not get beyond what it was told so far.
    fn sporadic_fault(&mut self, id: WorkerId, scope: Scope) {
        if scope == Scope::All
            && let Some(fault) = self.faults.sporadic_fault(&mut self.dice)
        {
            self.meet(id, fault);
        }
    }

    /// Something happens to the worker when it has done what it was told so far.
    fn meet(&mut self, id: WorkerId, fault: Fault) {
        let Some(at) = self
            .workers
            .get(&id)
            .map(|worker| worker.busy_until.max(self.now))
        else {
            return;
        };
        match fault {
            Fault::Dies(exit) => self.die(id, at, exit, true),
            Fault::Hangs => self.stop(id, at),
        }
    }

    pub(crate) fn stop(&mut self, id: WorkerId, at: Duration) {
        if self.traced {
            eprintln!("{:>12.3?}   {id} hangs at {at:?}", self.now);
        }
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.stop(at);
        }
    }

    pub(crate) fn die(&mut self, id: WorkerId, at: Duration, exit: Exit, by_itself: bool) {
        let on_its_way = self.dice.micros(300);
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if !worker.die(at, by_itself) {
            return;
        }
        let arrives = (worker.last_word() + TICK).max(at + on_its_way);
        worker.obituary = Some(self.posted + 1);
        if self.traced {
            eprintln!("{:>12.3?}   {id} dies at {at:?}: {exit}", self.now);
        }
        self.deliver(Some(id), at, arrives, Event::Exited(id, exit, None));
    }
}
