//! `moodring score`: posts in, scored posts out.
//!
//! The typed flags become a [`Plan`]; [`output_sink`] takes what the pool releases; [`resume`] lets a run that was cut off go
//! on; [`summary`] tells a person about it.

mod output_sink;
mod plan;
mod resume;
mod set_aside;
mod side_files;
mod summary;
mod totals;
pub(crate) mod windows;

use std::io;
use std::time::Instant;

use anyhow::anyhow;
use moodring_feed::{Feed, name_of};
use moodring_job::Setup;
use moodring_pool::{Delivery, PoolError};
use moodring_store::PartFile;
use rustix::fs::FileType;

use crate::cli::ScoreArgs;
use crate::exit::{Failure, note, warn};
use crate::run::columns::Columns;
use crate::run::session::{Session, Settings};
use crate::run::tasks::Tasks;
use crate::run::{pool_failure, store_failure};
use output_sink::{OutputSink, Rejected, sink_failure};
use plan::Plan;
use resume::checkpoint::{self, PriorRun, Start};
use resume::entry::RunFingerprint;
use totals::Totals;

/// Runs the command.
pub(crate) fn run(args: ScoreArgs) -> Result<(), Failure> {
    let began = Instant::now();
    let mut plan = Plan::make(args)?;
    side_files::check(&plan).map_err(store_failure)?;
    plan.source.warn_of_missing_columns();
    let prior = if plan.resume {
        PriorRun::find(&plan)?
    } else {
        checkpoint::warn_of_lost_work(&plan);
        None
    };
    if let Some(prior) = &prior {
        let RunFingerprint {
            shard_size,
            block_size,
            ..
        } = prior.fingerprint;
        plan.source.recut(shard_size, block_size);
        if let Some(totals) = prior.finished(&plan)? {
            if totals.is_worthless() {
                return conclude(&plan, &totals, 0, began);
            }
            summary::announce_nothing_to_do(&plan)?;
            return summary::print(&plan, &totals, 0, began.elapsed());
        }
    }
    let (sink, tasks, start) = open(&plan, prior)?;
    match start {
        Some(start) => score(&plan, sink, tasks, start, began),
        None => conclude(&plan, &sink.commit()?, 0, began),
    }
}

/// Opens inputs and outputs, at the beginning or where an earlier run ended. Says where to start, unless all is done and
/// only the files' names are missing.
fn open(
    plan: &Plan,
    prior: Option<PriorRun>,
) -> Result<(OutputSink, Tasks, Option<Start>), Failure> {
    let feed = plan.source.open(plan.added(), plan.replace)?;
    let columns = plan.columns(&feed)?;
    if let (Some(mut prior), Some(output)) = (prior, &plan.output) {
        if let Some(mut part) = PartFile::reopen(output, plan.force).map_err(store_failure)? {
            part.keep(true);
            if prior.verify(plan).map_err(store_failure)? {
                let sink = OutputSink::resume(plan, &feed, part, &prior)?;
                let start = (!prior.is_complete()).then(|| prior.start());
                return Ok((sink, tasks(feed, columns), start));
            }
        }
        tracing::warn!("what an earlier run wrote is gone or changed; starting at the beginning");
    }
    let sink = OutputSink::open(plan, &feed, columns.header())?;
    Ok((sink, tasks(feed, columns), Some(Start::default())))
}

/// Tasks from inputs that must all have these columns.
fn tasks(feed: Feed, mut columns: Columns) -> Tasks {
    Tasks::new(feed).checking(move |input, layout| Ok(columns.agree(input, layout)?))
}

