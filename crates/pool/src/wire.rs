//! The messages between supervisor and worker, as bincode frames.
//!
//! This is the only module that names bincode, so that the encoding can be swapped in one place. Every decode runs
//! under [`FRAME_LIMIT`], must consume the whole frame, and returns an error whatever the bytes are: a hostile frame
//! neither panics nor makes us allocate more than the limit. Payloads borrow from the frame they came in.

use std::io;

use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ids::{Scope, ShardId, WorkerId};

/// The version of the protocol. Raise it when a message or the black box changes its meaning or its bytes.
pub const PROTOCOL: u32 = 4;

/// The largest frame, in bytes. A frame holds one shard or one result, so this bounds the longest record (a text of
/// 1 GiB is not a post).
pub const FRAME_LIMIT: usize = 1 << 30;

/// The first message of a worker, over the bootstrap channel: its build and its two channels.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`] as the worker was built with.
    pub protocol: u32,
    /// [`build_id`] of the worker.
    pub build: String,
    /// The channel to the worker, of [`ToWorker`] frames.
    pub tasks: IpcBytesSender,
    /// The channel from the worker, of [`FromWorker`] frames.
    pub reports: IpcBytesReceiver,
}

impl Hello {
    /// Checks that the worker was built from the same sources of this crate as the supervisor.
    ///
    /// # Errors
    /// [`DifferentBuilds`] if not.
    pub fn check(&self) -> Result<(), DifferentBuilds> {
        if self.protocol == PROTOCOL && self.build == build_id() {
            return Ok(());
        }
        Err(DifferentBuilds {
            build: self.build.clone(),
            protocol: self.protocol,
        })
    }
}

/// The worker is of another build than the supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the worker is moodring {build} with protocol {protocol}, the supervisor is {} with protocol {PROTOCOL}; \
     install one build of both",
    build_id()
)]
pub struct DifferentBuilds {
    /// [`build_id`] of the worker.
    pub build: String,
    /// [`PROTOCOL`] of the worker.
    pub protocol: u32,
}

/// Returns what both ends of a channel must share: the version of this crate and a hash of its sources, such as
/// `0.1.0+9f2c4e17a0b3d586`. A worker may be another program than the supervisor, so programs are not compared.
#[must_use]
pub fn build_id() -> &'static str {
    concat!(
        env!("CARGO_PKG_VERSION"),
        "+",
        env!("MOODRING_POOL_SOURCES")
    )
}

/// A message from the supervisor.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToWorker<'a> {
    /// Start the job. Comes first, and once.
    Setup {
        /// Which worker this one is.
        worker: WorkerId,
        /// The job's own bytes.
        #[serde(with = "serde_bytes", borrow)]
        setup: &'a [u8],
    },
    /// Prepare this shard and report.
    Assign {
        /// Which shard it is.
        shard: ShardId,
        /// Which items of it to do.
        scope: Scope,
        /// How many times the shard was given to a worker, this time included.
        attempt: u32,
        /// The items that are quarantined, in ascending order.
        quarantined: Vec<u64>,
        /// The job's own bytes.
        #[serde(with = "serde_bytes", borrow)]
        task: &'a [u8],
    },
    /// Commit a prepared shard.
    Commit {
        /// Which shard it is.
        shard: ShardId,
        /// The sink's answer to the shard's report.
        #[serde(with = "serde_bytes", borrow)]
        grant: &'a [u8],
    },
    /// Exit; nothing more will come.
    Retire,
}

/// A message from a worker.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromWorker<'a> {
    /// The job has started.
    Ready,
    /// The job cannot start, here or anywhere; trying again is of no use.
    StartupFailed {
        /// What is wrong, as a sentence.
        reason: &'a str,
    },
    /// A shard is prepared.
    Prepared {
        /// Which shard it is.
        shard: ShardId,
        /// What the sink must know of it.
        #[serde(with = "serde_bytes", borrow)]
        report: &'a [u8],
    },
    /// The one item that was to be tried has been processed.
    TrialPassed {
        /// Which shard it is of.
        shard: ShardId,
    },
    /// A shard is committed.
    Committed {
        /// Which shard it is.
        shard: ShardId,
    },
    /// The job met an error that another worker would meet too (the input cannot be read, the disk is full): the run
    /// must end.
    Failed {
        /// Which shard it was.
        shard: ShardId,
        /// What happened, as a sentence.
        reason: &'a str,
    },
}

