//! A recorded file, as a position in it names it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

use crate::segment::Position;

/// The file, and how it is read: what the order of its posts depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recording {
    dev: u64,
    inode: u64,
    size: u64,
    mtime: i64,
    mtime_nsec: i64,
    /// A checksum of the options that say how it is read.
    reading: u32,
}

impl Recording {
    pub(crate) fn new(metadata: &Metadata, reading: &str) -> Recording {
        Recording {
            dev: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            mtime: metadata.mtime(),
            mtime_nsec: metadata.mtime_nsec(),
            reading: crc32fast::hash(reading.as_bytes()),
        }
    }

    /// The position behind this many posts.
    pub(crate) fn position(&self, posts: u64) -> Position {
        Position {
            context: serde_json::to_string(self).unwrap_or_default(),
            offset: posts,
        }
    }

    /// How many posts have been played up to a position.
    ///
    /// # Errors
    /// With the reason if the position is in another recording.
    pub(crate) fn played(&self, position: &Position) -> Result<u64, String> {
        let Ok(then) = serde_json::from_str::<Recording>(&position.context) else {
            return Err("the stored position is not one in a recording".to_owned());
        };
        if then.reading != self.reading {
            return Err(
                "the options that say how it is read are not those of the stored position"
                    .to_owned(),
            );
        }
        if then != *self {
            return Err(format!(
                "it is not the file, or not as it was, when the position was stored (it had {} bytes and has {})",
                then.size, self.size
            ));
        }
        Ok(position.offset)
    }
}
