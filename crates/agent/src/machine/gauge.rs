//! What the machine has, and how much of it is in use.

use super::system::{hostname, os_name};
use flotilla_engine::in_container;
use flotilla_protocol::device::{Facts, Usage};
use std::path::{Path, PathBuf};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// Reads the machine's facts, and its use from call to call.
#[derive(Debug)]
pub(crate) struct Gauge {
    system: System,
    disk: PathBuf,
}

impl Gauge {
    /// `state_dir` names the file system that counts as the device's disk.
    pub(crate) fn new(state_dir: &Path) -> Self {
        let wanted = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing().with_cpu_usage())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        Self {
            system: System::new_with_specifics(wanted),
            disk: state_dir.to_owned(),
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        Facts {
            hostname: hostname(),
            os: os_name(),
            kernel: System::kernel_version().unwrap_or_default(),
            arch: std::env::consts::ARCH.to_owned(),
            cpus: self.system.cpus().len().try_into().unwrap_or(u32::MAX),
            memory_bytes: self.system.total_memory(),
            disk_bytes: self.disk().0,
            containerized: in_container(),
        }
    }

    /// The use now; that of processors is the mean since the last call, or since this value was made.
    pub(crate) fn usage(&mut self) -> Usage {
        self.system.refresh_cpu_usage();
        self.system
            .refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        Usage {
            cpu_cores: self
                .system
                .cpus()
                .iter()
                .map(sysinfo::Cpu::cpu_usage)
                .sum::<f32>()
                / 100.0,
            memory_bytes: self.system.used_memory(),
            disk_bytes: self.disk().1,
        }
    }

    /// Total and used bytes. What is reserved for root counts as used: other users can't have it.
    fn disk(&self) -> (u64, u64) {
        rustix::fs::statvfs(&self.disk).map_or((0, 0), |disk| {
            let total = disk.f_blocks * disk.f_frsize;
            (total, total.saturating_sub(disk.f_bavail * disk.f_frsize))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_and_use_are_plausible() {
        let mut gauge = Gauge::new(Path::new("/"));
        let (facts, usage) = (gauge.facts(), gauge.usage());
        assert!(facts.cpus > 0 && facts.memory_bytes > 0 && facts.disk_bytes > 0);
        assert!(usage.memory_bytes <= facts.memory_bytes && usage.disk_bytes <= facts.disk_bytes);
    }
}
