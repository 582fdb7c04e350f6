//! The supervisor in worlds that are written out, step by step.

use std::time::Duration;

use moodring_pool::black_box::{Phase, Sample};
use moodring_pool::process::Exit;
use moodring_pool::supervisor::{Action, Event, RunFailure, Supervisor};
use moodring_pool::{Config, ShardId, TaskPolicy, WorkerId};

struct Script {
    supervisor: Supervisor,
    now: Duration,
}

impl Script {
    fn new(config: Config) -> Self {
        Self {
            supervisor: Supervisor::new(config, Duration::ZERO),
            now: Duration::ZERO,
        }
    }

    /// Has an event happen a millisecond later; gives the worker that is started because of it, if one is.
    fn tell(&mut self, event: Event) -> Option<WorkerId> {
        self.now += Duration::from_millis(1);
        self.supervisor.handle(self.now, event);
        self.started()
    }

    fn started(&mut self) -> Option<WorkerId> {
        let mut started = None;
        while let Some(action) = self.supervisor.poll_action() {
            if let Action::Spawn(id) = action {
                started = Some(id);
            }
        }
        started
    }

    /// Lets the time pass until a worker is started.
    fn next_start(&mut self) -> WorkerId {
        self.now = self.supervisor.poll_timeout().expect("a pause ends");
        self.tell(Event::Tick).expect("a worker after the pause")
    }

    /// The worker dies, as by a kill from outside.
    fn dies(&mut self, id: WorkerId) -> Option<WorkerId> {
        self.tell(Event::Exited(id, Exit::Signal(9), None))
    }

    /// The worker starts, does a shard, and is replaced for having grown too large; gives the one in its place.
    fn works_and_is_renewed(&mut self, id: WorkerId, shard: u64) -> WorkerId {
        self.tell(Event::Ready(id));
        self.tell(Event::Input(TaskPolicy::default()));
        self.tell(Event::Prepared(id, ShardId(shard)));
        self.tell(Event::Oversize(id));
        self.tell(Event::Exited(id, Exit::Code(0), None))
            .expect("a successor at once")
    }
}

#[test]
fn an_early_kill_does_not_keep_a_pool_from_giving_up_after_a_renewal() {
    let mut script = Script::new(Config::new(1));
    let first = script.started().unwrap();
    script.dies(first);
    let second = script.next_start();
    let mut next = script.works_and_is_renewed(second, 0);
    for _ in 0..4 {
        script.dies(next);
        next = script.next_start();
    }
    script.dies(next);
    let outcome = script.supervisor.outcome();
    assert!(matches!(outcome, Some(Err(_))), "{outcome:?}");
}

#[test]
fn items_quarantined_in_a_row_end_the_run_and_are_counted_as_what_they_are() {
    let mut config = Config::new(1);
    config.restart.max_crashes = 2;
    let mut script = Script::new(config);
    let mut worker = script.started().unwrap();
    script.tell(Event::Ready(worker));
    script.tell(Event::Input(TaskPolicy {
        max_attempts: Some(1),
        ..TaskPolicy::default()
    }));
    for item in 0..4 {
        let sample = Sample {
            phase: Phase::Preparing,
            shard: ShardId(0),
            item: Some(item),
            begun: 1,
        };
        let died = Event::Exited(worker, Exit::Code(1), Some(sample));
        worker = match script.tell(died) {
            Some(next) => next,
            None if item < 3 => script.next_start(),
            None => break,
        };
        script.tell(Event::Ready(worker));
    }
    let last = Exit::Code(1);
    let failure = RunFailure::QuarantineLoop {
        quarantined: 4,
        last,
    };
    assert_eq!(script.supervisor.outcome(), Some(Err(failure)));
}

#[test]
fn a_timeout_of_ten_milliseconds_is_honored() {
    let mut config = Config::new(1);
    config.item_timeout = Some(Duration::from_millis(10));
    let period = config.sample_period().unwrap();
    let mut script = Script::new(config);
    let id = script.started().unwrap();
    script.tell(Event::Ready(id));
    script.tell(Event::Input(TaskPolicy::default()));
    let sample = Sample {
        phase: Phase::Preparing,
        shard: ShardId(0),
        item: Some(3),
        begun: 4,
    };
    let began = script.now;
    loop {
        // The loop is a little late each time.
        script.now += period + Duration::from_millis(4);
        script
            .supervisor
            .handle(script.now, Event::Sampled(id, sample));
        let action = script.supervisor.poll_action();
        if action == Some(Action::Kill(id)) {
            break;
        }
        assert!(script.now < began + Duration::from_millis(20));
    }
    assert!(script.now >= began + Duration::from_millis(10));
}

#[test]
fn only_work_on_an_item_counts_against_the_timeout_of_an_item() {
    let mut config = Config::new(1);
    config.item_timeout = Some(Duration::from_secs(1));
    config.io_timeout = Some(Duration::from_mins(1));
    let mut script = Script::new(config);
    let id = script.started().unwrap();
    script.tell(Event::Ready(id));
    script.tell(Event::Input(TaskPolicy::default()));
    let reads = Sample {
        phase: Phase::Preparing,
        shard: ShardId(0),
        item: None,
        begun: 0,
    };
    let killed_after = |script: &mut Script, sample| {
        let began = script.now;
        loop {
            script.now += Duration::from_millis(100);
            script
                .supervisor
                .handle(script.now, Event::Sampled(id, sample));
            if script.supervisor.poll_action() == Some(Action::Kill(id)) {
                return script.now.saturating_sub(began);
            }
            if script.now > began + Duration::from_secs(50) {
                return Duration::MAX;
            }
        }
    };
    assert_eq!(killed_after(&mut script, reads), Duration::MAX);
    let works = Sample {
        item: Some(0),
        begun: 1,
        ..reads
    };
    assert!(killed_after(&mut script, works) < Duration::from_millis(1_300));
}
