//! A source as it was typed, understood.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use moodring_codec::Compression;
use moodring_record::{Delimiter, FieldNames, Format, Quoting, ReadOptions, name_of};
use moodring_window::TimeZone;

use super::error::SpecError;
use super::typed::Typed;
use crate::replay::Speed;

/// Where `push:` listens unless it is told otherwise.
const PUSH_ADDRESS: &str = "127.0.0.1:8089";

/// The largest record that may be asked for: what is sent between processes holds it with room to spare.
const LARGEST_RECORD: usize = 256 << 20;

/// The greatest speed of a replay, and the greatest rate of made-up posts.
const MAX_SPEED: f64 = 1e6;
const MAX_RATE: u32 = 100_000;

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
    Push(SocketAddr),
    /// Nowhere: they are made up.
    Demo {
        /// How many a second.
        rate: u32,
        /// The number that they are made from.
        seed: u64,
    },
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
                .option("name")
                .map_or_else(default_name, str::to_owned),
            dedupe: typed.option("dedupe").map(str::to_owned),
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
            follow: typed.parsed("follow", yes_or_no)?.unwrap_or(true),
        }),
        "replay" => Ok(Place::Replay {
            path: path(typed)?,
            speed: typed.parsed("speed", speed)?.unwrap_or(Speed::Times(1.0)),
            in_file_order: typed.parsed("order", order)?.unwrap_or(false),
        }),
        "push" => Ok(Place::Push(socket_address(typed)?)),
        "demo" => {
            no_address(typed)?;
            Ok(Place::Demo {
                rate: typed.parsed("rate", rate)?.unwrap_or(500),
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
        max_record: typed.parsed("max-record", record_limit)?,
        compression: typed.parsed("compression", compression)?.flatten(),
        text_field: named("text-field"),
        time_field: named("time-field"),
        id_field: named("id-field"),
        time_zone: typed.parsed("time-zone", time_zone)?,
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
    let address = typed.address.to_str().filter(|address| !address.is_empty());
    let typed_or_default = match (address, typed.address.is_empty()) {
        (Some(address), _) => address,
        (None, true) => PUSH_ADDRESS,
        (None, false) => "",
    };
    let why = "write an IP address and a port, such as 127.0.0.1:8089 or [::1]:8089";
    typed_or_default
        .parse()
        .map_err(|_| bad_address(typed, why))
}

fn bad_address(typed: &Typed, why: &str) -> SpecError {
    SpecError::BadAddress {
        kind: typed.kind.name,
        address: name_of(Path::new(&typed.address)),
        why: why.to_owned(),
    }
}

fn yes_or_no(typed: &str) -> Result<bool, &'static str> {
    match typed {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("it must be yes or no"),
    }
}

fn speed(typed: &str) -> Result<Speed, String> {
    if typed == "max" {
        return Ok(Speed::Max);
    }
    let speed = typed.parse().ok();
    let speed = speed.filter(|speed: &f64| *speed > 0.0 && *speed <= MAX_SPEED);
    speed
        .map(Speed::Times)
        .ok_or_else(|| format!("it must be max, or a number above 0 and up to {MAX_SPEED}"))
}

fn order(typed: &str) -> Result<bool, &'static str> {
    match typed {
        "time" => Ok(false),
        "file" => Ok(true),
        _ => Err("it must be time or file"),
    }
}

fn rate(typed: &str) -> Result<u32, String> {
    let rate = typed
        .parse()
        .ok()
        .filter(|rate| (1..=MAX_RATE).contains(rate));
    rate.ok_or_else(|| format!("it must be a number from 1 to {MAX_RATE}"))
}

/// `None` is to find out.
fn compression(typed: &str) -> Result<Option<Compression>, &'static str> {
    match typed {
        "auto" => Ok(None),
        "none" => Ok(Some(Compression::None)),
        "gzip" | "gz" => Ok(Some(Compression::Gzip)),
        "zstd" | "zst" => Ok(Some(Compression::Zstd)),
        _ => Err("it must be auto, none, gzip or zstd"),
    }
}

fn record_limit(typed: &str) -> Result<usize, String> {
    let (digits, shift) = match typed.as_bytes().last() {
        Some(b'K' | b'k') => (&typed[..typed.len() - 1], 10),
        Some(b'M' | b'm') => (&typed[..typed.len() - 1], 20),
        _ => (typed, 0),
    };
    let bytes = digits
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift));
    bytes
        .filter(|bytes| (2..=LARGEST_RECORD).contains(bytes))
        .ok_or_else(|| "it must be a number of bytes from 2 to 256M, such as 512K".to_owned())
}

fn time_zone(typed: &str) -> Result<TimeZone, &'static str> {
    TimeZone::get(typed)
        .map_err(|_| "there is no such time zone; write its name, such as Europe/Berlin or UTC")
}
