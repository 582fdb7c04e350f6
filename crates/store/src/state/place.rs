//! Where a state file is, and the lock of the process that writes it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;

use rustix::fs::OFlags;

use super::error::StateError;

/// The real path of a state file: links in the name are followed, as `SQLite` does for its own files beside it.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, StateError> {
    let failed = |error| StateError::io(path, &error);
    let no_file = |what| StateError::NoFile {
        path: path.to_owned(),
        what,
    };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => fs::canonicalize(path).map_err(failed),
        Ok(metadata) => Err(no_file(match metadata.file_type() {
            kind if kind.is_dir() => "a folder",
            kind if kind.is_fifo() => "a named pipe",
            kind if kind.is_socket() => "a socket",
            _ => "a device",
        })),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(no_file("a symbolic link that leads nowhere"));
            }
            let name = path.file_name().ok_or_else(|| no_file("a folder"))?;
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            Ok(fs::canonicalize(folder).map_err(failed)?.join(name))
        }
        Err(error) => Err(failed(error)),
    }
}

/// A file beside the state, named like it with something appended.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The name of a file as `SQLite` takes it with parameters, whatever bytes are in it.
pub(super) fn uri(path: &Path, parameters: &str) -> String {
    let mut uri = "file:".to_owned();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            uri.push(byte.into());
        } else {
            let [high, low] =
                [byte >> 4, byte & 15].map(|digit| b"0123456789ABCDEF"[usize::from(digit)]);
            uri.extend(['%', high.into(), low.into()]);
        }
    }
    uri.push('?');
    uri.push_str(parameters);
    uri
}

/// Device and inode, by which a file is known whatever its name; `None` if there is none.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|it| (it.dev(), it.ino()))
}

/// Says that this process alone writes a state. Readers do not take it.
///
/// The lock is on a file of its own, `STATE.lock`, which stays: closing a descriptor of the state file itself would
/// release the locks that `SQLite` has on it, and a lock file that is removed could be locked twice.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(path: &Path) -> Result<Lock, StateError> {
        let name = beside(path, ".lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
            .open(&name)
            .map_err(|error| StateError::io(&name, &error))?;
        match crate::lock::lock(&file) {
            Ok(true) => {}
            Ok(false) => {
                let mut owner = String::new();
                let read = (&file).take(20).read_to_string(&mut owner);
                let owner = read.ok().and_then(|_| owner.trim().parse().ok());
                return Err(StateError::Busy {
                    path: path.to_owned(),
                    owner,
                });
            }
            Err(error) => return Err(StateError::io(&name, &error.into())),
        }
        // Only for the message of another process that finds it locked.
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", process::id()))
            .map_err(|error| StateError::io(&name, &error))?;
        Ok(Lock { _file: file })
    }
}
