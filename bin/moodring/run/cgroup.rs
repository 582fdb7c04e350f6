//! The processor quotas of control groups, version 1 and 2: cgroups(7), and `cpu.max` and `cpu.cfs_quota_us` in the
//! kernel's documentation. Files come in through functions, so that all of it is pure.

use std::path::{Path, PathBuf};

/// A control group that holds this process: its own, or one above it. Quotas hold at every level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Level {
    /// The folder of the unified hierarchy.
    V2(PathBuf),
    /// Those of the controllers `cpu` and `cpuacct`.
    V1 { cpu: PathBuf, cpuacct: PathBuf },
}

/// How a file is read, if it is there.
type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

impl Level {
    /// How many CPUs the group may use, if that is limited.
    pub(crate) fn quota(&self, read: Read<'_>) -> Option<f64> {
        match self {
            Self::V2(folder) => parse_cpu_max(&read(&folder.join("cpu.max"))?),
            Self::V1 { cpu, .. } => parse_cfs(
                &read(&cpu.join("cpu.cfs_quota_us"))?,
                &read(&cpu.join("cpu.cfs_period_us"))?,
            ),
        }
    }

    /// How many processor seconds it has used.
    pub(crate) fn used(&self, read: Read<'_>) -> Option<f64> {
        match self {
            Self::V2(folder) => {
                let stat = read(&folder.join("cpu.stat"))?;
                let usage = stat
                    .lines()
                    .find_map(|line| line.strip_prefix("usage_usec "));
                Some(parse_positive(usage?)? / 1e6)
            }
            Self::V1 { cpuacct, .. } => {
                Some(parse_positive(&read(&cpuacct.join("cpuacct.usage"))?)? / 1e9)
            }
        }
    }
}

/// `cpu.max` of version 2: `MAX PERIOD` in microseconds, or `max PERIOD`.
fn parse_cpu_max(content: &str) -> Option<f64> {
    let (quota, period) = content.trim().split_once(' ')?;
    parse_cfs(quota, period)
}

/// The quota and period of version 1, in microseconds; −1 is no quota.
fn parse_cfs(quota: &str, period: &str) -> Option<f64> {
    let (quota, period) = (parse_positive(quota)?, parse_positive(period)?);
    Some(quota / period).filter(|cpus| cpus.is_finite() && *cpus > 0.0)
}

fn parse_positive(typed: &str) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of a CPU needs few digits"
    )]
    let number = typed.trim().parse::<u64>().ok()? as f64;
    Some(number)
}

/// The groups that hold this process, by `/proc/self/cgroup` and `/proc/self/mountinfo`, the innermost first.
pub(crate) fn levels(cgroup: &str, mountinfo: &str) -> Vec<Level> {
    let folders = |kind: &str, controller: &str| {
        let group = cgroup.lines().find_map(|line| member(line, controller));
        let mount = mountinfo
            .lines()
            .find_map(|line| Mount::parse(line, kind, controller));
        group
            .zip(mount)
            .map(|(group, mount)| mount.folders(group))
            .unwrap_or_default()
    };
    let unified = folders("cgroup2", "").into_iter().map(Level::V2);
    let (cpu, cpuacct) = (folders("cgroup", "cpu"), folders("cgroup", "cpuacct"));
    let split = cpu.into_iter().zip(cpuacct);
    unified
        .chain(split.map(|(cpu, cpuacct)| Level::V1 { cpu, cpuacct }))
        .collect()
}

/// The group in a line `NUMBER:CONTROLLERS:GROUP`, if it is one of the controller. The unified hierarchy has number 0
/// and names none.
fn member<'a>(line: &'a str, controller: &str) -> Option<&'a Path> {
    let mut fields = line.splitn(3, ':');
    let (number, controllers, group) = (fields.next()?, fields.next()?, fields.next()?);
    let is_it = if controller.is_empty() {
        number == "0" && controllers.is_empty()
    } else {
        controllers.split(',').any(|each| each == controller)
    };
    is_it.then_some(Path::new(group))
}

/// Where a hierarchy is mounted, and from which of its groups on: in a container not from the root.
struct Mount<'a> {
    root: &'a Path,
    point: &'a Path,
}

