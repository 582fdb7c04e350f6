//! `moodring ctl`: shows runs and controls them.

mod keys;
pub(crate) mod line;
mod look;
pub(crate) mod protocol;
mod show;
pub(crate) mod socket;
mod top;

use std::io::{self, IsTerminal, Write};

use anyhow::anyhow;
use clap::{Args, Subcommand};

use crate::exit::Failure;
use crate::human::counted;
use crate::run::args::MAX_WORKERS;
use crate::visible::visible;
use look::{is_timeout, look};
use protocol::{Reply, Request};

const EXAMPLES: &str = "\
Examples:
  moodring ctl status
      Show all runs and their workers
  moodring ctl top
      Show them continuously; press q to quit
  moodring ctl scale 16 --pid 4711
      Give one of several runs sixteen workers";

/// Show runs and control them.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CtlArgs {
    #[command(subcommand)]
    command: CtlCommand,

    /// Process ID of the run; required if there are several
    #[arg(long, global = true)]
    pid: Option<u32>,
}

#[derive(Debug, Subcommand)]
enum CtlCommand {
    /// Show runs and their workers
    Status {
        /// Print JSON: one object per run, one per line
        #[arg(long)]
        json: bool,
    },
    /// Change the number of workers
    Scale {
        /// New number of workers
        #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_WORKERS)))]
        workers: u32,
    },
    /// End a run after the work in progress. A run over files exits with 143 and can be continued with --resume; a run
    /// over standard input completes its output as if the input had ended
    Drain,
    /// End a run at once, as a second Ctrl-C does
    Stop,
    /// Show runs and their workers continuously; press q to quit
    Top {
        /// Seconds between updates
        #[arg(long, default_value = "1", value_name = "SECONDS", value_parser = top::parse_interval)]
        interval: std::time::Duration,
    },
}

impl CtlArgs {
    /// Whether the command only shows something. What the others do is done, whether it can be said or not.
    pub(crate) fn prints_its_result(&self) -> bool {
        matches!(
            self.command,
            CtlCommand::Status { .. } | CtlCommand::Top { .. }
        )
    }
}

/// Runs the command.
pub(crate) fn run(args: &CtlArgs) -> Result<(), Failure> {
    match args.command {
        CtlCommand::Status { json } => {
            let runs = look(args.pid).map_err(Failure::Failed)?;
            show::print(&runs, json, width())
        }
        CtlCommand::Scale { workers } => order(args.pid, Request::Scale(workers)),
        CtlCommand::Drain => order(args.pid, Request::Drain),
        CtlCommand::Stop => order(args.pid, Request::Stop),
        CtlCommand::Top { interval } => top::watch(args.pid, interval),
    }
}

/// Returns how wide standard output is.
fn width() -> usize {
    if io::stdout().is_terminal() {
        usize::from(console::Term::stdout().size().1)
    } else {
        show::WIDTH
    }
}

/// Has one run do something, and says so.
fn order(pid: Option<u32>, request: Request) -> Result<(), Failure> {
    let runs = pid.map_or_else(socket::runs, |pid| Ok(vec![pid]));
    let pid = match runs.map_err(Failure::Failed)?[..] {
        [only] => only,
        [] => return Err(Failure::Failed(anyhow!("there is no run to control"))),
        ref several => {
            let pids: Vec<_> = several.iter().map(u32::to_string).collect();
            return Err(Failure::Usage(anyhow!(
                "there are {} runs; choose one with --pid: {}",
                pids.len(),
                pids.join(", ")
            )));
        }
    };
    let reply = socket::ask(pid, request).map_err(|error| {
        Failure::Failed(if is_timeout(&error) {
            anyhow!(
                "run {pid} is not responding; if it is stopped, the request takes effect when it continues, as by `kill -CONT {pid}`"
            )
        } else {
            error
        })
    });
    match reply? {
        Reply::Done => {
            // What was done is done, whether it can be said or not.
            let _ = writeln!(io::stdout(), "{}", done(pid, request));
            Ok(())
        }
        Reply::Refused(reason) => Err(Failure::Failed(anyhow!(visible(&reason).into_owned()))),
        Reply::Status(_) => Err(Failure::Failed(anyhow!(
            "the run with process id {pid} gave no sensible answer"
        ))),
    }
}

/// What a request had the run do.
fn done(pid: u32, request: Request) -> String {
    match request {
        Request::Status => format!("run {pid} answered"),
        Request::Scale(workers) => {
            format!("run {pid}: set to {}", counted(workers.into(), "worker"))
        }
        Request::Drain => {
            format!("run {pid}: draining; it finishes the work in progress and exits")
        }
        Request::Stop => format!("run {pid}: stopped"),
    }
}
