//! The kinds of compression, and how names and bytes tell them.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// One or more gzip members (RFC 1952).
    Gzip,
    /// One or more Zstandard frames (RFC 8878).
    Zstd,
}

/// The number of first bytes that [`Compression::of_magic`] needs.
pub const MAGIC_LEN: usize = 4;

impl Compression {
    /// Returns the compression that a file's extension names, and the extension before it in lower case, which names the
    /// format: `posts.CSV.gz` is gzip over `csv`. An extension that is missing or is not UTF-8 is empty.
    #[must_use]
    pub fn of_path(path: &Path) -> (Compression, String) {
        let extension = lowercase_extension(path);
        let compression = match extension.as_str() {
            "gz" => Compression::Gzip,
            "zst" => Compression::Zstd,
            _ => return (Compression::None, extension),
        };
        let inner = path.file_stem().map(Path::new).map(lowercase_extension);
        (compression, inner.unwrap_or_default())
    }

    /// Returns the compression of a stream that begins with `head`.
    #[must_use]
    pub fn of_magic(head: &[u8]) -> Compression {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Compression::Gzip,
            // The second kind of frame holds no data: pzstd and seekable streams begin or end with one.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            _ => Compression::None,
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_compression_and_the_extension_before_it() {
        let told = |name: &str| {
            let (compression, extension) = Compression::of_path(Path::new(name));
            (compression, extension.leak() as &str)
        };
        assert_eq!(told("a/posts.jsonl"), (Compression::None, "jsonl"));
        assert_eq!(told("posts.csv.gz"), (Compression::Gzip, "csv"));
        assert_eq!(told("POSTS.TSV.ZST"), (Compression::Zstd, "tsv"));
        assert_eq!(told("posts.gz"), (Compression::Gzip, ""));
        assert_eq!(told("posts.csv.bz2"), (Compression::None, "bz2"));
        assert_eq!(told(".jsonl"), (Compression::None, ""));
        assert_eq!(told(""), (Compression::None, ""));
    }

    #[test]
    fn the_first_bytes_tell_the_compression() {
        assert_eq!(
            Compression::of_magic(b"\x1f\x8b\x08\x00"),
            Compression::Gzip
        );
        assert_eq!(
            Compression::of_magic(b"\x28\xb5\x2f\xfd"),
            Compression::Zstd
        );
        assert_eq!(
            Compression::of_magic(b"\x5a\x2a\x4d\x18"),
            Compression::Zstd
        );
        for head in [&b""[..], b"{", b"\x1f\x8b", b"\x1f\x8b\x07\x00"] {
            assert_eq!(Compression::of_magic(head), Compression::None);
        }
    }
}
