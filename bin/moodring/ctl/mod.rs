//! `moodring ctl`: looks at runs, and steers them.

pub(crate) mod line;
pub(crate) mod protocol;
mod show;
pub(crate) mod socket;
mod top;
mod visible;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};

use crate::exit::Failure;
use crate::run::args::MAX_WORKERS;
use protocol::{Reply, Request, RunStatus};
use visible::visible;

const EXAMPLES: &str = "\
Examples:
  moodring ctl status
      What the runs are doing
  moodring ctl top
      The same, again and again
  moodring ctl scale 16 --pid 4711
      Sixteen workers for one of several runs";

/// Look at runs, and steer them.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CtlArgs {
    #[command(subcommand)]
    command: CtlCommand,

    /// The process id of the run, where there are several
    #[arg(long, global = true)]
    pid: Option<u32>,
}

#[derive(Debug, Subcommand)]
enum CtlCommand {
    /// Show runs and their workers
    Status {
        /// Print JSON: one object per run, on a line each
        #[arg(long)]
        json: bool,
    },
    /// Change the number of workers
    Scale {
        /// How many there are to be
        #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_WORKERS)))]
        workers: u32,
    },
    /// End a run well: no more input, and what is under way is finished. Of a run over files what is done is kept for
    /// --resume; where the input cannot be read again, the output is completed as if it had ended there
    Drain,
    /// End a run at once, as two Ctrl-C do
    Stop,
    /// Show runs and their workers again and again, in place
    Top {
        /// Seconds between two looks
        #[arg(long, default_value = "1", value_name = "SECONDS", value_parser = top::parse_interval)]
        interval: std::time::Duration,
    },
}

/// Runs the command.
pub(crate) fn run(args: &CtlArgs) -> Result<(), Failure> {
    match args.command {
        CtlCommand::Status { json } => show::print(&look(args.pid).map_err(Failure::Failed)?, json),
        CtlCommand::Scale { workers } => order(args.pid, Request::Scale(workers)),
        CtlCommand::Drain => order(args.pid, Request::Drain),
        CtlCommand::Stop => order(args.pid, Request::Stop),
        CtlCommand::Top { interval } => top::watch(args.pid, interval),
    }
}

/// What the run of that process is doing, or all runs.
fn look(pid: Option<u32>) -> anyhow::Result<Vec<RunStatus>> {
    let pids = pid.map_or_else(socket::runs, |pid| Ok(vec![pid]))?;
    let mut runs = Vec::new();
    for each in pids {
        match socket::ask(each, Request::Status) {
            Ok(Reply::Status(status)) => runs.push(*status),
            Ok(_) => bail!("the run with process id {each} gave no sensible answer"),
            Err(error) if pid.is_some() => return Err(error),
            // It has ended between the two looks.
            Err(_) => {}
        }
    }
    Ok(runs)
}

/// Has one run do something.
fn order(pid: Option<u32>, request: Request) -> Result<(), Failure> {
    let runs = pid.map_or_else(socket::runs, |pid| Ok(vec![pid]));
    let pid = match runs.map_err(Failure::Failed)?[..] {
        [only] => only,
        [] => return Err(Failure::Failed(anyhow!("there is no run to steer"))),
        ref several => {
            let pids: Vec<_> = several.iter().map(u32::to_string).collect();
            return Err(Failure::Usage(anyhow!(
                "there are {} runs; say which one with --pid: {}",
                pids.len(),
                pids.join(", ")
            )));
        }
    };
    match socket::ask(pid, request).map_err(Failure::Failed)? {
        Reply::Done => Ok(()),
        Reply::Refused(reason) => Err(Failure::Failed(anyhow!(visible(&reason).into_owned()))),
        Reply::Status(_) => Err(Failure::Failed(anyhow!(
            "the run with process id {pid} gave no sensible answer"
        ))),
    }
}
