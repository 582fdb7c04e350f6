//! Writing pieces of an output that many workers write at once.
//!
//! The supervisor decides which bytes of the part file belong to which shard, so that workers write side by side
//! without a lock, and each result goes from the worker that made it straight to where it stays. Writing the same piece
//! twice, after a worker died halfway, does no harm.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Why a piece cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// The part file cannot be opened.
    #[error("cannot open \"{}\" to write results ({source}): was it moved or removed during the run?", path.display())]
    Open {
        /// The part file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The disk is full, or the user's share of it is.
    #[error(
        "no space left to write \"{}\" ({source}): free some space or choose another place with -o",
        path.display()
    )]
    Full {
        /// The part file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// Writing failed otherwise.
    #[error("cannot write \"{}\" at byte {offset} ({source}): check the disk it is on", path.display())]
    Write {
        /// The part file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What happened.
        source: io::Error,
    },
}

/// A worker's own handle of the part file.
#[derive(Debug)]
pub struct PartWriter {
    path: PathBuf,
    file: File,
}

impl PartWriter {
    /// Opens a part file that the supervisor has made.
    ///
    /// # Errors
    /// If it is not there or cannot be written.
    pub fn open(path: &Path) -> Result<PartWriter, PartError> {
        let path = path.to_owned();
        match OpenOptions::new().write(true).open(&path) {
            Ok(file) => Ok(PartWriter { path, file }),
            Err(source) => Err(PartError::Open { path, source }),
        }
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// If the disk is full or fails. Some of the bytes may have been written.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), PartError> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(|source| self.failure(offset, source))
    }

    fn failure(&self, offset: u64, source: io::Error) -> PartError {
        let path = self.path.clone();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                PartError::Full { path, source }
            }
            _ => PartError::Write {
                path,
                offset,
                source,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn pieces_land_where_they_belong_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.part");
        fs::write(&path, b"").unwrap();

        let (one, other) = (
            PartWriter::open(&path).unwrap(),
            PartWriter::open(&path).unwrap(),
        );
        other.write_at(4, b"world").unwrap();
        one.write_at(0, b"old ").unwrap();
        one.write_at(0, b"new ").unwrap();

        assert_eq!(fs::read(&path).unwrap(), b"new world");
    }

    #[test]
    fn a_worker_never_makes_the_part_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.part");
        let error = PartWriter::open(&path).unwrap_err();
        assert!(matches!(error, PartError::Open { .. }));
        assert!(!path.exists());
    }

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let writer = PartWriter::open(Path::new("/dev/full")).unwrap();
        let error = writer.write_at(0, b"bytes").unwrap_err();
        assert!(matches!(error, PartError::Full { .. }), "{error}");

        let broken = writer.failure(7, io::Error::from_raw_os_error(5));
        assert!(matches!(broken, PartError::Write { offset: 7, .. }));
    }
}
