//! A file that appears under its name only when it is complete.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::SeekFrom;

use crate::StoreError;
use crate::part_open::OpenPart;
use crate::side_file::{is_at, part_of, rename_to_new, replace};
use crate::syncer::sync_name;
use crate::target::Target;

/// A file that is written as `NAME.part`, until [`commit`](PartFile::commit) renames it to `NAME`.
///
/// The part file is locked, so that two runs cannot write the same output. A part file that a killed run left is
/// replaced, or [continued](PartFile::reopen). Dropping the value without a commit removes the file, unless it is
/// [kept](PartFile::keep).
///
/// `commit` forces the bytes to the disk before the rename, and the name before it returns. So a file under its final
/// name is complete even after a power failure.
#[derive(Debug)]
pub struct PartFile {
    file: File,
    part: PathBuf,
    path: PathBuf,
    force: bool,
    len: u64,
    /// Whether the part file is kept when this value is dropped.
    keep: bool,
    /// Whether an earlier run left it. The caller has verified its content by checksums then.
    is_reopened: bool,
}

impl PartFile {
    /// Creates the part file of an output. With `force` an existing output is replaced by the commit.
    ///
    /// # Errors
    /// If the output exists and `force` is not set, is being written by another run, or cannot be created.
    pub fn create(path: &Path, force: bool) -> Result<PartFile, StoreError> {
        match Target::of(path, force)? {
            Target::File(path) => PartFile::create_at(path, force),
            Target::Stdout | Target::Device(_) => Err(StoreError::Uncreatable {
                path: path.to_owned(),
                source: io::Error::other("it is no regular file"),
            }),
        }
    }

    /// Creates the part file of the regular file `path`, which [`Target::of`] has checked.
    pub(crate) fn create_at(path: PathBuf, force: bool) -> Result<PartFile, StoreError> {
        PartFile::of(OpenPart::create(path)?, force)
    }

    /// Returns the name of the part file of an output. Symbolic links are followed. `None` if the output is not a
    /// file.
    #[must_use]
    pub fn path_of(output: &Path) -> Option<PathBuf> {
        match Target::of(output, true) {
            Ok(Target::File(path)) => Some(part_of(&path)),
            _ => None,
        }
    }

    /// Opens the part file that an earlier run left, without changing it; `None` if there is none.
    ///
    /// # Errors
    /// As [`create`](PartFile::create).
    pub fn reopen(path: &Path, force: bool) -> Result<Option<PartFile>, StoreError> {
        match Target::of(path, force)? {
            Target::File(path) => {
                let Some(opened) = OpenPart::reopen(path)? else {
                    return Ok(None);
                };
                let mut part = PartFile::of(opened, force)?;
                part.is_reopened = true;
                Ok(Some(part))
            }
            Target::Stdout | Target::Device(_) => Ok(None),
        }
    }

    /// Opens the part file that an earlier run left, and keeps it when the value is dropped; `None` if there is none.
    ///
    /// # Errors
    /// If another run is writing it or it cannot be opened.
    pub fn peek(path: &Path) -> Result<Option<PartFile>, StoreError> {
        let mut found = PartFile::reopen(path, true)?;
        if let Some(part) = &mut found {
            part.keep = true;
        }
        Ok(found)
    }

    /// Wraps a part file that is open and locked. All bytes in it count as placed.
    fn of(opened: OpenPart, force: bool) -> Result<PartFile, StoreError> {
        let OpenPart { file, part, path } = opened;
        let len = file
            .metadata()
            .map_err(|source| StoreError::writing(&part, source))?
            .len();
        Ok(PartFile {
            file,
            part,
            path,
            force,
            len,
            keep: false,
            is_reopened: false,
        })
    }

