//! Determines what kind of output a name refers to, before anything is written.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, StatxAttributes, StatxFlags, access, statx};
use rustix::process::geteuid;

use crate::StoreError;

/// The kind of output that a name refers to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file to create or replace. Symbolic links in the name are resolved, so that a link is kept and its target
    /// replaced.
    File(PathBuf),
    /// Standard output.
    Stdout,
    /// An existing pipe, device or socket, such as `/dev/null`.
    Device(PathBuf),
}

impl Target {
    /// Determines the kind of output called `name`.
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
        // A dangling link takes the name, too.
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

/// Checks that permissions and file flags allow the file of an output to be replaced.
pub(crate) fn check_replaceable(path: &Path) -> Result<(), StoreError> {
    let (Ok(file), Ok(folder)) = (fs::symlink_metadata(path), fs::metadata(folder_path(path)))
    else {
        return Ok(());
    };
    let owners = [file.uid(), folder.uid()];
    let why = if is_kept_by_sticky_bit(folder.mode(), owners, geteuid().as_raw()) {
        "is another user's, in a folder where each may replace only files of their own"
    } else if is_fixed(path) {
        "is immutable or append-only (see lsattr)"
    } else {
        return Ok(());
    };
    let path = path.to_owned();
    Err(StoreError::Irreplaceable { path, why })
}

/// Whether the sticky bit of the folder prevents this user, who owns neither file nor folder, from replacing the file.
fn is_kept_by_sticky_bit(mode: u32, owners: [u32; 2], user: u32) -> bool {
    const STICKY: u32 = 0o1000;
    mode & STICKY != 0 && user != 0 && !owners.contains(&user)
}

/// Whether flags of the file prevent everybody from replacing it.
fn is_fixed(path: &Path) -> bool {
    let flags = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    let stat = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty());
    stat.is_ok_and(|stat| stat.stx_attributes.intersects(flags))
}

fn folder_path(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str() != OsStr::new("") => folder,
        _ => Path::new("."),
    }
}

/// Whether files can be created in the folder that contains `path`.
fn check_folder(path: &Path) -> io::Result<()> {
    let folder = folder_path(path);
    if !fs::metadata(folder)?.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Whether the name refers to standard output.
#[must_use]
pub fn is_stdout(name: &Path) -> bool {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    names.into_iter().any(|stdout| name == Path::new(stdout))
}

/// Whether a descriptor of this process is open for writing. The permissions of its link in `/proc` are those it was
/// opened with (proc(5)); opening the link again could yield others.
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

/// Whether the path is a descriptor of this process, such as `/dev/fd/3`. It is written as a stream, even if it is
/// open on a regular file.
pub(crate) fn is_descriptor(path: &Path) -> bool {
    path == Path::new("/dev/stdin")
        || path == Path::new("/dev/stderr")
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sticky_bit_keeps_the_files_of_others() {
        let (me, other, third) = (1000, 1001, 1002);
        assert!(is_kept_by_sticky_bit(0o1777, [other, third], me));
        assert!(!is_kept_by_sticky_bit(0o777, [other, third], me));
        assert!(!is_kept_by_sticky_bit(0o1777, [me, third], me));
        assert!(!is_kept_by_sticky_bit(0o1777, [other, me], me));
        assert!(!is_kept_by_sticky_bit(0o1777, [other, third], 0));
    }
}
