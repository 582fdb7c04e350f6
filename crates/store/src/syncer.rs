//! Forcing files to the disk.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use crate::StoreError;

/// A thread that forces files to the disk while others go on writing them.
#[derive(Debug)]
pub struct Syncer {
    requests: SyncSender<Vec<File>>,
}

impl Syncer {
    /// Starts the thread, which ends with the value. `path` is named if that fails.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub fn start(path: &Path) -> Result<Syncer, StoreError> {
        let (requests, taken) = sync_channel::<Vec<File>>(0);
        let work = move || {
            for files in taken {
                // A disk that cannot do this cannot be written either, which those who write are told; and at the end of
                // the run it has to.
                let _: io::Result<()> = files.iter().try_for_each(File::sync_data);
            }
        };
        match thread::Builder::new().name("syncer".to_owned()).spawn(work) {
            Ok(_) => Ok(Syncer { requests }),
            Err(source) => Err(StoreError::creating(path, source)),
        }
    }

    /// Has `files` forced to the disk if the thread has nothing else to do: false if it has.
    #[must_use]
    pub fn request(&self, files: Vec<File>) -> bool {
        self.requests.try_send(files).is_ok()
    }
}

/// The folder that `path` lies in, opened: what is created or renamed in it is on the disk when it is. `None` if it may
/// be written but not read: then when its names reach the disk is up to the system.
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
        // Some network file systems know no such thing: there a name is as lasting as it gets.
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
            while !syncer.request(files()) {
                std::thread::yield_now();
            }
        }
        sync_name(&path).unwrap();
        assert!(folder_of(&path.join("below")).is_none_or(|file| file.sync_all().is_ok()));
    }
}