impl<'a> Mount<'a> {
    /// Parses a line of mountinfo, as in proc(5): `ID PARENT DEVICE ROOT POINT OPTIONS [TAGS] - KIND SOURCE SUPER`.
    fn parse(line: &'a str, kind: &str, controller: &str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut system = system.split(' ');
        let of_kind = system.next()? == kind;
        let mut options = system.nth(1)?.split(',');
        if !of_kind || !(controller.is_empty() || options.any(|option| option == controller)) {
            return None;
        }
        let mut mount = mount.split(' ').skip(3);
        Some(Self {
            root: Path::new(mount.next()?),
            point: Path::new(mount.next()?),
        })
    }

    /// The folders of a group and those above it, as far as they are mounted.
    fn folders(&self, group: &Path) -> Vec<PathBuf> {
        // With a namespace of its own a process sees its group relative to that, and so its mount.
        let below = group.strip_prefix(self.root).unwrap_or(Path::new(""));
        let is_plain = |part: &std::ffi::OsStr| part != "..";
        if !below.iter().all(is_plain) {
            return vec![self.point.to_owned()];
        }
        below
            .ancestors()
            .map(|ancestor| self.point.join(ancestor))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const V2_MOUNT: &str =
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    const V1_MOUNTS: &str = "\
34 25 0:29 /docker/c0ffee /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:15 - cgroup cgroup rw,cpu,cpuacct
35 25 0:30 / /sys/fs/cgroup/memory ro,nosuid master:16 - cgroup cgroup rw,memory
";

    fn v2(folder: &str) -> Level {
        Level::V2(folder.into())
    }

    #[test]
    fn a_quota_holds_for_a_group_and_all_below_it() {
        let found = levels("0::/user.slice/app.service\n", V2_MOUNT);
        let expected = [
            "/sys/fs/cgroup/user.slice/app.service",
            "/sys/fs/cgroup/user.slice",
            "/sys/fs/cgroup/",
        ];
        assert_eq!(found, expected.map(v2));
    }

    #[test]
    fn a_container_sees_its_group_where_it_is_mounted() {
        let cgroup = "5:memory:/docker/c0ffee\n4:cpu,cpuacct:/docker/c0ffee\n";
        let folder = PathBuf::from("/sys/fs/cgroup/cpu,cpuacct/");
        let expected = Level::V1 {
            cpu: folder.clone(),
            cpuacct: folder,
        };
        assert_eq!(levels(cgroup, V1_MOUNTS), [expected]);
        assert_eq!(levels("0::/\n", V2_MOUNT), [v2("/sys/fs/cgroup/")]);
        assert_eq!(levels("0::/../other\n", V2_MOUNT), [v2("/sys/fs/cgroup")]);
    }

    #[test]
    fn quotas_and_usage_of_both_versions_are_read() {
        let files: HashMap<&str, &str> = [
            ("/two/cpu.max", "150000 100000\n"),
            (
                "/two/cpu.stat",
                "nr_periods 3\nusage_usec 2500000\nuser_usec 1\n",
            ),
            ("/free/cpu.max", "max 100000\n"),
            ("/one/cpu.cfs_quota_us", "50000\n"),
            ("/one/cpu.cfs_period_us", "100000\n"),
            ("/one/cpuacct.usage", "3000000000\n"),
            ("/open/cpu.cfs_quota_us", "-1\n"),
            ("/open/cpu.cfs_period_us", "100000\n"),
        ]
        .into();
        let read = |path: &Path| Some((*files.get(path.to_str()?)?).to_owned());
        let v1 = |folder: &str| Level::V1 {
            cpu: folder.into(),
            cpuacct: folder.into(),
        };
        assert_eq!(v2("/two").quota(&read), Some(1.5));
        assert_eq!(v2("/two").used(&read), Some(2.5));
        assert_eq!(v2("/free").quota(&read), None);
        assert_eq!(v1("/one").quota(&read), Some(0.5));
        assert_eq!(v1("/one").used(&read), Some(3.0));
        assert_eq!(v1("/open").quota(&read), None);
        assert_eq!(v2("/missing").quota(&read), None);
    }

    proptest! {
        #[test]
        fn whatever_the_files_hold_is_read_or_left(cgroup in ".*", mounts in "[ -~\n]*", file in ".*") {
            let _ = levels(&cgroup, &mounts);
            let read = |_: &Path| Some(file.clone());
            for level in levels("0::/a\n2:cpu,cpuacct:/docker/c0ffee\n", &format!("{V2_MOUNT}{V1_MOUNTS}")) {
                prop_assert!(level.quota(&read).is_none_or(|cpus| cpus > 0.0 && cpus.is_finite()));
                let _ = level.used(&read);
            }
        }
    }
}
