//! What is stored as bytes in a state file: a version, then the pool's encoding.

use moodring_pool::wire::{self, WireError};
use moodring_source::Position;
use moodring_window::{Books, Cell};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of all encodings here. Raise it when a type that is stored changes its fields.
const VERSION: u8 = 1;

/// Bytes of a state file that cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BadBytes {
    /// There is nothing.
    #[error("the {what} has no bytes")]
    Empty {
        /// What they should be.
        what: &'static str,
    },
    /// They are of a version that this program does not know.
    #[error("the {what} is of version {version}, and this program knows {VERSION}")]
    Version {
        /// What they should be.
        what: &'static str,
        /// Their version.
        version: u8,
    },
    /// They are damaged.
    #[error("the {what} is damaged: {error}")]
    Damaged {
        /// What they should be.
        what: &'static str,
        /// What is wrong.
        error: WireError,
    },
}

/// Returns the bytes of a pane of a group.
///
/// # Errors
/// [`WireError::TooLarge`] for one that no memory holds.
pub fn encode_cell(cell: &Cell) -> Result<Vec<u8>, WireError> {
    encode(cell)
}

/// Returns the pane of a group that has these bytes.
///
/// # Errors
/// [`BadBytes`] if they are not those of [`encode_cell`].
pub fn decode_cell(bytes: &[u8]) -> Result<Cell, BadBytes> {
    decode("pane", bytes)
}

/// Returns the bytes of a source's counters.
///
/// # Errors
/// As [`encode_cell`].
pub fn encode_books(books: &Books) -> Result<Vec<u8>, WireError> {
    encode(books)
}

/// Returns the counters of a source that have these bytes.
///
/// # Errors
/// [`BadBytes`] if they are not those of [`encode_books`].
pub fn decode_books(bytes: &[u8]) -> Result<Books, BadBytes> {
    decode("count of a source's posts", bytes)
}

/// Returns the bytes of a source's position.
///
/// # Errors
/// As [`encode_cell`].
pub fn encode_position(position: &Position) -> Result<Vec<u8>, WireError> {
    encode(position)
}

/// Returns the position of a source that has these bytes.
///
/// # Errors
/// [`BadBytes`] if they are not those of [`encode_position`].
pub fn decode_position(bytes: &[u8]) -> Result<Position, BadBytes> {
    decode("position of a source", bytes)
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, WireError> {
    let mut bytes = vec![VERSION];
    wire::encode_into(value, &mut bytes)?;
    Ok(bytes)
}

fn decode<'a, T: Deserialize<'a>>(what: &'static str, bytes: &'a [u8]) -> Result<T, BadBytes> {
    match bytes.split_first() {
        None => Err(BadBytes::Empty { what }),
        Some((&VERSION, frame)) => {
            wire::decode(frame).map_err(|error| BadBytes::Damaged { what, error })
        }
        Some((&version, _)) => Err(BadBytes::Version { what, version }),
    }
}

#[cfg(test)]
mod tests {
    use moodring_window::{Class, Sample, Score, Tag, Timestamp};

    use super::*;

    fn cell() -> Cell {
        let mut cell = Cell::default();
        for (at, score) in (0..).zip([0.5, -0.25, 0.125]) {
            let sample = Sample {
                score: Score::from_f64(score).unwrap(),
                time: Timestamp::from_micros(at),
                id: Some(7),
                text_hash: 1,
                text: Some("fine".into()),
            };
            let tags = [Tag::new("rust"), Tag::new(&at.to_string())];
            cell.aggregate.add(&sample, Class::of(score), &tags, 2);
        }
        cell
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let cell = cell();
        let bytes = encode_cell(&cell).unwrap();
        assert_eq!(decode_cell(&bytes).unwrap(), cell);
        let position = Position {
            context: "a".to_owned(),
            offset: u64::MAX,
        };
        let bytes = encode_position(&position).unwrap();
        assert_eq!(decode_position(&bytes).unwrap(), position);
    }

    #[test]
    fn bytes_of_another_version_or_damaged_ones_are_refused() {
        let mut bytes = encode_cell(&cell()).unwrap();
        for len in 0..bytes.len() {
            assert!(decode_cell(&bytes[..len]).is_err());
        }
        bytes[0] += 1;
        assert!(matches!(
            decode_cell(&bytes),
            Err(BadBytes::Version { version: 2, .. })
        ));
    }

    #[test]
    fn the_encoding_of_version_1_stays() {
        let books = Books {
            received: 300,
            on_time: 299,
            late: 1,
            ..Books::default()
        };
        assert_eq!(
            encode_books(&books).unwrap(),
            [1, 251, 44, 1, 251, 43, 1, 0, 1, 0, 0, 0, 0]
        );
    }
}
