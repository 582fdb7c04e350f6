//! What a pool costs: the time it takes to hand out a shard that is no work at all, and until the workers are ready.
//!
//! ```text
//! cargo run --release -p moodring-pool --example cost
//! ```

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use moodring_pool::process::WorkerCommand;
use moodring_pool::{BoxError, Feed, Job, JobError, Pool, Released, Sink, Work, worker};

/// Does nothing for so many milliseconds, and tells who did it.
struct Nothing;

impl Job for Nothing {
    fn start(_setup: &[u8]) -> Result<Self, JobError> {
        Ok(Self)
    }

    fn prepare(&mut self, work: &Work<'_>, report: &mut Vec<u8>) -> Result<(), JobError> {
        if let [millis] = work.task {
            thread::sleep(Duration::from_millis(u64::from(*millis)));
        }
        report.extend_from_slice(&std::process::id().to_le_bytes());
        Ok(())
    }
}

/// So many tasks, all the same.
struct Tasks {
    left: u64,
    task: Vec<u8>,
}

impl Feed for Tasks {
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or_default();
        Ok(left.map(|_| self.task.clone()))
    }
}

/// Notes when a worker is heard of for the first time.
struct Roll {
    began: Instant,
    seen: BTreeSet<Vec<u8>>,
    last_new: Duration,
}

impl Sink for Roll {
    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError> {
        if self.seen.insert(released.report.to_vec()) {
            self.last_new = self.began.elapsed();
        }
        Ok(Vec::new())
    }
}

/// What a run took.
struct Cost {
    wall: Duration,
    /// Of the supervisor alone.
    cpu: Duration,
    /// Until the last of the workers had done its first shard.
    all_at_work: Duration,
    workers: usize,
}

fn run(workers: u32, shards: u64, millis: Option<u8>) -> Result<Cost, BoxError> {
    let command = WorkerCommand::this_program("cost-worker", &["worker"]);
    let pool = Pool::builder(workers, command).unordered(true).build();
    let tasks = Tasks {
        left: shards,
        task: millis.into_iter().collect(),
    };
    let (began, cpu_before) = (Instant::now(), cpu_time());
    let mut roll = Roll {
        began,
        seen: BTreeSet::new(),
        last_new: Duration::ZERO,
    };
    pool.run(tasks, &mut roll)?;
    Ok(Cost {
        wall: began.elapsed(),
        cpu: cpu_time().saturating_sub(cpu_before),
        all_at_work: roll.last_new,
        workers: roll.seen.len(),
    })
}

/// The processor time of this process, all threads, without its children.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn measure() -> Result<(), BoxError> {
    const SHARDS: u32 = 100_000;
    for workers in [1, 2] {
        let cost = run(workers, SHARDS.into(), None)?;
        println!(
            "{workers} workers: {:.1?} a shard, of which the supervisor's processor time {:.1?}",
            cost.wall / SHARDS,
            cost.cpu / SHARDS
        );
    }
    for _ in 0..5 {
        let cost = run(8, 200, Some(1))?;
        println!(
            "{} workers at work after {:.1?}",
            cost.workers, cost.all_at_work
        );
    }
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if let [_, mode, address] = args.as_slice()
        && mode == "worker"
    {
        return worker::serve::<Nothing>(address);
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cost: {error}");
            ExitCode::FAILURE
        }
    }
}
