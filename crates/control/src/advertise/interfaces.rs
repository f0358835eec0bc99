//! The addresses of this computer's interfaces, what kind of interface each is at, and which one the default route
//! uses; and the networks that it is in.

use flotilla_protocol::{
    cidr::IpRange,
    interface::{self, Kind, Reach},
};
use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    path::Path,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interface {
    pub(super) ip: IpAddr,
    pub(super) reach: Reach,
    /// The default route uses its interface.
    pub(super) is_default: bool,
}

pub(super) fn list() -> Vec<Interface> {
    let routes = Routes::of(&fs::read_to_string("/proc/net/route").unwrap_or_default());
    let sources = [
        default_source(Ipv4Addr::UNSPECIFIED.into()),
        default_source(Ipv6Addr::UNSPECIFIED.into()),
    ];
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let interface = |found: &if_addrs::Interface| {
        let is_default = match found.ip() {
            IpAddr::V4(_) if routes.default.is_some() => routes.default.as_ref() == Some(&found.name),
            ip => sources.contains(&Some(ip)),
        };
        Interface {
            ip: found.ip(),
            reach: Reach::of(&found.name, kind(found, &routes)),
            is_default,
        }
    };
    found.iter().map(interface).collect()
}

/// Networks that this computer is in and addresses of its name servers: the mesh's range must not overlap them.
pub(crate) fn local_networks() -> Vec<IpRange> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let networks = interfaces.iter().filter_map(|interface| match &interface.addr {
        if_addrs::IfAddr::V4(v4) => IpRange::new(v4.ip.into(), v4.prefixlen).ok(),
        if_addrs::IfAddr::V6(_) => None,
    });
    networks.chain(name_servers()).collect()
}

/// The name servers of both files: where a local resolver is used, the second file has those that it asks.
fn name_servers() -> impl Iterator<Item = IpRange> {
    let files = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
    let texts = files.into_iter().filter_map(|file| fs::read_to_string(file).ok());
    let servers = texts.flat_map(|text| interface::name_servers(&text));
    servers.map(|server| IpRange::one(server.into()))
}

fn kind(interface: &if_addrs::Interface, routes: &Routes) -> Kind {
    if interface.is_p2p || routes.pieces.contains(&interface.name) {
        return Kind::Tunnel;
    }
    let ports = Path::new("/sys/class/net").join(&interface.name).join("brif");
    match fs::read_dir(ports) {
        Ok(ports) => {
            let names = ports.filter_map(|port| Some(port.ok()?.file_name()));
            let leads_out = routes.default.as_ref() == Some(&interface.name)
                || names.into_iter().any(|port| is_wired(Path::new(&port)));
            Kind::Bridge { leads_out }
        }
        Err(_) => Kind::Other,
    }
}

/// Whether the bridge port is a network card, or a bond, VLAN or WLAN device, and not a container or a virtual machine.
fn is_wired(port: &Path) -> bool {
    let port = Path::new("/sys/class/net").join(port);
    let about = fs::read_to_string(port.join("uevent")).unwrap_or_default();
    let made_of_cards = about
        .lines()
        .any(|line| matches!(line, "DEVTYPE=bond" | "DEVTYPE=vlan" | "DEVTYPE=wlan"));
    made_of_cards || port.join("device").exists()
}

/// What the kernel's IPv4 routes say about interfaces.
#[derive(Debug, Default, PartialEq, Eq)]
struct Routes {
    /// The interface of the default route with the lowest metric.
    default: Option<String>,
    /// Interfaces with routes that are large parts of all addresses (such as 0.0.0.0/1): VPNs lay these over the
    /// default route.
    pieces: BTreeSet<String>,
}

impl Routes {
    /// `table` is `/proc/net/route` (`proc(5)`): addresses are hexadecimal in the machine's own byte order.
    fn of(table: &str) -> Self {
        let mut routes = Self::default();
        let mut best = None;
        for line in table.lines().skip(1) {
            let Some((name, range, metric)) = route(line) else {
                continue;
            };
            if range.prefix() > 0 && range.is_last_resort() {
                routes.pieces.insert(name.to_owned());
            } else if range.prefix() == 0 && best.is_none_or(|best| metric < best) {
                best = Some(metric);
                routes.default = Some(name.to_owned());
            }
        }
        routes
    }
}

fn route(line: &str) -> Option<(&str, IpRange, u32)> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let number = |field: usize| {
        u32::from_str_radix(fields.get(field)?, 16)
            .ok()
            .map(u32::to_ne_bytes)
    };
    let mask = u32::from_be_bytes(number(7)?);
    let range = IpRange::new(
        Ipv4Addr::from(number(1)?).into(),
        u8::try_from(mask.count_ones()).ok()?,
    )
    .ok()?;
    Some((fields.first()?, range, fields.get(6)?.parse().ok()?))
}

/// The address that packets to the rest of the world leave from. Connecting a UDP socket sends no packet.
fn default_source(any: IpAddr) -> Option<IpAddr> {
    // Addresses for documentation (RFC 5737, RFC 3849): they are routed like any address of the internet.
    let far: IpAddr = match any {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((far, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_all_traffic_in_pieces_is_no_way_to_this_computer() {
        let le = |address: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(address));
        let line = |name: &str, to: [u8; 4], mask: [u8; 4], metric: u32| {
            format!(
                "{name}\t{}\t00000000\t0003\t0\t0\t{metric}\t{}\t0\t0\t0\n",
                le(to),
                le(mask)
            )
        };
        let table = [
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n".to_owned(),
            line("office", [0, 0, 0, 0], [128, 0, 0, 0], 0),
            line("office", [128, 0, 0, 0], [128, 0, 0, 0], 0),
            line("wlan0", [0, 0, 0, 0], [0, 0, 0, 0], 600),
            line("eth0", [0, 0, 0, 0], [0, 0, 0, 0], 100),
            line("eth0", [192, 168, 1, 0], [255, 255, 255, 0], 100),
            "garbage\n".to_owned(),
        ];
        let expected = Routes {
            default: Some("eth0".to_owned()),
            pieces: ["office".to_owned()].into(),
        };
        assert_eq!(Routes::of(&table.concat()), expected);
        assert_eq!(Routes::of(""), Routes::default());
    }
}
