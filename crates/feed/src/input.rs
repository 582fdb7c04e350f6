//! An input: its name, place, compression and format.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use moodring_codec::Compression;
use moodring_record::Format;

use crate::name_of;

/// Returns the compression and the format that the extensions of a file name: `posts.csv.gz` is gzipped CSV.
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
    /// How they are compressed. For a pipe, the first bytes decide.
    pub compression: Compression,
    /// The format of its records. `None` for a pipe without a given format: its first bytes decide.
    pub format: Option<Format>,
    /// Its size in bytes, before decompression. `None` if that is unknown until it has been read.
    pub size: Option<u64>,
}

impl Input {
    /// Returns standard input as an input.
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

    /// Returns the file (or pipe, or device) with this path as an input. Without `format` its extension decides.
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

/// Whether every process that opens this path reads the same bytes, any number of times.
///
/// Not true for pipes and devices, nor for `/dev/stdin` or `/dev/fd/3`, even if they are open on a regular file: a
/// worker has other descriptors. Files in `/proc` are generated while they are read and have no size.
fn can_be_reread(path: &Path, metadata: &Metadata) -> bool {
    metadata.is_file()
        && path != Path::new("/dev/stdin")
        && !path.starts_with("/dev/fd")
        && !path.starts_with("/proc")
}
