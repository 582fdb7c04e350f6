//! Writes pieces of a part file that several processes write at once.
//!
//! The process that owns the [`PartFile`](crate::PartFile) assigns an offset to each piece, so the writers need no
//! lock. If a writer dies halfway, the piece is written again at the same offset.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::StoreError;

/// A handle to a part file that another process created.
#[derive(Debug)]
pub struct PartWriter {
    path: PathBuf,
    file: File,
}

impl PartWriter {
    /// Opens the part file at `path`, which must exist.
    ///
    /// # Errors
    /// If it does not exist or cannot be opened for writing.
    pub fn open(path: &Path) -> Result<PartWriter, StoreError> {
        let path = path.to_owned();
        match OpenOptions::new().write(true).open(&path) {
            Ok(file) => Ok(PartWriter { path, file }),
            Err(source) => Err(StoreError::PartGone { path, source }),
        }
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// If the disk is full or fails. Some of the bytes may have been written.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(|source| StoreError::writing(&self.path, source))
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
    fn a_part_writer_never_creates_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.part");
        let error = PartWriter::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::PartGone { .. }));
        assert!(!path.exists());
    }

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let writer = PartWriter::open(Path::new("/dev/full")).unwrap();
        let error = writer.write_at(0, b"bytes").unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
    }
}
