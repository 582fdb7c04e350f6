//! A source as it was typed, understood.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use moodring_codec::Compression;
use moodring_record::{Delimiter, FieldNames, Format, Quoting, ReadOptions, name_of};
use moodring_window::TimeZone;

use super::error::SpecError;
use super::typed::Typed;
use super::values;
use crate::push::{DEFAULT_ADDRESS, DEFAULT_MAX_BODY};
use crate::replay::Speed;

/// What holds for sources that do not say otherwise.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// The format. `None` if names and first bytes are to tell.
    pub format: Option<Format>,
    /// How bytes are read, where a format leaves a choice.
    pub reading: ReadOptions,
    /// Where things stand in a record.
    pub fields: FieldNames,
    /// The zone of times without one.
    pub time_zone: TimeZone,
    /// A folder for temporary files, as large as a recording that is sorted.
    pub scratch: PathBuf,
}

/// How the records of one source are read: the defaults, and what its options say otherwise.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The format. `None` if names and first bytes are to tell.
    pub format: Option<Format>,
    /// How bytes are read, where a format leaves a choice.
    pub reading: ReadOptions,
    /// Where things stand in a record.
    pub fields: FieldNames,
    /// The zone of times without one.
    pub time_zone: TimeZone,
    /// How the source is compressed, if that was said.
    pub compression: Option<Compression>,
}

/// A source as it was typed.
#[derive(Debug, Clone)]
pub struct Spec {
    name: String,
    place: Place,
    dedupe: Option<String>,
    lang_field: Option<String>,
    reading: Reading,
}

/// Where the posts come from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// Standard input.
    Stdin,
    /// A file.
    File {
        /// Its path.
        path: PathBuf,
        /// Whether to wait for more at its end.
        follow: bool,
    },
    /// A recorded file.
    Replay {
        /// Its path.
        path: PathBuf,
        /// How fast it is played.
        speed: Speed,
        /// Whether to keep the order of the file.
        in_file_order: bool,
    },
    /// Clients of an HTTP server.
    Push(Listen),
    /// Nowhere: they are made up.
    Demo {
        /// How many a second.
        rate: u32,
        /// The number that they are made from.
        seed: u64,
    },
}

/// Where an HTTP server takes posts, and from whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// The address to listen on.
    pub address: SocketAddr,
    /// The file of the tokens that clients must have.
    pub token_file: Option<PathBuf>,
    /// The names by which the server may be called, beside `localhost` and IP addresses.
    pub names: Vec<String>,
    /// The largest body that is taken, in bytes.
    pub max_body: usize,
}

/// What the options say of how to read.
#[derive(Debug, Clone, Default)]
struct Reading {
    format: Option<Format>,
    quoting: Option<Quoting>,
    delimiter: Option<Delimiter>,
    max_record: Option<usize>,
    compression: Option<Compression>,
    text_field: Option<String>,
    time_field: Option<String>,
    id_field: Option<String>,
    time_zone: Option<TimeZone>,
}

impl Spec {
    /// Understands what was typed: a kind, a colon, an address, and options behind a `?`, as in
    /// `replay:posts.csv?time-field=created&speed=60`.
    ///
    /// # Errors
    /// If there is no such kind, address or option, or an option cannot have its value.
    pub fn parse(typed: &OsStr) -> Result<Spec, SpecError> {
        let typed = Typed::parse(typed)?;
        let default_name = || format!("{}:{}", typed.kind.name, name_of(Path::new(&typed.address)));
        Ok(Spec {
            place: place(&typed)?,
            name: typed
                .parsed("name", values::name)?
                .unwrap_or_else(default_name),
            dedupe: typed.parsed("dedupe", values::name)?,
            lang_field: typed.option("lang-field").map(str::to_owned),
            reading: reading(&typed)?,
        })
    }

    /// What the source is known by: its `name=`, else its kind and address.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its posts come from.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The key under which duplicates are looked for, if other sources share it.
    #[must_use]
    pub fn dedupe(&self) -> Option<&str> {
        self.dedupe.as_deref()
    }

    /// Where a record says what language it is in, if that is not as in other sources.
    #[must_use]
    pub fn lang_field(&self) -> Option<&str> {
        self.lang_field.as_deref()
    }

