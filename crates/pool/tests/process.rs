//! Worker processes at their edges: who else holds their standard error, what is under way when they die, and what the
//! process around the pool is like.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use moodring_pool::process::WorkerCommand;
use moodring_pool::{
    BoxError, Feed, ItemAction, Job, JobError, MAX_WORKERS, Pool, PoolBuilder, PoolError, Released,
    Sink, Work, worker,
};
use rustix::process::{Pid, Signal, kill_process};

/// What the workers of a test do, by the first byte of the setup; the rest is a folder for notes.
enum TestJob {
    /// Leaves a process behind that holds the standard error, says something and dies; if it finds no such process.
    Parent(PathBuf),
    /// Writes more to standard error than a pipe holds, and dies, at the first item of shard 1.
    Loud,
    /// Dies at every odd shard that it finds no note on.
    DiesAtOddShards(PathBuf),
    Plain,
}

impl Job for TestJob {
    fn start(setup: &[u8]) -> Result<Self, JobError> {
        let (kind, folder) = setup.split_at(setup.len().min(1));
        let folder = String::from_utf8_lossy(folder).into_owned().into();
        Ok(match kind {
            b"p" => Self::Parent(folder),
            b"m" => Self::DiesAtOddShards(folder),
            b"l" => Self::Loud,
            _ => Self::Plain,
        })
    }

    fn prepare(&mut self, work: &Work<'_>, _: &mut Vec<u8>) -> Result<(), JobError> {
        if work.action(0) != ItemAction::Process {
            return Ok(());
        }
        match self {
            Self::Parent(folder) => {
                let note = folder.join("pid");
                if !note.exists() {
                    let child = Command::new("sleep")
                        .arg("600")
                        .stdin(Stdio::null())
                        .stdout(Stdio::null())
                        .spawn()
                        .map_err(JobError::new)?;
                    fs::write(&note, child.id().to_string()).map_err(JobError::new)?;
                    eprintln!("farewell");
                    std::process::abort();
                }
            }
            Self::DiesAtOddShards(folder) => {
                let note = folder.join(work.shard.0.to_string());
                if work.shard.0 % 2 == 1 && fs::File::create_new(note).is_ok() {
                    let _ = kill_process(rustix::process::getpid(), Signal::KILL);
                }
            }
            Self::Loud if work.shard.0 == 1 => {
                // Not `eprintln!`, which the test harness captures.
                let text = format!("{}\nfarewell", "x".repeat(1 << 20));
                let _ = io::stderr().write_all(text.as_bytes());
                std::process::abort();
            }
            Self::Loud | Self::Plain => {}
        }
        Ok(())
    }
}

/// So many tasks of so many bytes.
struct Tasks(u32, usize);

impl Feed for Tasks {
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        let Some(left) = self.0.checked_sub(1) else {
            return Ok(None);
        };
        self.0 = left;
        Ok(Some(vec![7; self.1]))
    }
}

struct NullSink;

impl Sink for NullSink {
    fn release(&mut self, _: &Released<'_>) -> Result<Vec<u8>, BoxError> {
        Ok(Vec::new())
    }
}

fn pool(workers: u32, setup: &[u8]) -> PoolBuilder {
    let command = WorkerCommand::this_program(
        "test-worker",
        &["--ignored", "--exact", "what_a_worker_process_runs"],
    );
    Pool::builder(workers, command).setup(setup.to_vec())
}

#[test]
#[ignore = "the other tests run it in processes of its own"]
fn what_a_worker_process_runs() {
    let address = std::env::args().next_back().unwrap();
    let _ = worker::serve::<TestJob>(&address);
}

#[test]
fn a_death_is_seen_while_a_process_of_the_worker_holds_its_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let setup = format!("p{}", folder.path().display());
    let outcome = pool(1, setup.as_bytes())
        .build()
        .run(Tasks(3, 10), &mut NullSink);
    let holder = fs::read_to_string(folder.path().join("pid")).unwrap();
    let holder_lives = Path::new("/proc").join(&holder).exists();
    let _ = kill_process(
        Pid::from_raw(holder.parse().unwrap()).unwrap(),
        Signal::KILL,
    );
    let outcome = outcome.unwrap();
    assert_eq!((outcome.shards, outcome.restarts), (3, 1));
    assert!(holder_lives, "the run waited for the process");
}

