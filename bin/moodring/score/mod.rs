//! `moodring score`: posts in, scored posts out.
//!
//! The typed flags become a [`Plan`]; [`tasks`] feeds the pool, [`ledger`] takes what it releases,
//! [`signals`] ends it early; [`progress`] and [`summary`] tell a person about it.

mod ledger;
mod plan;
mod progress;
mod signals;
mod summary;
mod tasks;
mod usage;

use std::time::Instant;

use anyhow::anyhow;
use moodring_feed::FeedError;
use moodring_pool::process::WorkerCommand;
use moodring_pool::{Delivery, Pool, PoolError, in_process, wire};
use moodring_store::StoreError;

use crate::cli::ScoreArgs;
use crate::exit::Failure;
use ledger::{Ledger, Rejected};
use plan::Plan;
use progress::Progress;
use signals::Interrupt;
use tasks::Tasks;

/// Runs the command.
pub(crate) fn run(args: ScoreArgs) -> Result<(), Failure> {
    let began = Instant::now();
    let plan = Plan::make(args)?;
    let feed = plan.open_feed()?;
    let header = plan.header(&feed)?;
    let mut ledger = Ledger::open(&plan, &feed, &header)?;
    let interrupt = Interrupt::listen(ledger.unfinished_files()).map_err(Failure::failed)?;
    let tasks = Tasks::new(feed, interrupt.clone());
    let setup = wire::encode(&plan.setup(ledger.part_path())).map_err(Failure::failed)?;
    let delivery = if ledger.part_path().is_some() {
        Delivery::Commit
    } else {
        Delivery::Inline
    };

    let ran = if plan.in_process {
        ledger.watch(Progress::start(&plan, None));
        in_process::run::<moodring_job::ScoreJob>(&setup, delivery, &mut { tasks }, &mut ledger)
            .map(|_| 0)
    } else {
        let command = WorkerCommand::this_program("moodring", &["worker"]);
        let pool = Pool::builder(plan.workers, command);
        let pool = pool
            .unordered(plan.unordered)
            .delivery(delivery)
            .setup(setup)
            .item_timeout(plan.record_timeout)
            .max_crashes(plan.max_crashes)
            .max_shards(plan.max_shards)
            .limits(plan.limits)
            .build();
        interrupt.steers(pool.control(), plan.workers);
        ledger.watch(Progress::start(&plan, Some(pool.control())));
        pool.run(tasks, &mut ledger).map(|outcome| outcome.restarts)
    };
    ledger.stop_watching();

    let restarts = ran.map_err(failure)?;
    if let Some(signal) = interrupt.received() {
        ledger.abandon();
        return Err(Failure::Interrupted(signal));
    }
    let totals = ledger.commit()?;
    summary::print(&plan, &totals, restarts, began.elapsed())
}

/// What an error of the pool means to the person who ran the command.
fn failure(error: PoolError) -> Failure {
    match error {
        PoolError::Sink(error) => match error.downcast::<StoreError>() {
            Ok(error) => store_failure(*error),
            Err(error) => match error.downcast::<Rejected>() {
                Ok(rejected) => Failure::failed(*rejected),
                Err(error) => Failure::Failed(anyhow!(error)),
            },
        },
        PoolError::Feed(error) => match error.downcast::<FeedError>() {
            Ok(error) => feed_failure(*error),
            Err(error) => Failure::Failed(anyhow!(error)),
        },
        PoolError::Defeat(defeat) => Failure::Defeated(anyhow!("the run was given up: {defeat}")),
        error => Failure::failed(error),
    }
}

fn feed_failure(error: FeedError) -> Failure {
    if error.is_usage() {
        Failure::usage(error)
    } else {
        Failure::failed(error)
    }
}

fn store_failure(error: StoreError) -> Failure {
    match error {
        StoreError::Closed { .. } => Failure::OutputClosed,
        error if error.is_usage() => Failure::usage(error),
        error => Failure::failed(error),
    }
}
