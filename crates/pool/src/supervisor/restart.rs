//! When a dead worker's slot is filled again.
//!
//! A worker that achieved something before it died is replaced at once: whatever killed it came from outside or from
//! one shard. A worker that died without having achieved anything is replaced after a pause that doubles with every
//! such death in a row, and when too many of them follow each other in one slot while the whole pool stands still,
//! the run is given up.

use std::time::Duration;

/// How long to wait before the next process, and how often to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartPolicy {
    /// The pause after the first death without progress.
    pub first_backoff: Duration,
    /// The longest pause.
    pub max_backoff: Duration,
    /// So many deaths in a row of one slot, with no progress anywhere meanwhile, end the run.
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

/// The deaths of one slot.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct History {
    /// How many deaths without progress came in a row.
    pub(super) crashes: u32,
    first_crash: Duration,
}

impl History {
    /// Forgets the deaths so far: their cause has been found.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Judges a death at `now`. `progressed`: the dead worker had achieved something. `pool_progress`: when any worker
    /// last did.
    pub(super) fn judge(
        &mut self,
        policy: &RestartPolicy,
        now: Duration,
        progressed: bool,
        pool_progress: Option<Duration>,
    ) -> Verdict {
        if progressed {
            *self = Self::default();
            return Verdict::RestartAt(now);
        }
        if self.crashes == 0 {
            self.first_crash = now;
        }
        self.crashes += 1;
        let stands_still = pool_progress.is_none_or(|last| last < self.first_crash);
        if self.crashes >= policy.max_crashes && stands_still {
            return Verdict::GiveUp;
        }
        let doublings = (self.crashes - 1).min(31);
        Verdict::RestartAt(
            now + policy
                .max_backoff
                .min(policy.first_backoff * 2_u32.pow(doublings)),
        )
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

    #[test]
    fn a_worker_that_achieved_something_is_replaced_at_once() {
        let mut history = History::default();
        assert_eq!(
            history.judge(&POLICY, ms(5), true, Some(ms(4))),
            Verdict::RestartAt(ms(5))
        );
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut history = History::default();
        let pauses = [10, 20, 30].map(|pause| Verdict::RestartAt(ms(pause)));
        assert_eq!(
            [(); 3].map(|()| history.judge(&POLICY, ms(0), false, None)),
            pauses
        );
    }

    #[test]
    fn a_run_of_deaths_ends_the_run_only_if_the_whole_pool_stands_still() {
        let (mut alone, mut among_others) = (History::default(), History::default());
        for now in 1..=3 {
            alone.judge(&POLICY, ms(now), false, None);
            among_others.judge(&POLICY, ms(now), false, None);
        }
        assert_eq!(alone.judge(&POLICY, ms(9), false, None), Verdict::GiveUp);
        assert_eq!(
            among_others.judge(&POLICY, ms(9), false, Some(ms(2))),
            Verdict::RestartAt(ms(39))
        );
    }
}
