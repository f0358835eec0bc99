//! What the system under the agent says of itself: its names, and the networks that it routes.

use std::{fs, net::Ipv4Addr};
use sysinfo::System;

/// The system's name for itself (`os-release(5)`). In a container that is the image's, or none.
pub(super) fn os_name() -> String {
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
        let address = Ipv4Addr::from(number(fields.next()?)?);
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
}
