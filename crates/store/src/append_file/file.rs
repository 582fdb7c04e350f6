//! One append-only file.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::error::AppendError;
use crate::error::what_is_in_the_way;
use crate::syncer::sync_name;

/// The condition in which a file was found when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reopened {
    /// It has exactly the committed bytes.
    Whole,
    /// This many uncommitted bytes were at its end and have been cut off.
    Cut(u64),
    /// It has been removed. The next append creates a new one.
    Missing,
}

/// A file whose length is committed elsewhere, such as in a [`State`](crate::state::State). Bytes after the committed
/// length are cut off when the file is opened again.
///
/// The first append creates the file. Before each commit call [`sync`](Self::sync), which forces the bytes and the
/// name to the disk; after it call [`committed`](Self::committed). If something fails in between,
/// [`retract`](Self::retract) removes the appended bytes, so that they can be appended again.
///
/// Commit a length of 0 before the first append. Otherwise the file is refused as foreign after a crash.
#[derive(Debug)]
pub struct AppendFile {
    path: PathBuf,
    file: Option<File>,
    committed: u64,
    len: u64,
    /// Whether the bytes, and the name, have changed since the last sync.
    has_new_bytes: bool,
    has_new_name: bool,
}

impl AppendFile {
    /// Opens the file and cuts it to `committed` bytes; `None` means that no length of it was ever committed. Does not
    /// create it.
    ///
    /// # Errors
    /// [`AppendError::Foreign`] if no length was committed and the file is not empty, [`AppendError::Shorter`] if
    /// committed bytes are missing; others if the file cannot be used.
    pub fn open(
        path: &Path,
        committed: Option<u64>,
    ) -> Result<(AppendFile, Reopened), AppendError> {
        let mut this = AppendFile {
            path: path.to_owned(),
            file: None,
            committed: 0,
            len: 0,
            has_new_bytes: false,
            has_new_name: false,
        };
        let Some(file) = open(path)? else {
            let is_missing = committed.is_some_and(|it| it > 0);
            let reopened = if is_missing {
                Reopened::Missing
            } else {
                Reopened::Whole
            };
            return Ok((this, reopened));
        };
        let found = file
            .metadata()
            .map_err(|error| AppendError::io(path, error))?
            .len();
        let counts = match committed {
            None if found > 0 => {
                return Err(AppendError::Foreign {
                    path: path.to_owned(),
                });
            }
            Some(committed) if committed > found => {
                let path = path.to_owned();
                return Err(AppendError::Shorter {
                    path,
                    found,
                    committed,
                });
            }
            committed => committed.unwrap_or(0),
        };
        this.file = Some(file);
        (this.committed, this.len) = (counts, counts);
        // The process that created it may have died before it forced the name to the disk.
        this.has_new_name = true;
        if found == counts {
            return Ok((this, Reopened::Whole));
        }
        this.cut()?;
        Ok((this, Reopened::Cut(found - counts)))
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns its length, including uncommitted bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// If they cannot be written. The length is unchanged then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), AppendError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.file.is_none() {
            self.file = Some(create(&self.path)?);
            self.has_new_name = true;
        }
        self.has_new_bytes = true;
        if let Some(file) = &self.file
            && let Err(error) = file.write_all_at(bytes, self.len)
        {
            // If this fails too, the next append overwrites the bytes, or the next open cuts them off.
            let _: io::Result<()> = file.set_len(self.len);
            return Err(AppendError::io(&self.path, error));
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Appends as many whole lines as fit into a file of `max` bytes, and returns how many are left out.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_lines(&mut self, lines: &[u8], max: u64) -> Result<u64, AppendError> {
        let room = usize::try_from(max.saturating_sub(self.len)).unwrap_or(usize::MAX);
        if lines.len() <= room {
            return self.append(lines).map(|()| 0);
        }
        let end = lines[..room].iter().rposition(|&byte| byte == b'\n');
        let (taken, left) = lines.split_at(end.map_or(0, |end| end + 1));
        self.append(taken)?;
        Ok(left.split_inclusive(|&byte| byte == b'\n').count() as u64)
    }

    /// Forces the appended bytes to the disk, and returns the length to commit.
    ///
    /// # Errors
    /// If the disk fails. It is unknown then which bytes are on the disk: [retract](Self::retract) all of them before
    /// trying again.
    pub fn sync(&mut self) -> Result<u64, AppendError> {
        let failed = |error| AppendError::io(&self.path, error);
        if let (Some(file), true) = (&self.file, self.has_new_bytes) {
            file.sync_data().map_err(failed)?;
            if self.has_new_name {
                sync_name(&self.path).map_err(failed)?;
            }
            (self.has_new_bytes, self.has_new_name) = (false, false);
        }
        Ok(self.len)
    }

    /// Records that the current length is committed.
    pub fn committed(&mut self) {
        self.committed = self.len;
    }

    /// Removes the bytes appended since the last commit.
    ///
    /// # Errors
    /// If the file cannot be truncated.
    pub fn retract(&mut self) -> Result<(), AppendError> {
        if self.len == self.committed {
            return Ok(());
        }
        self.cut()
    }

    fn cut(&mut self) -> Result<(), AppendError> {
        self.len = self.committed;
        match &self.file {
            Some(file) => file
                .set_len(self.committed)
                .map_err(|error| AppendError::io(&self.path, error)),
            None => Ok(()),
        }
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    options
}

/// Opens and locks the file; `None` if it does not exist.
fn open(path: &Path) -> Result<Option<File>, AppendError> {
    match options().open(path) {
        Ok(file) => lock(file, path).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AppendError::opening(path, error)),
    }
}

/// Creates and locks the file. One that another program has created in the meantime is refused.
fn create(path: &Path) -> Result<File, AppendError> {
    match options().create_new(true).open(path) {
        Ok(file) => lock(file, path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let path = path.to_owned();
            Err(AppendError::Foreign { path })
        }
        Err(error) => Err(AppendError::opening(path, error)),
    }
}

fn lock(file: File, path: &Path) -> Result<File, AppendError> {
    if let Some(what) = what_is_in_the_way(path) {
        let path = path.to_owned();
        return Err(AppendError::InTheWay { path, what });
    }
    match crate::lock::lock(&file) {
        Ok(true) => Ok(file),
        Ok(false) => Err(AppendError::Busy {
            path: path.to_owned(),
        }),
        Err(error) => Err(AppendError::io(path, error.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("late.jsonl");
        (folder, path)
    }

    #[test]
    fn what_was_not_committed_is_cut_off() {
        let (_folder, path) = place();
        let (mut file, reopened) = AppendFile::open(&path, None).unwrap();
        assert_eq!(reopened, Reopened::Whole);
        assert!(!path.exists(), "created by the first bytes");
        file.append(b"a\n").unwrap();
        assert_eq!(file.sync().unwrap(), 2);
        file.committed();
        file.append(b"b\n").unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        drop(file);
        let (mut file, reopened) = AppendFile::open(&path, Some(2)).unwrap();
        assert_eq!(reopened, Reopened::Cut(2));
        assert_eq!(fs::read(&path).unwrap(), b"a\n");
        file.append(b"c\n").unwrap();
        file.retract().unwrap();
        file.append(b"d\n").unwrap();
        assert_eq!(
            (file.sync().unwrap(), fs::read(&path).unwrap()),
            (4, b"a\nd\n".to_vec())
        );
        drop(file);
        let (_, reopened) = AppendFile::open(&path, Some(0)).unwrap();
        assert_eq!(
            reopened,
            Reopened::Cut(4),
            "its row is older than its first bytes"
        );
    }

    #[test]
    fn a_file_of_somebody_else_is_not_touched() {
        let (folder, path) = place();
        fs::write(&path, "mine").unwrap();
        let failed = |path: &Path, committed| AppendFile::open(path, committed).unwrap_err();
        assert!(matches!(failed(&path, None), AppendError::Foreign { .. }));
        let error = failed(&path, Some(5));
        assert!(
            matches!(
                error,
                AppendError::Shorter {
                    found: 4,
                    committed: 5,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(
            failed(&link, Some(0))
                .to_string()
                .contains("is a symbolic link")
        );
        assert!(
            failed(folder.path(), None)
                .to_string()
                .contains("is a folder")
        );

        let (mut planned, _) = AppendFile::open(&folder.path().join("new"), None).unwrap();
        fs::write(planned.path(), "").unwrap();
        let error = planned.append(b"x").unwrap_err();
        assert!(matches!(error, AppendError::Foreign { .. }), "{error}");
        let (_held, _) = AppendFile::open(&path, Some(4)).unwrap();
        assert!(matches!(failed(&path, Some(4)), AppendError::Busy { .. }));
    }

    #[test]
    fn a_file_that_was_taken_away_is_begun_again() {
        let (_folder, path) = place();
        let (mut file, reopened) = AppendFile::open(&path, Some(100)).unwrap();
        assert_eq!(reopened, Reopened::Missing);
        file.append(b"a").unwrap();
        assert_eq!(file.sync().unwrap(), 1);
    }

    #[test]
    fn lines_beyond_the_limit_are_counted() {
        let (_folder, path) = place();
        let (mut file, _) = AppendFile::open(&path, None).unwrap();
        assert_eq!(file.append_lines(b"a\nb\nc\nd", 5).unwrap(), 2);
        assert_eq!(file.append_lines(b"e\n", 5).unwrap(), 1);
        assert_eq!(fs::read(&path).unwrap(), b"a\nb\n");
        assert_eq!(file.append_lines(b"e\n", 6).unwrap(), 0);
    }

    #[test]
    fn a_full_disk_is_told_and_leaves_the_file_as_it_was() {
        let (_folder, path) = place();
        let (mut file, _) = AppendFile::open(&path, None).unwrap();
        file.append(b"a\n").unwrap();
        file.file = Some(OpenOptions::new().write(true).open("/dev/full").unwrap());
        let error = file.append(b"b\n").unwrap_err();
        assert!(
            matches!(error, AppendError::Full { .. }) && error.may_pass(),
            "{error}"
        );
        assert_eq!(file.len(), 2);
    }
}
