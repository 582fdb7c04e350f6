//! What can go wrong with a state file.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rustix::io::Errno;

/// Why a state file cannot be used. Each message names the file and says what to do. Nothing is half-committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// There is no such file, and the caller only wants to read it.
    #[error("there is no state file \"{}\": name the one that was given to live with --state", path.display())]
    Missing {
        /// The state file.
        path: PathBuf,
    },
    /// There is no folder for the file.
    #[error("there is no folder to put \"{}\" in: create it, or choose another name", path.display())]
    NoFolder {
        /// The state file.
        path: PathBuf,
    },
    /// The name is that of something else.
    #[error("\"{}\" is {what}, not a file that a state can be kept in: choose another name", path.display())]
    NoFile {
        /// The state file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The file has other names, under which it might be changed at the same time.
    #[error(
        "\"{}\" has {names} names (hard links), and may not be changed under two of them: remove the others, or copy it",
        path.display()
    )]
    Linked {
        /// The state file.
        path: PathBuf,
        /// How many.
        names: u64,
    },
    /// Another process has it.
    #[error(
        "another run{} has the state \"{}\" open: stop it, or give this one a file of its own",
        owner.map(|id| format!(" (process {id})")).unwrap_or_default(),
        path.display()
    )]
    Busy {
        /// The state file.
        path: PathBuf,
        /// Its process id, if that is known.
        owner: Option<u32>,
    },
    /// Another program holds a lock on the tables.
    #[error("another program holds a lock on \"{}\": close it, and try again", path.display())]
    Locked {
        /// The state file.
        path: PathBuf,
    },
    /// It was not made by this program.
    #[error("\"{}\" is not a state file of moodring ({why}): choose another name for the state", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How that was seen.
        why: String,
    },
    /// It was made by a newer version of this program.
    #[error(
        "\"{}\" was written by a newer moodring (its format is {found}, this one knows up to {known}): use that one, or \
         another file",
        path.display()
    )]
    Newer {
        /// The state file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// Its content is not what was written.
    #[error(
        "the state \"{}\" is damaged ({why}): restore it from a backup together with its -wal file, or move it away to \
         start anew",
        path.display()
    )]
    Damaged {
        /// The state file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The part of a state is there that does not belong to a file that is about to be created.
    #[error(
        "there is \"{}\" but no \"{}\": put back the state that it belongs to, or remove it",
        part.display(),
        path.display()
    )]
    Orphan {
        /// The state file.
        path: PathBuf,
        /// What is there.
        part: PathBuf,
    },
    /// Another file has its name, or none.
    #[error(
        "\"{}\" was moved or replaced while it was in use: put it back together with its -wal file, and start again",
        path.display()
    )]
    Replaced {
        /// The state file.
        path: PathBuf,
    },
    /// It was written to while it was read as a file that nobody writes.
    #[error("a run began to write \"{}\" while it was read: ask again", path.display())]
    Changed {
        /// The state file.
        path: PathBuf,
    },
    /// The disk is full, or the user's share of it is.
    #[error("no space left to write \"{}\" ({why}): free some space", path.display())]
    Full {
        /// The state file.
        path: PathBuf,
        /// What happened.
        why: String,
    },
    /// It may not be written.
    #[error(
        "\"{}\" cannot be written ({why}): make the file and its folder writable for this user, or choose another place",
        path.display()
    )]
    ReadOnly {
        /// The state file.
        path: PathBuf,
        /// What happened.
        why: String,
    },
    /// It may not be read.
    #[error("\"{}\" cannot be opened ({why}): see to its permissions and those of its folder", path.display())]
    Unopenable {
        /// The state file.
        path: PathBuf,
        /// What happened.
        why: String,
    },
    /// It was not closed, and what is in its log cannot be read without writing into the folder.
    #[error(
        "\"{}\" was not closed by the run that wrote it, and its folder cannot be written: ask as a user who may write there, \
         or copy the file together with its -wal file to another folder",
        path.display()
    )]
    Unclosed {
        /// The state file.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("the disk failed at \"{}\" ({why}): check the disk it is on", path.display())]
    Disk {
        /// The state file.
        path: PathBuf,
        /// What happened.
        why: String,
    },
    /// A series was named that is not there.
    #[error("\"{}\" has no series {series}: see which there are with query {} series", path.display(), path.display())]
    NoSeries {
        /// The state file.
        path: PathBuf,
        /// Its number.
        series: i64,
    },
    /// Panes were to be put where there are some.
    #[error(
        "panes of \"{}\" would be replaced by others that do not hold them: this is a fault of moodring, please report it",
        path.display()
    )]
    PaneTaken {
        /// The state file.
        path: PathBuf,
    },
    /// What `SQLite` says otherwise.
    #[error("the state \"{}\" failed ({source}): report this error", path.display())]
    Sql {
        /// The state file.
        path: PathBuf,
        /// What happened.
        source: rusqlite::Error,
    },
}

impl StateError {
    /// Whether the same call may succeed later without a change of the file: the disk was full, failed, or another
    /// program held a lock.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            StateError::Full { .. }
                | StateError::Disk { .. }
                | StateError::Locked { .. }
                | StateError::ReadOnly { .. }
                | StateError::Changed { .. }
        )
    }

    /// What an error of `SQLite` means.
    pub(super) fn sql(path: &Path, source: rusqlite::Error) -> StateError {
        let path = path.to_owned();
        let why = source.to_string();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StateError::Full { path, why },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                StateError::ReadOnly { path, why }
            }
            Some(ErrorCode::SystemIoFailure) => StateError::Disk { path, why },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StateError::Damaged { path, why }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StateError::Locked { path }
            }
            Some(ErrorCode::CannotOpen) => StateError::Unopenable { path, why },
            _ => StateError::Sql { path, source },
        }
    }

    /// What an error of a system call means.
    pub(super) fn io(path: &Path, source: &io::Error) -> StateError {
        let path = path.to_owned();
        let why = source.to_string();
        match source.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => StateError::NoFolder { path },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                StateError::Full { path, why }
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                StateError::ReadOnly { path, why }
            }
            _ if source.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => StateError::NoFile {
                path,
                what: "a symbolic link",
            },
            _ => StateError::Disk { path, why },
        }
    }
}
