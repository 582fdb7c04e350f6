//! Frames of any size over a channel of ipc-channel, in pieces that it sends at once.
//!
//! ipc-channel cuts what is too large for one packet too, but sends the rest over a socket pair made for it, of which
//! the sender holds both ends: if the receiver dies meanwhile, nobody is told, and the sender's thread and three
//! descriptors are stuck. What fits into a packet fails at once, and takes no descriptor.
//!
//! The last byte of a packet says what it is: [`WHOLE`] ends a frame that fits; [`HEAD`] ends the length of one that
//! does not, whose bytes come in the next packets.

use std::io;
use std::sync::LazyLock;

use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender};
use ipc_channel::platform::OsIpcSender;
use ipc_channel::{IpcError, TryRecvError};
use thiserror::Error;

use crate::panics::{ChannelPanicked, ipc_call};
use crate::wire::FRAME_LIMIT;

const WHOLE: u8 = 0;
const HEAD: u8 = 1;

/// The most that is sent in one packet, in bytes: what the system's socket buffers take.
static PIECE: LazyLock<usize> =
    LazyLock::new(|| ipc_call(OsIpcSender::get_max_fragment_size).unwrap_or(4096));

/// Finds out how large a packet may be, which takes a socket for a moment. ipc-channel does so when it first sends,
/// and if there is no socket then, it panics, then and ever after. So this is called before anything is sent.
///
/// # Errors
/// If the system refuses a socket.
pub(crate) fn prepare() -> io::Result<()> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType};
    let (unix, seqpacket) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    drop(rustix::net::socketpair(
        unix,
        seqpacket,
        SocketFlags::CLOEXEC,
        None,
    )?);
    LazyLock::force(&PIECE);
    Ok(())
}

/// The sending end of a channel of frames.
#[derive(Debug)]
pub(crate) struct FrameSender(IpcBytesSender);

impl FrameSender {
    pub(crate) fn new(channel: IpcBytesSender) -> Self {
        Self(channel)
    }

    /// Sends a frame, which is unchanged afterwards. Blocks while the receiver has no room.
    pub(crate) fn send(&self, frame: &mut Vec<u8>) -> io::Result<()> {
        if frame.len() < *PIECE {
            frame.push(WHOLE);
            let sent = self.send_packet(frame);
            frame.pop();
            return sent;
        }
        let mut head = frame.len().to_le_bytes().to_vec();
        head.push(HEAD);
        self.send_packet(&head)?;
        frame
            .chunks(*PIECE)
            .try_for_each(|piece| self.send_packet(piece))
    }

    fn send_packet(&self, packet: &[u8]) -> io::Result<()> {
        ipc_call(|| self.0.send(packet)).map_err(io::Error::other)?
    }
}

/// Why no frame was received.
#[derive(Debug, Error)]
pub(crate) enum ReceiveError {
    /// The sender is gone.
    #[error("the other side is gone")]
    Closed,
    /// The sender does not keep to the protocol. The channel can be used no more.
    #[error("{0}")]
    BadFrame(String),
    /// The channel does not work.
    #[error("{0}")]
    Failed(IpcError),
    /// There is no memory for a frame of this many bytes.
    #[error("there is no memory for a frame of {0} bytes")]
    NoMemory(usize),
    /// The channel does not work, and panicked.
    #[error(transparent)]
    Panicked(#[from] ChannelPanicked),
}

/// The receiving end of a channel of frames.
#[derive(Debug)]
pub(crate) struct FrameReceiver(IpcBytesReceiver);

impl FrameReceiver {
    pub(crate) fn new(channel: IpcBytesReceiver) -> Self {
        Self(channel)
    }

    /// The next frame. Blocks until there is one.
    pub(crate) fn recv(&self) -> Result<Vec<u8>, ReceiveError> {
        let packet = self.packet()?;
        self.complete(packet)
    }

    /// The next frame, if one has been sent.
    pub(crate) fn try_recv(&self) -> Result<Option<Vec<u8>>, ReceiveError> {
        match ipc_call(|| self.0.try_recv())? {
            Ok(packet) => self.complete(packet).map(Some),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::IpcError(error)) => Err(error.into()),
        }
    }

