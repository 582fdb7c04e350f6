//! Where the control sockets of runs are: one for each, named after its process, in a folder that only their owner may
//! enter.
//!
//! A run that was killed leaves its socket, which is removed by whoever looks next. That must never hit one that is being
//! born, nor a new one under the name of an old one, as process ids come again. So a socket comes into being and goes only
//! under a lock on the folder: a new one is bound under another name, listens, and is then renamed into place, all of it
//! with the lock held; and one is removed only if nobody listens at it while the lock is held. The lock is never waited for
//! for long, and whoever cannot have it removes nothing. The kernel lets go of it when its holder ends.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use rustix::fs::{FlockOperation, flock};
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use moodring_feed::name_of;

use super::line::{Deadline, read_line, write_line};
use super::protocol::{Reply, Request};

/// How long either side waits for the other.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long a run that begins waits for the lock on the folder, which others hold for microseconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// No question is longer, in bytes, and no answer: a worker's row has some 200.
const MAX_REQUEST: usize = 1024;
const MAX_REPLY: usize = 4 << 20;

/// The folder of the sockets: `$XDG_RUNTIME_DIR/moodring`, or where that is not set, or is relative and so has to be ignored
/// (XDG Base Directory Specification), `/tmp/moodring-UID`.
fn folder() -> PathBuf {
    let dir = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    if let Some(dir) = dir.filter(|dir| dir.is_absolute()) {
        return dir.join("moodring");
    }
    let user = rustix::process::getuid().as_raw();
    std::env::temp_dir().join(format!("moodring-{user}"))
}

fn is_private(metadata: &Metadata) -> bool {
    let others = metadata.permissions().mode() & 0o077;
    metadata.uid() == rustix::process::geteuid().as_raw() && others == 0
}

/// Sees that nobody else has made the folder or may enter it, so that what is in it is ours and stays what it is. False if
/// there is none.
fn check_folder(folder: &Path) -> anyhow::Result<bool> {
    let metadata = match fs::symlink_metadata(folder) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot look at `{}`", name_of(folder)));
        }
    };
    ensure!(
        metadata.is_dir() && is_private(&metadata),
        "`{}` is not a folder of yours that only you may enter; remove it, or set XDG_RUNTIME_DIR",
        name_of(folder)
    );
    Ok(true)
}

/// Makes the folder if it is missing; the folder that it lies in has to be there.
fn create_folder(folder: &Path) -> anyhow::Result<()> {
    let created = match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        created => created,
    };
    created.with_context(|| format!("cannot create `{}`", name_of(folder)))?;
    if check_folder(folder)? {
        give_rights_to_owner(folder);
    }
    Ok(())
}

/// Gives a private folder of ours the rights that the umask of this or an earlier run took.
fn give_rights_to_owner(folder: &Path) {
    let Ok(metadata) = fs::symlink_metadata(folder) else {
        return;
    };
    if metadata.permissions().mode() & 0o700 != 0o700 {
        // What cannot be done is told by whoever uses the folder.
        let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    }
}

/// Locks the folder until the file is dropped, unless somebody else has it.
fn lock(folder: &Path) -> io::Result<File> {
    let file = File::open(folder)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// The same, but waits for it a while.
fn wait_for_lock(folder: &Path) -> io::Result<File> {
    let deadline = Deadline::within(LOCK_TIMEOUT);
    loop {
        match lock(folder) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                deadline.left()?;
                thread::sleep(Duration::from_millis(2));
            }
            locked => return locked,
        }
    }
}

