//! The kinds of sources there are, and the options that each takes.

/// A kind of source, as a person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindInfo {
    /// What a source of this kind begins with, before the colon.
    pub name: &'static str,
    /// What stands behind the colon; empty if nothing does.
    pub address: &'static str,
    /// What it is.
    pub help: &'static str,
    /// A source as one may write it.
    pub example: &'static str,
    /// The options that only this kind takes.
    pub own_options: &'static [OptionInfo],
    /// The options that several kinds take, in groups.
    shared: &'static [&'static [OptionInfo]],
}

/// An option of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionInfo {
    /// What stands before the `=`.
    pub name: &'static str,
    /// What stands behind it.
    pub value: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl KindInfo {
    /// The options that it takes, its own first.
    pub fn options(&self) -> impl Iterator<Item = &'static OptionInfo> + use<> {
        let shared = self.shared.iter().copied().flatten();
        self.own_options.iter().chain(shared)
    }
}

const fn option(name: &'static str, value: &'static str, help: &'static str) -> OptionInfo {
    OptionInfo { name, value, help }
}

/// What any source takes.
const GENERAL: &[OptionInfo] = &[
    option(
        "name",
        "NAME",
        "Name of the source, by which its position is kept [default: what is before the `?`]",
    ),
    option(
        "dedupe",
        "KEY",
        "Drop posts with an id that any source with this KEY has delivered before",
    ),
];

/// Where things stand in the posts of others.
const FIELDS: &[OptionInfo] = &[
    option(
        "text-field",
        "FIELD",
        "Field or column of the text, instead of --text-field",
    ),
    option(
        "time-field",
        "FIELD",
        "Field or column of the time, instead of --time-field",
    ),
    option(
        "id-field",
        "FIELD",
        "Field or column of the id, instead of --id-field",
    ),
    option(
        "lang-field",
        "FIELD",
        "Field or column of the language, instead of --lang-field",
    ),
    option(
        "time-zone",
        "ZONE",
        "Time zone of times without one, instead of --time-zone",
    ),
    option(
        "max-record",
        "BYTES",
        "Maximum size of a record, instead of --max-record",
    ),
];

/// How records may be written.
const READING: &[OptionInfo] = &[
    option(
        "format",
        "FORMAT",
        "Format of the records: jsonl, csv, tsv or text",
    ),
    option(
        "quoting",
        "QUOTING",
        "What quotes mean in CSV and TSV: auto, rfc4180 or none",
    ),
    option(
        "delimiter",
        "C",
        "Field delimiter of CSV and TSV, such as ; or tab",
    ),
    option(
        "compression",
        "KIND",
        "Compression: auto, none, gzip or zstd",
    ),
];

/// All kinds of sources.
pub const KINDS: &[KindInfo] = &[
    KindInfo {
        name: "file",
        address: "PATH",
        help: "A file that posts are appended to, as `tail -F` follows it, through rotation and truncation",
        example: "file:/var/log/posts.jsonl",
        own_options: &[option(
            "follow",
            "yes|no",
            "Wait for more at the end of the file, or end there [default: yes]",
        )],
        shared: &[FIELDS, READING, GENERAL],
    },
    KindInfo {
        name: "stdin",
        address: "",
        help: "Standard input",
        example: "stdin:?format=csv",
        own_options: &[],
        shared: &[FIELDS, READING, GENERAL],
    },
    KindInfo {
        name: "replay",
        address: "PATH",
        help: "A recorded file, played in the order of its times at a multiple of its own pace",
        example: "replay:posts.csv.gz?time-field=created&speed=60",
        own_options: &[
            option(
                "speed",
                "N|max",
                "How many times as fast as it was, or as fast as it can be scored [default: 1]",
            ),
            option(
                "order",
                "time|file",
                "Sort the posts by time, or keep the order of the file [default: time]",
            ),
        ],
        shared: &[FIELDS, READING, GENERAL],
    },
    KindInfo {
        name: "push",
        address: "[ADDR:PORT]",
        help: "An HTTP server that takes posts at POST /api/v1/posts [default: 127.0.0.1:8089]",
        example: "push:127.0.0.1:8089",
        own_options: &[
            option(
                "token-file",
                "PATH",
                "File of the tokens that clients must have; needed where other machines can connect",
            ),
            option(
                "allow-host",
                "NAME,...",
                "Names by which the server may be called, beside localhost and IP addresses",
            ),
            option(
                "max-body",
                "BYTES",
                "Maximum size of a request [default: 1M]",
            ),
        ],
        shared: &[FIELDS, GENERAL],
    },
    KindInfo {
        name: "demo",
        address: "",
        help: "Made-up posts in several languages, whose mood drifts by topic",
        example: "demo:?rate=500",
        own_options: &[
            option("rate", "N", "Posts per second, up to 100000 [default: 500]"),
            option(
                "seed",
                "N",
                "Number that the posts are made from [default: 1]",
            ),
        ],
        shared: &[GENERAL],
    },
];