    fn packet(&self) -> Result<Vec<u8>, ReceiveError> {
        ipc_call(|| self.0.recv())?.map_err(ReceiveError::from)
    }

    /// The frame that begins with this packet.
    fn complete(&self, mut packet: Vec<u8>) -> Result<Vec<u8>, ReceiveError> {
        match packet.pop() {
            Some(WHOLE) => Ok(packet),
            Some(HEAD) => self.rest(&packet),
            _ => Err(bad_frame("a packet is no part of a frame")),
        }
    }

    fn rest(&self, head: &[u8]) -> Result<Vec<u8>, ReceiveError> {
        let len = head.try_into().map(usize::from_le_bytes);
        let len = len.map_err(|_| bad_frame("the length of a frame has another length"))?;
        if len > FRAME_LIMIT {
            return Err(bad_frame(&format!(
                "a frame of {len} bytes is announced, and the limit is {FRAME_LIMIT}"
            )));
        }
        let mut frame = Vec::new();
        frame
            .try_reserve_exact(len)
            .map_err(|_| ReceiveError::NoMemory(len))?;
        while frame.len() < len {
            frame.extend_from_slice(&self.packet()?);
        }
        if frame.len() == len {
            Ok(frame)
        } else {
            Err(bad_frame("a frame is longer than was announced"))
        }
    }
}

fn bad_frame(what: &str) -> ReceiveError {
    ReceiveError::BadFrame(what.to_owned())
}

impl From<IpcError> for ReceiveError {
    fn from(error: IpcError) -> Self {
        match error {
            IpcError::Disconnected => Self::Closed,
            IpcError::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => Self::Closed,
            error => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    fn channel() -> (FrameSender, FrameReceiver) {
        let (sender, receiver) = ipc_channel::ipc::bytes_channel().unwrap();
        (FrameSender::new(sender), FrameReceiver::new(receiver))
    }

    #[test]
    fn frames_of_any_size_arrive_as_they_were_sent() {
        let (sender, receiver) = channel();
        let sizes = [0, 1, *PIECE - 1, *PIECE, *PIECE + 1, 3 * *PIECE, 5_000_000];
        let sending = thread::spawn(move || {
            for (size, byte) in sizes.into_iter().zip(0..) {
                let mut frame = vec![byte; size];
                sender.send(&mut frame).unwrap();
                assert_eq!(frame, vec![byte; size]);
            }
        });
        for (size, byte) in sizes.into_iter().zip(0..) {
            assert!(receiver.recv().unwrap() == vec![byte; size], "{size} bytes");
        }
        sending.join().unwrap();
        assert!(matches!(receiver.recv(), Err(ReceiveError::Closed)));
        assert!(matches!(receiver.try_recv(), Err(ReceiveError::Closed)));
    }

    #[test]
    fn a_send_to_a_receiver_that_goes_away_fails() {
        let (sender, receiver) = channel();
        let sending = thread::spawn(move || sender.send(&mut vec![1; 50_000_000]));
        let announced = receiver.packet().unwrap();
        assert_eq!(announced.last(), Some(&HEAD));
        drop(receiver);
        assert!(sending.join().unwrap().is_err());
    }

    #[test]
    fn a_frame_over_the_limit_is_not_received() {
        let (sender, receiver) = channel();
        let mut head = (FRAME_LIMIT + 1).to_le_bytes().to_vec();
        head.push(HEAD);
        sender.send_packet(&head).unwrap();
        let error = receiver.recv().unwrap_err().to_string();
        assert!(error.contains("1073741825"), "{error}");
    }

    proptest! {
        #[test]
        fn any_packets_are_a_frame_or_an_error(packets: Vec<Vec<u8>>) {
            let (sender, receiver) = channel();
            for packet in packets.iter().filter(|packet| !packet.is_empty()) {
                sender.send_packet(packet).unwrap();
            }
            drop(sender);
            while !matches!(receiver.recv(), Err(ReceiveError::Closed)) {}
        }
    }
}
