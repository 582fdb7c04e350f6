//! The errors of finding, opening and reading inputs.

use std::io;

use moodring_codec::Compression;
use moodring_record::LayoutError;

/// Why an input cannot be found, opened or read. Each message names the input and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// An argument names a file that does not exist.
    #[error("there is no file or folder \"{name}\": check its name")]
    Missing {
        /// The argument.
        name: String,
    },
    /// A glob matches no input.
    #[error(
        "no file with a known extension matches \"{pattern}\": check the pattern, or add --format"
    )]
    NoMatch {
        /// The argument.
        pattern: String,
    },
    /// A glob cannot be parsed.
    #[error(
        "cannot understand the pattern \"{pattern}\" ({source}): correct it, or name the files"
    )]
    BadPattern {
        /// The argument.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// A folder contains no file with a known extension.
    #[error(
        "no file in the folder \"{name}\" ends in .jsonl, .ndjson, .csv, .tsv or .txt (or these with .gz or .zst): \
         name the files and add --format"
    )]
    NothingInFolder {
        /// The folder.
        name: String,
    },
    /// A folder cannot be listed, or contains a dangling link.
    #[error("cannot list the folder \"{name}\" ({source}): make it readable, or leave it out")]
    Unlistable {
        /// The folder.
        name: String,
        /// What happened.
        source: walkdir::Error,
    },
    /// The extension of a file does not name a format.
    #[error(
        "cannot tell the format of \"{name}\" from its name: add --format jsonl, csv, tsv or text"
    )]
    UnknownExtension {
        /// The file.
        name: String,
    },
    /// The format of a stream cannot be detected from its first bytes.
    #[error(
        "cannot tell the format of \"{name}\" from its first bytes (only JSON objects can be told): \
         add --format jsonl, csv, tsv or text"
    )]
    UnknownContent {
        /// The stream.
        name: String,
    },
    /// Standard input is named more than once.
    #[error("standard input (\"-\") is named twice, but can be read only once: name it once")]
    StdinTwice,
    /// A file cannot be opened.
    #[error("cannot open \"{name}\" ({source}): make it readable, or leave it out")]
    Unopenable {
        /// The input.
        name: String,
        /// What happened.
        source: io::Error,
    },
    /// The layout of a source cannot be detected from its head.
    #[error("cannot read \"{name}\": {source}")]
    Layout {
        /// The input.
        name: String,
        /// What is wrong with its head.
        source: LayoutError,
    },
    /// An input already has a field with the name of an added field.
    #[error(
        "\"{name}\" has a field `{field}` already, which the scores would replace: add --prefix NAME to give theirs other \
         names, or --replace if it may go"
    )]
    FieldTaken {
        /// The input.
        name: String,
        /// The field.
        field: String,
    },
    /// Reading failed.
    #[error(
        "cannot read \"{name}\" past byte {offset} ({source}): check the disk or the pipe it comes from"
    )]
    Read {
        /// The input.
        name: String,
        /// How much had been read.
        offset: u64,
        /// What happened.
        source: io::Error,
    },
    /// The data of a compressed source is damaged.
    #[error(
        "\"{name}\" is no intact {compression} data after {offset} decompressed bytes ({source}): \
         fetch or compress it again"
    )]
    Corrupt {
        /// The input.
        name: String,
        /// How it is compressed.
        compression: Compression,
        /// How many bytes were decompressed before.
        offset: u64,
        /// The error of the decoder.
        source: io::Error,
    },
    /// There is not enough memory for the window of a compressed source.
    #[error(
        "\"{name}\" needs more memory for its {compression} window than there is ({source}): free memory, or compress it \
         again without --long or --ultra"
    )]
    NoMemory {
        /// The input.
        name: String,
        /// How it is compressed.
        compression: Compression,
        /// The error of the decoder.
        source: io::Error,
    },
    /// A compressed source ends before its compressed data does.
    #[error(
        "\"{name}\" is cut short: its {compression} data stops after {offset} decompressed bytes; fetch it again"
    )]
    Truncated {
        /// The input.
        name: String,
        /// How it is compressed.
        compression: Compression,
        /// How many bytes were decompressed before.
        offset: u64,
    },
    /// A file became shorter while it was read.
    #[error(
        "\"{name}\" shrank from {size} to {offset} bytes while it was read: run again when it is at rest"
    )]
    Shrunk {
        /// The input.
        name: String,
        /// Its size when it was opened.
        size: u64,
        /// Where it ends now.
        offset: u64,
    },
}

impl FeedError {
    /// Whether other arguments can fix this. Otherwise reading failed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(
            self,
            FeedError::Read { .. }
                | FeedError::Corrupt { .. }
                | FeedError::Truncated { .. }
                | FeedError::NoMemory { .. }
                | FeedError::Shrunk { .. }
        )
    }
}
