//! Compression of inputs and outputs.
//!
//! [`Compression`] names the kinds there are, and recognizes them by the extension of a file and by the first bytes of a
//! stream. A [`Compressor`] compresses an output piece by piece, each to bytes that depend on that piece alone. [`expand`]
//! decompresses a stream while it is read.
//!
//! This is the only crate that names flate2 and zstd.
//!
//! ```
//! use std::io::Read;
//! use std::path::Path;
//!
//! use moodring_codec::{Compression, Compressor, expand};
//!
//! let (compression, format) = Compression::of_path(Path::new("posts.csv.gz"));
//! assert_eq!((compression, format.as_str()), (Compression::Gzip, "csv"));
//!
//! let mut compressor = Compressor::new(compression)?;
//! let mut stored = Vec::new();
//! compressor.compress(b"what a day\n", &mut stored)?;
//! compressor.compress(b"not again\n", &mut stored)?;
//! assert_eq!(Compression::of_magic(&stored), compression);
//!
//! let mut text = String::new();
//! expand(compression, stored.as_slice())?.read_to_string(&mut text)?;
//! assert_eq!(text, "what a day\nnot again\n");
//! # Ok::<(), std::io::Error>(())
//! ```

mod compress;
mod compression;
mod expand;
mod gzip;

pub use compress::Compressor;
pub use compression::{Compression, MAGIC_LEN};
pub use expand::expand;
