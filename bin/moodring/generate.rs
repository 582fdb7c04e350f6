//! Shell completions and manual pages, made from the command line's own definition.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use moodring_feed::name_of;

use crate::cli::{Cli, ManArgs};
use crate::exit::Failure;

/// What a program's end means.
const EXIT_STATUS: [(&str, &str); 6] = [
    (
        "0",
        "Success. Also if the reader of standard output left early.",
    ),
    (
        "1",
        "Failure. Also if nothing was scored and something was rejected.",
    ),
    ("2", "Wrong usage, or something that no restart can change."),
    ("3", "The workers kept crashing."),
    ("130", "Ended by SIGINT (Ctrl-C)."),
    ("143", "Ended by SIGTERM, or drained."),
];

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(), "moodring", &mut script);
    print(&script)
}

/// Prints one manual page, or writes all.
pub(crate) fn man(args: &ManArgs) -> Result<(), Failure> {
    let mut root = visible().disable_help_subcommand(true);
    root.build();
    if let Some(dir) = &args.dir {
        return write_all(&root, dir).map_err(Failure::Failed);
    }
    let mut command = &root;
    let typed = args.command.iter().flat_map(|typed| typed.split(' '));
    for name in typed.filter(|name| *name != "moodring") {
        command = command.find_subcommand(name).ok_or_else(|| {
            let known: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
            Failure::Usage(match &known[..] {
                [] => anyhow!("`{}` has no command `{name}`", command.get_name()),
                known => anyhow!(
                    "there is no command `{name}`; choose one of {}",
                    known.join(", ")
                ),
            })
        })?;
    }
    print(&page(command, &root).map_err(Failure::failed)?)
}

/// The command line without what is hidden.
fn visible() -> Command {
    let whole = Cli::command();
    let mut visible = Command::new("moodring").args(whole.get_arguments().cloned());
    let shown = whole
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    visible = visible.subcommands(shown.cloned());
    if let Some(about) = whole.get_about() {
        visible = visible.about(about.clone());
    }
    if let Some(examples) = whole.get_after_long_help() {
        visible = visible.after_long_help(examples.clone());
    }
    visible.version(env!("CARGO_PKG_VERSION"))
}

/// Writes the pages of a command and of those below it.
fn write_all(root: &Command, dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot create `{}`", name_of(dir)))?;
    let mut commands = vec![root];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        let path = dir.join(format!("{}.1", name(command)));
        let written = fs::write(&path, page(command, root)?);
        written.with_context(|| format!("cannot write `{}`", name_of(&path)))?;
    }
    Ok(())
}

/// The name of a command's page, such as `moodring-ctl-top`.
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

fn page(command: &Command, root: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut rest = Roff::new();
    if let Some(examples) = command.get_after_long_help() {
        let examples = examples.to_string();
        rest.control("SH", ["EXAMPLES"]);
        rest.control("nf", []);
        rest.text([roman(examples.trim_start_matches("Examples:\n"))]);
        rest.control("fi", []);
    }
    rest.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in EXIT_STATUS {
        rest.control("TP", []);
        rest.text([bold(status)]);
        rest.text([roman(meaning)]);
    }
    let related = related(command, root);
    if !related.is_empty() {
        rest.control("SH", ["SEE ALSO"]);
        let last = related.len() - 1;
        for (at, name) in related.iter().enumerate() {
            let end = if at < last { "(1)," } else { "(1)" };
            rest.text([bold(*name), roman(end)]);
        }
    }
    rest.to_writer(&mut page)?;
    Ok(page)
}

/// The pages that a page names at its end: those of the other commands at its level, and above it.
fn related<'a>(command: &Command, root: &'a Command) -> Vec<&'a str> {
    let mut related = Vec::new();
    let mut levels = vec![root];
    while let Some(level) = levels.pop() {
        let has_it = level
            .get_subcommands()
            .any(|sub| name(sub) == name(command));
        if has_it {
            related.push(name(level));
            related.extend(
                level
                    .get_subcommands()
                    .map(name)
                    .filter(|sub| *sub != name(command)),
            );
        }
        levels.extend(level.get_subcommands());
    }
    related
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    match io::stdout().write_all(bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::OutputClosed),
        written => written.map_err(Failure::failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_that_is_named_exists() {
        let folder = tempfile::tempdir().unwrap();
        let mut root = visible().disable_help_subcommand(true);
        root.build();
        write_all(&root, folder.path()).unwrap();
        let mut pages = 0;
        for entry in fs::read_dir(folder.path()).unwrap() {
            let page = fs::read_to_string(entry.unwrap().path()).unwrap();
            pages += 1;
            assert!(page.contains(".SH \"EXIT STATUS\""), "{page}");
            assert!(!page.contains("worker\\fR <") && !page.contains("moodring-worker"));
            for named in page
                .replace("\\-", "-")
                .replace("\\fR", "")
                .replace("\\fB", "")
                .split("(1)")
            {
                let named: String = named
                    .rsplit(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                if named.starts_with("moodring") {
                    let path = folder.path().join(format!("{named}.1"));
                    assert!(path.exists(), "there is no {named}(1)");
                }
            }
        }
        assert!(pages > 8, "{pages}");
    }
}