/// The control socket of this process, gone with the value.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Opens it. What dead runs have left is removed.
    pub(crate) fn open() -> anyhow::Result<Self> {
        let folder = folder();
        create_folder(&folder)?;
        let _ = live_runs(&folder);
        Self::open_in(&folder, std::process::id())
    }

    fn open_in(folder: &Path, pid: u32) -> anyhow::Result<Self> {
        let path = folder.join(format!("{pid}.sock"));
        let pending = folder.join(format!(".{pid}.new"));
        let _lock =
            wait_for_lock(folder).with_context(|| format!("cannot lock `{}`", name_of(folder)))?;
        // Another system of processes, as of a container, may share the folder and have this id too.
        ensure!(
            !matches!(connect_to(&path, Deadline::within(TIMEOUT)), Peer::Live(_)),
            "another run listens at `{}`",
            name_of(&path)
        );
        let _ = fs::remove_file(&pending);
        let listen = || -> io::Result<UnixListener> {
            let listener = UnixListener::bind(&pending)?;
            fs::set_permissions(&pending, fs::Permissions::from_mode(0o600))?;
            fs::rename(&pending, &path)?;
            Ok(listener)
        };
        let listener =
            listen().with_context(|| format!("cannot listen at `{}`", name_of(&path)))?;
        Ok(Self { listener, path })
    }

    /// The file, to be removed by who ends the process.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The processes of this user's runs, in order.
pub(crate) fn runs() -> anyhow::Result<Vec<u32>> {
    let folder = folder();
    Ok(if check_folder(&folder)? {
        live_runs(&folder)
    } else {
        Vec::new()
    })
}

/// The processes whose sockets somebody listens at. What nobody listens at any more is removed.
fn live_runs(folder: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut runs = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        let pid = name.strip_suffix(".sock").and_then(|pid| pid.parse().ok());
        let is_pending = name.starts_with('.') && name.strip_suffix(".new").is_some();
        match pid.map(|pid| (pid, connect_to(&path, Deadline::within(TIMEOUT)))) {
            Some((pid, Peer::Live(_))) => runs.push(pid),
            Some((_, Peer::Dead)) => remove_dead(folder, &path),
            None if is_pending => remove_dead(folder, &path),
            _ => {}
        }
    }
    runs.sort_unstable();
    runs
}

/// Removes a socket at which nobody listens, now that nothing can come into being.
fn remove_dead(folder: &Path, path: &Path) {
    if let Ok(_lock) = lock(folder)
        && matches!(connect_to(path, Deadline::within(TIMEOUT)), Peer::Dead)
    {
        let _ = fs::remove_file(path);
    }
}

/// What is at a path.
enum Peer {
    /// A run.
    Live(UnixStream),
    /// A socket of ours at which nobody listens.
    Dead,
    /// Nothing that can be talked to, and why.
    Other(anyhow::Error),
}

/// Connects to a socket, if it is one of ours and one of our processes listens at it.
fn connect_to(path: &Path, deadline: Deadline) -> Peer {
    let try_connect = || -> anyhow::Result<Option<UnixStream>> {
        let metadata = fs::symlink_metadata(path)?;
        ensure!(
            metadata.file_type().is_socket() && is_private(&metadata),
            "`{}` is not a socket of yours that only you may use",
            name_of(path)
        );
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        // One that accepts no more connections must not keep us.
        set_socket_timeout(&socket, Timeout::Send, Some(deadline.left()?))?;
        match connect(&socket, &SocketAddrUnix::new(path)?) {
            Err(rustix::io::Errno::CONNREFUSED) => return Ok(None),
            connected => connected?,
        }
        let stream = UnixStream::from(socket);
        check_peer(&stream)?;
        Ok(Some(stream))
    };
    match try_connect() {
        Ok(Some(stream)) => Peer::Live(stream),
        Ok(None) => Peer::Dead,
        Err(error) => Peer::Other(error),
    }
}

/// Sees that this user, or root, is at the other end.
fn check_peer(stream: &UnixStream) -> io::Result<()> {
    let peer = socket_peercred(stream)?.uid;
    if peer == rustix::process::geteuid() || peer.is_root() {
        return Ok(());
    }
    let reason = format!("the user with id {} is at the other end", peer.as_raw());
    Err(io::Error::new(ErrorKind::PermissionDenied, reason))
}

