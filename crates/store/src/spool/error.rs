//! What can go wrong with a spool.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a spool cannot be used, or did not take an entry. Each message names the file and says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// Another process has it.
    #[error("another run has the spool \"{}\" open: stop it, or use another state file", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The name of the folder or of a file in it is that of something else.
    #[error("\"{}\" is {what}, where the spool must have {wanted}: remove it, or use another state file", path.display())]
    InTheWay {
        /// The name.
        path: PathBuf,
        /// What has it, such as "a symbolic link".
        what: &'static str,
        /// What should have it.
        wanted: &'static str,
    },
    /// Others may write into the folder, or it is somebody else's.
    #[error(
        "other users may write into the spool \"{}\": give it to the user of this run, with mode 0700",
        path.display()
    )]
    Open {
        /// The folder.
        path: PathBuf,
    },
    /// The disk is full, or the user's share of it is.
    #[error("no space left to write \"{}\" ({why}): free some space", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What happened.
        why: String,
    },
    /// A file may not be read or written.
    #[error(
        "\"{}\" cannot be used ({why}): make the folder and the files in it readable and writable for this user",
        path.display()
    )]
    Denied {
        /// The file.
        path: PathBuf,
        /// What happened.
        why: String,
    },
    /// The disk failed.
    #[error("the disk failed at \"{}\" ({why}): check the disk it is on", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What happened.
        why: String,
    },
    /// The thread that writes could not be started.
    #[error("failed to start the thread that writes \"{}\" ({why}): try again when fewer processes run", path.display())]
    Thread {
        /// The folder.
        path: PathBuf,
        /// What happened.
        why: String,
    },
    /// The thread that writes panicked.
    #[error("the thread that writes the spool \"{}\" panicked: start again, and report this error", path.display())]
    Died {
        /// The folder.
        path: PathBuf,
    },
}

impl SpoolError {
    /// Whether the same call may succeed later: the disk was full or failed.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            SpoolError::Full { .. } | SpoolError::Disk { .. } | SpoolError::Denied { .. }
        )
    }

    /// What an error of a system call means.
    pub(super) fn io(path: &Path, source: &io::Error) -> SpoolError {
        let path = path.to_owned();
        let why = source.to_string();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                SpoolError::Full { path, why }
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                SpoolError::Denied { path, why }
            }
            _ => SpoolError::Disk { path, why },
        }
    }
}
