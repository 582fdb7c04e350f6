//! The files beside an output that are there while it is incomplete: how they are opened, locked and renamed.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::StoreError;
use crate::error::what_is_in_the_way;

/// How part files are opened. A link in the place of one is not followed, and a pipe not waited for.
pub(crate) fn options() -> OpenOptions {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .custom_flags(flags.bits().cast_signed());
    options
}

/// Opens and locks the part file of the output `path`; `None` if there is none.
pub(crate) fn open_locked(part: &Path, path: &Path) -> Result<Option<File>, StoreError> {
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
        // A run that ended between the two steps has renamed or removed what was opened: it must not be touched.
        let is_there = is_at(&file, part).map_err(failed)?;
        Ok(is_there.then_some(Some(file)))
    })
}

/// How often a file is opened again because another program replaced it meanwhile.
const ATTEMPTS: usize = 100;

/// Calls `attempt` until it returns something, but no more than [`ATTEMPTS`] times.
pub(crate) fn retry<T>(
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

/// Refuses to replace what has the name of a side file, if it is something else than a regular file, or if it has content
/// and may not be replaced.
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

/// The part file of an output.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// Locks the file, for as long as it is open, against others who do the same. False if another has.
pub(crate) fn lock(file: &File) -> io::Result<bool> {
    match crate::lock::lock(file) {
        // Some network file systems have no locks. They are no reason not to write there.
        Err(Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(true),
        Ok(is_locked) => Ok(is_locked),
        Err(error) => Err(error.into()),
    }
}

/// Whether `path` still leads to the open file.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let open = identity(file.metadata()?);
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(open == identity(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Renames over a file that may exist, whose permissions are kept.
pub(crate) fn replace(part: &Path, path: &Path) -> io::Result<()> {
    if let Ok(replaced) = fs::metadata(path) {
        fs::set_permissions(part, replaced.permissions())?;
    }
    fs::rename(part, path)
}

/// Renames to a name that must be free. Looking first would leave a moment in which another could take it.
pub(crate) fn rename_to_new(part: &Path, path: &Path) -> io::Result<()> {
    match renameat_with(CWD, part, CWD, path, RenameFlags::NOREPLACE) {
        // Not every file system can (NFS cannot): a hard link does not replace anything either.
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

    #[test]
    fn a_part_file_that_is_never_the_one_that_was_opened_is_an_error_and_no_endless_loop() {
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
