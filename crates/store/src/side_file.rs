//! The names of the files that exist beside an output while it is incomplete, and how they are renamed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::StoreError;
use crate::error::what_is_in_the_way;

/// Checks that a side file can be created under this name: an existing file must be a regular file, and empty unless
/// `may_be_replaced` is set.
///
/// # Errors
/// [`StoreError::InTheWay`] and [`StoreError::Foreign`].
pub fn check_side_file(path: &Path, may_be_replaced: bool) -> Result<(), StoreError> {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    let path = path.to_owned();
    match what_is_in_the_way(&path) {
        Some(what) => Err(StoreError::InTheWay { path, what }),
        None if metadata.len() > 0 && !may_be_replaced => Err(StoreError::Foreign { path }),
        None => Ok(()),
    }
}

/// Returns the name of an output's part file.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// Whether `path` is still the name of the open file.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let open = identity(file.metadata()?);
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(open == identity(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Renames `part` to `path`. If `path` exists, it is replaced and its permissions are kept.
pub(crate) fn replace(part: &Path, path: &Path) -> io::Result<()> {
    if let Ok(replaced) = fs::metadata(path) {
        fs::set_permissions(part, replaced.permissions())?;
    }
    fs::rename(part, path)
}

/// Renames `part` to `path`, which must not exist. A separate check would race with other programs.
pub(crate) fn rename_to_new(part: &Path, path: &Path) -> io::Result<()> {
    match renameat_with(CWD, part, CWD, path, RenameFlags::NOREPLACE) {
        // NFS and some other file systems do not support this. Creating a hard link never replaces a file either.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_to_new(part, path),
        outcome => Ok(outcome?),
    }
}

fn link_to_new(part: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(part, path)?;
    fs::remove_file(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_renamed_while_its_lock_was_awaited_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let part = folder.path().join("out.jsonl.part");
        let opened = File::create(&part).unwrap();
        assert!(is_at(&opened, &part).unwrap());
        fs::rename(&part, &path).unwrap();
        assert!(!is_at(&opened, &part).unwrap());
        File::create(&part).unwrap();
        assert!(!is_at(&opened, &part).unwrap());
    }

    #[test]
    fn without_a_careful_rename_a_link_does_not_replace_either() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let part = folder.path().join("out.jsonl.part");
        fs::write(&part, b"new").unwrap();
        fs::write(&path, b"old").unwrap();
        link_to_new(&part, &path).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"old");

        fs::remove_file(&path).unwrap();
        link_to_new(&part, &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(!part.exists());
    }
}
