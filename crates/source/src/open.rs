//! Making sources of what was typed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use moodring_codec::{Compression, expand};
use moodring_record::{Format, HEAD_LEN, name_of};

use crate::file::{self, FileSource};
use crate::replay::{self, ReplaySource, Speed};
use crate::source::Source;
use crate::stdin::{self, StdinSource};
use crate::stream::{Stream, StreamError};
use crate::style::{Style, told_by_name};
use crate::uri::{Defaults, Place, Settings, Spec, SpecError};

impl Spec {
    /// Makes the source. `None` for `push:`, whose server is the caller's.
    ///
    /// Files that are there are looked into, so that what a person can mend is found before anything is done.
    ///
    /// # Errors
    /// [`SpecError::Unusable`] if the source cannot be read in the way its options say.
    pub fn open(&self, defaults: &Defaults) -> Result<Option<Box<dyn Source>>, SpecError> {
        let settings = self.settings(defaults);
        let unusable = |why: String| SpecError::Unusable {
            name: self.name().to_owned(),
            why,
        };
        Ok(Some(match self.place() {
            Place::File { path, follow } => Box::new(FileSource::new(
                file_options(path, *follow, &settings).map_err(unusable)?,
            )),
            Place::Replay {
                path,
                speed,
                in_file_order,
            } => {
                let (style, compression) = style_of(path, &settings).map_err(unusable)?;
                let needs_times = !in_file_order || *speed != Speed::Max;
                check_times(&style, needs_times).map_err(unusable)?;
                check_file(path, &style, compression).map_err(unusable)?;
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
            Place::Push(_) | Place::Demo { .. } => return Ok(None),
        }))
    }
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
