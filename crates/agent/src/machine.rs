//! The machine under the agent: its facts, its figures, and an id that tells it from a copy.

use crate::state::{StateDir, StateError};
use flotilla_engine::in_container;
use flotilla_protocol::device::{Facts, Usage};
use sha2::{Digest as _, Sha256};
use std::{fmt::Write as _, fs, path::Path};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// Where an installed system keeps an identifier of its own (`machine-id(5)`). Images of machines are expected to
/// reset it, and a container has it only when it is mounted.
const MACHINE_ID_FILES: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// A stable identifier of this machine, so that a copied state directory shows.
///
/// The system's own identifier is not given away: it is hashed together with what it is used for, as
/// `machine-id(5)` asks. A machine that has none gets a random one, kept in the state directory; a copy of that
/// directory to another machine without an identifier then goes unnoticed.
pub(crate) fn id(state: &StateDir) -> Result<String, StateError> {
    let own = MACHINE_ID_FILES
        .iter()
        .find_map(|path| well_formed(&fs::read_to_string(path).ok()?));
    if let Some(own) = own {
        return Ok(hashed(&own));
    }
    if let Some(made_up) = state.get().machine_id {
        return Ok(made_up);
    }
    let made_up = hashed(&rand::random::<u128>().to_string());
    state.update(|state| state.machine_id = Some(made_up.clone()))?;
    Ok(made_up)
}

/// The id, if it is 32 hexadecimal digits; during the first boot the file may say `uninitialized`.
fn well_formed(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() == 32 && text.bytes().all(|c| c.is_ascii_hexdigit())).then(|| text.to_owned())
}

fn hashed(id: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"flotilla machine id v1 ")
        .chain_update(id)
        .finalize();
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads the machine's facts, and its use from call to call.
#[derive(Debug)]
pub(crate) struct Gauge {
    system: System,
    disk: std::path::PathBuf,
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

/// The system's name for itself (`os-release(5)`). In a container that is the image's, or none.
fn os_name() -> String {
    let release = ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| fs::read_to_string(path).ok());
    release
        .and_then(|text| pretty_name(&text))
        .or_else(System::long_os_version)
        .unwrap_or_else(|| std::env::consts::OS.to_owned())
}

fn pretty_name(release: &str) -> Option<String> {
    let value = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim_matches(['"', '\'']).to_owned())
}

pub(crate) fn hostname() -> String {
    System::host_name().unwrap_or_default()
}

/// IPv4 networks that this device already routes, in CIDR notation, so that the mesh's range does not cut it off.
pub(crate) fn routes() -> Vec<String> {
    parse_routes(&fs::read_to_string("/proc/net/route").unwrap_or_default())
}

/// Parses the table of `proc(5)`, in which addresses are hexadecimal in the machine's own byte order.
fn parse_routes(table: &str) -> Vec<String> {
    let network = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let number = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::to_ne_bytes);
        let address = std::net::Ipv4Addr::from(number(fields.next()?)?);
        let mask = u32::from_be_bytes(number(fields.nth(5)?)?);
        (mask != 0).then(|| format!("{address}/{}", mask.count_ones()))
    };
    let mut networks: Vec<_> = table.lines().skip(1).filter_map(network).collect();
    networks.sort();
    networks.dedup();
    networks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_told_from_others_without_giving_its_id_away() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(hashed(id), hashed(id));
        assert_eq!(hashed(id).len(), 64);
        assert!(!hashed(id).contains(id));
        assert_eq!(well_formed(&format!("{id}\n")).as_deref(), Some(id));
        assert_eq!(well_formed("uninitialized\n"), None);
    }

    #[test]
    fn a_machine_without_an_id_keeps_the_one_it_made_up() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        assert_eq!(id(&state).unwrap(), id(&state).unwrap());
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn routes_are_read_as_the_kernel_writes_them() {
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
                     docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\nbroken\n";
        assert_eq!(parse_routes(table), ["10.0.0.0/24", "172.17.0.0/16"]);
    }

    #[test]
    fn the_system_is_called_what_it_calls_itself() {
        let release = "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(
            pretty_name(release).as_deref(),
            Some("Debian GNU/Linux 12 (bookworm)")
        );
        assert_eq!(pretty_name("ID=scratch\n"), None);
    }

    #[test]
    fn facts_and_use_are_plausible() {
        let mut gauge = Gauge::new(Path::new("/"));
        let (facts, usage) = (gauge.facts(), gauge.usage());
        assert!(facts.cpus > 0 && facts.memory_bytes > 0 && facts.disk_bytes > 0);
        assert!(usage.memory_bytes <= facts.memory_bytes && usage.disk_bytes <= facts.disk_bytes);
    }
}
