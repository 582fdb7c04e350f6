//! Has `--workers MIN..MAX` follow the work and the machine.

use std::thread;
use std::time::Duration;

use moodring_pool::supervisor::{Autoscale, Load, WorkerState};
use moodring_pool::{Control, Unanswered, WorkerStatus};

use super::cpus::Cpus;
use super::run_control::RunControl;

/// How often to look.
const PERIOD: Duration = Duration::from_millis(250);

/// Starts a thread that sets the number of workers from time to time, until the pool is over or a person sets it. A run
/// without such a thread keeps its number of workers.
pub(super) fn start(mut scale: Autoscale, pool: Control, control: RunControl) {
    let watched = pool.clone();
    let look = move || {
        let mut cpus = Cpus::new();
        while control.is_autoscaled() {
            thread::sleep(PERIOD);
            match next(&pool.inspect(), || cpus.idle(), &mut scale) {
                Next::Stop => return,
                Next::Wait => {}
                Next::Scale(wanted) => {
                    tracing::info!(workers = wanted, "the pool is scaled");
                    control.autoscale(wanted);
                }
            }
        }
    };
    if let Err(error) = watched.spawn("autoscale", look) {
        tracing::warn!("the number of workers stays as it is: cannot start a thread ({error})");
    }
}

/// What comes of a look.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Stop,
    Wait,
    Scale(u32),
}

/// Only a pool that is over is not looked at again: one that does not answer has a sink that blocks, or was stopped.
fn next(
    answer: &Result<Vec<WorkerStatus>, Unanswered>,
    idle_cpus: impl FnOnce() -> Option<f64>,
    scale: &mut Autoscale,
) -> Next {
    // The load since the last look is measured in any case.
    let idle_cpus = idle_cpus();
    let (workers, idle_cpus) = match (answer, idle_cpus) {
        (Err(Unanswered::Over), _) => return Next::Stop,
        (Err(Unanswered::Busy), _) | (_, None) => return Next::Wait,
        (Ok(workers), Some(idle_cpus)) => (workers, idle_cpus),
    };
    let idle =
        |worker: &&WorkerStatus| worker.slot.state == WorkerState::Ready && worker.slot.holds == 0;
    let load = Load {
        idle_workers: u32::try_from(workers.iter().filter(idle).count()).unwrap_or(u32::MAX),
        idle_cpus,
    };
    scale.look(load).map_or(Next::Wait, Next::Scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_does_not_answer_for_a_while_is_scaled_afterwards() {
        let mut scale = Autoscale::new(1, 4);
        let mut look = |answer| next(&answer, || Some(8.0), &mut scale);
        assert_eq!(look(Ok(Vec::new())), Next::Wait);
        for _ in 0..10 {
            assert_eq!(look(Err(Unanswered::Busy)), Next::Wait);
        }
        assert_eq!(look(Ok(Vec::new())), Next::Scale(2));
        assert_eq!(look(Err(Unanswered::Over)), Next::Stop);
    }

    #[test]
    fn a_machine_that_does_not_tell_its_load_gets_no_more_workers() {
        let mut scale = Autoscale::new(1, 4);
        for _ in 0..10 {
            assert_eq!(next(&Ok(Vec::new()), || None, &mut scale), Next::Wait);
        }
    }
}