/// Asks the run of a process.
pub(crate) fn ask(pid: u32, request: Request) -> anyhow::Result<Reply> {
    let none = || anyhow!("there is no run with process id {pid}");
    let folder = folder();
    if !check_folder(&folder)? {
        return Err(none());
    }
    let path = folder.join(format!("{pid}.sock"));
    if !path.try_exists().unwrap_or(true) {
        return Err(none());
    }
    let deadline = Deadline::within(TIMEOUT);
    let stream = match connect_to(&path, deadline) {
        Peer::Live(stream) => stream,
        Peer::Dead => return Err(none()),
        Peer::Other(error) => {
            return Err(error.context(format!("cannot reach the run with process id {pid}")));
        }
    };
    let silent = || format!("the run with process id {pid} does not answer");
    match write_line(&stream, &request, deadline) {
        // A run that refuses a client says so and hangs up, perhaps before it has been asked.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.with_context(silent)?,
    }
    let line = read_line(&stream, MAX_REPLY, deadline).with_context(silent)?;
    match line.as_deref().map(serde_json::from_slice) {
        Some(Ok(reply)) => Ok(reply),
        Some(Err(_)) => {
            bail!("cannot understand the run with process id {pid}; is it of another version?")
        }
        None => bail!(silent()),
    }
}

/// The question that came over a connection, or what is wrong with it; none at all from who only looks whether somebody is
/// there.
pub(crate) fn read_request(
    stream: &UnixStream,
    deadline: Deadline,
) -> io::Result<Option<Result<Request, String>>> {
    check_peer(stream)?;
    let line = read_line(stream, MAX_REQUEST, deadline)?;
    Ok(line.map(|line| Request::parse(&line)))
}

/// When a client that has just come must be done.
pub(crate) fn client_deadline() -> Deadline {
    Deadline::within(TIMEOUT)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn private_folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        folder
    }

    /// Leaves the file of a socket, as a killed process does.
    fn kill(mut socket: Socket) -> PathBuf {
        std::mem::take(&mut socket.path)
    }

    #[test]
    fn whoever_removes_dead_sockets_never_hits_one_that_is_being_born() {
        let folder = private_folder();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !over.load(Ordering::SeqCst) {
                        live_runs(folder.path());
                    }
                });
            }
            for _ in 0..300 {
                let socket = Socket::open_in(folder.path(), 7).unwrap();
                let peer = connect_to(&socket.path, Deadline::within(TIMEOUT));
                assert!(matches!(peer, Peer::Live(_)));
                kill(socket);
            }
            over.store(true, Ordering::SeqCst);
        });
        while !live_runs(folder.path()).is_empty() {}
        live_runs(folder.path());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_lost_its_owners_rights_to_a_umask_is_mended() {
        let base = private_folder();
        let folder = base.path().join("moodring");
        DirBuilder::new().mode(0o000).create(&folder).unwrap();
        create_folder(&folder).unwrap();
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        // One that others may enter is left alone.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        create_folder(&folder).unwrap_err();
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[test]
    fn folders_above_the_sockets_are_not_made() {
        let base = private_folder();
        create_folder(&base.path().join("missing/moodring")).unwrap_err();
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_runs_with_one_process_id_do_not_share_a_socket() {
        let folder = private_folder();
        let first = Socket::open_in(folder.path(), 7).unwrap();
        assert!(Socket::open_in(folder.path(), 7).is_err());
        assert_eq!(live_runs(folder.path()), [7]);
        drop(first);
        assert!(Socket::open_in(folder.path(), 7).is_ok());
    }

    #[test]
    fn a_lock_that_is_held_keeps_dead_sockets() {
        let folder = private_folder();
        let path = kill(Socket::open_in(folder.path(), 7).unwrap());
        let held = lock(folder.path()).unwrap();
        live_runs(folder.path());
        assert!(path.exists());
        drop(held);
        live_runs(folder.path());
        assert!(!path.exists());
    }
}
