//! Opens and locks the part file of an output.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::StoreError;
use crate::error::what_is_in_the_way;
use crate::side_file::{is_at, part_of};
use crate::target::check_replaceable;

/// A part file that is open, and locked against other runs until it is closed.
#[derive(Debug)]
pub(crate) struct OpenPart {
    pub(crate) file: File,
    /// The name of the part file.
    pub(crate) part: PathBuf,
    /// The name of the output.
    pub(crate) path: PathBuf,
}

impl OpenPart {
    /// Creates the part file of the output `path`.
    ///
    /// A part file of an earlier run is locked and replaced by a new file. Truncating it instead would also truncate
    /// any other hard link to it.
    pub(crate) fn create(path: PathBuf) -> Result<OpenPart, StoreError> {
        check_replaceable(&path)?;
        let part = part_of(&path);
        let failed = |source| StoreError::opening_side_file(&part, source);
        let file = retry(&part, || match options().create_new(true).open(&part) {
            Ok(file) => {
                if !lock(&file).map_err(failed)? {
                    return Err(StoreError::Busy { path: path.clone() });
                }
                Ok(is_at(&file, &part).map_err(failed)?.then_some(file))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if let Some(_left) = open_locked(&part, &path)? {
                    fs::remove_file(&part).map_err(failed)?;
                }
                Ok(None)
            }
            Err(source) => Err(failed(source)),
        })?;
        Ok(OpenPart { file, part, path })
    }

    /// Opens the part file that an earlier run left of the output `path`; `None` if there is none.
    pub(crate) fn reopen(path: PathBuf) -> Result<Option<OpenPart>, StoreError> {
        check_replaceable(&path)?;
        let part = part_of(&path);
        let file = open_locked(&part, &path)?;
        Ok(file.map(|file| OpenPart { file, part, path }))
    }
}

/// Returns the options to open part files with: a symbolic link is not followed, and a pipe does not block.
fn options() -> OpenOptions {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .custom_flags(flags.bits().cast_signed());
    options
}

/// Opens and locks the part file of the output `path`; `None` if there is none.
fn open_locked(part: &Path, path: &Path) -> Result<Option<File>, StoreError> {
    let failed = |source| StoreError::opening_side_file(part, source);
    retry(part, || {
        let file = match options().open(part) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(None)),
            Err(source) => return Err(failed(source)),
        };
        if let Some(what) = what_is_in_the_way(part) {
            let path = part.to_owned();
            return Err(StoreError::InTheWay { path, what });
        }
        if !lock(&file).map_err(failed)? {
            let path = path.to_owned();
            return Err(StoreError::Busy { path });
        }
        // A run that ended between opening and locking has renamed or removed this file. It must not be written to.
        let is_there = is_at(&file, part).map_err(failed)?;
        Ok(is_there.then_some(Some(file)))
    })
}

/// Maximum number of attempts to open a file that another program keeps replacing.
const ATTEMPTS: usize = 100;

/// Calls `attempt` until it returns `Some`, at most [`ATTEMPTS`] times.
fn retry<T>(
    part: &Path,
    mut attempt: impl FnMut() -> Result<Option<T>, StoreError>,
) -> Result<T, StoreError> {
    for _ in 0..ATTEMPTS {
        if let Some(settled) = attempt()? {
            return Ok(settled);
        }
    }
    Err(StoreError::Unsettled {
        path: part.to_owned(),
    })
}

/// Locks the file until it is closed. Returns false if another process holds the lock.
fn lock(file: &File) -> io::Result<bool> {
    match crate::lock::lock(file) {
        // Some network file systems have no locks. Output there is written without one.
        Err(Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(true),
        Ok(is_locked) => Ok(is_locked),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_file_is_locked_while_it_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let first = OpenPart::create(path.clone()).unwrap();
        for error in [
            OpenPart::create(path.clone()).unwrap_err(),
            OpenPart::reopen(path.clone()).unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Busy { .. }), "{error}");
        }
        drop(first);
        assert!(OpenPart::reopen(path).unwrap().is_some());
    }

    #[test]
    fn another_link_to_a_part_file_that_is_replaced_keeps_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let link = folder.path().join("link");
        fs::write(part_of(&path), b"left").unwrap();
        fs::hard_link(part_of(&path), &link).unwrap();
        let opened = OpenPart::create(path).unwrap();
        assert_eq!(opened.file.metadata().unwrap().len(), 0);
        assert_eq!(fs::read(link).unwrap(), b"left");
    }

    #[test]
    fn a_part_file_that_is_replaced_forever_is_an_error() {
        let mut attempts = 0;
        let ended: Result<(), _> = retry(Path::new("output.part"), || {
            attempts += 1;
            Ok(None)
        });
        let error = ended.unwrap_err();
        assert!(matches!(error, StoreError::Unsettled { .. }), "{error}");
        assert_eq!(attempts, ATTEMPTS);
    }
}
