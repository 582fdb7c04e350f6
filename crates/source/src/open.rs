//! Making sources of what was typed.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use moodring_codec::{Compression, expand};
use moodring_http::Tokens;
use moodring_record::{Format, HEAD_LEN, Layout, name_of};

use crate::demo::DemoSource;
use crate::file::{self, FileSource};
use crate::push::{Push, PushOptions};
use crate::replay::{self, ReplaySource, Speed};
use crate::source::Source;
use crate::stdin::{self, StdinSource};
use crate::stream::{Stream, StreamError};
use crate::style::{Style, told_by_name};
use crate::uri::{Defaults, Listen, Place, Settings, Spec, SpecError};

impl Spec {
    /// Makes the source.
    ///
    /// Files that are there are looked into, and `push:` begins to listen, so that what a person can mend is found before
    /// anything is done.
    ///
    /// # Errors
    /// [`SpecError::Unusable`] if the source cannot be read in the way its options say.
    pub fn open(&self, defaults: &Defaults) -> Result<Box<dyn Source>, SpecError> {
        self.source(defaults).map_err(|why| SpecError::Unusable {
            name: self.name().to_owned(),
            why,
        })
    }

    fn source(&self, defaults: &Defaults) -> Result<Box<dyn Source>, String> {
        let settings = self.settings(defaults);
        Ok(match self.place() {
            Place::File { path, follow } => {
                Box::new(FileSource::new(file_options(path, *follow, &settings)?))
            }
            Place::Replay {
                path,
                speed,
                in_file_order,
            } => {
                let (style, compression) = style_of(path, &settings)?;
                let needs_times = !in_file_order || *speed != Speed::Max;
                check_times(&style, needs_times)?;
                check_file(path, &style, compression)?;
                Box::new(ReplaySource::new(replay::Options {
                    path: path.clone(),
                    name: name_of(path),
                    compression,
                    style,
                    zone: settings.time_zone,
                    speed: *speed,
                    in_file_order: *in_file_order,
                    scratch: defaults.scratch.clone(),
                }))
            }
            Place::Stdin => Box::new(StdinSource::new(stdin::Options {
                compression: settings.compression,
                style: Style {
                    format: settings.format,
                    reading: settings.reading,
                    fields: settings.fields,
                },
            })),
            Place::Push(listen) => {
                Box::new(Push::bind(push_options(listen, &settings)?).map_err(full)?)
            }
            Place::Demo { rate, seed } => {
                Box::new(DemoSource::new(*rate, *seed, settings.fields).map_err(full)?)
            }
        })
    }
}

/// An error with its causes.
fn full(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn push_options(listen: &Listen, settings: &Settings) -> Result<PushOptions, String> {
    let (reading, fields) = (settings.reading, &settings.fields);
    let layout = Layout::detect(Format::Jsonl, reading, fields, &[], b"", true);
    let tokens = listen.token_file.as_deref().map(Tokens::read).transpose();
    Ok(PushOptions {
        address: listen.address,
        tokens: tokens.map_err(full)?,
        names: listen.names.clone(),
        max_body: listen.max_body,
        layout: layout.map_err(full)?,
    })
}

fn file_options(path: &Path, follow: bool, settings: &Settings) -> Result<file::Options, String> {
    let (style, compression) = style_of(path, settings)?;
    if follow && compression != Compression::None {
        return Err(format!(
            "{compression} data cannot be followed: add follow=no"
        ));
    }
    if follow {
        check_head(path, &style)?;
    } else {
        check_file(path, &style, compression)?;
    }
    Ok(file::Options {
        path: path.to_owned(),
        name: name_of(path),
        follow,
        compression,
        style,
    })
}

/// How the records of a file are written, and how it is compressed: as its options and its name tell.
fn style_of(path: &Path, settings: &Settings) -> Result<(Style, Compression), String> {
    let (compression, format) = told_by_name(path);
    let Some(format) = settings.format.or(format) else {
        return Err(
            "its name does not tell its format: add format=jsonl, csv, tsv or text".to_owned(),
        );
    };
    let style = Style {
        format: Some(format),
        reading: settings.reading,
        fields: settings.fields.clone(),
    };
    Ok((style, settings.compression.unwrap_or(compression)))
}

fn check_times(style: &Style, needs_times: bool) -> Result<(), String> {
    if needs_times && (style.fields.time.is_none() || style.format == Some(Format::Text)) {
        return Err(
            "to play posts by their times, their times must be known: add time-field=FIELD, or order=file&speed=max"
                .to_owned(),
        );
    }
    Ok(())
}

/// Looks whether what is there of a file that is written to can be read. It may come later, or become readable.
fn check_head(path: &Path, style: &Style) -> Result<(), String> {
    let mut head = Vec::new();
    if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(());
    }
    let read = File::open(path).and_then(|file| file.take(HEAD_LEN as u64).read_to_end(&mut head));
    match read {
        Ok(_) => style
            .layout(&head, false)
            .map(drop)
            .map_err(|error| error.to_string()),
        Err(_) => Ok(()),
    }
}

/// Looks whether the head of a file can be read.
fn check_file(path: &Path, style: &Style, compression: Compression) -> Result<(), String> {
    let check = || -> Result<(), StreamError> {
        if !std::fs::metadata(path)?.is_file() {
            let why = "it is no regular file; read a pipe as stdin:";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why).into());
        }
        Stream::open(expand(compression, File::open(path)?)?, style).map(drop)
    };
    check().map_err(|error| error.to_string())
}