/// Runs the pool over what is to be done.
fn score(
    plan: &Plan,
    mut sink: OutputSink,
    mut tasks: Tasks,
    start: Start,
    began: Instant,
) -> Result<(), Failure> {
    let unfinished = if plan.resume {
        Vec::new()
    } else {
        sink.unfinished_files()
    };
    tasks.resume(start.position, start.index, start.done);
    let session = Session::new(Settings {
        command: "score",
        output: plan.output.as_deref().map(name_of),
        quiet: plan.quiet || (plan.output.is_none() && !stdout_is_a_file()),
        total_bytes: plan.source.stored_bytes(),
        began,
        pool: &plan.pool,
        in_process: plan.in_process,
        unordered: plan.unordered,
        delivery: match sink.part_path() {
            Some(_) => Delivery::Commit,
            None => Delivery::Inline,
        },
        setup: Setup::Score(plan.setup(sink.part_path())),
        unfinished,
        live: None,
    })?;
    let control = session.control();
    tracing::info!(
        inputs = plan.source.inputs.len(),
        bytes = plan.source.stored_bytes(),
        workers = plan.pool.workers,
        "run started"
    );
    tasks.end_with(control.clone());
    let ran = session.run(tasks, &mut sink);

    let restarts = match ran {
        Ok(restarts) => restarts,
        Err(error) => return Err(failure(plan, error, sink)),
    };
    if let Some(signal) = control.ended_by() {
        let is_kept = plan.resume && sink.is_resumable();
        sink.abandon(plan.resume);
        tell_of_interruption(plan, is_kept);
        return Err(Failure::Interrupted(signal));
    }
    if control.is_drained() && plan.source.is_lasting() && sink.is_resumable() {
        sink.abandon(true);
        return Err(Failure::Drained(anyhow!(
            "the run was drained and the finished part is kept; run the same command with --resume to continue"
        )));
    }
    if let Err(error) = plan.source.check_unchanged() {
        sink.abandon(false);
        return Err(error);
    }
    let totals = sink.commit()?;
    conclude(plan, &totals, restarts, began)
}

/// Returns whether standard output is a file. A progress bar would get between the lines of a terminal, and outlive a pipe
/// that ends early.
fn stdout_is_a_file() -> bool {
    rustix::fs::fstat(io::stdout())
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
}

/// Tells what became of the output of a run that a signal ended.
fn tell_of_interruption(plan: &Plan, is_kept: bool) {
    let Some(output) = &plan.output else {
        return note("interrupted; standard output holds only the records written so far");
    };
    let output = name_of(output);
    note(&if is_kept {
        format!(
            "interrupted; the finished part of {output} is kept: run the same command to continue"
        )
    } else {
        format!(
            "interrupted; removed the unfinished {output}; runs with --resume keep the finished part"
        )
    });
}

/// Tells what the run came to. It failed if all it did was to reject records.
fn conclude(plan: &Plan, totals: &Totals, restarts: u64, began: Instant) -> Result<(), Failure> {
    tracing::info!(
        records = totals.records,
        rejects = totals.rejects,
        quarantined = totals.quarantined,
        restarts,
        seconds = began.elapsed().as_secs_f64(),
        "run finished"
    );
    summary::print(plan, totals, restarts, began.elapsed())?;
    let warning = totals.rejects_warning.as_deref();
    if totals.is_worthless() {
        let reason = match (warning, &totals.rejects_file) {
            (Some(warning), _) => warning.to_owned(),
            // A prior run rejected them, and said why.
            (None, Some(file)) => format!(
                "all records are rejected ({}); see `{}`",
                totals.rejects,
                name_of(file)
            ),
            (None, None) => format!("all records are rejected ({})", totals.rejects),
        };
        return Err(Failure::Failed(anyhow!("nothing was scored: {reason}")));
    }
    if let Some(warning) = warning {
        warn(warning);
    }
    if let Some(warning) = summary::columns_warning(totals) {
        warn(&warning);
    }
    if let Some(warning) = summary::language_warning(plan, totals) {
        warn(&warning);
    }
    Ok(())
}

/// What an error of the pool means, and what becomes of what was done.
fn failure(plan: &Plan, error: PoolError, sink: OutputSink) -> Failure {
    // With the same command the record would be met again; but there is one without --strict.
    if matches!(&error, PoolError::Sink(error) if error.is::<Rejected>()) {
        if plan.resume {
            sink.fail();
        }
        return pool_failure(error, sink_failure);
    }
    let failure = pool_failure(error, sink_failure);
    if !sink.fail() {
        return failure;
    }
    let hint = |error: anyhow::Error| {
        anyhow!(
            "{error:#}; the finished part is kept; run the same command with --resume to continue"
        )
    };
    match failure {
        Failure::Failed(error) => Failure::Failed(hint(error)),
        Failure::Defeated(error) => Failure::Defeated(hint(error)),
        other => other,
    }
}
