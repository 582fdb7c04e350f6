//! Limits of worker processes: priority, CPU, memory.

use std::collections::HashMap;
use std::io;

use rustix::process::{Resource, Rlimit};
use rustix::thread::CpuSet;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::descriptors;
use crate::ids::WorkerId;

/// Limits of each worker process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// What is added to the worker's nice value: nice(2).
    pub nice: i32,
    /// Whether each worker is bound to one CPU. If there are more workers than CPUs, some share one.
    pub pin: bool,
    /// The memory limit in bytes. A worker whose resident memory exceeds it is replaced once it holds nothing.
    /// Allocations beyond twice the limit fail, and a worker whose allocation fails aborts.
    pub max_memory: Option<u64>,
}

/// The limits of one worker, worked out before the process is forked: after that nothing may be allocated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResolvedLimits {
    nice: i32,
    cpu: Option<CpuSet>,
    data: Option<u64>,
    /// How many descriptors this process was allowed before it allowed itself more.
    descriptors: Option<Rlimit>,
}

impl Limits {
    /// What the worker in `slot` gets. Without a list of CPUs from the kernel there is no pinning.
    pub(crate) fn resolve(&self, slot: u32) -> ResolvedLimits {
        let cpu = self.pin.then(|| own_cpu(slot)).flatten();
        ResolvedLimits {
            nice: self.nice,
            cpu,
            data: self.max_memory.map(|most| most.saturating_mul(2)),
            descriptors: descriptors::inherited(),
        }
    }
}

impl ResolvedLimits {
    /// Sets the limits of the calling process. Makes system calls only, as it runs between fork and exec.
    pub(crate) fn apply(&self) -> io::Result<()> {
        if self.nice != 0 {
            rustix::process::nice(self.nice)?;
        }
        if let Some(cpu) = &self.cpu {
            rustix::thread::sched_setaffinity(None, cpu)?;
        }
        if let Some(data) = self.data {
            let limit = Rlimit {
                current: Some(data),
                maximum: Some(data),
            };
            rustix::process::setrlimit(Resource::Data, limit)?;
        }
        if let Some(limit) = self.descriptors {
            rustix::process::setrlimit(Resource::Nofile, limit)?;
        }
        Ok(())
    }
}

/// The CPU of a slot, counting those that this process may use round and round.
fn own_cpu(slot: u32) -> Option<CpuSet> {
    let allowed = rustix::thread::sched_getaffinity(None).ok()?;
    let cpus: Vec<usize> = (0..CpuSet::MAX_CPU)
        .filter(|&cpu| allowed.is_set(cpu))
        .collect();
    let mut own = CpuSet::new();
    own.set(*cpus.get(slot as usize % cpus.len().max(1))?);
    Some(own)
}

/// Measures the memory of workers.
pub(crate) struct MemoryGauge {
    system: System,
    most: u64,
}

impl MemoryGauge {
    /// Returns a gauge that finds workers over `most` bytes; `None` if the system does not tell.
    pub(crate) fn new(most: u64) -> Option<Self> {
        Some(Self {
            system: System::new().ok()?,
            most,
        })
    }

    /// Those of the workers, given by process id, whose resident memory is over the limit.
    pub(crate) fn oversize(&mut self, workers: &HashMap<u32, WorkerId>) -> Vec<WorkerId> {
        let pids: Vec<Pid> = workers.keys().map(|&pid| Pid::from_u32(pid)).collect();
        let what = ProcessRefreshKind::nothing().with_memory();
        self.system
            .refresh_processes_specifics(ProcessesToUpdate::Some(&pids), true, what);
        let over = |pid: &&Pid| {
            self.system
                .process(**pid)
                .is_some_and(|process| process.memory() > self.most)
        };
        pids.iter()
            .filter(over)
            .filter_map(|pid| workers.get(&pid.as_u32()).copied())
            .collect()
    }
}

impl std::fmt::Debug for MemoryGauge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryGauge")
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}
