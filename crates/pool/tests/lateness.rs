//! A supervisor that is late does not hold it against its workers.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use moodring_pool::process::WorkerCommand;
use moodring_pool::{BoxError, Control, Feed, Job, JobError, Pool, Released, Sink, Work, worker};

/// Starts as soon as there is a file of the name in its setup.
struct Gated;

impl Job for Gated {
    fn start(setup: &[u8]) -> Result<Self, JobError> {
        let gate = PathBuf::from(String::from_utf8_lossy(setup).into_owned());
        while !gate.exists() {
            thread::yield_now();
        }
        Ok(Self)
    }

    fn prepare(&mut self, work: &Work<'_>, _report: &mut Vec<u8>) -> Result<(), JobError> {
        let _ = work.action(0);
        Ok(())
    }
}

/// Empty tasks, until it is over.
struct Tasks(Arc<AtomicBool>);

impl Feed for Tasks {
    fn next_task(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        let over = self.0.load(Ordering::SeqCst);
        Ok((!over).then(Vec::new))
    }
}

const START_TIMEOUT: Duration = Duration::from_secs(1);

/// Asks for more workers, and blocks while they start, for longer than a start may take.
struct Blocker {
    control: Control,
    gate: PathBuf,
    asked: bool,
    over: Arc<AtomicBool>,
}

impl Sink for Blocker {
    fn release(&mut self, _: &Released<'_>) -> Result<Vec<u8>, BoxError> {
        if !self.asked {
            fs::remove_file(&self.gate)?;
            self.control.resize(3);
            self.asked = true;
        } else if self.control.stats().alive() == 3 && !self.over.load(Ordering::SeqCst) {
            fs::write(&self.gate, "")?;
            let began = Instant::now();
            while began.elapsed() < START_TIMEOUT * 3 / 2 {
                thread::yield_now();
            }
            self.over.store(true, Ordering::SeqCst);
        }
        Ok(Vec::new())
    }
}

#[test]
fn workers_that_start_while_the_sink_blocks_are_not_killed() {
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    fs::write(&gate, "").unwrap();
    let command = WorkerCommand::this_program(
        "lateness-worker",
        &["--ignored", "--exact", "what_a_worker_process_runs"],
    );
    let pool = Pool::builder(1, command)
        .start_timeout(START_TIMEOUT)
        .setup(gate.to_str().unwrap().into())
        .build();
    let control = pool.control();
    let over = Arc::new(AtomicBool::new(false));
    let mut sink = Blocker {
        control,
        gate,
        asked: false,
        over: Arc::clone(&over),
    };
    let outcome = pool.run(Tasks(over), &mut sink).unwrap();
    assert_eq!(outcome.restarts, 0);
}

#[test]
#[ignore = "the test above runs it in processes of its own"]
fn what_a_worker_process_runs() {
    let address = std::env::args().next_back().unwrap();
    let _ = worker::serve::<Gated>(&address);
}
