//! The file of flags: `name = value` for each flag of the command line, and a `[[source]]` table for each source.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::anyhow;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::{Table, Value};

use super::args::LiveArgs;
use crate::cli::Cli;
use crate::exit::Failure;

/// The largest file that is read.
const MAX_LEN: u64 = 1 << 20;

/// Returns the arguments with those of the file of flags, if one was named. What was typed wins over the file.
pub(super) fn with_config(args: LiveArgs) -> Result<LiveArgs, Failure> {
    let Some(path) = &args.sources.config else {
        return Ok(args);
    };
    let table = read(path)?;
    let command = live_command()?;
    let typed = typed_matches(std::env::args_os())?;
    let merged = merge(&command, &table, typed.as_ref(), std::env::args_os());
    let merged = merged.map_err(|why| Failure::Usage(anyhow!("`{}`: {why}", path.display())))?;
    let matches = command.try_get_matches_from(merged);
    let parsed = matches.and_then(|matches| LiveArgs::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        let line = line.strip_prefix("error: ").unwrap_or(line);
        Failure::Usage(anyhow!("`{}`: {line}", path.display()))
    })
}

fn read(path: &Path) -> Result<Table, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::Usage(anyhow!("cannot read `{}`: {error}", path.display()))
    };
    let len = std::fs::metadata(path)
        .map_err(|error| failed(&error))?
        .len();
    if len > MAX_LEN {
        return Err(failed(&format!(
            "it has {len} bytes, and may have {MAX_LEN}"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    text.parse().map_err(|error: toml::de::Error| {
        Failure::Usage(anyhow!(
            "`{}` is not TOML: {}",
            path.display(),
            error.message()
        ))
    })
}

/// The command as clap knows it, with the flags of all commands.
fn live_command() -> Result<Command, Failure> {
    let mut cli = Cli::command();
    cli.build();
    let live = cli.find_subcommand("live").cloned();
    live.ok_or_else(|| Failure::Failed(anyhow!("there is no command `live`")))
}

fn typed_matches(args: impl Iterator<Item = OsString>) -> Result<Option<ArgMatches>, Failure> {
    let matches = Cli::command().try_get_matches_from(args);
    let mut matches = matches.map_err(Failure::failed)?;
    Ok(matches.remove_subcommand().map(|(_, matches)| matches))
}

/// Returns a command line: what the file says, as far as nobody typed something else, and what was typed.
fn merge(
    command: &Command,
    table: &Table,
    typed: Option<&ArgMatches>,
    args: impl Iterator<Item = OsString>,
) -> Result<Vec<OsString>, String> {
    let mut line = vec![OsString::from("live")];
    for (name, value) in table {
        if name.starts_with("log-") {
            return Err(format!(
                "`{name}` takes effect before this file is read; give it on the command line"
            ));
        }
        let flag = command
            .get_arguments()
            .find(|flag| flag.get_long() == Some(name) && name != "config" && name != "help");
        let flag = flag.ok_or_else(|| format!("live has no flag `{name}`"))?;
        let id = flag.get_id().as_str();
        let is_typed = typed.is_some_and(|matches| {
            matches.try_contains_id(id).unwrap_or(false)
                && matches.value_source(id) == Some(ValueSource::CommandLine)
        });
        if !is_typed {
            add(&mut line, name, value)?;
        }
    }
    // Behind the name of the program and of the command; flags of the program itself may stand before it.
    let after_command = args.skip_while(|arg| arg != "live").skip(1);
    line.extend(after_command);
    Ok(line)
}

fn add(line: &mut Vec<OsString>, name: &str, value: &Value) -> Result<(), String> {
    let text = match value {
        Value::Boolean(true) => {
            line.push(format!("--{name}").into());
            return Ok(());
        }
        Value::Boolean(false) => return Ok(()),
        Value::Array(values) => return values.iter().try_for_each(|value| add(line, name, value)),
        Value::Table(table) if name == "source" => source(table)?,
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Table(_) | Value::Datetime(_) => {
            return Err(format!(
                "`{name}` must be a string, a number, true or false, or a list of these"
            ));
        }
    };
    line.push(format!("--{name}={text}").into());
    Ok(())
}

/// A `[[source]]` table as a URI: `uri`, and options by their names.
fn source(table: &Table) -> Result<String, String> {
    let mut uri = match table.get("uri") {
        Some(Value::String(uri)) => uri.clone(),
        _ => return Err("a [[source]] lacks its `uri`, such as \"file:posts.jsonl\"".to_owned()),
    };
    let mut joint = if uri.contains('?') { '&' } else { '?' };
    for (name, value) in table.iter().filter(|(name, _)| *name != "uri") {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(true) => "yes".to_owned(),
            Value::Boolean(false) => "no".to_owned(),
            _ => {
                return Err(format!(
                    "the option `{name}` of a [[source]] must be a single value"
                ));
            }
        };
        uri.push(joint);
        uri.push_str(name);
        uri.push('=');
        escape_into(&mut uri, &text);
        joint = '&';
    }
    Ok(uri)
}

/// Writes a value as it stands in a URI.
fn escape_into(uri: &mut String, value: &str) {
    for byte in value.bytes() {
        let is_plain = byte.is_ascii_graphic() && !matches!(byte, b'&' | b'%' | b'=' | b'?' | b'#');
        if is_plain {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(config: &str, typed: &[&str]) -> Result<Vec<String>, String> {
        let args = || {
            ["moodring", "live"]
                .into_iter()
                .chain(typed.iter().copied())
                .map(OsString::from)
        };
        let matches = typed_matches(args()).unwrap_or_else(|_| panic!("{typed:?}"));
        let command = live_command().unwrap_or_else(|_| panic!("no command"));
        let line = merge(&command, &config.parse().unwrap(), matches.as_ref(), args())?;
        Ok(line
            .into_iter()
            .map(|arg| arg.into_string().unwrap())
            .collect())
    }

    #[test]
    fn every_flag_can_stand_in_the_file_and_what_is_typed_wins() {
        let config = "
            window = \"5m\"
            slide = \"1m\"
            until-end = true
            no-texts = false
            workers = 2
            group-by = [\"tag\", \"source\"]
            [[source]]
            uri = \"file:a.jsonl\"
            name = \"a & b\"
            follow = false
        ";
        let line = merged(config, &["--window", "1h"]).unwrap();
        let expected = [
            "live",
            "--slide=1m",
            "--until-end",
            "--workers=2",
            "--group-by=tag",
            "--group-by=source",
            "--source=file:a.jsonl?follow=no&name=a%20%26%20b",
            "--window",
            "1h",
        ];
        assert_eq!(sorted(line), sorted(expected.map(str::to_owned).to_vec()));
    }

    fn sorted(mut line: Vec<String>) -> Vec<String> {
        line.sort();
        line
    }

    #[test]
    fn what_the_file_cannot_say_is_named() {
        assert!(
            merged("windows = \"1m\"", &[])
                .unwrap_err()
                .contains("`windows`")
        );
        assert!(
            merged("log-level = \"info\"", &[])
                .unwrap_err()
                .contains("command line")
        );
        assert!(merged("config = \"b.toml\"", &[]).is_err());
        assert!(
            merged("[[source]]\nname = \"a\"", &[])
                .unwrap_err()
                .contains("uri")
        );
    }
}
