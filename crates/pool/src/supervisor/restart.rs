//! When a dead worker's slot is filled again, and when the run is given up.
//!
//! A worker *progressed* if it prepared, tried or committed a shard that had not got that far before, or began a
//! second item. The pool progressed whenever one of its workers prepared, tried or committed a shard that had not
//! got that far.
//!
//! - A worker that leaves because it was told to (scaled away, renewed, the run is over) has not crashed. Its
//!   successor starts at once. If it progressed, the crashes of its slot are forgotten.
//! - A worker that progressed and then died is replaced at once, and the crashes of its slot are forgotten: what
//!   killed it came from outside or from one shard.
//! - A worker that died without progress is a *crash*. Its slot is filled again after a pause of
//!   [`first_backoff`](RestartPolicy::first_backoff), which doubles with each further crash of the slot up to
//!   [`max_backoff`](RestartPolicy::max_backoff).
//! - [`max_crashes`](RestartPolicy::max_crashes) crashes of one slot since the pool last progressed end the run. It
//!   does not matter what the slot or the pool did before that.
//! - The crashes of a slot are also forgotten when their cause was found: an item was quarantined for them.
//!
//! This is the restart intensity of an OTP supervisor, with progress in the place of its clock: a pool that does
//! its work outlives any number of crashes, and one that does not ends after a few.

use std::time::Duration;

/// How long to wait before the next process, and how often to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartPolicy {
    /// The pause after a slot's first crash.
    pub first_backoff: Duration,
    /// The longest pause.
    pub max_backoff: Duration,
    /// This many crashes of one slot since the pool last progressed end the run.
    pub max_crashes: u32,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            first_backoff: Duration::from_millis(20),
            max_backoff: Duration::from_secs(2),
            max_crashes: 5,
        }
    }
}

/// What to do about a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Start a new process at that time.
    RestartAt(Duration),
    /// It is of no use.
    GiveUp,
}

/// A death that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Death {
    pub(super) at: Duration,
    /// Whether the dead worker progressed.
    pub(super) progressed: bool,
    /// When the pool last progressed.
    pub(super) pool_progress: Option<Duration>,
}

/// The crashes of one slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct History {
    /// In a row.
    in_a_row: u32,
    /// Those of them since the pool last progressed.
    pub(super) fruitless: u32,
    /// When the last one was.
    last: Duration,
}

impl RestartPolicy {
    /// Judges a death: the slot's history with it, and what to do.
    pub(super) fn judge(&self, history: History, death: Death) -> (History, Verdict) {
        if death.progressed {
            return (History::default(), Verdict::RestartAt(death.at));
        }
        let pool_progressed = death.pool_progress.is_some_and(|at| at >= history.last);
        let history = History {
            in_a_row: history.in_a_row.saturating_add(1),
            fruitless: if pool_progressed {
                1
            } else {
                history.fruitless.saturating_add(1)
            },
            last: death.at,
        };
        if history.fruitless >= self.max_crashes {
            return (history, Verdict::GiveUp);
        }
        let doublings = (history.in_a_row - 1).min(31);
        let pause = self
            .first_backoff
            .saturating_mul(2_u32.pow(doublings))
            .min(self.max_backoff);
        (history, Verdict::RestartAt(death.at + pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RestartPolicy = RestartPolicy {
        first_backoff: Duration::from_millis(10),
        max_backoff: Duration::from_millis(30),
        max_crashes: 4,
    };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// The verdicts on crashes at these times, the pool having progressed last at `pool_progress`.
    fn crashes(history: &mut History, times: &[u64], pool_progress: Option<u64>) -> Vec<Verdict> {
        let judge = |&at: &u64| {
            let death = Death {
                at: ms(at),
                progressed: false,
                pool_progress: pool_progress.map(ms),
            };
            let (next, verdict) = POLICY.judge(*history, death);
            *history = next;
            verdict
        };
        times.iter().map(judge).collect()
    }

    #[test]
    fn a_worker_that_progressed_is_replaced_at_once_and_its_slot_begins_anew() {
        let mut history = History::default();
        crashes(&mut history, &[1, 2, 3], None);
        let death = Death {
            at: ms(5),
            progressed: true,
            pool_progress: Some(ms(4)),
        };
        assert_eq!(
            POLICY.judge(history, death),
            (History::default(), Verdict::RestartAt(ms(5)))
        );
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses = [10, 20, 30].map(|pause| Verdict::RestartAt(ms(pause)));
        assert_eq!(crashes(&mut History::default(), &[0, 0, 0], None), pauses);
    }

    #[test]
    fn a_run_of_crashes_ends_the_run_only_if_the_whole_pool_stands_still() {
        let (mut alone, mut among_others) = (History::default(), History::default());
        crashes(&mut alone, &[1, 2, 3], None);
        crashes(&mut among_others, &[1, 2, 3], None);
        assert_eq!(crashes(&mut alone, &[9], None), [Verdict::GiveUp]);
        assert_eq!(
            crashes(&mut among_others, &[9], Some(8)),
            [Verdict::RestartAt(ms(39))]
        );
    }

    #[test]
    fn progress_between_two_crashes_does_not_save_the_run_from_those_that_follow() {
        let mut history = History::default();
        crashes(&mut history, &[1], None);
        let verdicts = crashes(&mut history, &[9, 10, 11, 12], Some(5));
        assert_eq!(verdicts.last(), Some(&Verdict::GiveUp));
    }
}
