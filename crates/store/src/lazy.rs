//! A file that is created only if something is written to it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::side_file::part_of;
use crate::target::Target;
use crate::{Output, PartFile, StoreError};

/// A file that appears only if something is written to it, such as rejects or a quarantine.
///
/// Opening it creates and locks the part file, so that a name that cannot be written is an error at the start of a
/// run, and no other run can write the same file.
#[derive(Debug)]
pub struct LazyFile {
    path: PathBuf,
    force: bool,
    /// `None` for a stream until something is written to it, because opening it may block until there is a reader.
    output: Option<Output>,
    is_written: bool,
    /// The CRC-32 of all bytes written.
    checksum: crc32fast::Hasher,
}

impl LazyFile {
    /// Creates the part file, and replaces one that an interrupted run left.
    ///
    /// # Errors
    /// If the file cannot be created, exists and `force` is not set, or is being written by another run.
    pub fn open(path: &Path, force: bool) -> Result<LazyFile, StoreError> {
        let mut file = LazyFile::empty(path, force);
        if let Target::File(path) = Target::of(path, force)? {
            file.output = Some(Output::File(PartFile::create_at(path, force)?));
        }
        Ok(file)
    }

    fn empty(path: &Path, force: bool) -> LazyFile {
        LazyFile {
            path: path.to_owned(),
            force,
            output: None,
            is_written: false,
            checksum: crc32fast::Hasher::new(),
        }
    }

    /// Opens the part file that an earlier run left, and truncates it to its first `len` bytes, whose CRC-32 is `sum`.
    /// A `len` of 0 starts an empty file.
    ///
    /// # Errors
    /// As [`open`](LazyFile::open), and if there are fewer bytes.
    pub fn reopen(path: &Path, force: bool, len: u64, sum: u32) -> Result<LazyFile, StoreError> {
        if len == 0 {
            return LazyFile::open(path, force);
        }
        let mut file = LazyFile::empty(path, force);
        let Some(mut part) = PartFile::reopen(path, force)? else {
            return match Target::of(path, force)? {
                Target::File(path) => Err(StoreError::Incomplete {
                    path: part_of(&path),
                    found: 0,
                    placed: len,
                }),
                Target::Stdout | Target::Device(_) => Ok(file),
            };
        };
        if part.len() < len {
            part.keep(true);
            return Err(StoreError::Incomplete {
                path: part.part_path().to_owned(),
                found: part.len(),
                placed: len,
            });
        }
        // The journal of the earlier run refers to these bytes, so they must survive a failure of this run.
        part.keep(true);
        part.cut(len)?;
        file.checksum = crc32fast::Hasher::new_with_initial_len(sum, len);
        file.output = Some(Output::File(part));
        file.is_written = true;
        Ok(file)
    }

    /// Sets whether an uncommitted file is kept when this value is dropped. An empty one is always removed.
    pub fn keep(&mut self, keep: bool) {
        if let Some(Output::File(part)) = &mut self.output {
            part.keep(keep && self.is_written);
        }
    }

