//! How many workers there should be, by the work there is and the room there is for it.

/// Looks in a row that must agree before a worker is added, and before workers are taken away. Taking away is
/// slower: a pause in the input is often short, and a worker that waits costs little.
const TO_GROW: u32 = 2;
const TO_SHRINK: u32 = 8;

/// What is seen of the pool and the machine at one look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Workers that have nothing to do.
    pub idle_workers: u32,
    /// CPUs that have nothing to do, in parts too.
    pub idle_cpus: f64,
}

/// Decides on the number of workers, look by look. Pure: when to look is for others to say.
#[derive(Debug, Clone)]
pub struct Autoscale {
    min: u32,
    max: u32,
    workers: u32,
    /// How many looks in a row said that there are too few, and too many.
    hungry: u32,
    idle: u32,
}

impl Autoscale {
    /// Between `min` and `max` workers, beginning with `min`.
    #[must_use]
    pub fn new(min: u32, max: u32) -> Self {
        let min = min.max(1);
        Self {
            min,
            max: max.max(min),
            workers: min,
            hungry: 0,
            idle: 0,
        }
    }

    /// How many workers there should be now.
    #[must_use]
    pub fn workers(&self) -> u32 {
        self.workers
    }

    /// Takes a look, and says how many workers there should be if that is another number now.
    ///
    /// Workers are added while all have work and the machine has a CPU to spare for another; half as many as there
    /// are at a time, so that many are reached soon. They are taken away while some have nothing to do.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "idle CPUs are few and not negative"
    )]
    pub fn look(&mut self, load: Load) -> Option<u32> {
        let room = load.idle_cpus.max(0.0) as u32;
        let hungry = load.idle_workers == 0 && room >= 1;
        let idle = load.idle_workers > 0;
        self.hungry = if hungry { self.hungry + 1 } else { 0 };
        self.idle = if idle { self.idle + 1 } else { 0 };
        let wanted = if self.hungry >= TO_GROW {
            let step = (self.workers / 2).max(1).min(room);
            self.workers.saturating_add(step).min(self.max)
        } else if self.idle >= TO_SHRINK {
            self.workers.saturating_sub(load.idle_workers).max(self.min)
        } else {
            self.workers
        };
        if wanted == self.workers {
            return None;
        }
        self.workers = wanted;
        (self.hungry, self.idle) = (0, 0);
        Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(scale: &mut Autoscale, load: Load, times: u32) -> u32 {
        for _ in 0..times {
            let _ = scale.look(load);
        }
        scale.workers()
    }

    const BUSY: Load = Load {
        idle_workers: 0,
        idle_cpus: 40.0,
    };

    #[test]
    fn work_and_room_add_workers_up_to_the_most() {
        let mut scale = Autoscale::new(1, 8);
        assert_eq!(looks(&mut scale, BUSY, 1), 1, "one look proves nothing");
        assert_eq!(looks(&mut scale, BUSY, 1), 2);
        assert_eq!(looks(&mut scale, BUSY, 20), 8);
        assert_eq!(scale.look(BUSY), None);
    }

    #[test]
    fn a_machine_without_a_free_cpu_gets_no_more_workers() {
        let mut scale = Autoscale::new(2, 8);
        let full = Load {
            idle_cpus: 0.4,
            ..BUSY
        };
        assert_eq!(looks(&mut scale, full, 50), 2);
        let tight = Load {
            idle_cpus: 1.5,
            ..BUSY
        };
        assert_eq!(looks(&mut scale, tight, 2), 3);
    }

    #[test]
    fn idle_workers_go_after_a_while_down_to_the_least() {
        let mut scale = Autoscale::new(2, 8);
        looks(&mut scale, BUSY, 20);
        let pause = Load {
            idle_workers: 5,
            idle_cpus: 40.0,
        };
        assert_eq!(looks(&mut scale, pause, TO_SHRINK - 1), 8);
        assert_eq!(looks(&mut scale, pause, 1), 3);
        assert_eq!(looks(&mut scale, pause, 50), 2);
    }

    #[test]
    fn a_short_pause_changes_nothing() {
        let mut scale = Autoscale::new(1, 4);
        looks(&mut scale, BUSY, 20);
        let pause = Load {
            idle_workers: 4,
            idle_cpus: 4.0,
        };
        for _ in 0..20 {
            assert_eq!(looks(&mut scale, pause, TO_SHRINK - 1), 4);
            assert_eq!(looks(&mut scale, BUSY, 1), 4);
        }
    }
}
