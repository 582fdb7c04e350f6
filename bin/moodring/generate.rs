//! Shell completions and the manual page, made from the command line's own definition.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::cli::Cli;
use crate::exit::Failure;

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "moodring", &mut script);
    print(&script)
}

/// Prints the manual page: the overview, then each command.
pub(crate) fn man() -> Result<(), Failure> {
    let mut page = Vec::new();
    let command = Cli::command();
    let render =
        |command: clap::Command, page: &mut Vec<u8>| clap_mangen::Man::new(command).render(page);
    render(command.clone(), &mut page).map_err(Failure::failed)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        render(sub.clone(), &mut page).map_err(Failure::failed)?;
    }
    print(&page)
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    match io::stdout().write_all(bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::OutputClosed),
        written => written.map_err(Failure::failed),
    }
}
