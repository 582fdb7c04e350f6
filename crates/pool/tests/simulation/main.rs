//! The supervisor in a hostile world, without processes: a seeded scheduler over a virtual clock delays, reorders and
//! kills at every step. A failure names its seed; `MOODRING_SEED=n cargo test -p moodring-pool --test simulation`
//! replays it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use moodring_pool::black_box::{Phase, Sample};
use moodring_pool::process::Exit;
use moodring_pool::supervisor::{Action, Defeat, Event, RestartPolicy, Supervisor};
use moodring_pool::{Config, Delivery, Scope, ShardId, WorkerId};

/// How many items each shard of a world has.
const ITEMS: u64 = 7;

/// `SplitMix64` (Steele, Lea, Flood 2014): a few lines, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn micros(&mut self, most: u64) -> Duration {
        Duration::from_micros(self.roll(most))
    }
}

/// What goes wrong in a world.
#[derive(Clone, Copy)]
struct Faults {
    /// One in so many workers never becomes ready, or dies before it does.
    bad_start: Option<u64>,
    /// Every so manieth item kills the worker that does it.
    poison: Option<u64>,
    /// At every event a random worker is killed with a chance of one in so many.
    kill: Option<u64>,
}

struct SimWorker {
    busy_until: Duration,
    /// When its last word reaches the supervisor.
    last_word: Duration,
    died: Option<Duration>,
    /// What its black box shows from when on.
    timeline: Vec<(Duration, Sample)>,
}

/// News on its way to the supervisor: what a worker had not said when it died is never heard.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Letter {
    arrives: Duration,
    number: u64,
    said: Duration,
    from: Option<WorkerId>,
}

struct World {
    dice: Dice,
    faults: Faults,
    now: Duration,
    supervisor: Supervisor,
    workers: BTreeMap<WorkerId, SimWorker>,
    letters: BinaryHeap<Reverse<Letter>>,
    contents: BTreeMap<u64, Event>,
    posted: u64,
    input_left: u64,
    taken: u64,
    /// When the feed's last answer arrives: it answers in order.
    last_input: Duration,
    window: u64,
    released: Vec<ShardId>,
    complete: BTreeSet<ShardId>,
    quarantined: BTreeSet<(ShardId, u64)>,
}

impl World {
    fn new(seed: u64, shards: u64, config: Config, faults: Faults) -> Self {
        let window = config.window as u64;
        Self {
            dice: Dice(seed),
            faults,
            now: Duration::ZERO,
            supervisor: Supervisor::new(config, Duration::ZERO),
            workers: BTreeMap::new(),
            letters: BinaryHeap::new(),
            contents: BTreeMap::new(),
            posted: 0,
            input_left: shards,
            taken: 0,
            last_input: Duration::ZERO,
            window,
            released: Vec::new(),
            complete: BTreeSet::new(),
            quarantined: BTreeSet::new(),
        }
    }

    fn run(&mut self) -> Result<(), Defeat> {
        for _ in 0..200_000 {
            while let Some(action) = self.supervisor.poll_action() {
                self.act(action);
            }
            if let Some(outcome) = self.supervisor.outcome() {
                let alive = self
                    .workers
                    .values()
                    .filter(|worker| worker.died.is_none())
                    .count();
                assert_eq!(alive, 0, "workers were left behind");
                return outcome;
            }
            let event = self.next_event();
            self.supervisor.handle(self.now, event);
            self.maybe_kill();
        }
        panic!("the run neither progresses nor ends");
    }

    fn next_event(&mut self) -> Event {
        loop {
            let due = self.supervisor.poll_timeout();
            let arrives = self.letters.peek().map(|Reverse(letter)| letter.arrives);
            match (arrives, due) {
                (Some(arrives), due) if due.is_none_or(|due| arrives <= due) => {}
                (_, Some(due)) => {
                    self.now = self.now.max(due);
                    return Event::Tick;
                }
                (_, None) => panic!("nothing will ever happen again: {:?}", self.supervisor),
            }
            let Some(Reverse(letter)) = self.letters.pop() else {
                continue;
            };
            let content = self.contents.remove(&letter.number);
            let died = letter.from.and_then(|id| self.workers[&id].died);
            self.now = self.now.max(letter.arrives);
            if died.is_none_or(|died| letter.said <= died) {
                return content.expect("every letter has a content");
            }
        }
    }

