//! What the two sides of a call say to each other, inside the pool's tasks and reports.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::error::{CallError, CodecError, Part};
use crate::sink::Quarantined;
use crate::wire;

/// The longest encoding of one input, and of the outputs of one task together, in bytes: with what stands around them
/// they fit into a frame.
pub(super) const MAX_BYTES: usize = wire::FRAME_LIMIT / 2;

/// A chunk of inputs: the encoding of each, or why there is none.
pub(super) type Task = Vec<Result<ByteBuf, CodecError>>;

/// What became of a chunk.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChunkReport {
    /// How long the worker was at it, in nanoseconds.
    pub(super) nanos: u64,
    /// One for each input, in order.
    pub(super) answers: Vec<Answer>,
}

/// What became of an input.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The output's encoding.
    Output(ByteBuf),
    Failed(String),
    Panicked(String),
    /// The input or the output could not be carried over.
    Codec(CodecError),
    /// Workers died on it; the pool knows how.
    Quarantined,
}

impl Answer {
    /// How many bytes it takes in a report, but for a few.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Output(bytes) => bytes.len(),
            Self::Failed(text) | Self::Panicked(text) => text.len(),
            Self::Codec(_) | Self::Quarantined => 0,
        }
    }
}

/// Encodes an input; what cannot be encoded travels as the reason, so that it has its place among the others.
pub(super) fn encode_input<T: Serialize>(input: &T) -> Result<ByteBuf, CodecError> {
    let encoded = wire::encode(input);
    let bytes = encoded.map_err(|error| CodecError::encode::<T>(Part::Input, &error))?;
    if bytes.len() > MAX_BYTES {
        return Err(CodecError::TooLong {
            part: Part::Input,
            bytes: bytes.len(),
            limit: MAX_BYTES,
        });
    }
    Ok(ByteBuf::from(bytes))
}

/// The result that an answer tells of. `quarantined` are those of the chunk, in the order of its inputs.
pub(super) fn result<T: for<'a> Deserialize<'a>>(
    answer: Answer,
    quarantined: &mut impl Iterator<Item = Quarantined>,
) -> Result<T, CallError> {
    Err(match answer {
        Answer::Output(bytes) => match wire::decode(&bytes) {
            Ok(output) => return Ok(output),
            Err(error) => CallError::Codec(CodecError::decode::<T>(Part::Output, &error)),
        },
        Answer::Failed(reason) => CallError::Failed(reason),
        Answer::Panicked(message) => CallError::Panicked(message),
        Answer::Codec(reason) => CallError::Codec(reason),
        Answer::Quarantined => match quarantined.next() {
            Some(Quarantined {
                exit,
                attempts,
                last_words,
                ..
            }) => CallError::Died {
                exit,
                attempts,
                last_words,
            },
            None => CallError::Codec(CodecError::Decode {
                part: Part::Report,
                reason: "nobody has died on this input".to_owned(),
            }),
        },
    })
}
