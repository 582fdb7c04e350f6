//! What the run took of the machine, as the kernel has counted it.

use std::fs;

/// Processor time in seconds and memory in bytes.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// This process alone.
    pub(crate) supervisor_cpu: f64,
    /// Its workers, those that died included.
    pub(crate) workers_cpu: f64,
    /// The most memory this process ever held.
    pub(crate) supervisor_peak_rss: u64,
}

impl Usage {
    /// So far. Zeros where the kernel does not tell.
    pub(crate) fn now() -> Self {
        let (own, children) = cpu_times().unwrap_or_default();
        Self {
            supervisor_cpu: own,
            workers_cpu: children,
            supervisor_peak_rss: peak_rss().unwrap_or_default(),
        }
    }
}

/// User and system time of this process and of its children that ended, from `/proc/self/stat`: proc(5), fields 14
/// to 17.
fn cpu_times() -> Option<(f64, f64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses, and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    #[expect(
        clippy::cast_precision_loss,
        reason = "ticks are hundredths of a second"
    )]
    let seconds = |field: usize| {
        let ticks: u64 = fields.get(field - 3)?.parse().ok()?;
        Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    };
    Some((seconds(14)? + seconds(15)?, seconds(16)? + seconds(17)?))
}

/// `VmHWM` of `/proc/self/status`: proc(5).
fn peak_rss() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}
