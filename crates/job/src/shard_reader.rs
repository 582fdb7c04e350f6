//! Reads the bytes of a shard from its file or its message.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use moodring_pool::JobError;
use moodring_record::{FramingError, Layout, SplitMode, name_of};
use thiserror::Error;

use crate::message::{Task, TaskContent};
use crate::range::{Bounds, Found, read_range};

/// Reads shards. Keeps its buffer and its open file from shard to shard.
#[derive(Debug, Default)]
pub(crate) struct ShardReader {
    buffer: Vec<u8>,
    /// The file that was read last, which most likely contains the next shard too.
    open: Option<(PathBuf, File)>,
    /// The last line of the shard, if it is too long to be read.
    long: Option<FramingError>,
}

/// A range of a file that cannot be read.
#[derive(Debug, Error)]
enum ReadError {
    /// The file ends before the range does.
    #[error(
        "failed to read bytes {start} to {end} of `{name}`: {error}; the file became shorter during the run, score it \
         when it is complete"
    )]
    Shrunk {
        name: String,
        start: u64,
        end: u64,
        error: io::Error,
    },
    /// The system reported an error.
    #[error("failed to read bytes {start} to {end} of `{name}`: {error}")]
    Failed {
        name: String,
        start: u64,
        end: u64,
        error: io::Error,
    },
}

impl ReadError {
    fn new(path: &Path, start: u64, end: u64, error: io::Error) -> Self {
        let name = name_of(path);
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self::Shrunk {
                name,
                start,
                end,
                error,
            };
        }
        Self::Failed {
            name,
            start,
            end,
            error,
        }
    }
}

/// The records of a shard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Records<'a> {
    /// Where they begin in the (decompressed) input.
    pub(crate) offset: u64,
    /// The records.
    pub(crate) bytes: &'a [u8],
    /// The known rejects.
    pub(crate) framing_errors: &'a [FramingError],
    /// The number of the first record in the task.
    pub(crate) first_item: u64,
    /// How many bytes of the (decompressed) input the shard covers, and where they end.
    pub(crate) consumed: u64,
    pub(crate) end: u64,
}

impl ShardReader {
    /// Returns the records of the task's shard.
    pub(crate) fn read<'a>(&'a mut self, task: &'a Task<'_>) -> Result<Records<'a>, JobError> {
        match task.content {
            TaskContent::Block { offset, bytes } => {
                let consumed = bytes.len() as u64 + task.skipped;
                Ok(Records {
                    offset,
                    bytes,
                    framing_errors: &task.framing_errors,
                    first_item: 0,
                    consumed,
                    end: offset + consumed,
                })
            }
            TaskContent::Range { path, start, end } => {
                let Found {
                    offset,
                    begin,
                    long,
                } = self.read_file(path, &task.layout, start, end)?;
                self.long = long;
                Ok(Records {
                    offset,
                    bytes: &self.buffer[begin..],
                    framing_errors: match &self.long {
                        Some(long) => std::slice::from_ref(long),
                        None => &task.framing_errors,
                    },
                    first_item: 0,
                    consumed: end - start + task.skipped,
                    end: end + task.skipped,
                })
            }
        }
    }

    /// Reads the records of a range of a file, and returns where they begin.
    fn read_file(
        &mut self,
        path: &Path,
        layout: &Layout,
        start: u64,
        end: u64,
    ) -> Result<Found, JobError> {
        let bounds = match layout.split_mode() {
            SplitMode::Lines => Bounds::Lines {
                first: layout.body_start(),
                limit: layout.max_record(),
            },
            SplitMode::Records => Bounds::Records,
        };
        let failed = |error| JobError::new(ReadError::new(path, start, end, error));
        let open = match self.open.take() {
            Some(known) if known.0 == path => known,
            _ => (path.to_owned(), File::open(path).map_err(failed)?),
        };
        let (_, file) = self.open.insert(open);
        read_range(file, bounds, start, end, &mut self.buffer).map_err(failed)
    }
}
