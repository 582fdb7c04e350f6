//! `moodring score`: posts in, scored posts out.
//!
//! The typed flags become a [`Plan`]; [`ledger`] takes what the pool releases; [`summary`] tells a person about it.

mod ledger;
mod plan;
mod summary;
mod usage;

use std::time::Instant;

use anyhow::anyhow;
use moodring_job::{AnyJob, Setup};
use moodring_pool::{BoxError, Delivery, in_process, wire};
use moodring_store::StoreError;

use crate::cli::ScoreArgs;
use crate::exit::Failure;
use crate::run::progress::Progress;
use crate::run::signals::Interrupt;
use crate::run::tasks::Tasks;
use crate::run::{pool_failure, store_failure};
use ledger::{Ledger, Rejected};
use plan::Plan;

/// Runs the command.
pub(crate) fn run(args: ScoreArgs) -> Result<(), Failure> {
    let began = Instant::now();
    let plan = Plan::make(args)?;
    let feed = plan.source.open(&plan.models.columns)?;
    let header = plan.header(&feed)?;
    let mut ledger = Ledger::open(&plan, &feed, &header)?;
    let interrupt = Interrupt::listen(ledger.unfinished_files()).map_err(Failure::failed)?;
    let tasks = Tasks::new(feed, interrupt.clone());
    let setup =
        wire::encode(&Setup::Score(plan.setup(ledger.part_path()))).map_err(Failure::failed)?;
    let delivery = if ledger.part_path().is_some() {
        Delivery::Commit
    } else {
        Delivery::Inline
    };

    let ran = if plan.in_process {
        ledger.watch(Progress::start(
            plan.quiet,
            plan.source.stored_bytes(),
            None,
        ));
        in_process::run::<AnyJob>(&setup, delivery, &mut { tasks }, &mut ledger).map(|_| 0)
    } else {
        let pool = plan
            .scale
            .pool()
            .unordered(plan.unordered)
            .delivery(delivery)
            .setup(setup)
            .build();
        interrupt.steers(pool.control(), plan.scale.workers);
        ledger.watch(Progress::start(
            plan.quiet,
            plan.source.stored_bytes(),
            Some(pool.control()),
        ));
        pool.run(tasks, &mut ledger).map(|outcome| outcome.restarts)
    };
    ledger.stop_watching();

    let restarts = ran.map_err(|error| pool_failure(error, sink_failure))?;
    if let Some(signal) = interrupt.received() {
        ledger.abandon();
        return Err(Failure::Interrupted(signal));
    }
    let totals = ledger.commit()?;
    summary::print(&plan, &totals, restarts, began.elapsed())
}

fn sink_failure(error: BoxError) -> Failure {
    match error.downcast::<StoreError>() {
        Ok(error) => store_failure(*error),
        Err(error) => match error.downcast::<Rejected>() {
            Ok(rejected) => Failure::failed(*rejected),
            Err(error) => Failure::Failed(anyhow!(error)),
        },
    }
}
