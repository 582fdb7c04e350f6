//! One source of posts, as the arguments name it.

use std::ffi::OsStr;
use std::fmt;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use moodring_record::Format;

use crate::name_of;

/// How the bytes of a source are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// One or more gzip members (RFC 1952).
    Gzip,
    /// One or more Zstandard frames (RFC 8878).
    Zstd,
}

impl Compression {
    /// What the name of a file says of its compression and of the format beneath: `posts.csv.gz` is gzipped CSV.
    #[must_use]
    pub fn from_path(path: &Path) -> (Compression, Option<Format>) {
        let extension = lowercase_extension(path);
        let compression = match extension.as_str() {
            "gz" => Compression::Gzip,
            "zst" => Compression::Zstd,
            _ => return (Compression::None, Format::from_extension(&extension)),
        };
        let inner = path.file_stem().map(Path::new).map(lowercase_extension);
        (
            compression,
            inner.as_deref().and_then(Format::from_extension),
        )
    }

    /// What the first bytes of a stream say of its compression, for streams that have no name to say it.
    pub(crate) fn from_magic(head: &[u8]) -> Compression {
        if head.starts_with(&[0x1f, 0x8b, 0x08]) {
            Compression::Gzip
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
            || matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
        {
            // The second kind of frame holds no data: pzstd and seekable streams begin or end with one.
            Compression::Zstd
        } else {
            Compression::None
        }
    }
}

/// How many first bytes [`Compression::from_magic`] wants to see.
pub(crate) const MAGIC_LEN: u64 = 4;

fn lowercase_extension(path: &Path) -> String {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    extension.to_ascii_lowercase()
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Compression::None => "uncompressed",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        })
    }
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
        let (compression, named) = Compression::from_path(&path);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_compression_and_format() {
        let told = |name: &str| Compression::from_path(Path::new(name));
        assert_eq!(
            told("a/posts.jsonl"),
            (Compression::None, Some(Format::Jsonl))
        );
        assert_eq!(told("posts.csv.gz"), (Compression::Gzip, Some(Format::Csv)));
        assert_eq!(
            told("POSTS.TSV.ZST"),
            (Compression::Zstd, Some(Format::Tsv))
        );
        assert_eq!(told("posts.gz"), (Compression::Gzip, None));
        assert_eq!(told("posts.csv.bz2"), (Compression::None, None));
        assert_eq!(told(".jsonl"), (Compression::None, None));
        assert_eq!(told(""), (Compression::None, None));
    }
}