    fn post(&mut self, from: Option<WorkerId>, said: Duration, content: Event) {
        let mut arrives = said + self.dice.micros(300);
        if let Some(worker) = from.and_then(|id| self.workers.get_mut(&id)) {
            arrives = arrives.max(worker.last_word);
            worker.last_word = arrives;
        }
        self.deliver(from, said, arrives, content);
    }

    fn deliver(
        &mut self,
        from: Option<WorkerId>,
        said: Duration,
        arrives: Duration,
        content: Event,
    ) {
        self.posted += 1;
        let number = self.posted;
        self.contents.insert(number, content);
        self.letters.push(Reverse(Letter {
            arrives,
            number,
            said,
            from,
        }));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Spawn(id) => self.spawn(id),
            Action::Pull => self.pull(),
            Action::Assign(id, shard, scope) => {
                assert!(
                    !self.complete.contains(&shard),
                    "{shard} went out after it was complete"
                );
                self.work_through(id, shard, scope);
            }
            Action::Release(shard, id) => {
                self.released.push(shard);
                self.work(id, Event::Committed(id, shard));
            }
            Action::Regrant(shard, id) => {
                assert!(
                    self.released.contains(&shard),
                    "{shard} was granted a place before its turn"
                );
                self.work(id, Event::Committed(id, shard));
            }
            Action::Forget(shard) => {
                assert!(self.complete.insert(shard), "{shard} was completed twice");
            }
            Action::Quarantine(shard, item, attempts) => {
                assert!(
                    self.is_poison(shard, item),
                    "item {item} of {shard} is innocent"
                );
                assert!(attempts == 2 || self.faults.kill.is_some());
                assert!(
                    self.quarantined.insert((shard, item)),
                    "{shard} was quarantined twice"
                );
            }
            Action::Retire(id) => {
                let leaves = self.now + self.dice.micros(500);
                self.die(id, leaves, Exit::Code(0));
            }
            Action::Kill(id) => self.die(id, self.now, Exit::Signal(9)),
        }
    }

    fn spawn(&mut self, id: WorkerId) {
        let worker = SimWorker {
            busy_until: self.now,
            last_word: self.now,
            died: None,
            timeline: Vec::new(),
        };
        assert!(
            self.workers.insert(id, worker).is_none(),
            "{id} was started twice"
        );
        let bad = self
            .faults
            .bad_start
            .is_some_and(|chance| self.dice.roll(chance) == 0);
        match if bad { self.dice.roll(3) } else { 3 } {
            0 => {}
            1 => {
                let at = self.now + self.dice.micros(2_000);
                self.die(id, at, Exit::Code(1));
            }
            2 => self.die(
                id,
                self.now,
                Exit::NotStarted("out of processes".to_owned()),
            ),
            _ => self.work(id, Event::Ready(id)),
        }
    }

    fn pull(&mut self) {
        let content = if self.input_left == 0 {
            Event::InputEnd
        } else {
            Event::Input
        };
        if content == Event::Input {
            self.input_left -= 1;
            self.taken += 1;
            assert!(
                self.taken - self.complete.len() as u64 <= self.window,
                "the window overflowed"
            );
        }
        self.last_input = self.last_input.max(self.now) + self.dice.micros(300);
        self.deliver(None, self.now, self.last_input, content);
    }

    fn is_poison(&self, shard: ShardId, item: u64) -> bool {
        self.faults
            .poison
            .is_some_and(|every| (shard.0 * ITEMS + item) % every == every - 1)
    }

    /// The worker does the items of a shard, or dies on one.
    fn work_through(&mut self, id: WorkerId, shard: ShardId, scope: Scope) {
        let items: Vec<u64> = match scope {
            Scope::Only(item) => vec![item],
            Scope::All => (0..ITEMS)
                .filter(|&item| !self.quarantined.contains(&(shard, item)))
                .collect(),
        };
        for item in items {
            let spent = self.dice.micros(200);
            let poison = self.is_poison(shard, item);
            let now = self.now;
            let alive = |worker: &&mut SimWorker| worker.died.is_none();
            let Some(worker) = self.workers.get_mut(&id).filter(alive) else {
                return;
            };
            let begins = worker.busy_until.max(now);
            let begun = worker.timeline.last().map_or(0, |(_, sample)| sample.begun) + 1;
            worker.timeline.push((
                begins,
                Sample {
                    phase: Phase::Preparing,
                    shard,
                    item,
                    begun,
                },
            ));
            worker.busy_until = begins + spent;
            let dies = worker.busy_until;
            if poison {
                return self.die(id, dies, Exit::Signal(11));
            }
        }
        let done = match scope {
            Scope::All => Event::Prepared(id, shard),
            Scope::Only(_) => Event::Tried(id, shard),
        };
        self.work(id, done);
    }

    /// The worker spends some time and then says something.
    fn work(&mut self, id: WorkerId, then: Event) {
        let spent = self.dice.micros(1_000);
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        worker.busy_until = worker.busy_until.max(self.now) + spent;
        let said = worker.busy_until;
        self.post(Some(id), said, then);
    }

    /// A death foreseen for later gives way to one that comes before: its news is never heard, as it is said too late.
    fn die(&mut self, id: WorkerId, at: Duration, exit: Exit) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if worker.died.is_some_and(|died| died <= at) {
            return;
        }
        worker.died = Some(at);
        let begun = |(begins, _): &&(Duration, Sample)| *begins <= at;
        let last = worker
            .timeline
            .iter()
            .rev()
            .find(begun)
            .map(|(_, sample)| *sample);
        self.post(Some(id), at, Event::Exited(id, exit, last));
    }

    fn maybe_kill(&mut self) {
        let Some(chance) = self.faults.kill else {
            return;
        };
        if self.dice.roll(chance) == 0 {
            let alive: Vec<_> = self
                .workers
                .iter()
                .filter(|(_, worker)| worker.died.is_none_or(|died| died > self.now))
                .map(|(&id, _)| id)
                .collect();
            if !alive.is_empty() {
                let victim = self.dice.roll(alive.len() as u64);
                let victim = usize::try_from(victim).map(|victim| alive[victim]).unwrap();
                self.die(victim, self.now, Exit::Signal(9));
            }
        }
    }
}

