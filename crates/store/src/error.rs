//! What can go wrong between an output's name and its last byte.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use moodring_record::name_of;

/// Why an output cannot be made. Each message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is a file of that name, and nobody said that it may be replaced.
    #[error(
        "\"{}\" exists: add --force to replace it, or choose another name",
        name_of(path)
    )]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// There is a folder of that name.
    #[error("\"{}\" is a folder: name a file in it", name_of(path))]
    IsFolder {
        /// The output.
        path: PathBuf,
    },
    /// A side file cannot be made, as something that is no regular file has its name.
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
    /// A side file cannot be made, as a file that is not recognized as one of an earlier run has its name.
    #[error(
        "\"{}\" does not look like a file of an earlier run: move it away, add --force to replace it, or choose \
         another output",
        name_of(path)
    )]
    Foreign {
        /// The side file.
        path: PathBuf,
    },
    /// A descriptor that was named as an output is open for reading only.
    #[error(
        "\"{}\" is not open for writing: open it with > or >>, or choose another output",
        name_of(path)
    )]
    ReadOnly {
        /// The name of the descriptor.
        path: PathBuf,
    },
    /// The file of that name cannot be replaced, whatever was asked for.
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
    /// A file is another one each time it is looked at.
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
    /// The thread that forces files to the disk panicked, which is a fault of this crate.
    #[error(
        "the thread that forces \"{}\" to the disk panicked, so the run was ended: continue it with \
         --resume, and report this error",
        name_of(path)
    )]
    SyncerDied {
        /// The journal.
        path: PathBuf,
    },
    /// The disk is full, or the user's share of it is.
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
    /// The file is as long as a file may be.
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
    /// Writing failed otherwise.
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
    /// The part file that another process has made cannot be opened.
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
    /// The file does not hold what was to be written into it.
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
    /// The part file lacks bytes in its middle.
    #[error(
        "\"{}\" was cut during the run, and has a hole at byte {hole}: continue with --resume, which checks all of it, or \
         run again, and let nothing else touch it",
        name_of(path)
    )]
    Cut {
        /// The part file.
        path: PathBuf,
        /// Where nothing has been written.
        hole: u64,
    },
    /// Another file has the part file's name.
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
    /// The complete output is in another folder, as its folder was moved.
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
    /// The part file was deleted, or is nowhere that can be named.
    #[error(
        "\"{}\" was complete, but its part file was deleted during the run: run again, and let nothing else touch it",
        name_of(path)
    )]
    Deleted {
        /// The output.
        path: PathBuf,
    },
    /// The output is complete but cannot be given its name.
    #[error(
        "cannot rename the complete output \"{}\" to \"{}\" ({source}): rename it by hand",
        name_of(part),
        name_of(path)
    )]
    Unnamed {
        /// The part file, which stays.
        part: PathBuf,
        /// The name it should have.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

impl StoreError {
    /// Whether the person who named the output can mend this by naming another.
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

    /// What an error while creating a file means.
    pub(crate) fn creating(path: &Path, source: io::Error) -> StoreError {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => StoreError::NoFolder { path },
            ErrorKind::IsADirectory => StoreError::IsFolder { path },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { path, source },
            _ => StoreError::Uncreatable { path, source },
        }
    }

    /// What an error while opening a side file means, whose name must not be followed.
    pub(crate) fn opening_side_file(path: &Path, source: io::Error) -> StoreError {
        match what_is_in_the_way(path) {
            Some(what) => StoreError::InTheWay {
                path: path.to_owned(),
                what,
            },
            None => StoreError::creating(path, source),
        }
    }

    /// What an error while writing means.
    pub(crate) fn writing(path: &Path, source: io::Error) -> StoreError {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { path, source },
            ErrorKind::FileTooLarge => StoreError::FileTooLarge { path, source },
            _ => StoreError::Write { path, source },
        }
    }
}

/// What has the name of a file, if it is no regular file.
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