/// Why a value has no frame, or a frame no value.
#[derive(Debug, Error)]
pub enum WireError {
    /// The value has no encoding.
    #[error("failed to encode a message: {0}")]
    Encode(bincode::error::EncodeError),
    /// The value is larger than a frame may be.
    #[error(
        "a message is larger than {FRAME_LIMIT} bytes, the most that is sent at once; make shards or records smaller"
    )]
    TooLarge,
    /// The bytes are no such value.
    #[error("failed to decode a frame of {len} bytes: {error}")]
    Decode {
        /// The frame's length.
        len: usize,
        /// What is wrong with it.
        error: bincode::error::DecodeError,
    },
    /// The bytes go on after the value.
    #[error("failed to decode a frame of {len} bytes: the message ends after {used}")]
    Trailing {
        /// The frame's length.
        len: usize,
        /// The value's length.
        used: usize,
    },
}

impl WireError {
    /// Returns whether the type cannot be encoded at all: it needs a self-describing format, or a length in advance.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        use bincode::serde::{DecodeError, EncodeError};
        match self {
            Self::Encode(bincode::error::EncodeError::Serde(error)) => {
                matches!(error, EncodeError::SequenceMustHaveLength)
            }
            Self::Decode {
                error: bincode::error::DecodeError::Serde(error),
                ..
            } => matches!(
                error,
                DecodeError::AnyNotSupported
                    | DecodeError::IdentifierNotSupported
                    | DecodeError::IgnoredAnyNotSupported
            ),
            _ => false,
        }
    }
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<FRAME_LIMIT>()
}

/// The end of a frame, to which no more than [`FRAME_LIMIT`] bytes are written.
struct Limited<'a> {
    frame: &'a mut Vec<u8>,
    room: usize,
}

impl io::Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room.checked_sub(bytes.len());
        self.room = room.ok_or(io::ErrorKind::FileTooLarge)?;
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Appends the encoding of `value` to `frame`.
///
/// # Errors
/// [`WireError::Encode`] if the value cannot be encoded, [`WireError::TooLarge`] if it takes more than
/// [`FRAME_LIMIT`] bytes.
pub fn encode_into<T: Serialize>(value: &T, frame: &mut Vec<u8>) -> Result<(), WireError> {
    encode_within(FRAME_LIMIT, value, frame)
}

fn encode_within<T: Serialize>(
    limit: usize,
    value: &T,
    frame: &mut Vec<u8>,
) -> Result<(), WireError> {
    use bincode::error::EncodeError;
    let mut end = Limited { frame, room: limit };
    match bincode::serde::encode_into_std_write(value, &mut end, config()) {
        Ok(_) => Ok(()),
        Err(EncodeError::Io { inner, .. }) if inner.kind() == io::ErrorKind::FileTooLarge => {
            Err(WireError::TooLarge)
        }
        Err(error) => Err(WireError::Encode(error)),
    }
}

/// Returns the encoding of `value`.
///
/// # Errors
/// As [`encode_into`].
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, WireError> {
    let mut frame = Vec::new();
    encode_into(value, &mut frame)?;
    Ok(frame)
}

/// Returns the value that `frame` encodes. Its strings and bytes borrow from the frame.
///
/// # Errors
/// [`WireError::Decode`] or [`WireError::Trailing`] if the frame is not exactly one encoded value.
pub fn decode<'a, T: Deserialize<'a>>(frame: &'a [u8]) -> Result<T, WireError> {
    let (value, used) =
        bincode::serde::borrow_decode_from_slice(frame, config()).map_err(|error| {
            WireError::Decode {
                len: frame.len(),
                error,
            }
        })?;
    if used == frame.len() {
        Ok(value)
    } else {
        Err(WireError::Trailing {
            len: frame.len(),
            used,
        })
    }
}

/// The tail of a frame: a payload that keeps the buffer it was received in, so that a large one is never copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    frame: Vec<u8>,
    start: usize,
}

impl Payload {
    /// Returns the bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.frame[self.start..]
    }
}

impl From<Vec<u8>> for Payload {
    fn from(frame: Vec<u8>) -> Self {
        Self { frame, start: 0 }
    }
}

/// A message of a worker that owns its payload, unlike [`FromWorker`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerMessage {
    /// See [`FromWorker::Ready`].
    Ready,
    /// See [`FromWorker::StartupFailed`].
    StartupFailed(String),
    /// See [`FromWorker::Prepared`].
    Prepared(ShardId, Payload),
    /// See [`FromWorker::TrialPassed`].
    TrialPassed(ShardId),
    /// See [`FromWorker::Committed`].
    Committed(ShardId),
    /// See [`FromWorker::Failed`].
    Failed(ShardId, String),
}

