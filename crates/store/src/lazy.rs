//! An output that may turn out not to be needed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::target::Target;
use crate::{Output, StoreError};

/// A file that is created only when there is something to write into it: rejects, a quarantine.
///
/// Whether it could be created is looked at when it is opened, so that a run does not end over it after hours.
#[derive(Debug)]
pub struct LazyFile {
    path: PathBuf,
    force: bool,
    output: Option<Output>,
}

impl LazyFile {
    /// Looks at the name, and creates nothing.
    ///
    /// # Errors
    /// If a file cannot be created there, or exists and may not be replaced for want of `force`.
    pub fn open(path: &Path, force: bool) -> Result<LazyFile, StoreError> {
        Target::of(path, force)?;
        Ok(LazyFile {
            path: path.to_owned(),
            force,
            output: None,
        })
    }

    /// The name it has, or would have.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing has been appended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.output.is_none()
    }

    /// Writes `bytes` after those before. No bytes create no file.
    ///
    /// # Errors
    /// If the file cannot be created now, or the disk is full or fails.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let output = match self.output.take() {
            Some(output) => output,
            None => Output::open(Some(&self.path), self.force)?,
        };
        self.output.insert(output).append(bytes)
    }

    /// Says that the file is complete, and whether there is one. If there is none, one of that name from an earlier
    /// run, which `force` allowed to be replaced, is removed: it would be taken for one of this run.
    ///
    /// # Errors
    /// If the file is not complete or cannot be given its name.
    pub fn commit(self) -> Result<bool, StoreError> {
        if let Some(output) = self.output {
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
    fn rejects_may_go_nowhere() {
        let mut rejects = LazyFile::open(Path::new("/dev/null"), false).unwrap();
        rejects.append(b"gone\n").unwrap();
        rejects.commit().unwrap();
    }
}
