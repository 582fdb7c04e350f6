//! Where the control sockets of runs are: one for each, named after its process, in a folder that only their owner may
//! enter.

use std::fs::{self, DirBuilder};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};

use super::protocol::{Reply, Request};

/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);

/// The folder of the sockets: `$XDG_RUNTIME_DIR/moodring`, or where that is not set `/tmp/moodring-UID`.
fn folder() -> PathBuf {
    if let Some(dir) = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()) {
        return PathBuf::from(dir).join("moodring");
    }
    let user = rustix::process::getuid().as_raw();
    std::env::temp_dir().join(format!("moodring-{user}"))
}

/// Makes the folder if it is missing, and sees that nobody else has made it.
fn own_folder() -> anyhow::Result<PathBuf> {
    let folder = folder();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("cannot create \"{}\"", folder.display()))?;
    let metadata = fs::symlink_metadata(&folder)?;
    let is_own = metadata.uid() == rustix::process::getuid().as_raw();
    if !metadata.is_dir() || !is_own || metadata.permissions().mode() & 0o077 != 0 {
        bail!(
            "\"{}\" is not a folder that only its owner may enter",
            folder.display()
        );
    }
    Ok(folder)
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
        let folder = own_folder()?;
        let _ = live(&folder);
        let path = folder.join(format!("{}.sock", std::process::id()));
        let listener = UnixListener::bind(&path)
            .with_context(|| format!("cannot listen at \"{}\"", path.display()))?;
        let socket = Self { listener, path };
        fs::set_permissions(&socket.path, fs::Permissions::from_mode(0o600))?;
        Ok(socket)
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
pub(crate) fn runs() -> Vec<u32> {
    live(&folder())
}

/// The processes whose sockets somebody listens at. A socket that nobody listens at is removed.
fn live(folder: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut runs = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().and_then(|name| name.to_str());
        let pid = name.and_then(|name| name.strip_suffix(".sock")?.parse().ok());
        let Some(pid) = pid else { continue };
        match UnixStream::connect(&path) {
            Ok(_) => runs.push(pid),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                let _ = fs::remove_file(&path);
            }
            Err(_) => {}
        }
    }
    runs.sort_unstable();
    runs
}

/// Asks the run of a process.
pub(crate) fn ask(pid: u32, request: Request) -> anyhow::Result<Reply> {
    let path = folder().join(format!("{pid}.sock"));
    let mut stream = UnixStream::connect(&path)
        .with_context(|| format!("there is no run with process id {pid}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write_line(&mut stream, &request)?;
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .with_context(|| format!("the run with process id {pid} does not answer"))?;
    serde_json::from_str(&line).with_context(|| {
        format!("cannot understand the run with process id {pid}; is it of another version?")
    })
}

/// The question that came over a connection, which may be none at all.
pub(crate) fn listen_to(stream: &UnixStream) -> io::Result<Option<Request>> {
    /// No question is longer.
    const MOST: u64 = 1024;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(io::Read::take(stream, MOST)).read_line(&mut line)?;
    Ok(serde_json::from_str(&line).ok())
}

/// Sends a question or an answer.
pub(crate) fn write_line(
    stream: &mut UnixStream,
    message: &impl serde::Serialize,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}
