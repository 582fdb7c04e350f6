//! Binding a socket in a folder of our own, and leaving neither behind.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fs, io};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SocketAddrUnix;

use crate::descriptors::path;

/// How often a name is tried that another process may be removing at the same moment.
const ATTEMPTS: usize = 1000;

/// Binds a socket, removes its name, and gives its inode.
pub(super) fn bind_without_name(socket: &OwnedFd) -> io::Result<OwnedFd> {
    let mut refusals = Vec::new();
    for base in bases() {
        match bind_below(socket, &base) {
            Ok(path_fd) => return Ok(path_fd),
            // Another folder is of no help.
            Err(error @ (Errno::MFILE | Errno::NFILE)) => return Err(error.into()),
            Err(error) => refusals.push(format!("\"{}\": {error}", base.display())),
        }
    }
    Err(io::Error::other(format!(
        "no folder takes the socket for a worker ({}); set TMPDIR to one that can be written",
        refusals.join(", ")
    )))
}

/// Removes what starts have left that were killed, by process ids that nobody has any more.
pub(crate) fn sweep() {
    for base in bases() {
        let folder = base.join(folder_name());
        let Ok(names) = fs::read_dir(&folder) else {
            continue;
        };
        let Ok(own) = open_own(&folder) else {
            continue;
        };
        for name in names.filter_map(|entry| Some(entry.ok()?.file_name())) {
            if is_stale(&name) {
                let _ = rustix::fs::unlinkat(&own, &name, AtFlags::empty());
            }
        }
        let _ = rustix::fs::rmdir(&folder);
    }
}

/// Where the folder may be, in the order in which it is tried.
fn bases() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let mut bases: Vec<PathBuf> = Vec::new();
    let known = ["/tmp", "/dev/shm", "/var/tmp"].map(PathBuf::from);
    let chosen = runtime.into_iter().chain([std::env::temp_dir()]);
    for base in chosen.chain(known).filter(|base| base.is_absolute()) {
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    bases
}

fn folder_name() -> String {
    format!("moodring-{}-start", rustix::process::geteuid().as_raw())
}

fn bind_below(socket: &OwnedFd, base: &Path) -> Result<OwnedFd, Errno> {
    let folder = base.join(folder_name());
    for _ in 0..ATTEMPTS {
        match bind_in(socket, &folder) {
            // Another process has removed the folder, or the name that it took for a dead one's.
            Err(Errno::NOENT) if base.exists() => {}
            Ok(path_fd) => {
                // Fails if others are in it.
                let _ = rustix::fs::rmdir(&folder);
                return Ok(path_fd);
            }
            refused => return refused,
        }
    }
    Err(Errno::NOENT)
}

fn bind_in(socket: &OwnedFd, folder: &Path) -> Result<OwnedFd, Errno> {
    match rustix::fs::mkdir(folder, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error),
    }
    let own = open_own(folder)?;
    let name = fresh_name();
    // By the folder's descriptor the path is short, whatever the folder is called.
    let address = SocketAddrUnix::new(format!("{}/{name}", path(&own)))?;
    rustix::net::bind(socket, &address)?;
    // The umask may have taken what a worker needs to connect. Nobody else can enter the folder.
    rustix::fs::chmodat(&own, &name, Mode::RUSR | Mode::WUSR, AtFlags::empty())?;
    let path_fd = rustix::fs::openat(
        &own,
        &name,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    );
    let removed = rustix::fs::unlinkat(&own, &name, AtFlags::empty());
    let path_fd = path_fd?;
    match removed {
        Ok(()) | Err(Errno::NOENT) => Ok(path_fd),
        Err(error) => Err(error),
    }
}

/// Opens the folder, if it is one that only this user may enter. If the umask has taken what this user needs to
/// enter it too, gives that back.
fn open_own(folder: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let own = rustix::fs::openat(CWD, folder, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&own)?;
    let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let is_own = stat.st_uid == rustix::process::geteuid().as_raw();
    let is_private = (stat.st_mode & 0o777) | 0o700 == 0o700;
    if !(is_folder && is_own && is_private) {
        return Err(Errno::PERM);
    }
    if stat.st_mode & 0o700 != 0o700 {
        rustix::fs::chmod(path(&own), Mode::RWXU)?;
    }
    Ok(own)
}

/// A name that no other process and no other call uses: the process id, when the process started, and a number.
fn fresh_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let pid = std::process::id();
    let started = start_time(pid).unwrap_or_default();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{pid}-{started}-{number}")
}

/// Whether the process that made up this name is gone.
fn is_stale(name: &OsString) -> bool {
    let mut parts = name.to_str().unwrap_or_default().split('-');
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (Some(pid), Some(started)) = (number(), number()) else {
        return false;
    };
    let pid = u32::try_from(pid).unwrap_or_default();
    // Where it cannot be told when the process started, that there is one is enough.
    match start_time(pid) {
        Some(running) => started != 0 && running != started,
        None => !Path::new(&format!("/proc/{pid}")).exists(),
    }
}

/// When a process started: `/proc/PID/stat`, field 22.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses, which may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_its_owner_cannot_enter_is_repaired_and_one_that_others_can_enter_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("start");
        fs::create_dir(&folder).unwrap();
        let mode = || fs::metadata(&folder).unwrap().permissions().mode() & 0o777;
        for (before, after, opens) in [
            (0, 0o700, true),
            (0o600, 0o700, true),
            (0o710, 0o710, false),
        ] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(before)).unwrap();
            assert_eq!(open_own(&folder).is_ok(), opens, "{before:o}");
            assert_eq!(mode(), after);
        }
    }
}