    /// Truncates the file to its first `len` bytes.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn cut(&mut self, len: u64) -> Result<(), StoreError> {
        self.len = len;
        self.file
            .set_len(len)
            .map_err(|source| StoreError::writing(&self.part, source))
    }

    /// Sets whether the part file is kept when this value is dropped without a commit.
    pub fn keep(&mut self, keep: bool) {
        self.keep = keep;
    }

    /// Returns another descriptor of the file, with which another thread can force it to the disk.
    ///
    /// # Errors
    /// If the process or the system has no descriptors left.
    pub fn descriptor(&self) -> Result<File, StoreError> {
        self.file
            .try_clone()
            .map_err(|source| StoreError::writing(&self.part, source))
    }

    /// Forces all written bytes to the disk.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.file
            .sync_all()
            .map_err(|source| StoreError::writing(&self.part, source))
    }

    /// Returns the name of the part file.
    #[must_use]
    pub fn part_path(&self) -> &Path {
        &self.part
    }

    /// Reserves the next `len` bytes for another writer, and returns their offset.
    pub fn place(&mut self, len: u64) -> u64 {
        let offset = self.len;
        self.len += len;
        offset
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let offset = self.place(bytes.len() as u64);
        self.file
            .write_all_at(bytes, offset)
            .map_err(|source| StoreError::writing(&self.part, source))
    }

    /// Returns how many bytes have been placed: appended or reserved.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing has been placed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forces the bytes to the disk and gives the file its name.
    ///
    /// # Errors
    /// If the disk fails, or the length of the file differs from what was placed in it. If it cannot be renamed, for
    /// example because a file of that name has been created in the meantime, the complete part file is kept.
    pub fn commit(mut self) -> Result<(), StoreError> {
        let metadata = self
            .file
            .metadata()
            .map_err(|source| StoreError::writing(&self.part, source))?;
        if metadata.len() != self.len {
            return Err(StoreError::Incomplete {
                path: self.part.clone(),
                found: metadata.len(),
                placed: self.len,
            });
        }
        self.check_name(&metadata)?;
        self.sync()?;
        self.keep = true;
        self.check_holes()?;
        let renamed = if self.force {
            replace(&self.part, &self.path)
        } else {
            rename_to_new(&self.part, &self.path)
        };
        renamed.map_err(|source| self.unnamed(source))?;
        sync_name(&self.path).map_err(|source| StoreError::writing(&self.path, source))
    }
}

impl PartFile {
    /// Checks that the name of the part file still belongs to the file that was written.
    fn check_name(&mut self, written: &fs::Metadata) -> Result<(), StoreError> {
        match fs::symlink_metadata(&self.part) {
            Ok(named) if (named.dev(), named.ino()) != (written.dev(), written.ino()) => {
                // The other file is not ours to remove.
                self.keep = true;
                Err(StoreError::Replaced {
                    path: self.part.clone(),
                })
            }
            // If the name is gone, the rename reports it.
            _ => Ok(()),
        }
    }

    /// Classifies an error from renaming the complete file.
    fn unnamed(&self, source: io::Error) -> StoreError {
        let path = self.path.clone();
        if source.kind() != io::ErrorKind::NotFound {
            let part = self.part.clone();
            return StoreError::Unnamed { part, path, source };
        }
        // The kernel tracks the name of an open file, and marks a deleted one (proc_pid_fd(5)).
        let link = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let found = fs::read_link(link).ok();
        let found = found.filter(|found| is_at(&self.file, found).unwrap_or(false));
        match found {
            Some(part) => StoreError::Moved { part, path },
            None => StoreError::Deleted { path },
        }
    }

