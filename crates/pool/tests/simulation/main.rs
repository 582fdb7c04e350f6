//! The supervisor in a hostile world, without processes: a seeded scheduler over a virtual clock delays, reorders,
//! stops and kills at every step. A failure names its seed;
//! `MOODRING_SEED=n cargo test -p moodring-pool --test simulation -- --nocapture` replays it and prints its trace.
//!
//! `world` is the clock and the news under way, `worker` and `deeds` what a process will do, `faults` what goes
//! wrong, and `checks` what must hold all the same. The promises stand here.

mod behavior;
mod checks;
mod dice;
mod faults;
mod script;
mod worker;
mod world;

use std::time::Duration;

use moodring_pool::supervisor::{Event, RestartPolicy, RunFailure};
use moodring_pool::{Config, Delivery, ShardId, TaskPolicy};

use faults::{Faults, ITEMS};
use world::World;

/// Runs a world for each of the first `count` seeds, and has a failure name its seed.
fn for_seeds(count: u64, check: impl Fn(u64)) {
    struct Witness(u64);
    impl Drop for Witness {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("failed with MOODRING_SEED={}", self.0);
            }
        }
    }
    let wanted = std::env::var("MOODRING_SEED").ok();
    let seeds = match wanted.and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..count,
    };
    for seed in seeds {
        let witness = Witness(seed);
        check(seed);
        std::mem::forget(witness);
    }
}

const SEEDS: u64 = 10_000;

