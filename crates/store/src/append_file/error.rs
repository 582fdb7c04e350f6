//! The errors of append-only files.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::error::what_is_in_the_way;

/// Why a file beside a state cannot be used. Each message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// A file exists that the state does not refer to.
    #[error(
        "\"{}\" exists, and is not of the run that this state belongs to: move it away, or choose another name",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The name is taken by something other than a regular file.
    #[error("\"{}\" is {what}, where a file is to be written: remove it, or choose another name", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
        /// What has its name, such as "a symbolic link".
        what: &'static str,
    },
    /// Bytes that were committed are missing.
    #[error(
        "\"{}\" has {found} bytes where {committed} were written: put it back as it was, or move it away to begin another one",
        path.display()
    )]
    Shorter {
        /// The file.
        path: PathBuf,
        /// How long it is.
        found: u64,
        /// How long it should be.
        committed: u64,
    },
    /// Another process is writing it.
    #[error("another run is writing \"{}\": stop it, or choose another name", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The disk or the user's quota is full.
    #[error("no space left to write \"{}\" ({source}): free some space", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The file, or its folder, cannot be used.
    #[error("cannot write \"{}\" ({source}): make it and its folder writable, or choose another name", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The disk failed.
    #[error("the disk failed at \"{}\" ({source}): check the disk it is on", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

impl AppendError {
    /// Whether a retry may succeed: the disk was full or failed, or permissions were missing.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            AppendError::Full { .. } | AppendError::Disk { .. } | AppendError::Unwritable { .. }
        )
    }

    /// Classifies an error of a system call.
    pub(super) fn io(path: &Path, source: io::Error) -> AppendError {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                AppendError::Full { path, source }
            }
            ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem => AppendError::Unwritable { path, source },
            _ => AppendError::Disk { path, source },
        }
    }

    /// Classifies an error from opening the file.
    pub(super) fn opening(path: &Path, source: io::Error) -> AppendError {
        let is_kind = source.kind() == ErrorKind::IsADirectory
            || [Errno::LOOP, Errno::NXIO]
                .iter()
                .any(|it| source.raw_os_error() == Some(it.raw_os_error()));
        match what_is_in_the_way(path).filter(|_| is_kind) {
            Some(what) => AppendError::InTheWay {
                path: path.to_owned(),
                what,
            },
            None => AppendError::io(path, source),
        }
    }
}
