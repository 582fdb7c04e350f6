//! One source of posts, as the arguments name it.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use moodring_codec::Compression;
use moodring_record::Format;

use crate::name_of;

/// Returns the compression and the format that the name of a file tells: `posts.csv.gz` is gzipped CSV.
pub(crate) fn told_by_name(path: &Path) -> (Compression, Option<Format>) {
    let (compression, extension) = Compression::of_path(path);
    (compression, Format::from_extension(&extension))
}

/// Where the bytes of a source are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a file, or in anything else that has a path.
    File(PathBuf),
    /// In the standard input of this process.
    Stdin,
}

/// One source of posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The source as a person would write it, for messages and rejects; see [`name_of`].
    pub name: String,
    /// Where its bytes are.
    pub origin: Origin,
    /// How they are compressed. A pipe's name does not say, so there the first bytes decide.
    pub compression: Compression,
    /// How its records are written. `None` for a pipe of which nobody said it: its first bytes decide.
    pub format: Option<Format>,
    /// How many bytes it has, as stored. `None` if nobody can know before they are read.
    pub size: Option<u64>,
}

impl Input {
    /// Standard input.
    #[must_use]
    pub fn stdin(format: Option<Format>) -> Input {
        Input {
            name: "-".to_owned(),
            origin: Origin::Stdin,
            compression: Compression::None,
            format,
            size: None,
        }
    }

    /// A file, or whatever else has this path, with the format given or else the one its name tells.
    pub(crate) fn file(path: PathBuf, metadata: &Metadata, format: Option<Format>) -> Input {
        let (compression, named) = told_by_name(&path);
        Input {
            name: name_of(&path),
            compression,
            format: format.or(named),
            size: can_be_reread(&path, metadata).then_some(metadata.len()),
            origin: Origin::File(path),
        }
    }
}

/// Whether every process that opens this path finds the same bytes, as often as it likes.
///
/// Not so for pipes and devices; nor for `/dev/stdin` or `/dev/fd/3`, even where they lead to a regular file: in a
/// worker they lead somewhere else. The files of `/proc` are made up as they are read, and have no size before.
fn can_be_reread(path: &Path, metadata: &Metadata) -> bool {
    metadata.is_file()
        && path != Path::new("/dev/stdin")
        && !path.starts_with("/dev/fd")
        && !path.starts_with("/proc")
}