/// Remembers what the last words were at quarantined items.
struct LastWords(Vec<String>);

impl Sink for LastWords {
    fn release(&mut self, released: &Released<'_>) -> Result<Vec<u8>, BoxError> {
        let quarantined = released.quarantined.iter();
        self.0
            .extend(quarantined.map(|item| item.last_words.clone()));
        Ok(Vec::new())
    }
}

#[test]
#[ignore = "the next test runs it in a process whose standard error nobody reads"]
fn a_run_with_loud_workers() {
    let mut sink = LastWords(Vec::new());
    let outcome = pool(1, b"l").build().run(Tasks(3, 10), &mut sink).unwrap();
    assert_eq!((outcome.shards, outcome.restarts), (3, 2));
    assert_eq!(sink.0.len(), 1);
    assert!(sink.0[0].ends_with("xxx\nfarewell"), "{:?}", sink.0);
}

#[test]
fn a_death_is_seen_while_nobody_reads_the_stderr_of_the_supervisor() {
    let mut run = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "a_run_with_loud_workers"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The pipe is held open and not read. The test runner ends a test that waits for ever.
    let _unread = run.stderr.take();
    assert!(run.wait().unwrap().success());
}

fn entries(folder: &str) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn workers_killed_while_large_tasks_are_sent_leak_nothing() {
    // Two tasks are with a worker; it dies at the first, and of the second no more than a packet has been sent.
    const TASKS: u32 = 400;
    let folder = tempfile::tempdir().unwrap();
    let setup = format!("m{}", folder.path().display());
    let run = |tasks| {
        let pool = pool(2, setup.as_bytes()).build();
        pool.run(Tasks(tasks, 2 << 20), &mut NullSink)
    };
    run(1).unwrap();
    let (descriptors, threads) = (entries("/proc/self/fd"), entries("/proc/self/task"));
    let outcome = run(TASKS).unwrap();
    assert_eq!(outcome.shards, u64::from(TASKS));
    assert_eq!(outcome.restarts, u64::from(TASKS / 2));
    // Threads end on their own a moment after the run; the test runner ends a test that waits for ever.
    while entries("/proc/self/task") > threads || entries("/proc/self/fd") > descriptors {
        thread::yield_now();
    }
}

/// Panics when asked for its second task.
struct PanickingFeed(u32);

impl Feed for PanickingFeed {
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        self.0 += 1;
        assert!(self.0 < 2, "no input");
        Ok(Some(Vec::new()))
    }
}

#[test]
fn a_feed_that_panics_ends_the_run_with_its_message() {
    let ended = pool(1, b"").build().run(PanickingFeed(0), &mut NullSink);
    let Err(PoolError::Panicked { thread, message }) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!((&*thread, &*message), ("feed", "no input"));
}

#[test]
fn a_helper_thread_that_panics_ends_the_run_with_its_message() {
    let pool = pool(1, b"").build();
    let helping = pool.control().spawn("helper", || panic!("no help"));
    helping.unwrap();
    // A feed that never ends.
    let ended = pool
        .run(Tasks(u32::MAX, 0), &mut NullSink)
        .unwrap_err()
        .to_string();
    assert_eq!(
        ended,
        "the thread `helper` of the supervisor panicked: no help"
    );
}

#[test]
fn no_timeout_is_too_long() {
    let pool = pool(1, b"")
        .start_timeout(Duration::MAX)
        .item_timeout(Some(Duration::MAX));
    assert_eq!(
        pool.build()
            .run(Tasks(3, 10), &mut NullSink)
            .unwrap()
            .shards,
        3
    );
}

#[test]
fn more_workers_than_there_are_descriptors_for_are_not_started() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = Rlimit {
        current: Some(100),
        maximum: getrlimit(Resource::Nofile).maximum.map(|_| 100),
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    let refused = pool(50, b"").build().run(Tasks(3, 10), &mut NullSink);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.starts_with("50 workers need 4"), "{refused}");
    assert!(refused.contains("may open 100;"), "{refused}");

    let pool = pool(2, b"").build();
    assert_eq!(pool.control().resize(u32::MAX), MAX_WORKERS);
    let outcome = pool.run(Tasks(500, 10), &mut NullSink).unwrap();
    assert_eq!((outcome.shards, outcome.restarts), (500, 0));
}
