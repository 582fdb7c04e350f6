//! The time that counts: that for which the loop around a [`Supervisor`](super::Supervisor) was running.

use std::time::Duration;

/// The longest that a loop with a deadline ahead waits without looking at its clock: lateness is measured no finer.
pub const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// A loop that is late by no more than this is an ordinary loop on a busy machine.
const TOLERANCE: Duration = Duration::from_millis(100);

/// Stops while the loop is late.
///
/// A worker's deadline measures the worker. While the supervisor itself is stopped, suspended or blocked in its
/// sink, it hears nothing of what workers have done in time, and would kill them for its own lateness. So the time
/// that [`Supervisor::handle`](super::Supervisor::handle) gets is taken from this clock, and whenever the loop
/// takes longer than it planned by more than a tolerance, the clock leaves that out: all deadlines shift by the
/// lateness.
///
/// The tolerance is 100 ms, or a quarter of the shortest timeout if that is less.
#[derive(Debug, Clone)]
pub struct LoopClock {
    tolerance: Duration,
    /// When the loop looked at the clock last, lateness included.
    looked: Duration,
    late: Duration,
}

impl LoopClock {
    /// A clock at zero, for a pool whose shortest timeout of a worker is `shortest`.
    #[must_use]
    pub fn new(shortest: Duration) -> Self {
        Self {
            tolerance: TOLERANCE.min(shortest / 4),
            looked: Duration::ZERO,
            late: Duration::ZERO,
        }
    }

    /// Notes that it is `elapsed` since the pool began, and that the loop planned to take no longer than `planned`
    /// since it looked last: zero for its own work, the time until the next deadline for a wait. Returns the time
    /// that counts.
    pub fn look(&mut self, elapsed: Duration, planned: Duration) -> Duration {
        let took = elapsed.saturating_sub(self.looked);
        let late = took.saturating_sub(planned);
        if late > self.tolerance {
            self.late += late;
        }
        self.looked = self.looked.max(elapsed);
        self.looked.saturating_sub(self.late)
    }

    /// By how much the loop has been late in all.
    #[must_use]
    pub fn late(&self) -> Duration {
        self.late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn time_in_which_the_loop_was_late_does_not_count() {
        let mut clock = LoopClock::new(ms(2_000));
        assert_eq!(clock.look(ms(250), ms(250)), ms(250));
        assert_eq!(clock.look(ms(60_000), ms(250)), ms(500), "it was stopped");
        assert_eq!(clock.look(ms(60_250), ms(250)), ms(750));
        assert_eq!(clock.look(ms(63_250), ms(0)), ms(750), "its sink blocked");
        assert_eq!(clock.late(), ms(62_500));
    }

    #[test]
    fn a_loop_that_is_a_little_late_is_not_stopped() {
        let mut clock = LoopClock::new(ms(2_000));
        assert_eq!(clock.look(ms(90), ms(0)), ms(90));
        assert_eq!(clock.look(ms(200), ms(50)), ms(200));
        let mut exact = LoopClock::new(ms(20));
        assert_eq!(exact.look(ms(90), ms(10)), ms(10));
    }

    #[test]
    fn a_loop_that_never_keeps_its_plans_still_reaches_a_deadline() {
        let mut clock = LoopClock::new(ms(10));
        let mut elapsed = ms(0);
        for looks in 1..=20 {
            elapsed += ms(50);
            assert_eq!(clock.look(elapsed, ms(1)), ms(looks));
        }
    }

    #[test]
    fn the_clock_never_goes_back() {
        let mut clock = LoopClock::new(ms(2_000));
        assert_eq!(clock.look(ms(50), ms(50)), ms(50));
        assert_eq!(clock.look(ms(40), ms(0)), ms(50));
    }
}
