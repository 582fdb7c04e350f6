//! An output that may turn out not to be needed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::side_file::part_of;
use crate::target::Target;
use crate::{Output, PartFile, StoreError};

/// A file that there is only if something is written into it: rejects, a quarantine.
///
/// Its part file is created and locked when it is opened, so that a run does not end over it after hours, and no other run
/// writes the same file.
#[derive(Debug)]
pub struct LazyFile {
    path: PathBuf,
    force: bool,
    /// `None` for a stream into which nothing has been written: opening it could wait for a reader.
    output: Option<Output>,
    is_written: bool,
    /// The checksum of what has been written.
    checksum: crc32fast::Hasher,
}

impl LazyFile {
    /// Creates the part file. What an unfinished run left under its name is replaced.
    ///
    /// # Errors
    /// If a file cannot be created there, exists and may not be replaced for want of `force`, or is being written by
    /// another run.
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

    /// Goes on with what an earlier run left of the file: its first `len` bytes, whose CRC-32 is `sum`. If there are to be
    /// none, what there is is removed.
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
        // Whatever becomes of this run, the journal of the earlier one speaks of these bytes.
        part.keep(true);
        part.cut(len)?;
        file.checksum = crc32fast::Hasher::new_with_initial_len(sum, len);
        file.output = Some(Output::File(part));
        file.is_written = true;
        Ok(file)
    }

    /// Whether an unfinished file outlives this value, if anything is in it.
    pub fn keep(&mut self, keep: bool) {
        if let Some(Output::File(part)) = &mut self.output {
            part.keep(keep && self.is_written);
        }
    }

    /// How many bytes have been written, if it is a file that can be gone on with.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.output {
            Some(Output::File(part)) => part.len(),
            Some(Output::Stream(_)) | None => 0,
        }
    }

    /// The CRC-32 of what has been written.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        self.checksum.clone().finalize()
    }

    /// See [`PartFile::descriptor`]; `None` if nothing has been written into a file.
    ///
    /// # Errors
    /// If the system has none left.
    pub fn descriptor(&self) -> Result<Option<File>, StoreError> {
        match &self.output {
            Some(Output::File(part)) if self.is_written => part.descriptor().map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// The file that is written before it has its name, if it is written so.
    #[must_use]
    pub fn part_path(&self) -> Option<PathBuf> {
        match Target::of(&self.path, true) {
            Ok(Target::File(path)) => Some(part_of(&path)),
            _ => None,
        }
    }

    /// The name it has, or would have.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing has been appended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.is_written
    }

    /// Writes `bytes` after those before. No bytes create no file.
    ///
    /// # Errors
    /// If the file cannot be created now, or the disk is full or fails.
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

    /// Forces what is written to the disk.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(&self) -> Result<(), StoreError> {
        match &self.output {
            Some(output) if self.is_written => output.sync(),
            Some(_) | None => Ok(()),
        }
    }

    /// Says that the file is complete, and whether there is one. If there is none, one of that name from an earlier
    /// run, which `force` allowed to be replaced, is removed: it would be taken for one of this run.
    ///
    /// # Errors
    /// If the file is not complete or cannot be given its name.
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
    fn what_an_earlier_run_left_is_gone_on_with_or_removed() {
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
