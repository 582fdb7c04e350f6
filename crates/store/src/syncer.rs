//! Forcing files to the disk without waiting for it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use crate::{Journal, StoreError};

/// A thread that forces files to the disk, and then says so in a journal.
///
/// The order is the point: a mark that a power cut left in the journal stands for bytes that it left in the files.
#[derive(Debug)]
pub struct Syncer {
    requests: SyncSender<Request>,
}

#[derive(Debug)]
struct Request {
    files: Vec<File>,
    mark: Vec<u8>,
}

impl Syncer {
    /// Starts the thread, which ends with the value.
    ///
    /// # Errors
    /// If the system refuses a thread or a descriptor.
    pub fn start(journal: &Journal) -> Result<Syncer, StoreError> {
        let mut journal = journal.try_clone()?;
        let path = journal.path().to_owned();
        let (requests, taken) = sync_channel::<Request>(0);
        let work = move || {
            for Request { files, mark } in taken {
                // A disk that cannot do this cannot be written either, which those who write are told. Without the
                // mark the bytes are looked at again before anybody relies on them.
                let synced: io::Result<()> = files.iter().try_for_each(File::sync_data);
                if synced.is_ok() && journal.append(&mark).is_ok() {
                    let _ = journal.sync();
                }
            }
        };
        match thread::Builder::new().name("syncer".to_owned()).spawn(work) {
            Ok(_) => Ok(Syncer { requests }),
            Err(source) => Err(StoreError::creating(&path, source)),
        }
    }

    /// Has `files` forced to the disk and then `mark` appended to the journal, if the thread has nothing else to do:
    /// false if it has.
    #[must_use]
    pub fn request(&self, files: Vec<File>, mark: Vec<u8>) -> bool {
        self.requests.try_send(Request { files, mark }).is_ok()
    }
}

/// The folder that `path` lies in, opened: what is created or renamed in it is on the disk when it is.
///
/// # Errors
/// If the folder cannot be opened.
pub fn folder_of(path: &Path) -> Result<File, StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).map_err(|source| StoreError::Unreadable {
        path: folder.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_follows_what_it_stands_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::create(&path).unwrap();
        journal.append(b"done").unwrap();
        let syncer = Syncer::start(&journal).unwrap();
        let files = || vec![folder_of(&path).unwrap(), File::open(&path).unwrap()];
        while !syncer.request(files(), b"synced".to_vec()) {
            std::thread::yield_now();
        }
        // The thread takes the next request only when it is done with this one.
        while !syncer.request(Vec::new(), b"again".to_vec()) {
            std::thread::yield_now();
        }
        let entries = Journal::read(&path).unwrap().entries;
        assert_eq!(entries[..2], [&b"done"[..], b"synced"]);
    }
}