    /// Checks for holes. If another program truncates the file, the next write extends it again and leaves a hole.
    ///
    /// File systems with compression can turn zeros into a hole too. A reopened file is not checked, because its
    /// content has been verified by checksums.
    fn check_holes(&self) -> Result<(), StoreError> {
        if self.is_reopened {
            return Ok(());
        }
        match rustix::fs::seek(&self.file, SeekFrom::Hole(0)) {
            Ok(hole) if hole < self.len => Err(StoreError::Cut {
                path: self.part.clone(),
                hole,
            }),
            // Not every file system reports holes.
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.keep {
            // An error cannot be reported here; the next run replaces the file.
            let _ = fs::remove_file(&self.part);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        (folder, path)
    }

    #[test]
    fn another_file_under_the_part_files_name_does_not_become_the_output() {
        let (_folder, path) = folder();
        let mut part = PartFile::create(&path, false).unwrap();
        part.append(b"bytes").unwrap();
        let other = part.part_path().to_owned();
        fs::remove_file(&other).unwrap();
        fs::write(&other, b"other").unwrap();
        let error = part.commit().unwrap_err();
        assert!(matches!(error, StoreError::Replaced { .. }), "{error}");
        assert!(!path.exists());
        assert_eq!(fs::read(other).unwrap(), b"other");
    }

    #[test]
    fn an_output_appears_only_when_it_is_complete() {
        let (folder, path) = folder();
        let mut part = PartFile::create(&path, false).unwrap();
        assert_eq!(part.part_path(), folder.path().join("out.jsonl.part"));
        part.append(b"header\n").unwrap();
        assert!(!path.exists());

        let offset = part.place(5);
        assert_eq!((offset, part.len()), (7, 12));
        let worker = OpenOptions::new()
            .write(true)
            .open(part.part_path())
            .unwrap();
        worker.write_all_at(b"body\n", offset).unwrap();

        part.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"header\nbody\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_part_file_that_was_cut_in_between_does_not_become_the_output() {
        let (_folder, path) = folder();
        let mut part = PartFile::create(&path, false).unwrap();
        part.append(&vec![b'a'; 64 << 10]).unwrap();
        let other = OpenOptions::new()
            .write(true)
            .open(part.part_path())
            .unwrap();
        other.set_len(100).unwrap();
        part.append(b"end").unwrap();
        assert_eq!(other.metadata().unwrap().len(), part.len());
        let error = part.commit().unwrap_err();
        assert!(matches!(error, StoreError::Cut { .. }), "{error}");
        assert!(!path.exists());
    }

    #[test]
    fn an_error_says_where_the_output_is_after_its_folder_was_moved() {
        let (folder, _) = folder();
        let old = folder.path().join("old");
        fs::create_dir(&old).unwrap();
        let path = old.join("out.jsonl");
        let mut part = PartFile::create(&path, false).unwrap();
        part.append(b"all").unwrap();
        let moved = folder.path().join("moved");
        fs::rename(&old, &moved).unwrap();
        let error = part.commit().unwrap_err();
        let at = moved.join("out.jsonl.part");
        assert!(
            matches!(&error, StoreError::Moved { part, .. } if *part == at),
            "{error}"
        );
        assert_eq!(fs::read(at).unwrap(), b"all");

        fs::create_dir(&old).unwrap();
        let part = PartFile::create(&path, false).unwrap();
        fs::remove_dir_all(&old).unwrap();
        let error = part.commit().unwrap_err();
        assert!(matches!(error, StoreError::Deleted { .. }), "{error}");
    }

    #[test]
    fn an_output_that_is_dropped_leaves_no_file() {
        let (folder, path) = folder();
        let mut part = PartFile::create(&path, false).unwrap();
        part.append(b"half").unwrap();
        drop(part);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_output_that_misses_a_piece_is_not_committed() {
        let (folder, path) = folder();
        let mut part = PartFile::create(&path, false).unwrap();
        part.append(b"piece").unwrap();
        part.place(100);
        let error = part.commit().unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::Incomplete {
                    found: 5,
                    placed: 105,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_runs_cannot_write_the_same_output() {
        let (_folder, path) = folder();
        let mut first = PartFile::create(&path, false).unwrap();
        first.append(b"first").unwrap();
        let error = PartFile::create(&path, true).unwrap_err();
        assert!(matches!(error, StoreError::Busy { .. }), "{error}");

        first.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        PartFile::create(&path, true).unwrap();
    }

    #[test]
    fn what_a_killed_run_left_is_overwritten() {
        let (folder, path) = folder();
        fs::write(
            folder.path().join("out.jsonl.part"),
            b"left by a run that was killed",
        )
        .unwrap();
        let mut part = PartFile::create(&path, false).unwrap();
        part.append(b"new").unwrap();
        part.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn an_existing_output_is_replaced_only_by_force() {
        let (_folder, path) = folder();
        fs::write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = PartFile::create(&path, false).unwrap_err();
        assert!(error.to_string().contains("--force"), "{error}");
        assert!(error.is_usage());

        let mut part = PartFile::create(&path, true).unwrap();
        part.append(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        part.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }

    #[test]
    fn a_link_is_followed_and_stays() {
        let (folder, path) = folder();
        fs::write(folder.path().join("real"), b"old").unwrap();
        symlink("real", &path).unwrap();
        let mut part = PartFile::create(&path, true).unwrap();
        part.append(b"new").unwrap();
        part.commit().unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
        assert_eq!(fs::read(folder.path().join("real")).unwrap(), b"new");
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_lost_and_neither_is_the_output() {
        let (folder, path) = folder();
        let mut part = PartFile::create(&path, false).unwrap();
        part.append(b"hours of work").unwrap();
        fs::write(&path, b"somebody else's").unwrap();
        let error = part.commit().unwrap_err();
        assert!(matches!(error, StoreError::Unnamed { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"somebody else's");
        assert_eq!(
            fs::read(folder.path().join("out.jsonl.part")).unwrap(),
            b"hours of work"
        );
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told_before_the_run() {
        let (folder, path) = folder();
        let told = |path: &Path| PartFile::create(path, false).unwrap_err();
        assert!(matches!(told(folder.path()), StoreError::IsFolder { .. }));
        assert!(matches!(
            told(Path::new("/dev/null")),
            StoreError::Uncreatable { .. }
        ));
        assert!(matches!(
            told(&folder.path().join("missing/out")),
            StoreError::NoFolder { .. }
        ));
        fs::write(&path, b"a file").unwrap();
        assert!(matches!(
            told(&path.join("out")),
            StoreError::NoFolder { .. }
        ));
        assert!(matches!(
            told(Path::new("/proc/out.jsonl")),
            StoreError::NoFolder { .. } | StoreError::Uncreatable { .. }
        ));
    }

    #[test]
    fn a_part_file_that_was_kept_can_be_continued() {
        let (_folder, path) = folder();
        assert!(PartFile::reopen(&path, false).unwrap().is_none());
        let mut part = PartFile::create(&path, false).unwrap();
        part.append(b"sound, damaged").unwrap();
        part.keep(true);
        drop(part);

        let mut part = PartFile::reopen(&path, false).unwrap().unwrap();
        assert_eq!(part.len(), 14);
        part.cut(5).unwrap();
        part.append(b" again").unwrap();
        part.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"sound again");
    }
}
