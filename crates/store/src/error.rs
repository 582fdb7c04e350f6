//! What can go wrong between an output's name and its last byte.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why an output cannot be made. Each message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is a file of that name, and nobody said that it may be replaced.
    #[error("\"{}\" exists: add --force to replace it, or choose another name", path.display())]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// There is a folder of that name.
    #[error("\"{}\" is a folder: name a file in it", path.display())]
    IsFolder {
        /// The output.
        path: PathBuf,
    },
    /// The folder of the output does not exist.
    #[error("there is no folder to put \"{}\" in: create it, or choose another name", path.display())]
    NoFolder {
        /// The output.
        path: PathBuf,
    },
    /// Another run writes the same output.
    #[error("another run is writing \"{}\": wait for it, or choose another name", path.display())]
    Busy {
        /// The output.
        path: PathBuf,
    },
    /// The file cannot be created.
    #[error("cannot create \"{}\" ({source}): choose a place that you may write to", path.display())]
    Uncreatable {
        /// The output, or its part file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The disk is full, or the user's share of it is.
    #[error(
        "no space left to write \"{}\" ({source}): free some space or choose another place with -o",
        path.display()
    )]
    Full {
        /// The output, or its part file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// Nobody reads the stream any more.
    #[error("the reader of \"{}\" has closed it", path.display())]
    Closed {
        /// The output.
        path: PathBuf,
    },
    /// Writing failed otherwise.
    #[error("cannot write \"{}\" ({source}): check the disk it is on, or choose another place", path.display())]
    Write {
        /// The output, or its part file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The file does not hold what was to be written into it.
    #[error(
        "\"{}\" has {found} bytes where {placed} were written: run again, and let nothing else touch it",
        path.display()
    )]
    Incomplete {
        /// The part file.
        path: PathBuf,
        /// How long it is.
        found: u64,
        /// How long it should be.
        placed: u64,
    },
    /// A file that an earlier run left cannot be read.
    #[error("cannot read \"{}\" ({source}): remove it, or start over without --resume", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The output is complete but cannot be given its name.
    #[error(
        "cannot rename the complete output \"{}\" to \"{}\" ({source}): rename it by hand",
        part.display(),
        path.display()
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

    /// What an error while writing means.
    pub(crate) fn writing(path: &Path, source: io::Error) -> StoreError {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                StoreError::Full { path, source }
            }
            ErrorKind::BrokenPipe => StoreError::Closed { path },
            _ => StoreError::Write { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_with_what_to_do() {
        let path = Path::new("out.jsonl.part");
        // ENOSPC, EDQUOT, EFBIG
        for number in [28, 122, 27] {
            let error = StoreError::writing(path, io::Error::from_raw_os_error(number));
            assert!(matches!(error, StoreError::Full { .. }), "{error}");
            assert!(
                error
                    .to_string()
                    .starts_with("no space left to write \"out.jsonl.part\"")
            );
        }
        assert!(!StoreError::writing(path, io::Error::from_raw_os_error(5)).is_usage());
    }
}