fn seeds() -> std::ops::Range<u64> {
    match std::env::var("MOODRING_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        Some(seed) => seed..seed + 1,
        None => 0..10_000,
    }
}

/// Runs a world for every seed and has a failure name its seed.
fn for_every_seed(check: impl Fn(u64)) {
    struct Witness(u64);
    impl Drop for Witness {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("failed with MOODRING_SEED={}", self.0);
            }
        }
    }
    for seed in seeds() {
        let witness = Witness(seed);
        check(seed);
        std::mem::forget(witness);
    }
}

fn config(seed: u64) -> Config {
    let mut config = Config::new(1 + (seed % 5) as u32);
    config.delivery = if seed & 1 == 0 {
        Delivery::Commit
    } else {
        Delivery::Inline
    };
    config.ordered = seed & 2 == 0;
    config.window = 1 + (seed % 13) as usize;
    config
}

/// A pool that no number of deaths defeats, for worlds in which the innocent die.
fn enduring(seed: u64) -> Config {
    Config {
        max_shard_deaths: u32::MAX,
        restart: RestartPolicy {
            max_crashes: u32::MAX,
            ..RestartPolicy::default()
        },
        ..config(seed)
    }
}

#[test]
fn every_shard_is_released_once_and_in_order_whatever_dies() {
    for_every_seed(|seed| {
        let config = enduring(seed);
        let ordered = config.ordered;
        let shards = seed % 40;
        let mut world = World::new(
            seed,
            shards,
            config,
            Faults {
                bad_start: Some(6),
                poison: None,
                kill: Some(8 + seed % 40),
            },
        );
        world.run().expect("random deaths never end a run");
        let expected: Vec<_> = (0..shards).map(ShardId).collect();
        if !ordered {
            world.released.sort();
        }
        assert_eq!(world.released, expected);
        assert_eq!(world.complete.into_iter().collect::<Vec<_>>(), expected);
    });
}