fn config(seed: u64) -> Config {
    let mut config = Config::new(1 + (seed % 5) as u32);
    config.delivery = if seed & 1 == 0 {
        Delivery::Commit
    } else {
        Delivery::Inline
    };
    config.ordered = seed & 2 == 0;
    config.max_in_flight = 1 + (seed % 13) as usize;
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

/// A pool that notices workers that hang, and soon.
fn with_item_timeout(mut config: Config) -> Config {
    config.item_timeout = Some(Duration::from_millis(8));
    config.io_timeout = Some(Duration::from_millis(24));
    config.start_timeout = Duration::from_millis(4);
    config.drain_timeout = Duration::from_millis(2);
    config.restart.first_backoff = Duration::from_millis(1);
    config.restart.max_backoff = Duration::from_millis(4);
    config
}

/// Everything that can go wrong by chance, each more or less often.
fn everything(seed: u64) -> Faults {
    Faults {
        start: Some(4 + seed % 9),
        poison: seed.is_multiple_of(3).then_some(5 + seed % 40),
        step: Some(40 + seed % 200),
        kill: Some(60 + seed % 300),
        stop: Some(60 + seed % 200),
        oversize: Some(30 + seed % 100),
        loss: Some(3),
        slow: Some(30 + seed % 50),
        slow_io: Some(60 + seed % 50),
        stall: seed.is_multiple_of(5).then_some(50 + seed % 100),
        leave: Some(2 + seed % 3),
        ..Faults::default()
    }
}

/// Has the pool resized and renewed a few times in the first 30 ms.
fn disturb_pool(world: &mut World, times: u64) {
    for _ in 0..times {
        let said = world.dice.micros(30_000);
        let workers = u32::try_from(1 + world.dice.roll(8)).unwrap();
        let event = if world.dice.roll(3) == 0 {
            Event::Renew
        } else {
            Event::Resize(workers)
        };
        world.post(said, event);
    }
}

/// Every shard came out once, in its turn, and nothing but the poison was set aside.
fn judge_whole_run(world: &World, faults: Faults, shards: u64) {
    let all: Vec<_> = (0..shards).map(ShardId).collect();
    let mut released = world.checks.released.clone();
    released.sort();
    assert_eq!(released, all);
    assert!(world.checks.complete.iter().eq(&all));
    let items = all
        .iter()
        .flat_map(|&shard| (0..ITEMS).map(move |item| (shard, item)));
    let poison = items.filter(|&(shard, item)| faults.poison(shard, item).is_some());
    assert!(world.checks.quarantined.iter().copied().eq(poison));
}

#[test]
fn every_shard_is_released_once_and_in_order_whatever_dies() {
    for_seeds(SEEDS, |seed| {
        let shards = seed % 40;
        let faults = Faults {
            start: Some(6),
            kill: Some(8 + seed % 40),
            loss: (seed % 3 == 0).then_some(2),
            ..Faults::default()
        };
        let mut world = World::new(seed, shards, enduring(seed), faults);
        world.run().expect("random deaths never end a run");
        judge_whole_run(&world, faults, shards);
    });
}

#[test]
fn exactly_the_poison_is_quarantined_whatever_else_dies() {
    for_seeds(SEEDS, |seed| {
        let shards = 1 + seed % 20;
        let faults = Faults {
            poison: Some(3 + seed % 50),
            kill: (seed % 3 == 0).then_some(30),
            ..Faults::default()
        };
        let mut world = World::new(seed, shards, enduring(seed), faults);
        world.run().expect("poison does not end a run");
        judge_whole_run(&world, faults, shards);
    });
}

#[test]
fn an_item_that_hangs_is_quarantined_and_a_slow_one_is_not() {
    for_seeds(SEEDS / 5, |seed| {
        let shards = 1 + seed % 10;
        let faults = Faults {
            poison: Some(3 + seed % 30),
            slow: Some(1 + seed % 20),
            ..Faults::default()
        };
        let mut world = World::new(seed, shards, with_item_timeout(enduring(seed)), faults);
        world.run().expect("neither poison nor slowness ends a run");
        judge_whole_run(&world, faults, shards);
        let hanging = |&&(shard, item): &&(ShardId, u64)| world.hangs_on(shard, item);
        let hanging = world.checks.quarantined.iter().filter(hanging).count() as u64;
        assert_eq!(world.checks.hangs_ended, 2 * hanging);
    });
}

#[test]
fn a_worker_whose_disk_is_slow_is_not_killed() {
    for_seeds(SEEDS / 10, |seed| {
        let shards = 1 + seed % 10;
        let faults = Faults {
            slow: Some(5),
            slow_io: Some(1 + seed % 4),
            ..Faults::default()
        };
        let mut config = with_item_timeout(config(seed));
        config.delivery = Delivery::Commit;
        // A worker that writes when it is told to go is none that is slow to leave.
        config.drain_timeout = Duration::from_secs(1);
        let mut world = World::new(seed, shards, config, faults);
        world.run().expect("slowness ends no run");
        judge_whole_run(&world, faults, shards);
        assert_eq!(world.checks.kills, 0);
    });
}

#[test]
fn a_supervisor_that_was_late_kills_nobody_for_it() {
    for_seeds(SEEDS / 5, |seed| {
        let shards = 1 + seed % 20;
        let faults = Faults {
            slow: Some(5 + seed % 20),
            slow_io: Some(5 + seed % 20),
            stall: Some(2 + seed % 10),
            ..Faults::default()
        };
        let mut world = World::new(seed, shards, with_item_timeout(config(seed)), faults);
        world.run().expect("lateness ends no run");
        judge_whole_run(&world, faults, shards);
        assert_eq!(world.checks.kills, 0);
    });
}

#[test]
fn a_pool_that_worked_and_then_cannot_start_a_worker_ends() {
    for_seeds(500, |seed| {
        let faults = Faults {
            kill: Some(100 + seed % 50),
            start: Some(1),
            start_from: Duration::from_millis(10 + seed % 30),
            ..Faults::default()
        };
        let mut config = with_item_timeout(config(seed));
        config.max_shards = Some(1 + seed % 5);
        config.max_shard_deaths = u32::MAX;
        let mut world = World::new(seed, 1_000_000, config, faults);
        disturb_pool(&mut world, seed % 6);
        world.checks.may_give_up = true;
        let outcome = world.run();
        assert!(
            matches!(outcome, Err(RunFailure::CrashLoop { .. })),
            "{outcome:?}"
        );
    });
}

#[test]
fn resizing_and_renewing_lose_nothing_and_end_with_the_workers_wanted() {
    for_seeds(SEEDS, |seed| {
        let config = Config {
            max_shards: (seed % 4 == 0).then_some(1 + seed % 7),
            ..enduring(seed)
        };
        let shards = 5 + seed % 40;
        let faults = Faults {
            kill: (seed % 3 == 0).then_some(25),
            oversize: (seed % 5 == 0).then_some(20),
            ..Faults::default()
        };
        let mut world = World::new(seed, shards, config, faults);
        disturb_pool(&mut world, seed % 6);
        world
            .run()
            .expect("neither resizing nor renewing ends a run");
        judge_whole_run(&world, faults, shards);
    });
}

#[test]
fn a_renewal_reaches_every_worker_whatever_was_asked_before() {
    for_seeds(SEEDS / 50, |seed| {
        let faults = Faults {
            kill: seed.is_multiple_of(2).then_some(100),
            ..Faults::default()
        };
        let mut world = World::new(seed, 1_000, with_item_timeout(enduring(seed)), faults);
        disturb_pool(&mut world, seed % 12);
        world.post(Duration::from_millis(40), Event::Renew);
        world
            .run()
            .expect("neither resizing nor renewing ends a run");
        world.checks.judge_renewal();
    });
}

#[test]
fn the_run_survives_everything_at_every_step() {
    for_seeds(SEEDS, |seed| {
        let config = Config {
            max_shards: (seed % 4 == 0).then_some(1 + seed % 7),
            ..with_item_timeout(enduring(seed))
        };
        let shards = 1 + seed % 12;
        let faults = everything(seed);
        let mut world = World::new(seed, shards, config, faults);
        disturb_pool(&mut world, seed % 6);
        world.run().expect("no mishap ends a run");
        // Faults that hang are known to the world alone.
        let faults = Faults {
            hangs: true,
            ..faults
        };
        judge_whole_run(&world, faults, shards);
    });
}

#[test]
fn a_cancelled_shard_is_dropped_and_every_other_one_is_done_once() {
    for_seeds(SEEDS, |seed| {
        let shards = 5 + seed % 30;
        let faults = everything(seed);
        let mut world = World::new(seed, shards, with_item_timeout(enduring(seed)), faults);
        disturb_pool(&mut world, seed % 4);
        for _ in 0..=seed % 10 {
            let (said, shard) = (world.dice.micros(20_000), world.dice.roll(shards));
            world.post(said, Event::Cancel(ShardId(shard)));
        }
        world.run().expect("to cancel is no mishap");
        let mut ended: Vec<_> = world.checks.released.clone();
        ended.extend(&world.checks.discarded);
        ended.sort();
        assert!(ended.into_iter().eq((0..shards).map(ShardId)));
    });
}

#[test]
fn an_item_is_begun_no_more_often_than_its_task_allows() {
    for_seeds(SEEDS, |seed| {
        let policy = TaskPolicy {
            timeout: None,
            max_attempts: Some(1 + (seed % 3) as u32),
        };
        let shards = 1 + seed % 20;
        let faults = everything(seed);
        let config = Config {
            // What is released and not committed when its worker dies has to be done again.
            delivery: Delivery::Inline,
            ..with_item_timeout(enduring(seed))
        };
        let mut world = World::under(policy, seed, shards, config, faults);
        world.run().expect("no mishap ends a run");
        let mut released = world.checks.released.clone();
        released.sort();
        assert!(released.into_iter().eq((0..shards).map(ShardId)));
    });
}

#[test]
fn a_task_may_have_a_timeout_of_its_own() {
    for_seeds(SEEDS / 5, |seed| {
        let policy = TaskPolicy {
            timeout: Some(Duration::from_millis(8)),
            max_attempts: None,
        };
        let config = Config {
            item_timeout: (seed % 2 == 0).then_some(Duration::from_mins(10)),
            ..with_item_timeout(enduring(seed))
        };
        let shards = 1 + seed % 10;
        let faults = Faults {
            poison: Some(3 + seed % 30),
            slow: Some(1 + seed % 20),
            hangs: true,
            ..Faults::default()
        };
        let mut world = World::under(policy, seed, shards, config, faults);
        world.run().expect("neither poison nor slowness ends a run");
        judge_whole_run(&world, faults, shards);
    });
}

#[test]
fn a_drain_at_any_moment_finishes_what_was_taken_and_takes_no_more() {
    for_seeds(SEEDS / 5, |seed| {
        let mut world = World::new(
            seed,
            1_000_000,
            with_item_timeout(enduring(seed)),
            everything(seed),
        );
        disturb_pool(&mut world, seed % 3);
        let said = world.dice.micros(20_000);
        world.post(said, Event::Drain);
        world.run().expect("a drained run ends well");
        assert_eq!(world.checks.released.len(), world.checks.complete.len());
        assert!((world.checks.complete.len() as u64) <= world.checks.asked);
    });
}

#[test]
fn an_abort_at_any_moment_leaves_no_worker_behind() {
    for_seeds(SEEDS / 5, |seed| {
        let mut world = World::new(
            seed,
            50,
            with_item_timeout(enduring(seed)),
            everything(seed),
        );
        disturb_pool(&mut world, seed % 3);
        let said = world.dice.micros(20_000);
        world.post(said, Event::Abort);
        assert!(matches!(world.run(), Ok(()) | Err(RunFailure::Aborted)));
    });
}

#[test]
fn a_job_that_cannot_start_ends_the_run_unless_it_is_done() {
    for_seeds(SEEDS / 5, |seed| {
        let shards = seed % 20;
        let faults = Faults {
            startup_failed: Some(10),
            ..everything(seed)
        };
        let mut world = World::new(seed, shards, with_item_timeout(enduring(seed)), faults);
        let outcome = world.run();
        let done = world.checks.done_when_unfit;
        match outcome {
            Ok(()) => assert_ne!(done, Some(false), "a worker was startup_failed"),
            Err(RunFailure::StartupFailed(_)) => {
                assert_eq!(done, Some(false), "what was done is lost");
            }
            Err(failure) => panic!("{failure}"),
        }
    });
}

#[test]
fn workers_that_always_die_end_the_run() {
    for_seeds(200, |seed| {
        let faults = Faults {
            kill: Some(1),
            ..Faults::default()
        };
        let mut world = World::new(seed, 5, config(seed), faults);
        world.checks.may_give_up = true;
        assert!(matches!(
            world.run(),
            Err(RunFailure::CrashLoop { .. }
                | RunFailure::QuarantineLoop { .. }
                | RunFailure::DeadlyShard { .. })
        ));
        assert!(
            world.now < Duration::from_secs(10),
            "it took {:?}",
            world.now
        );
    });
}

#[test]
fn items_that_kill_only_in_company_end_the_run() {
    for_seeds(200, |seed| {
        let faults = Faults {
            company: Some(3 + seed % 20),
            ..Faults::default()
        };
        let mut world = World::new(seed, 40, config(seed), faults);
        world.checks.may_give_up = true;
        assert!(matches!(world.run(), Err(RunFailure::DeadlyShard { .. })));
    });
}

#[test]
fn a_shard_that_can_never_be_committed_ends_the_run() {
    for_seeds(200, |seed| {
        let faults = Faults {
            commit: Some(1 + seed % 20),
            ..Faults::default()
        };
        let config = Config {
            delivery: Delivery::Commit,
            ..with_item_timeout(config(seed))
        };
        let mut world = World::new(seed, 40, config, faults);
        world.checks.may_give_up = true;
        assert!(matches!(world.run(), Err(RunFailure::DeadlyShard { .. })));
    });
}

#[test]
fn taking_workers_away_while_they_start_is_no_crash_of_theirs() {
    for_seeds(200, |seed| {
        let mut world = World::new(seed, 100, config(seed), Faults::default());
        for turn in 0..40 {
            let said = Duration::from_micros(100 * turn);
            world.post(said, Event::Resize(if turn % 2 == 0 { 8 } else { 1 }));
        }
        world.run().expect("nobody crashed");
        judge_whole_run(&world, Faults::default(), 100);
    });
}
