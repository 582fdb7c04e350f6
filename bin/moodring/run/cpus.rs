//! How many CPUs are idle that this process may use: those of the machine, as far as its affinity and the quotas of its
//! control groups let it have them.
//!
//! (`--workers auto` needs none of this: `std::thread::available_parallelism` respects affinity and quotas of both versions
//! of control groups. What it does not tell is how much of that is taken.)

use std::fs;
use std::path::Path;
use std::time::Instant;

use rustix::thread::CpuSet;
use sysinfo::System;

use super::cgroup::{self, Level};

/// Measures idle CPUs from look to look.
pub(crate) struct Cpus {
    system: Option<System>,
    levels: Vec<Measured>,
}

/// A control group with a quota, as it was seen last.
struct Measured {
    level: Level,
    seen: Instant,
    /// Processor seconds used by then.
    used: f64,
}

impl Cpus {
    /// What is known at the start; the first look measures from here.
    pub(crate) fn new() -> Self {
        let mut system = System::new().ok();
        if let Some(system) = &mut system {
            system.refresh_cpu_usage();
        }
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let levels = cgroup::levels(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
        let measured = |level: Level| {
            level.quota(&read_file)?;
            let used = level.used(&read_file)?;
            let seen = Instant::now();
            Some(Measured { level, seen, used })
        };
        Self {
            system,
            levels: levels.into_iter().filter_map(measured).collect(),
        }
    }

    /// How many CPUs this process could have had beside what was used since the last look; `None` where the system does
    /// not tell.
    pub(crate) fn idle(&mut self) -> Option<f64> {
        let system = self.system.as_mut()?;
        system.refresh_cpu_usage();
        let mine = rustix::thread::sched_getaffinity(None).ok();
        let usable = |name: &str| {
            let number = name
                .strip_prefix("cpu")
                .and_then(|number| number.parse().ok());
            match (&mine, number) {
                (Some(mine), Some(number)) if number < CpuSet::MAX_CPU => mine.is_set(number),
                _ => true,
            }
        };
        let cpus = system.cpus().iter().filter(|cpu| usable(cpu.name()));
        let idle: f64 = cpus.map(|cpu| 1.0 - f64::from(cpu.usage()) / 100.0).sum();
        Some(
            self.levels
                .iter_mut()
                .filter_map(Measured::idle)
                .fold(idle, f64::min),
        )
    }
}

impl Measured {
    /// What is left of the quota.
    fn idle(&mut self) -> Option<f64> {
        let (quota, used) = (self.level.quota(&read_file)?, self.level.used(&read_file)?);
        let seconds = self.seen.elapsed().as_secs_f64();
        let rate = (used - self.used) / seconds.max(0.001);
        (self.seen, self.used) = (Instant::now(), used);
        Some(quota - rate)
    }
}

fn read_file(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_cpus_are_idle_than_there_are() {
        let idle = Cpus::new().idle().unwrap();
        let all = System::new().map_or(0, |mut system| {
            system.refresh_cpu_usage();
            system.cpus().len()
        });
        #[expect(clippy::cast_precision_loss, reason = "CPUs are few")]
        let all = all as f64;
        assert!((..=all).contains(&idle), "{idle} of {all}");
    }
}
