//! The parts of a source as it was typed: a kind, an address, and options with their values.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use moodring_record::{name_of, nearest_name};

use super::error::SpecError;
use super::kinds::{KINDS, KindInfo, OptionInfo};

/// The parts of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) kind: &'static KindInfo,
    /// What stands behind the colon, with `%3F` and `%25` decoded.
    pub(crate) address: OsString,
    options: Vec<(&'static OptionInfo, String)>,
}

impl Typed {
    /// Takes a source apart. A path may hold any bytes; a question mark in it is written as `%3F`, and a percent sign before
    /// `3F` or `25` as `%25`. In the values of options, `%` and two hexadecimal digits stand for a byte.
    pub(crate) fn parse(typed: &OsStr) -> Result<Typed, SpecError> {
        let bytes = typed.as_bytes();
        let (front, options) = split_at(bytes, b'?').unwrap_or((bytes, b""));
        let name = |bytes: &[u8]| name_of(Path::new(OsStr::from_bytes(bytes)));
        let Some((kind, address)) = split_at(front, b':').filter(|(kind, _)| is_word(kind)) else {
            return Err(SpecError::NoKind { typed: name(front) });
        };
        let Some(found) = KINDS.iter().find(|known| known.name.as_bytes() == kind) else {
            let kind = name(kind);
            let kinds: Vec<_> = KINDS.iter().map(|known| known.name.to_owned()).collect();
            return Err(SpecError::UnknownKind {
                near: nearest_name(&kinds, &kind),
                kind,
            });
        };
        let mut parsed = Typed {
            kind: found,
            address: OsString::from_vec(decode(address, |byte| matches!(byte, b'?' | b'%'))),
            options: Vec::new(),
        };
        for option in options
            .split(|&byte| byte == b'&')
            .filter(|option| !option.is_empty())
        {
            parsed.add_option(option)?;
        }
        Ok(parsed)
    }

    fn add_option(&mut self, typed: &[u8]) -> Result<(), SpecError> {
        let (key, value) = split_at(typed, b'=').unwrap_or((typed, b""));
        let key = String::from_utf8_lossy(key);
        let Some(option) = self.kind.options().find(|option| option.name == key) else {
            let known: Vec<_> = self
                .kind
                .options()
                .map(|option| option.name.to_owned())
                .collect();
            return Err(SpecError::UnknownOption {
                kind: self.kind.name,
                near: nearest_name(&known, &key),
                option: name_of(Path::new(&*key)),
            });
        };
        if self
            .options
            .iter()
            .any(|(known, _)| known.name == option.name)
        {
            return Err(SpecError::Twice {
                kind: self.kind.name,
                option: option.name,
            });
        }
        let value = decode(value, |_| true);
        let bad = |value: &[u8], why: &str| {
            self.bad_value(option.name, &String::from_utf8_lossy(value), why)
        };
        let value =
            String::from_utf8(value).map_err(|error| bad(error.as_bytes(), "it is not UTF-8"))?;
        if value.is_empty() {
            return Err(bad(
                b"",
                &format!("a value is missing, as in {}={}", option.name, option.value),
            ));
        }
        self.options.push((option, value));
        Ok(())
    }

    /// The value of an option.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().find(|(option, _)| option.name == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value of an option as something else.
    pub(crate) fn parsed<T, E: ToString>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, SpecError> {
        let Some(value) = self.option(name) else {
            return Ok(None);
        };
        match parse(value) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(error) => Err(self.bad_value(name, value, &error.to_string())),
        }
    }

    fn bad_value(&self, option: &'static str, value: &str, why: &str) -> SpecError {
        SpecError::BadValue {
            kind: self.kind.name,
            option,
            value: name_of(Path::new(value)),
            // It may quote the value.
            why: why.replace(char::is_control, "\u{fffd}"),
        }
    }
}

fn split_at(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(separator, bytes)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// Whether this may be the name of a kind, and not the beginning of a path.
fn is_word(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_alphanumeric)
}

/// Replaces `%XX` by the byte it stands for, where that is one of those to be decoded.
fn decode(bytes: &[u8], is_decoded: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        let byte = (*first == b'%').then(|| hex_byte(after)).flatten();
        if let Some(byte) = byte.filter(|byte| is_decoded(*byte)) {
            decoded.push(byte);
            rest = &after[2..];
        } else {
            decoded.push(*first);
            rest = after;
        }
    }
    decoded
}

fn hex_byte(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    match bytes {
        [high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}
