//! How a worker finds its supervisor, and the supervisor knows that it is its own.
//!
//! ipc-channel's own way is a socket in `TMPDIR`, under a name that the worker is told. That fails where the folder
//! cannot be written or its name is long, lets in whoever may enter the folder, and leaves the socket behind where a
//! start is killed. Here a socket is bound in a folder that only its owner may enter, and its name is removed at once:
//! what is left is the inode, by a descriptor that the worker inherits. The worker connects to `/proc/self/fd/N`, to
//! which ipc-channel's `connect` goes as to any path. So nobody else can, and no file outlives the start but for the
//! microseconds between the two calls; what a kill leaves in them is removed by the next start.
//!
//! ipc-channel makes no receiver of a socket that somebody else accepted. So the first packet of a worker, its hello,
//! is passed on as it came, descriptors included, into a channel of ours: the [`Relay`] makes such channels.

mod folder;

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use rustix::process::Pid;
use thiserror::Error;
use tracing::{debug, warn};

use crate::descriptors::{above_stdio, path};
use crate::panics::{ChannelPanicked, ipc_call};
use crate::wire::Hello;

pub(crate) use folder::sweep;

/// The most that a first packet holds, in bytes: a version, and where the descriptors are in it.
const MAX_PACKET: usize = 1 << 16;
/// The most descriptors in it: a hello has two.
const MAX_DESCRIPTORS: usize = 8;

/// A listening socket without a name.
#[derive(Debug)]
pub(crate) struct BootstrapSocket {
    pub(super) listener: Arc<OwnedFd>,
    /// The socket's inode, to be connected to by its [`path`].
    pub(super) path_fd: OwnedFd,
}

impl BootstrapSocket {
    pub(crate) fn open() -> io::Result<Self> {
        let seqpacket = SocketType::SEQPACKET;
        let flags = SocketFlags::CLOEXEC;
        let listener = rustix::net::socket_with(AddressFamily::UNIX, seqpacket, flags, None)?;
        let path_fd = above_stdio(folder::bind_without_name(&listener)?)?;
        rustix::net::listen(&listener, 8)?;
        Ok(Self {
            listener: Arc::new(listener),
            path_fd,
        })
    }
}

/// The connection of the process `pid`, or `None` if the socket is shut before it comes.
pub(super) fn accept(listener: &OwnedFd, pid: Pid) -> Option<OwnedFd> {
    loop {
        let connection = match rustix::net::accept_with(listener, SocketFlags::CLOEXEC) {
            Ok(connection) => connection,
            Err(Errno::INTR | Errno::CONNABORTED) => continue,
            Err(error) => {
                debug!(%error, "no worker connects");
                return None;
            }
        };
        match rustix::net::sockopt::socket_peercred(&connection) {
            Ok(peer) if peer.pid == pid && peer.uid == rustix::process::geteuid() => {
                return Some(connection);
            }
            Ok(peer) => warn!(
                pid = peer.pid.as_raw_nonzero().get(),
                uid = peer.uid.as_raw(),
                "a process that is not the worker connected in its place and is sent away"
            ),
            Err(error) => warn!(%error, "cannot tell who connected; it is sent away"),
        }
    }
}

/// Why a worker's hello did not arrive.
#[derive(Debug, Error)]
pub(super) enum HelloError {
    #[error("its hello cannot be received: {0}")]
    Receive(Errno),
    #[error("this process may open no more file descriptors")]
    NoDescriptors,
    #[error("no channel can be made for its hello: {0}")]
    Channel(io::Error),
    #[error("its hello cannot be passed on: {0}")]
    Send(Errno),
    #[error("its hello cannot be read: {0}")]
    Decode(ipc_channel::IpcError),
    #[error(transparent)]
    Panicked(#[from] ChannelPanicked),
}

/// What arrived on a socket at once.
#[derive(Debug)]
pub(super) struct Packet {
    bytes: Vec<u8>,
    pub(super) descriptors: Vec<OwnedFd>,
}

/// The next packet, or `None` at the end.
pub(super) fn receive(socket: &OwnedFd) -> Result<Option<Packet>, HelloError> {
    let mut bytes = vec![0; MAX_PACKET];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::io::retry_on_intr(|| {
        rustix::net::recvmsg(
            socket,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )
    });
    let received = match received {
        Ok(received) => received,
        Err(Errno::CONNRESET) => return Ok(None),
        Err(error) => return Err(HelloError::Receive(error)),
    };
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            descriptors.extend(fds);
        }
    }
    if received.flags.contains(ReturnFlags::CTRUNC) {
        return Err(HelloError::NoDescriptors);
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    bytes.truncate(received.bytes);
    Ok(Some(Packet { bytes, descriptors }))
}

impl Packet {
    /// What the packet says to ipc-channel.
    pub(super) fn deliver(&self, relay: &Mutex<Relay>) -> Result<Hello, HelloError> {
        let relayed = relay
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .channel();
        let (socket, hello) = relayed.map_err(HelloError::Channel)?;
        let descriptors: Vec<BorrowedFd<'_>> = self.descriptors.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let bytes = [IoSlice::new(&self.bytes)];
        rustix::net::sendmsg(&socket, &bytes, &mut control, SendFlags::NOSIGNAL)
            .map_err(HelloError::Send)?;
        drop(socket);
        ipc_call(|| hello.recv())?.map_err(HelloError::Decode)
    }
}

/// Makes channels of ipc-channel whose sender is a plain socket.
///
/// It sends the sender of each to itself over one channel, of which it has the receiving end as a plain socket.
pub(crate) struct Relay {
    sender: IpcSender<IpcSender<Hello>>,
    receiver: OwnedFd,
}

impl Relay {
    pub(crate) fn new() -> io::Result<Self> {
        let socket = BootstrapSocket::open()?;
        let sender = IpcSender::connect(path(&socket.path_fd))?;
        let receiver = accept(&socket.listener, rustix::process::getpid())
            .ok_or_else(|| io::Error::other("the socket for the workers cannot be reached"))?;
        Ok(Self { sender, receiver })
    }

    /// A socket, and the receiver of what is sent there.
    fn channel(&self) -> io::Result<(OwnedFd, IpcReceiver<Hello>)> {
        let channel = ipc_call(ipc::channel::<Hello>).map_err(io::Error::other)?;
        let (sender, receiver) = channel?;
        ipc_call(|| self.sender.send(sender))
            .map_err(io::Error::other)?
            .map_err(io::Error::other)?;
        let packet = receive(&self.receiver).map_err(io::Error::other)?;
        let socket = packet.and_then(|mut packet| packet.descriptors.pop());
        let socket = socket.ok_or_else(|| io::Error::other("a channel lost its socket"))?;
        Ok((socket, receiver))
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").finish_non_exhaustive()
    }
}