    /// Returns how many bytes have been written to the file; 0 for a stream.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.output {
            Some(Output::File(part)) => part.len(),
            Some(Output::Stream(_)) | None => 0,
        }
    }

    /// Returns the CRC-32 of all bytes written.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        self.checksum.clone().finalize()
    }

    /// See [`PartFile::descriptor`]; `None` for a stream, or if nothing has been written.
    ///
    /// # Errors
    /// If the process or the system has no descriptors left.
    pub fn descriptor(&self) -> Result<Option<File>, StoreError> {
        match &self.output {
            Some(Output::File(part)) if self.is_written => part.descriptor().map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// Returns the name of the part file; `None` for a stream.
    #[must_use]
    pub fn part_path(&self) -> Option<PathBuf> {
        match Target::of(&self.path, true) {
            Ok(Target::File(path)) => Some(part_of(&path)),
            _ => None,
        }
    }

    /// Returns the name that the file gets.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing has been written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.is_written
    }

    /// Appends `bytes`. Empty `bytes` do nothing.
    ///
    /// # Errors
    /// If the output cannot be opened, or the disk is full or fails.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.checksum.update(bytes);
        self.is_written = true;
        let output = match self.output.take() {
            Some(output) => output,
            None => Output::open(Some(&self.path), self.force)?,
        };
        self.output.insert(output).append(bytes)
    }

    /// Forces all written bytes to the disk.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(&self) -> Result<(), StoreError> {
        match &self.output {
            Some(output) if self.is_written => output.sync(),
            Some(_) | None => Ok(()),
        }
    }

    /// Gives the complete file its name, and returns whether there is one. If nothing was written and `force` is set,
    /// a file of that name from an earlier run is removed, so that it is not mistaken for one of this run.
    ///
    /// # Errors
    /// If the file is not complete or cannot be renamed.
    pub fn commit(mut self) -> Result<bool, StoreError> {
        let is_written = self.is_written;
        if let Some(output) = self.output.take_if(|_| is_written) {
            return output.commit().map(|()| true);
        }
        if self.force
            && let Target::File(path) = Target::of(&self.path, true)?
            && path.exists()
        {
            fs::remove_file(&path).map_err(|source| StoreError::writing(&path, source))?;
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_written_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut rejects = LazyFile::open(&folder.path().join("rejects.jsonl"), false).unwrap();
        rejects.append(b"").unwrap();
        assert!(rejects.is_empty());
        assert!(!rejects.commit().unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_runs_cannot_write_the_same_file_even_before_anything_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.jsonl");
        let first = LazyFile::open(&path, true).unwrap();
        for error in [
            LazyFile::open(&path, true).unwrap_err(),
            LazyFile::reopen(&path, true, 0, 0).unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Busy { .. }), "{error}");
        }
        drop(first);
        let resumed = LazyFile::reopen(&path, true, 0, 0).unwrap();
        assert!(LazyFile::open(&path, true).is_err());
        drop(resumed);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_written_appears_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.jsonl");
        let mut rejects = LazyFile::open(&path, false).unwrap();
        rejects.append(b"one\n").unwrap();
        rejects.append(b"two\n").unwrap();
        assert!(!path.exists());
        assert!(rejects.commit().unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn an_existing_file_is_told_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.jsonl");
        fs::write(&path, b"of an earlier run").unwrap();
        let error = LazyFile::open(&path, false).unwrap_err();
        assert!(matches!(error, StoreError::Exists { .. }), "{error}");
        let error = LazyFile::open(&folder.path().join("missing/rejects"), false).unwrap_err();
        assert!(matches!(error, StoreError::NoFolder { .. }), "{error}");
    }

    #[test]
    fn by_force_an_earlier_runs_file_does_not_outlive_a_run_without_any() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.jsonl");
        fs::write(&path, b"of an earlier run").unwrap();
        drop(LazyFile::open(&path, true).unwrap());
        assert!(path.exists());
        assert!(!LazyFile::open(&path, true).unwrap().commit().unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn what_an_earlier_run_left_is_continued_or_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.jsonl");
        let mut rejects = LazyFile::open(&path, false).unwrap();
        rejects.append(b"one\ntwo\n").unwrap();
        assert_eq!(rejects.len(), 8);
        rejects.keep(true);
        drop(rejects);
        let error = LazyFile::reopen(&path, false, 9, 0).unwrap_err();
        assert!(matches!(error, StoreError::Incomplete { .. }), "{error}");
        let sum = crc32fast::hash(b"one\n");
        drop(LazyFile::reopen(&path, false, 4, sum).unwrap());
        let mut rejects = LazyFile::reopen(&path, false, 4, sum).unwrap();
        rejects.append(b"three\n").unwrap();
        assert_eq!(rejects.checksum(), crc32fast::hash(b"one\nthree\n"));
        rejects.keep(true);
        drop(rejects);
        assert_eq!(fs::read(part_of(&path)).unwrap(), b"one\nthree\n");
        LazyFile::reopen(&path, false, 0, 0).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn rejects_may_go_nowhere() {
        let mut rejects = LazyFile::open(Path::new("/dev/null"), false).unwrap();
        rejects.append(b"gone\n").unwrap();
        rejects.commit().unwrap();
    }
}
