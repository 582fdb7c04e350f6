//! What can go wrong between an argument and its shards.

use std::io;

use moodring_codec::Compression;
use moodring_record::LayoutError;

/// Why an input cannot be found, opened or read. Each message names the input and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// An argument names nothing.
    #[error("there is no file or folder \"{name}\": check its name")]
    Missing {
        /// The argument.
        name: String,
    },
    /// A glob names nothing.
    #[error(
        "no file with a known extension matches \"{pattern}\": check the pattern, or add --format"
    )]
    NoMatch {
        /// The argument.
        pattern: String,
    },
    /// A glob cannot be understood.
    #[error(
        "cannot understand the pattern \"{pattern}\" ({source}): correct it, or name the files"
    )]
    BadPattern {
        /// The argument.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// A folder holds nothing to read.
    #[error(
        "no file in the folder \"{name}\" ends in .jsonl, .ndjson, .csv, .tsv or .txt (or these with .gz or .zst): \
         name the files and add --format"
    )]
    NothingInFolder {
        /// The folder.
        name: String,
    },
    /// A folder cannot be listed, or holds a link that leads nowhere.
    #[error("cannot list the folder \"{name}\" ({source}): make it readable, or leave it out")]
    Unlistable {
        /// The folder.
        name: String,
        /// What happened.
        source: walkdir::Error,
    },
    /// The name of a file does not tell its format.
    #[error(
        "cannot tell the format of \"{name}\" from its name: add --format jsonl, csv, tsv or text"
    )]
    UnknownExtension {
        /// The file.
        name: String,
    },
    /// The first bytes of a stream do not tell its format.
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
    /// The head of a source does not say how its records lie.
    #[error("cannot read \"{name}\": {source}")]
    Layout {
        /// The input.
        name: String,
        /// What is wrong with its head.
        source: LayoutError,
    },
    /// An input has a field that is to be added.
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
    /// Reading failed in the middle.
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
    /// A compressed source does not hold what its compression promises.
    #[error(
        "\"{name}\" is no intact {compression} data after {offset} decompressed bytes ({source}): \
         fetch or compress it again"
    )]
    Corrupt {
        /// The input.
        name: String,
        /// How it says it is compressed.
        compression: Compression,
        /// How many bytes it gave before.
        offset: u64,
        /// What the decoder found.
        source: io::Error,
    },
    /// A compressed source needs a larger window than there is memory for.
    #[error(
        "\"{name}\" needs more memory for its {compression} window than there is ({source}): free memory, or compress it \
         again without --long or --ultra"
    )]
    NoMemory {
        /// The input.
        name: String,
        /// How it is compressed.
        compression: Compression,
        /// What the decoder says.
        source: io::Error,
    },
    /// A compressed source stops before its end.
    #[error(
        "\"{name}\" is cut short: its {compression} data stops after {offset} decompressed bytes; fetch it again"
    )]
    Truncated {
        /// The input.
        name: String,
        /// How it is compressed.
        compression: Compression,
        /// How many bytes it gave before.
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
    /// Whether the person who gave the arguments can mend this by giving others: the inputs are not what the
    /// arguments say. Otherwise reading failed on its way.
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
