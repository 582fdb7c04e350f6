//! Ends the process at once, and removes the files that must not outlive it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

/// How long removing the files may take: a disk that hangs must not keep the process from ending.
const LIMIT: Duration = Duration::from_secs(2);

/// The files to remove if the process ends at once. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct CleanUp(Arc<Mutex<Vec<PathBuf>>>);

impl CleanUp {
    /// Adds a file.
    pub(crate) fn add(&self, path: PathBuf) {
        let files = self.0.lock();
        files.unwrap_or_else(PoisonError::into_inner).push(path);
    }

    /// Removes the files and ends the process with this exit code.
    pub(crate) fn exit(&self, code: i32) -> ! {
        let files = self.clone();
        run_within(LIMIT, move || files.remove());
        // The kernel ends the workers with this process. Exit handlers are left out: the main thread may be blocked for good
        // and hold what they need.
        signal_hook::low_level::exit(code)
    }

    fn remove(&self) {
        let files = self.0.lock();
        for path in files.unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Runs `work` in a thread and waits for it up to `limit`; returns whether it is done by then. If the system refuses a
/// thread, runs it in this one.
fn run_within(limit: Duration, work: impl Fn() + Send + Clone + 'static) -> bool {
    let (done, is_done) = mpsc::channel();
    let fallback = work.clone();
    let body = move || {
        work();
        let _ = done.send(());
    };
    if thread::Builder::new().spawn(body).is_err() {
        fallback();
        return true;
    }
    is_done.recv_timeout(limit).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_up_that_hangs_is_not_waited_for() {
        let disk = Arc::new(Mutex::new(()));
        let (hangs, disk_of_others) = (disk.lock().unwrap(), Arc::clone(&disk));
        let waits = move || drop(disk_of_others.lock());
        assert!(!run_within(Duration::from_millis(10), waits));
        drop(hangs);
        assert!(run_within(Duration::from_mins(1), || {}));
    }
}