    /// How its records are read.
    #[must_use]
    pub fn settings(&self, defaults: &Defaults) -> Settings {
        let own = &self.reading;
        let mut fields = defaults.fields.clone();
        if let Some(text) = &own.text_field {
            fields.text.clone_from(text);
        }
        for (field, own) in [
            (&mut fields.time, &own.time_field),
            (&mut fields.id, &own.id_field),
            (&mut fields.lang, &self.lang_field),
        ] {
            if own.is_some() {
                field.clone_from(own);
            }
        }
        let ReadOptions {
            quoting,
            delimiter,
            max_record,
        } = defaults.reading;
        Settings {
            format: own.format.or(defaults.format),
            reading: ReadOptions {
                quoting: own.quoting.unwrap_or(quoting),
                delimiter: own.delimiter.or(delimiter),
                max_record: own.max_record.unwrap_or(max_record),
            },
            fields,
            time_zone: own
                .time_zone
                .as_ref()
                .unwrap_or(&defaults.time_zone)
                .clone(),
            compression: own.compression,
        }
    }
}

fn place(typed: &Typed) -> Result<Place, SpecError> {
    match typed.kind.name {
        "file" => Ok(Place::File {
            path: path(typed)?,
            follow: typed.parsed("follow", values::yes_or_no)?.unwrap_or(true),
        }),
        "replay" => Ok(Place::Replay {
            path: path(typed)?,
            speed: typed
                .parsed("speed", values::speed)?
                .unwrap_or(Speed::Times(1.0)),
            in_file_order: typed.parsed("order", values::order)?.unwrap_or(false),
        }),
        "push" => Ok(Place::Push(Listen {
            address: socket_address(typed)?,
            token_file: typed.option("token-file").map(PathBuf::from),
            names: typed
                .parsed("allow-host", values::hosts)?
                .unwrap_or_default(),
            max_body: typed
                .parsed("max-body", values::body_limit)?
                .unwrap_or(DEFAULT_MAX_BODY),
        })),
        "demo" => {
            no_address(typed)?;
            Ok(Place::Demo {
                rate: typed.parsed("rate", values::rate)?.unwrap_or(500),
                seed: typed.parsed("seed", str::parse)?.unwrap_or(1),
            })
        }
        _ => {
            no_address(typed)?;
            Ok(Place::Stdin)
        }
    }
}

fn reading(typed: &Typed) -> Result<Reading, SpecError> {
    let named = |name: &str| typed.option(name).map(str::to_owned);
    Ok(Reading {
        format: typed.parsed("format", str::parse)?,
        quoting: typed.parsed("quoting", str::parse)?,
        delimiter: typed.parsed("delimiter", str::parse)?,
        max_record: typed.parsed("max-record", values::record_limit)?,
        compression: typed.parsed("compression", values::compression)?.flatten(),
        text_field: named("text-field"),
        time_field: named("time-field"),
        id_field: named("id-field"),
        time_zone: typed.parsed("time-zone", values::time_zone)?,
    })
}

fn path(typed: &Typed) -> Result<PathBuf, SpecError> {
    if typed.address.is_empty() {
        return Err(SpecError::NoAddress {
            kind: typed.kind.name,
            address: "a path",
            example: typed.kind.example,
        });
    }
    if typed.address.as_encoded_bytes().contains(&0) {
        return Err(bad_address(typed, "a path holds no zero byte"));
    }
    Ok(PathBuf::from(&typed.address))
}

fn no_address(typed: &Typed) -> Result<(), SpecError> {
    if typed.address.is_empty() {
        return Ok(());
    }
    Err(bad_address(
        typed,
        "nothing but options may stand behind the colon, after a `?`",
    ))
}

fn socket_address(typed: &Typed) -> Result<SocketAddr, SpecError> {
    if typed.address.is_empty() {
        return Ok(DEFAULT_ADDRESS);
    }
    let address = typed
        .address
        .to_str()
        .and_then(|address| address.parse().ok());
    let why = "write an IP address and a port, such as 127.0.0.1:8089 or [::1]:8089";
    address.ok_or_else(|| bad_address(typed, why))
}

fn bad_address(typed: &Typed, why: &str) -> SpecError {
    SpecError::BadAddress {
        kind: typed.kind.name,
        address: name_of(Path::new(&typed.address)),
        why: why.to_owned(),
    }
}
