//! The folder of a spool and the files in it. All are for their owner alone, and links are not followed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::geteuid;

use super::error::SpoolError;
use crate::error::what_is_in_the_way;
use crate::syncer::sync_name;

/// The folder of a spool.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

/// Keeps other processes out of a folder as long as it lives.
#[derive(Debug)]
pub(super) struct FolderLock(
    #[expect(dead_code, reason = "the lock goes with the descriptor")] File,
);

impl Folder {
    /// Opens and locks a folder, or creates it, and the folder it lies in as well. Both are on the disk then.
    pub(super) fn open(path: &Path) -> Result<(Folder, FolderLock), SpoolError> {
        if let Some(parent) = path.parent()
            && !parent.as_os_str().is_empty()
        {
            make(parent)?;
        }
        make(path)?;
        let io = |error| SpoolError::io(path, &error);
        let lock = OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::NOFOLLOW | OFlags::DIRECTORY).bits().cast_signed())
            .open(path)
            .map_err(io)?;
        let metadata = lock.metadata().map_err(io)?;
        if metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
            return Err(SpoolError::Open {
                path: path.to_owned(),
            });
        }
        match crate::lock::lock(&lock) {
            Ok(true) => {
                let path = path.to_owned();
                Ok((Folder { path }, FolderLock(lock)))
            }
            Ok(false) => Err(SpoolError::Busy {
                path: path.to_owned(),
            }),
            Err(error) => Err(io(error.into())),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The segment whose first entry has this number.
    pub(super) fn segment(&self, first: u64) -> PathBuf {
        self.path.join(format!("{first:020}.spool"))
    }

    /// The file of the keys of deleted segments.
    pub(super) fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// The numbers of the first entries of the segments, in order.
    pub(super) fn segments(&self) -> Result<Vec<u64>, SpoolError> {
        let io = |error| SpoolError::io(&self.path, &error);
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            let digits = name.to_str().and_then(|name| name.strip_suffix(".spool"));
            if let Some(first) = digits
                .filter(|it| it.len() == 20)
                .and_then(|it| it.parse().ok())
            {
                numbers.push(first);
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

fn make(path: &Path) -> Result<(), SpoolError> {
    let io = |error| SpoolError::io(path, &error);
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => sync_name(path).map_err(io),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            match fs::symlink_metadata(path) {
                Ok(metadata) if metadata.is_dir() => Ok(()),
                _ => Err(in_the_way(path, "a folder")),
            }
        }
        Err(error) => Err(io(error)),
    }
}

/// What an error of opening a file in the folder means.
pub(super) fn opening(path: &Path, error: &io::Error) -> SpoolError {
    if what_is_in_the_way(path).is_some() {
        return in_the_way(path, "a file");
    }
    SpoolError::io(path, error)
}

fn in_the_way(path: &Path, wanted: &'static str) -> SpoolError {
    let what = what_is_in_the_way(path).unwrap_or("a file");
    SpoolError::InTheWay {
        path: path.to_owned(),
        what,
        wanted,
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    options
}

/// Opens a file that may be there.
pub(super) fn open(path: &Path) -> io::Result<Option<File>> {
    match options().open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates an empty file, in the place of any that is there.
pub(super) fn create(path: &Path) -> io::Result<File> {
    options().create(true).truncate(true).open(path)
}