#[test]
fn exactly_the_poison_is_quarantined_whatever_else_dies() {
    for_every_seed(|seed| {
        let config = enduring(seed);
        let shards = 1 + seed % 20;
        let poison = 3 + seed % 50;
        let kill = (seed % 3 == 0).then_some(30);
        let mut world = World::new(
            seed,
            shards,
            config,
            Faults {
                bad_start: None,
                poison: Some(poison),
                kill,
            },
        );
        world.run().expect("poison does not end a run");
        assert_eq!(world.complete.len() as u64, shards);
        let all = (0..shards).flat_map(|shard| (0..ITEMS).map(move |item| (ShardId(shard), item)));
        let expected: Vec<_> = all
            .filter(|&(shard, item)| world.is_poison(shard, item))
            .collect();
        assert_eq!(
            world.quarantined.iter().copied().collect::<Vec<_>>(),
            expected
        );
    });
}

#[test]
fn resizing_and_renewing_lose_nothing_and_end_with_the_workers_wanted() {
    for_every_seed(|seed| {
        let config = Config {
            max_shards: (seed % 4 == 0).then_some(1 + seed % 7),
            ..enduring(seed)
        };
        let shards = 5 + seed % 40;
        let kill = (seed % 3 == 0).then_some(25);
        let faults = Faults {
            bad_start: None,
            poison: None,
            kill,
        };
        let mut world = World::new(seed, shards, config, faults);
        // A pool may grow, and its window with it.
        world.window = u64::MAX;
        for _ in 0..seed % 6 {
            let said = world.dice.micros(30_000);
            let workers = u32::try_from(1 + world.dice.roll(8)).unwrap();
            let event = if world.dice.roll(3) == 0 {
                Event::Renew
            } else {
                Event::Resize(workers)
            };
            world.post(None, said, event);
        }
        world
            .run()
            .expect("neither resizing nor renewing ends a run");
        assert_eq!(world.complete.len() as u64, shards);
        assert_eq!(world.released.len() as u64, shards);
    });
}

#[test]
fn workers_that_always_die_end_the_run() {
    for seed in 0..200 {
        let mut world = World::new(
            seed,
            5,
            config(seed),
            Faults {
                bad_start: None,
                poison: None,
                kill: Some(1),
            },
        );
        assert!(matches!(
            world.run(),
            Err(Defeat::CrashLoop { .. } | Defeat::DeadlyShard { .. })
        ));
        assert!(
            world.now < Duration::from_secs(10),
            "it took {:?}",
            world.now
        );
    }
}

#[test]
fn an_abort_leaves_no_worker_behind() {
    for seed in 0..200 {
        let mut world = World::new(
            seed,
            50,
            config(seed),
            Faults {
                bad_start: Some(9),
                poison: None,
                kill: None,
            },
        );
        let said = world.dice.micros(20_000);
        world.post(None, said, Event::Abort);
        assert!(matches!(world.run(), Ok(()) | Err(Defeat::Aborted)));
    }
}

#[test]
fn a_drain_finishes_what_was_taken_and_takes_no_more() {
    for seed in 0..200 {
        let mut world = World::new(
            seed,
            1_000_000,
            config(seed),
            Faults {
                bad_start: Some(9),
                poison: None,
                kill: Some(50),
            },
        );
        let said = world.dice.micros(20_000);
        world.post(None, said, Event::Drain);
        world.run().expect("a drained run ends well");
        assert_eq!(world.released.len(), world.complete.len());
        assert!((world.complete.len() as u64) <= world.taken);
    }
}
