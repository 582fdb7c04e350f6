//! The errors of opening, writing and completing an output.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use moodring_record::name_of;

/// Why an output cannot be written. Each message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file of that name exists, and `force` is not set.
    #[error(
        "\"{}\" exists: add --force to replace it, or choose another name",
        name_of(path)
    )]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// The name is that of a folder.
    #[error("\"{}\" is a folder: name a file in it", name_of(path))]
    IsFolder {
        /// The output.
        path: PathBuf,
    },
    /// The name of a side file is taken by something other than a regular file.
    #[error(
        "\"{}\" is {what}, where a file of this run is to be written: remove it, or choose another output",
        name_of(path)
    )]
    InTheWay {
        /// The side file.
        path: PathBuf,
        /// What has its name, such as "a symbolic link".
        what: &'static str,
    },
    /// The name of a side file is taken by a file that does not look like one of an earlier run.
    #[error(
        "\"{}\" does not look like a file of an earlier run: move it away, add --force to replace it, or choose \
         another output",
        name_of(path)
    )]
    Foreign {
        /// The side file.
        path: PathBuf,
    },
    /// The output is a descriptor that is open for reading only.
    #[error(
        "\"{}\" is not open for writing: open it with > or >>, or choose another output",
        name_of(path)
    )]
    ReadOnly {
        /// The name of the descriptor.
        path: PathBuf,
    },
    /// The file of that name cannot be replaced, even with `force`.
    #[error(
        "\"{}\" cannot be replaced, as it {why}: choose another name",
        name_of(path)
    )]
    Irreplaceable {
        /// The output.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// The folder of the output does not exist.
    #[error(
        "there is no folder to put \"{}\" in: create it, or choose another name",
        name_of(path)
    )]
    NoFolder {
        /// The output.
        path: PathBuf,
    },
    /// Another run writes the same output.
    #[error(
        "another run is writing \"{}\": wait for it, or choose another name",
        name_of(path)
    )]
    Busy {
        /// The output.
        path: PathBuf,
    },
    /// The file cannot be created.
    #[error(
        "cannot create \"{}\" ({source}): choose a place that you may write to",
        name_of(path)
    )]
    Uncreatable {
        /// The output, or its part file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// Another program replaces the file each time it is opened.
    #[error(
        "\"{}\" is replaced again and again while it is opened: stop the program that does that, or choose a place on \
         another file system",
        name_of(path)
    )]
    Unsettled {
        /// The part file.
        path: PathBuf,
    },
    /// The system refused the thread that forces files to the disk.
    #[error(
        "failed to start the thread that forces \"{}\" to the disk ({source}): try again when fewer processes run",
        name_of(path)
    )]
    Thread {
        /// The journal.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The thread that forces files to the disk panicked, which is a bug in this crate.
    #[error(
        "the thread that forces \"{}\" to the disk panicked, so the run was ended: continue it with \
         --resume, and report this error",
        name_of(path)
    )]
    SyncerDied {
        /// The journal.
        path: PathBuf,
    },
    /// The disk or the user's quota is full.
    #[error(
        "no space left to write \"{}\" ({source}): free some space, or write it to another disk",
        name_of(path)
    )]
    Full {
        /// The output, or its part file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The file has reached the size limit of the process or the file system.
    #[error(
        "\"{}\" cannot grow any further ({source}): raise the limit on the size of files (ulimit -f), or write to another \
         file system",
        name_of(path)
    )]
    FileTooLarge {
        /// The output, or its part file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The reader of standard output has closed it.
    #[error("the reader of standard output has closed it")]
    StdoutClosed,
    /// The reader of a named pipe, or of another stream with a name, has closed it.
    #[error(
        "the reader of \"{}\" closed it before the output was complete: see why it ended, and run again",
        name_of(path)
    )]
    ReaderClosed {
        /// The output.
        path: PathBuf,
    },
    /// Writing failed for another reason.
    #[error(
        "cannot write \"{}\" ({source}): check the disk it is on, or choose another place",
        name_of(path)
    )]
    Write {
        /// The output, or its part file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The part file that another process created cannot be opened.
    #[error(
        "cannot open \"{}\" to write results ({source}): was it moved or removed during the run?",
        name_of(path)
    )]
    PartGone {
        /// The part file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The length of the part file differs from what was placed in it.
    #[error(
        "\"{}\" has {found} bytes where {placed} were written: run again, and let nothing else touch it",
        name_of(path)
    )]
    Incomplete {
        /// The part file.
        path: PathBuf,
        /// How long it is.
        found: u64,
        /// How long it should be.
        placed: u64,
    },
    /// The part file has a hole: another program truncated it during the run.
    #[error(
        "\"{}\" was cut during the run, and has a hole at byte {hole}: continue with --resume, which checks all of it, or \
         run again, and let nothing else touch it",
        name_of(path)
    )]
    Cut {
        /// The part file.
        path: PathBuf,
        /// The offset of the hole.
        hole: u64,
    },
    /// The name of the part file belongs to another file now.
    #[error(
        "\"{}\" was replaced by another file during the run: run again, and let nothing else touch it",
        name_of(path)
    )]
    Replaced {
        /// The part file.
        path: PathBuf,
    },
    /// A file that an earlier run left cannot be read.
    #[error(
        "cannot read \"{}\" ({source}): remove it, or start over without --resume",
        name_of(path)
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The output is complete, but its folder was moved during the run.
    #[error(
        "the folder of \"{}\" was moved during the run; the complete output is \"{}\": rename it by hand",
        name_of(path),
        name_of(part)
    )]
    Moved {
        /// Where the part file is.
        part: PathBuf,
        /// The name it should have.
        path: PathBuf,
    },
    /// The part file was deleted, or has no name that can be found.
    #[error(
        "\"{}\" was complete, but its part file was deleted during the run: run again, and let nothing else touch it",
        name_of(path)
    )]
    Deleted {
        /// The output.
        path: PathBuf,
    },
    /// The output is complete, but the part file cannot be renamed.
    #[error(
        "cannot rename the complete output \"{}\" to \"{}\" ({source}): rename it by hand",
        name_of(part),
        name_of(path)
    )]
    Unnamed {
        /// The part file, which is kept.
        part: PathBuf,
        /// The name it should have.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

impl StoreError {
    /// Whether another output name or flag can fix this. Otherwise writing failed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            StoreError::Exists { .. }
                | StoreError::IsFolder { .. }
                | StoreError::InTheWay { .. }
                | StoreError::Foreign { .. }
                | StoreError::ReadOnly { .. }
                | StoreError::Irreplaceable { .. }
                | StoreError::NoFolder { .. }
                | StoreError::Busy { .. }
                | StoreError::Uncreatable { .. }
        )
    }

    /// Classifies an I/O error from creating a file.
    pub(crate) fn creating(path: &Path, source: io::Error) -> StoreError {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => StoreError::NoFolder { path },
            ErrorKind::IsADirectory => StoreError::IsFolder { path },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { path, source },
            _ => StoreError::Uncreatable { path, source },
        }
    }

    /// Classifies an I/O error from opening a side file, whose name must not be a link.
    pub(crate) fn opening_side_file(path: &Path, source: io::Error) -> StoreError {
        match what_is_in_the_way(path) {
            Some(what) => StoreError::InTheWay {
                path: path.to_owned(),
                what,
            },
            None => StoreError::creating(path, source),
        }
    }

    /// Classifies an I/O error from writing.
    pub(crate) fn writing(path: &Path, source: io::Error) -> StoreError {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { path, source },
            ErrorKind::FileTooLarge => StoreError::FileTooLarge { path, source },
            _ => StoreError::Write { path, source },
        }
    }
}

/// Describes what has this name; `None` if it is a regular file or nothing.
pub(crate) fn what_is_in_the_way(path: &Path) -> Option<&'static str> {
    let kind = fs::symlink_metadata(path).ok()?.file_type();
    if kind.is_file() {
        return None;
    }
    Some(match kind {
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_with_what_to_do() {
        let path = Path::new("out.jsonl.part");
        // ENOSPC, EDQUOT
        for number in [28, 122] {
            let error = StoreError::writing(path, io::Error::from_raw_os_error(number));
            assert!(matches!(error, StoreError::Full { .. }), "{error}");
            assert!(
                error
                    .to_string()
                    .starts_with("no space left to write \"out.jsonl.part\"")
            );
        }
        let too_large = StoreError::writing(path, io::Error::from_raw_os_error(27)).to_string();
        assert!(too_large.contains("ulimit -f"), "{too_large}");
        assert!(!StoreError::writing(path, io::Error::from_raw_os_error(5)).is_usage());
    }
}
