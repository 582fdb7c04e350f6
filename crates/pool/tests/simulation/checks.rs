//! What must hold whatever happens. Each action of the supervisor is checked as it is given.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use moodring_pool::supervisor::{Action, Event};
use moodring_pool::{Config, Scope, ShardId, TaskPolicy, WorkerId};

use crate::faults::{Faults, Poison};
use crate::worker::SimWorker;

/// A worker as the supervisor knows it by now.
#[derive(Default)]
struct Known {
    ready: bool,
    /// The shards it was sent and has not reported.
    out: BTreeSet<ShardId>,
    trial: bool,
    /// When it was given something to do last.
    given: Duration,
    retired: Option<Duration>,
}

/// What was seen of a run.
pub(crate) struct Checks {
    config: Config,
    policy: TaskPolicy,
    faults: Faults,
    /// The workers that were started and of whose end the supervisor has not heard.
    known: BTreeMap<WorkerId, Known>,
    started: BTreeSet<WorkerId>,
    /// How many shards were asked for.
    pub(crate) asked: u64,
    /// How many may be between input and output.
    pub(crate) window: u64,
    prepared: BTreeSet<(ShardId, WorkerId)>,
    pub(crate) released: Vec<ShardId>,
    placed: BTreeSet<ShardId>,
    pub(crate) complete: BTreeSet<ShardId>,
    pub(crate) discarded: BTreeSet<ShardId>,
    /// The shards that were to be cancelled.
    cancelled: BTreeSet<ShardId>,
    /// Items that a worker was at when it died.
    died_at: BTreeSet<(ShardId, u64)>,
    pub(crate) quarantined: BTreeSet<(ShardId, u64)>,
    /// Whether the run may be given up.
    pub(crate) may_give_up: bool,
    input_ended: bool,
    /// The workers that were to be renewed and have not been retired yet.
    to_renew: BTreeSet<WorkerId>,
    /// How many shards the input gave.
    taken: u64,
    /// Whether all was done when a worker first said that it cannot start.
    pub(crate) done_when_unfit: Option<bool>,
    /// By how much the supervisor's loop was late so far.
    pub(crate) late: Duration,
    /// How many workers were killed.
    pub(crate) kills: u64,
    /// How many workers hung and were killed for it.
    pub(crate) hangs_ended: u64,
}

impl Checks {
    pub(crate) fn new(config: &Config, policy: TaskPolicy, faults: Faults) -> Self {
        Self {
            config: Config {
                item_timeout: policy.timeout.or(config.item_timeout),
                ..config.clone()
            },
            policy,
            faults,
            known: BTreeMap::new(),
            started: BTreeSet::new(),
            asked: 0,
            window: config.max_in_flight as u64,
            prepared: BTreeSet::new(),
            released: Vec::new(),
            placed: BTreeSet::new(),
            complete: BTreeSet::new(),
            discarded: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            died_at: BTreeSet::new(),
            quarantined: BTreeSet::new(),
            may_give_up: faults.startup_failed.is_some(),
            input_ended: false,
            to_renew: BTreeSet::new(),
            taken: 0,
            done_when_unfit: None,
            late: Duration::ZERO,
            kills: 0,
            hangs_ended: 0,
        }
    }

    /// Every worker that was ever started, in the order of their ids.
    pub(crate) fn ever_started(&self) -> Vec<WorkerId> {
        self.started.iter().copied().collect()
    }

    /// The workers that have said that they are ready, and of whose end the supervisor has not heard.
    pub(crate) fn ready(&self) -> Vec<WorkerId> {
        let ready = self.known.iter().filter(|(_, known)| known.ready);
        ready.map(|(&id, _)| id).collect()
    }

