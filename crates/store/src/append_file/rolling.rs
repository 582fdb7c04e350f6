//! A set of append-only files, such as one per hour.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::AppendError;
use super::file::{AppendFile, Reopened};

/// Maximum number of files that are open at a time.
const OPEN: usize = 16;

/// Append-only files whose lengths are committed together. At most 16 are open at a time.
#[derive(Debug, Default)]
pub struct RollingFiles {
    known: BTreeMap<PathBuf, Lengths>,
    /// The least recently used first.
    open: Vec<AppendFile>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Lengths {
    committed: u64,
    len: u64,
}

impl RollingFiles {
    /// Cuts files to their committed lengths, and returns those that were longer or are missing.
    ///
    /// # Errors
    /// As [`AppendFile::open`], except that a file that is too short is an error only when something is appended to
    /// it.
    pub fn open(
        files: impl IntoIterator<Item = (PathBuf, u64)>,
    ) -> Result<(RollingFiles, Vec<(PathBuf, Reopened)>), AppendError> {
        let mut rolling = RollingFiles::default();
        let mut changed = Vec::new();
        for (path, committed) in files {
            let mut committed = committed;
            match AppendFile::open(&path, Some(committed)) {
                Ok((_, Reopened::Whole)) | Err(AppendError::Shorter { .. }) => {}
                Ok((_, reopened)) => {
                    if reopened == Reopened::Missing {
                        committed = 0;
                    }
                    changed.push((path.clone(), reopened));
                }
                Err(error) => return Err(error),
            }
            rolling.known.insert(
                path,
                Lengths {
                    committed,
                    len: committed,
                },
            );
        }
        Ok((rolling, changed))
    }

    /// Whether a length of this file was committed. Before the first append to any other file, commit a length of 0
    /// and [add](Self::add) it.
    #[must_use]
    pub fn is_known(&self, path: &Path) -> bool {
        self.known.contains_key(path)
    }

    /// Adds a file whose length of 0 is committed.
    ///
    /// # Errors
    /// [`AppendError::Foreign`] if a file of that name exists and is not empty. To check this before the commit, see
    /// [`check_new`](Self::check_new).
    pub fn add(&mut self, path: &Path) -> Result<(), AppendError> {
        RollingFiles::check_new(path)?;
        self.known.insert(path.to_owned(), Lengths::default());
        Ok(())
    }

    /// Checks that a new file can have this name.
    ///
    /// # Errors
    /// As [`AppendFile::open`] for a file without a committed length.
    pub fn check_new(path: &Path) -> Result<(), AppendError> {
        AppendFile::open(path, None).map(drop)
    }

    /// Appends bytes to a file that [is known](Self::is_known).
    ///
    /// # Errors
    /// [`AppendError::Foreign`] if it is not known; others if it cannot be written. Its length is unchanged then.
    pub fn append(&mut self, path: &Path, bytes: &[u8]) -> Result<(), AppendError> {
        let Some(lengths) = self.known.get(path).copied() else {
            return Err(AppendError::Foreign {
                path: path.to_owned(),
            });
        };
        let at = self.open.iter().position(|it| it.path() == path);
        let mut file = if let Some(at) = at {
            self.open.remove(at)
        } else {
            self.make_room()?;
            AppendFile::open(path, Some(lengths.len))?.0
        };
        let appended = file.append(bytes);
        let len = file.len();
        self.open.push(file);
        if let Some(lengths) = self.known.get_mut(path) {
            lengths.len = len;
        }
        appended
    }

    /// Syncs and closes the least recently used file if too many are open.
    fn make_room(&mut self) -> Result<(), AppendError> {
        if self.open.len() >= OPEN {
            self.open[0].sync()?;
            self.open.remove(0);
        }
        Ok(())
    }

    /// Forces the appended bytes to the disk, and returns the files that grew since the last commit with the lengths
    /// to commit.
    ///
    /// # Errors
    /// If the disk fails. [Retract](Self::retract) everything then.
    pub fn sync(&mut self) -> Result<Vec<(PathBuf, u64)>, AppendError> {
        for file in &mut self.open {
            file.sync()?;
        }
        let grown = self.known.iter().filter(|(_, it)| it.len != it.committed);
        Ok(grown.map(|(path, it)| (path.clone(), it.len)).collect())
    }

    /// Records that the current lengths are committed.
    pub fn committed(&mut self) {
        for lengths in self.known.values_mut() {
            lengths.committed = lengths.len;
        }
    }

    /// Removes the bytes appended since the last commit.
    ///
    /// # Errors
    /// If a file cannot be truncated.
    pub fn retract(&mut self) -> Result<(), AppendError> {
        self.open.clear();
        for (path, lengths) in &mut self.known {
            if lengths.len != lengths.committed {
                AppendFile::open(path, Some(lengths.committed))?;
                lengths.len = lengths.committed;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_file_is_cut_back_to_what_was_committed_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |hour: usize| folder.path().join(format!("posts-{hour:02}.jsonl"));
        let (mut files, _) = RollingFiles::open([]).unwrap();
        let error = files.append(&path(0), b"a").unwrap_err();
        assert!(matches!(error, AppendError::Foreign { .. }), "{error}");
        for hour in 0..40 {
            files.add(&path(hour)).unwrap();
            files.append(&path(hour), b"one ").unwrap();
        }
        assert!(files.open.len() <= OPEN);
        let committed = files.sync().unwrap();
        assert_eq!(committed.len(), 40);
        files.committed();
        assert!(files.sync().unwrap().is_empty());

        files.append(&path(3), b"two ").unwrap();
        files.append(&path(39), b"two ").unwrap();
        files.retract().unwrap();
        for hour in [3, 39, 3] {
            files.append(&path(hour), b"three ").unwrap();
        }
        assert_eq!(files.sync().unwrap(), [(path(3), 16), (path(39), 10)]);
        drop(files);

        fs::remove_file(path(7)).unwrap();
        fs::write(path(8), "1").unwrap();
        let (mut files, changed) = RollingFiles::open(committed).unwrap();
        let expected = [
            (path(3), Reopened::Cut(12)),
            (path(7), Reopened::Missing),
            (path(39), Reopened::Cut(6)),
        ];
        assert_eq!(changed, expected);
        assert_eq!(fs::read(path(3)).unwrap(), b"one ");
        files.append(&path(7), b"new").unwrap();
        let error = files.append(&path(8), b"new").unwrap_err();
        assert!(matches!(error, AppendError::Shorter { .. }), "{error}");
        fs::write(path(50), "mine").unwrap();
        assert!(matches!(
            files.add(&path(50)),
            Err(AppendError::Foreign { .. })
        ));
    }
}
