//! A pool whose workers die all the time leaves nothing behind in its supervisor: no file descriptors, no threads, no
//! zombies, no memory. `MOODRING_RESTARTS=10000 cargo test -p moodring-pool --test endurance -- --nocapture` takes
//! longer and prints the figures.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use moodring_pool::process::WorkerCommand;
use moodring_pool::{BoxError, Control, Feed, Job, JobError, Pool, Released, Sink, Work, worker};

/// Reports the worker's process id, so that the sink can kill it.
struct TellPid;

impl Job for TellPid {
    fn start(_setup: &[u8]) -> Result<Self, JobError> {
        Ok(Self)
    }

    fn prepare(&mut self, work: &Work<'_>, report: &mut Vec<u8>) -> Result<(), JobError> {
        let _ = work.action(0);
        report.extend_from_slice(&std::process::id().to_le_bytes());
        Ok(())
    }
}

/// Empty tasks, until so many workers were started in the place of others.
struct Tasks {
    control: Control,
    restarts: u64,
}

impl Feed for Tasks {
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        let go_on = self.control.stats().restarts() < self.restarts;
        Ok(go_on.then(Vec::new))
    }
}

/// Kills the worker of every other shard; the others are replaced as they are worn out.
struct Killer {
    control: Control,
    released: u64,
    /// After so many restarts, when all has found its place.
    early: (u64, Option<Holdings>),
    /// After all of them.
    late: (u64, Option<Holdings>),
}

impl Sink for Killer {
    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError> {
        self.released += 1;
        for (restarts, holdings) in [&mut self.early, &mut self.late] {
            if self.control.stats().restarts() >= *restarts {
                holdings.get_or_insert_with(Holdings::now);
            }
        }
        let pid = i32::from_le_bytes(released.report.try_into()?);
        if self.released.is_multiple_of(2)
            && let Some(pid) = rustix::process::Pid::from_raw(pid)
        {
            // It may have left by itself.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        Ok(Vec::new())
    }
}

/// What this process holds of the machine.
#[derive(Debug, Clone, Copy)]
struct Holdings {
    descriptors: usize,
    threads: usize,
    children: usize,
    zombies: usize,
    /// Resident memory.
    kib: usize,
}

impl Holdings {
    /// What is held when the threads of the last workers have ended, as they do on their own a moment after the run.
    fn after(before: &Self) -> Self {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let now = Self::now();
            if now.threads <= before.threads || Instant::now() > deadline {
                return now;
            }
            thread::yield_now();
        }
    }

    fn now() -> Self {
        let states = states_of_children();
        Self {
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            children: states.len(),
            zombies: states.iter().filter(|&&state| state == 'Z').count(),
            kib: resident(),
        }
    }
}

fn entries(folder: &str) -> usize {
    fs::read_dir(folder).unwrap().count()
}

fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    figure.unwrap().parse().unwrap()
}

/// How the kernel lists each child of this process: proc(5).
fn states_of_children() -> Vec<char> {
    let me = std::process::id().to_string();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let state = |folder: &Path| {
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        // The name may hold anything, and ends with the last parenthesis.
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut fields = fields.split(' ');
        let state = fields.next()?.chars().next()?;
        (fields.next()? == me).then_some(state)
    };
    processes
        .filter_map(|process| state(&process.path()))
        .collect()
}

#[test]
fn a_pool_whose_workers_die_all_the_time_leaves_nothing_behind() {
    const WORKERS: u32 = 3;
    let wanted = std::env::var("MOODRING_RESTARTS").ok();
    let wanted = wanted.and_then(|restarts| restarts.parse().ok());
    let restarts = wanted.unwrap_or(300).max(100);
    let before = Holdings::now();
    let command = WorkerCommand::this_program(
        "endurance-worker",
        &["--ignored", "--exact", "what_a_worker_process_runs"],
    );
    let pool = Pool::builder(WORKERS, command).max_shards(Some(1)).build();
    let control = pool.control();
    let mut killer = Killer {
        control: control.clone(),
        released: 0,
        early: (50, None),
        late: (restarts, None),
    };
    let outcome = pool.run(Tasks { control, restarts }, &mut killer).unwrap();
    let (early, late, after) = (killer.early.1, killer.late.1, Holdings::after(&before));
    let (early, late) = (early.unwrap(), late.unwrap());
    println!("{outcome:?}\n{before:?}\n{early:?}\n{late:?}\n{after:?}");

    assert_eq!(outcome.shards, killer.released);
    assert!(outcome.restarts >= restarts, "{outcome:?}");
    assert_eq!((after.children, after.zombies), (0, 0));
    assert_eq!(
        (after.descriptors, after.threads),
        (before.descriptors, before.threads)
    );
    // How many workers are coming and going at one moment differs, but not by how many there were before.
    let workers = 2 * WORKERS as usize;
    assert!(late.children <= workers, "{late:?}");
    assert!(late.threads <= before.threads + 1 + 3 * workers, "{late:?}");
    assert!(
        late.descriptors <= before.descriptors + 8 * workers,
        "{late:?}"
    );
    assert!(late.kib < early.kib + 5 * 1024, "{early:?}, then {late:?}");
}

#[test]
#[ignore = "the test above runs it in processes of its own"]
fn what_a_worker_process_runs() {
    let address = std::env::args().next_back().unwrap();
    let _ = worker::serve::<TellPid>(&address);
}