impl WorkerMessage {
    /// Decodes a frame and keeps it as the payload's buffer.
    ///
    /// # Errors
    /// As [`decode`].
    pub fn from_frame(frame: Vec<u8>) -> Result<Self, WireError> {
        Ok(match decode(&frame)? {
            FromWorker::Ready => Self::Ready,
            FromWorker::StartupFailed { reason } => Self::StartupFailed(reason.to_owned()),
            FromWorker::TrialPassed { shard } => Self::TrialPassed(shard),
            FromWorker::Committed { shard } => Self::Committed(shard),
            FromWorker::Failed { shard, reason } => Self::Failed(shard, reason.to_owned()),
            FromWorker::Prepared { shard, report } => {
                // The payload is the last field, so it is the end of its frame.
                let start = frame.len() - report.len();
                Self::Prepared(shard, Payload { frame, start })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_worker_of_another_build_is_told_apart_and_both_builds_are_named() {
        let hello = |protocol, build: &str| {
            let (tasks, _) = ipc_channel::ipc::bytes_channel().unwrap();
            let (_, reports) = ipc_channel::ipc::bytes_channel().unwrap();
            let build = build.to_owned();
            Hello {
                protocol,
                build,
                tasks,
                reports,
            }
        };
        assert_eq!(hello(PROTOCOL, build_id()).check(), Ok(()));
        assert!(hello(PROTOCOL + 1, build_id()).check().is_err());
        // Of the same version, and built from other sources.
        let other = concat!(env!("CARGO_PKG_VERSION"), "+0123456789abcdef");
        let error = hello(PROTOCOL, other).check().unwrap_err().to_string();
        assert!(
            error.contains(other) && error.contains(build_id()),
            "{error}"
        );
    }

    #[test]
    fn a_payload_borrows_from_its_frame() {
        let frame = encode(&ToWorker::Assign {
            shard: ShardId(7),
            scope: Scope::All,
            attempt: 1,
            quarantined: vec![3],
            task: b"posts",
        })
        .unwrap();
        let ToWorker::Assign { shard, task, .. } = decode(&frame).unwrap() else {
            panic!("another message")
        };
        assert_eq!((shard, task), (ShardId(7), &b"posts"[..]));
        assert!(frame.as_ptr_range().contains(&task.as_ptr()));
    }

    #[test]
    fn a_report_keeps_the_buffer_it_came_in() {
        let frame = encode(&FromWorker::Prepared {
            shard: ShardId(1 << 40),
            report: &[9; 300],
        })
        .unwrap();
        let buffer = frame.as_ptr();
        let WorkerMessage::Prepared(shard, payload) = WorkerMessage::from_frame(frame).unwrap()
        else {
            panic!("another message")
        };
        assert_eq!(
            (shard, payload.as_slice()),
            (ShardId(1 << 40), &[9; 300][..])
        );
        assert_eq!(payload.frame.as_ptr(), buffer);
    }

    #[test]
    fn a_frame_must_be_consumed_whole() {
        let mut frame = encode(&FromWorker::Committed { shard: ShardId(3) }).unwrap();
        frame.push(0);
        assert!(matches!(
            decode::<FromWorker<'_>>(&frame),
            Err(WireError::Trailing { .. })
        ));
    }

    #[test]
    fn a_value_larger_than_a_frame_may_be_is_refused_before_it_is_copied() {
        let grant = [7; 1000];
        let message = ToWorker::Commit {
            shard: ShardId(1),
            grant: &grant,
        };
        let whole = encode(&message).unwrap();
        let mut frame = Vec::new();
        assert!(encode_within(whole.len(), &message, &mut frame).is_ok());
        assert_eq!(frame, whole);
        let mut frame = Vec::new();
        let refused = encode_within(whole.len() - 1, &message, &mut frame);
        assert!(matches!(refused, Err(WireError::TooLarge)));
        assert!(frame.len() < 20, "{} bytes are copied", frame.len());
    }

    #[test]
    fn a_length_beyond_the_limit_is_an_error_and_not_an_allocation() {
        // Variant 3, shard 0, then a byte string that claims 2^63 bytes.
        let mut frame = vec![2, 0, 253];
        frame.extend_from_slice(&(1_u64 << 63).to_le_bytes());
        assert!(decode::<FromWorker<'_>>(&frame).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_decode_to_a_message_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<FromWorker<'_>>(&bytes);
            let _ = decode::<ToWorker<'_>>(&bytes);
        }

        #[test]
        fn messages_survive_the_trip(shard: u64, bytes: Vec<u8>) {
            let message = ToWorker::Commit { shard: ShardId(shard), grant: &bytes };
            let frame = encode(&message).unwrap();
            prop_assert_eq!(decode::<ToWorker<'_>>(&frame).unwrap(), message);
        }
    }
}