    /// Takes note of what the supervisor hears.
    pub(crate) fn hear(&mut self, event: &Event) {
        match event {
            Event::Ready(id) => self.known(*id).ready = true,
            Event::Prepared(id, shard) => {
                self.known(*id).out.remove(shard);
                self.prepared.insert((*shard, *id));
            }
            Event::TrialPassed(id, shard) => {
                let known = self.known(*id);
                known.out.remove(shard);
                known.trial = false;
            }
            Event::Exited(id, _, sample) => {
                if !self.input_ended {
                    self.to_renew.remove(id);
                }
                let known = self.known.remove(id);
                let known = known.unwrap_or_else(|| panic!("{id} ended twice"));
                if let Some(at) = sample
                    && let Some(item) = at.item
                    && known.out.contains(&at.shard)
                {
                    self.died_at.insert((at.shard, item));
                }
            }
            Event::Cancel(shard) => {
                self.cancelled.insert(*shard);
            }
            Event::Resize(workers) => {
                self.window = self.window.max(4 * u64::from(*workers) + 8);
            }
            Event::Input(_) => self.taken += 1,
            Event::InputEnd => self.input_ended = true,
            Event::StartupFailed(..) => {
                let done = self.input_ended && self.complete.len() as u64 == self.taken;
                self.done_when_unfit.get_or_insert(done);
            }
            Event::Renew => self.to_renew = self.ready().into_iter().collect(),
            Event::Abort => self.may_give_up = true,
            _ => {}
        }
    }

    fn known(&mut self, id: WorkerId) -> &mut Known {
        self.known
            .get_mut(&id)
            .unwrap_or_else(|| panic!("{id} is not there"))
    }

    /// Judges an action. `worker` is whom it is about.
    pub(crate) fn judge(&mut self, now: Duration, action: Action, worker: Option<&SimWorker>) {
        match action {
            Action::Spawn(id) => {
                assert!(self.started.insert(id), "{id} was started twice");
                let others = self.known.keys().any(|known| known.slot == id.slot);
                assert!(!others, "the slot of {id} is not empty");
                self.known.insert(id, Known::default());
            }
            Action::Pull => {
                self.asked += 1;
                let done = self.complete.len() + self.discarded.len();
                let between = self.asked - done as u64;
                assert!(between <= self.window, "the window overflowed");
            }
            Action::Assign(id, shard, scope) => self.judge_assignment(now, id, shard, scope),
            Action::Quarantine(shard, item, attempts) => {
                self.judge_quarantine(shard, item, attempts);
            }
            Action::Release(shard, id) => {
                let expected = ShardId(self.released.len() as u64);
                assert!(
                    !self.config.ordered || shard == expected,
                    "{shard} came out of order"
                );
                assert!(self.placed.insert(shard), "{shard} was released twice");
                assert!(!self.discarded.contains(&shard), "{shard} was cancelled");
                self.judge_grant(now, shard, id);
                self.released.push(shard);
            }
            Action::Regrant(shard, id) => {
                assert!(
                    self.placed.contains(&shard),
                    "{shard} was granted a place before its turn"
                );
                self.judge_grant(now, shard, id);
            }
            Action::Forget(shard) => {
                assert!(self.placed.contains(&shard), "{shard} was never released");
                assert!(self.complete.insert(shard), "{shard} was completed twice");
            }
            Action::Discard(shard) => {
                assert!(self.cancelled.contains(&shard), "{shard} was wanted");
                assert!(!self.placed.contains(&shard), "{shard} was released");
                assert!(self.discarded.insert(shard), "{shard} was discarded twice");
            }
            Action::Retire(id) => {
                let known = self.known(id);
                assert!(known.ready && known.out.is_empty(), "{id} holds shards");
                assert!(known.retired.is_none(), "{id} was retired twice");
                known.retired = Some(now);
                if !self.input_ended {
                    self.to_renew.remove(&id);
                }
            }
            Action::Kill(id) => self.judge_kill(now, id, worker),
        }
    }

