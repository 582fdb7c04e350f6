//! Says which fields JSON posts have, where one that was named is missing.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use moodring_codec::Compression;
use moodring_feed::{Input, Origin};
use moodring_record::{Format, nearest_name};
use serde_json::{Map, Value};

/// A record that is longer is not looked into.
const MAX_RECORD: u64 = 64 << 10;

/// How many names of fields are listed.
const LISTED: usize = 12;

/// How many names of fields are compared, and how deep.
const MAX_NAMES: usize = 500;
const MAX_DEPTH: usize = 4;

/// Returns the first record of the first input that is an uncompressed JSONL file, and the input's name.
fn first_record(inputs: &[Input]) -> Option<(&str, Map<String, Value>)> {
    let is_plain = |input: &&Input| {
        input.format == Some(Format::Jsonl)
            && input.compression == Compression::None
            && input.size.is_some()
    };
    let input = inputs.iter().find(is_plain)?;
    let Origin::File(path) = &input.origin else {
        return None;
    };
    let mut line = Vec::new();
    let file = File::open(path).ok()?.take(MAX_RECORD);
    BufReader::new(file).read_until(b'\n', &mut line).ok()?;
    Some((&input.name, serde_json::from_slice(&line).ok()?))
}

/// Returns a sentence about the field `name`, which `flag` names, if the first record does not have it: the fields that
/// it has, and the one that may be meant. `None` also where there is no such record to look at.
pub(crate) fn missing(inputs: &[Input], flag: &str, name: &str) -> Option<String> {
    let (input, record) = first_record(inputs)?;
    let has_it = record.contains_key(name) || {
        let mut parts = name.split('.');
        let first = parts.next().and_then(|part| record.get(part));
        parts.fold(first, |value, part| value?.get(part)).is_some()
    };
    (!has_it).then(|| {
        format!(
            "the first record of {input} has no field `{name}`; {}",
            hint(&record, flag, name)
        )
    })
}

fn hint(record: &Map<String, Value>, flag: &str, name: &str) -> String {
    let mut names = Vec::new();
    collect("", record, &mut names);
    let quoted = |name: &String| format!("`{}`", name.escape_debug());
    let mut listed: Vec<_> = record.keys().take(LISTED).map(quoted).collect();
    if record.len() > LISTED {
        listed.push(format!("{} more", record.len() - LISTED));
    }
    match nearest_name(&names, name) {
        Some(likely) => format!(
            "its fields are {}; did you mean {flag} {}",
            listed.join(", "),
            likely.escape_debug()
        ),
        None => format!(
            "its fields are {}; choose one with {flag}",
            listed.join(", ")
        ),
    }
}

/// The names of the values in an object, by their paths.
fn collect(above: &str, object: &Map<String, Value>, names: &mut Vec<String>) {
    for (name, value) in object {
        if names.len() == MAX_NAMES {
            return;
        }
        let path = if above.is_empty() {
            name.clone()
        } else {
            format!("{above}.{name}")
        };
        match value {
            Value::Object(inner) if path.split('.').count() < MAX_DEPTH => {
                collect(&path, inner, names);
            }
            _ => names.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_listed_and_the_nearest_is_named() {
        let record = serde_json::from_str(r#"{"id":7,"post":{"lang":"en","labels":[1]}}"#).unwrap();
        assert_eq!(
            hint(&record, "--id-field", "ids"),
            "its fields are `id`, `post`; did you mean --id-field id"
        );
        assert_eq!(
            hint(&record, "--time-field", "created"),
            "its fields are `id`, `post`; choose one with --time-field"
        );
    }
}
