//! The command line: parse, run, turn an error into a sentence and an exit code.

mod cli;
mod ctl;
mod eval;
mod exit;
mod explain;
mod generate;
mod hinted;
mod human;
mod live;
mod logging;
mod query;
mod run;
mod score;
mod standard_error;
mod streams;
mod visible;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::conclude_parsing(&error),
    };
    match cli.command {
        Command::Worker(args) => worker::run(&args),
        command => {
            logging::start(cli.log_level, cli.log_format);
            exit::conclude(run(command))
        }
    }
}

fn run(command: Command) -> Result<(), exit::Failure> {
    // Before the first file is written.
    run::signals::ignore_file_size_signal().map_err(exit::Failure::failed)?;
    if command.prints_its_result() {
        streams::check_output().map_err(exit::Failure::usage)?;
    }
    match command {
        Command::Score(args) => score::run(*args),
        Command::Eval(args) => eval::run(*args),
        Command::Query(args) => query::run(&args),
        Command::Live(args) => live::run(*args),
        Command::Ctl(args) => ctl::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man(args) => generate::man(&args),
        Command::Worker(_) => Ok(()),
    }
}