    fn judge_assignment(&mut self, now: Duration, id: WorkerId, shard: ShardId, scope: Scope) {
        assert!(
            !self.complete.contains(&shard),
            "{shard} went out after it was complete"
        );
        assert!(!self.discarded.contains(&shard), "{shard} was cancelled");
        self.judge_attempts(shard);
        for (other, known) in &self.known {
            assert!(
                !known.out.contains(&shard),
                "{shard} is with {other} already"
            );
        }
        let credits = self.config.credits;
        let known = self.known(id);
        assert!(
            known.ready && known.retired.is_none(),
            "{id} is not at work"
        );
        assert!(!known.trial, "{id} has an item to try, alone");
        known.trial = matches!(scope, Scope::Only(_));
        known.out.insert(shard);
        let most = if known.trial { 1 } else { credits };
        assert!(known.out.len() <= most, "{id} has more shards than credit");
        known.given = now;
    }

    /// Where one attempt is all there is, an item that a worker was at when it died is not begun again.
    fn judge_attempts(&self, shard: ShardId) {
        if self.policy.max_attempts != Some(1) {
            return;
        }
        for &(_, item) in self.died_at.range((shard, 0)..=(shard, u64::MAX)) {
            let quarantined = self.quarantined.contains(&(shard, item));
            assert!(quarantined, "item {item} of {shard} is begun again");
        }
    }

    fn judge_grant(&mut self, now: Duration, shard: ShardId, id: WorkerId) {
        assert!(
            self.prepared.contains(&(shard, id)),
            "{id} has not prepared {shard}"
        );
        // With inline delivery the worker is not needed any more and may be gone.
        if let Some(known) = self.known.get_mut(&id) {
            known.given = now;
        }
    }

    fn judge_quarantine(&mut self, shard: ShardId, item: u64, attempts: u32) {
        assert!(
            self.quarantined.insert((shard, item)),
            "item {item} of {shard} was quarantined twice"
        );
        if let Some(most) = self.policy.max_attempts {
            assert_eq!(attempts, most, "on item {item} of {shard}");
            return;
        }
        let Some(poison) = self.faults.poison(shard, item) else {
            panic!("item {item} of {shard} is innocent")
        };
        let by_itself = match poison {
            Poison::IsKilled => 5,
            Poison::Starves => 3,
            Poison::Dies | Poison::Hangs => 2,
        };
        let others = [self.faults.kill, self.faults.stop, self.faults.step];
        if others.iter().all(Option::is_none) {
            assert_eq!(attempts, by_itself, "on item {item} of {shard}, {poison:?}");
        } else {
            assert!((2..=5).contains(&attempts), "{attempts} attempts");
        }
    }

    /// A worker that does what it should is never killed, and one that hangs is killed when it is time.
    fn judge_kill(&mut self, now: Duration, id: WorkerId, worker: Option<&SimWorker>) {
        self.kills += 1;
        let config = self.config.clone();
        let late = self.late;
        let give_up = self.may_give_up;
        let discarded = self.discarded.clone();
        let known = self.known(id);
        let starting = !known.ready;
        if give_up || starting {
            return;
        }
        // There is no other way to stop it.
        if known.out.iter().any(|shard| discarded.contains(shard)) {
            return;
        }
        let worker = worker.expect("a worker that was started is known");
        assert!(!worker.is_well(now), "{id} was killed though it was well");
        let Some(stopped) = worker.stopped else {
            return;
        };
        let timeouts = [config.item_timeout, config.io_timeout];
        let longest = timeouts.into_iter().flatten().max();
        let patience = longest.map_or(Duration::ZERO, |timeout| timeout * 3 / 2) + late;
        let due = known
            .retired
            .map_or(stopped.max(known.given) + patience, |retired| {
                retired + config.drain_timeout + late
            });
        assert!(
            now <= due,
            "{id} hangs since {stopped:?} and should have been killed by {due:?}"
        );
        self.hangs_ended += 1;
    }

    /// Those who were to be renewed last have been, long before the end.
    pub(crate) fn judge_renewal(&self) {
        let left = &self.to_renew;
        assert!(left.is_empty(), "{left:?} were never renewed");
    }

    /// At the end of a run nobody is left.
    pub(crate) fn judge_end(&self) {
        let left: Vec<_> = self.known.keys().collect();
        assert!(left.is_empty(), "{left:?} were left behind");
    }
}
