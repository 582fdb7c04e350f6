//! Has `--workers MIN..MAX` follow the work and the machine.

use std::io;
use std::thread;
use std::time::Duration;

use moodring_pool::supervisor::{Autoscale, Load, WorkerState};
use moodring_pool::{Control, WorkerStatus};
use sysinfo::System;

use super::signals::Interrupt;

/// How often to look.
const PERIOD: Duration = Duration::from_millis(250);

/// Looks at the pool from now on, and changes the number of its workers, until it is over or somebody else says how many
/// there are to be.
pub(crate) fn follow(mut scale: Autoscale, pool: Control, interrupt: Interrupt) -> io::Result<()> {
    let look = move || {
        let Ok(mut system) = System::new() else {
            return;
        };
        system.refresh_cpu_usage();
        loop {
            thread::sleep(PERIOD);
            let workers = pool.workers();
            if workers.is_empty() || !interrupt.is_scaled_by_itself() {
                return;
            }
            system.refresh_cpu_usage();
            if let Some(wanted) = scale.look(load(&workers, &system)) {
                tracing::info!(workers = wanted, "the pool is scaled");
                interrupt.scale_by_itself(wanted);
            }
        }
    };
    let thread = thread::Builder::new().name("autoscale".to_owned());
    thread.spawn(look).map(drop)
}

#[expect(clippy::cast_precision_loss, reason = "CPUs are few")]
fn load(workers: &[WorkerStatus], system: &System) -> Load {
    let idle =
        |worker: &&WorkerStatus| worker.view.state == WorkerState::Ready && worker.view.holds == 0;
    let free = 1.0 - f64::from(system.global_cpu_usage()) / 100.0;
    Load {
        idle_workers: u32::try_from(workers.iter().filter(idle).count()).unwrap_or(u32::MAX),
        idle_cpus: free * system.cpus().len() as f64,
    }
}
