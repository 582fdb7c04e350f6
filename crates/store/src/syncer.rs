//! Forces files to the disk.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;

use crate::StoreError;

/// A thread that forces files to the disk while others continue to write them.
#[derive(Debug)]
pub struct Syncer {
    requests: SyncSender<Vec<File>>,
    path: PathBuf,
}

impl Syncer {
    /// Starts the thread, which ends with the value. Errors name `path`.
    ///
    /// # Errors
    /// [`StoreError::Thread`] if the system refuses a thread.
    pub fn start(path: &Path) -> Result<Syncer, StoreError> {
        Self::start_with(path, |files| {
            // Errors are ignored here: a failing disk also fails the writes, and the sync at the end of the run.
            let _: io::Result<()> = files.iter().try_for_each(File::sync_data);
        })
    }

    fn start_with(
        path: &Path,
        sync: impl Fn(&[File]) + Send + 'static,
    ) -> Result<Syncer, StoreError> {
        let (requests, taken) = sync_channel::<Vec<File>>(0);
        let work = move || {
            for files in taken {
                sync(&files);
            }
        };
        match thread::Builder::new().name("syncer".to_owned()).spawn(work) {
            Ok(_) => Ok(Syncer {
                requests,
                path: path.to_owned(),
            }),
            Err(source) => Err(StoreError::Thread {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Asks the thread to force `files` to the disk, unless it is busy. Returns whether it was idle. Does not block.
    ///
    /// # Errors
    /// [`StoreError::SyncerDied`] if the thread panicked during an earlier request: nothing is forced to the disk any
    /// more.
    pub fn request(&self, files: Vec<File>) -> Result<bool, StoreError> {
        match self.requests.try_send(files) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Disconnected(_)) => Err(StoreError::SyncerDied {
                path: self.path.clone(),
            }),
        }
    }
}

/// Opens the folder that contains `path`. Syncing it forces the names of new and renamed files to the disk. `None` if
/// the folder may be written but not read: its names cannot be synced then.
#[must_use]
pub fn folder_of(path: &Path) -> Option<File> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).ok()
}

/// Forces the name of a file to the disk.
pub(crate) fn sync_name(path: &Path) -> io::Result<()> {
    match folder_of(path).map_or(Ok(()), |folder| folder.sync_all()) {
        // Some network file systems do not support syncing a folder.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_syncer_turns_requests_down() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"bytes").unwrap();
        let syncer = Syncer::start(&path).unwrap();
        let files = || vec![folder_of(&path).unwrap(), File::open(&path).unwrap()];
        for _ in 0..3 {
            while !syncer.request(files()).unwrap() {
                std::thread::yield_now();
            }
        }
        sync_name(&path).unwrap();
        assert!(folder_of(&path.join("below")).is_none_or(|file| file.sync_all().is_ok()));
    }

    #[test]
    fn a_syncer_that_panics_is_an_error_of_the_next_request() {
        let path = Path::new("output.jsonl");
        let syncer = Syncer::start_with(path, |_| panic!("no disk")).unwrap();
        let ended = loop {
            match syncer.request(Vec::new()) {
                Ok(_) => std::thread::yield_now(),
                Err(error) => break error,
            }
        };
        assert!(matches!(ended, StoreError::SyncerDied { .. }), "{ended}");
        assert!(ended.to_string().contains("output.jsonl"), "{ended}");
    }
}
