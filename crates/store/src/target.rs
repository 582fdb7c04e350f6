//! What the name of an output stands for, seen before anything is written.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::StoreError;

/// What the name of an output stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file to be created, or replaced: links in the name are followed, so that the link stays what it is.
    File(PathBuf),
    /// Standard output.
    Stdout,
    /// Something that exists and is no regular file, such as `/dev/null` or a named pipe.
    Device(PathBuf),
}

impl Target {
    /// Looks at what there is under `name`.
    pub(crate) fn of(name: &Path, force: bool) -> Result<Target, StoreError> {
        if is_stdout(name) {
            return Ok(Target::Stdout);
        }
        let path = name.to_owned();
        match fs::metadata(name) {
            Ok(metadata) if metadata.is_dir() => Err(StoreError::IsFolder { path }),
            Ok(_) if !is_open_for_writing(name) => Err(StoreError::ReadOnly { path }),
            Ok(metadata) if !metadata.is_file() || is_descriptor(name) => Ok(Target::Device(path)),
            Ok(_) if !force => Err(StoreError::Exists { path }),
            Ok(_) => fs::canonicalize(name)
                .map(Target::File)
                .map_err(|source| StoreError::Uncreatable { path, source }),
            Err(error) if error.kind() == ErrorKind::NotFound => Target::new_file(path, force),
            Err(error) => Err(StoreError::creating(name, error)),
        }
    }

    fn new_file(path: PathBuf, force: bool) -> Result<Target, StoreError> {
        // A link that leads nowhere is something of that name, too.
        if !force && fs::symlink_metadata(&path).is_ok() {
            return Err(StoreError::Exists { path });
        }
        if path.file_name().is_none() {
            return Err(StoreError::NoFolder { path });
        }
        check_folder(&path).map_err(|source| StoreError::creating(&path, source))?;
        Ok(Target::File(path))
    }
}

/// Whether files can be made in the folder that `path` lies in.
fn check_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str() != OsStr::new("") => folder,
        _ => Path::new("."),
    };
    if !fs::metadata(folder)?.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Whether the name stands for standard output, whatever that is.
#[must_use]
pub fn is_stdout(name: &Path) -> bool {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    names.into_iter().any(|stdout| name == Path::new(stdout))
}

/// Whether a descriptor of this process may be written: the link that stands for it has the permissions that it was opened
/// with (proc(5)). To open the link again would give others.
fn is_open_for_writing(path: &Path) -> bool {
    let is_stdin = path == Path::new("/dev/stdin");
    let link = if is_stdin {
        Path::new("/proc/self/fd/0")
    } else {
        path
    };
    let is_open = link.starts_with("/dev/fd") || link.starts_with("/proc/self/fd");
    match fs::symlink_metadata(link) {
        Ok(link) if is_open && link.is_symlink() => link.mode() & 0o200 != 0,
        _ => true,
    }
}

/// Whether the path leads to a descriptor of this process. Even if a regular file is open there, it is to be written
/// as the stream it was opened for.
pub(crate) fn is_descriptor(path: &Path) -> bool {
    path == Path::new("/dev/stdin")
        || path == Path::new("/dev/stderr")
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc")
}
