//! Whether packets pass between the system and the mesh's interface: sent and taken as a program would, by the system's
//! own routes and filters, with the mesh at the other end. What is in the way is found out by asking the system.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use flotilla_mesh::{ECHO_PORT, UNASKED_PORT};
use flotilla_protocol::cidr::IpRange;
use flotilla_protocol::enroll::MeshAddress;

use super::netlink::Netlink;
use super::{outgoing, overlap};
use crate::Obstacle;

/// A packet to the mesh and back takes microseconds; a device that is busy has that long, [`TRIES`] times.
const PATIENCE: Duration = Duration::from_millis(250);
const TRIES: usize = 2;

/// What came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Back {
    answer: bool,
    unasked: bool,
}

/// What keeps packets from passing between this system and the running data plane that has `interface`. Takes about a
/// millisecond where nothing does, and half a second where something does.
///
/// # Errors
/// The system gives no socket, or does not tell its routes.
pub fn obstacle(interface: &str, mesh: MeshAddress) -> io::Result<Option<Obstacle>> {
    let Some((range, far)) = far(mesh) else {
        return Ok(None);
    };
    let named = || interface.to_owned();
    let dropped = reverse_path_drops();
    let back = match ask(mesh.address, far) {
        Ok(back) => back,
        Err(error) => match error.kind() {
            ErrorKind::AddrNotAvailable => return Ok(Some(Obstacle::Address { interface: named() })),
            ErrorKind::PermissionDenied => return Ok(Some(Obstacle::FirewallOut { interface: named() })),
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => Back::default(),
            _ => return Err(error),
        },
    };
    if !back.answer {
        let elsewhere = way(interface, range, mesh.address, far)?;
        let is_by_reverse_path = reverse_path_drops() > dropped;
        return Ok(Some(elsewhere.unwrap_or_else(|| match is_by_reverse_path {
            true => Obstacle::ReversePath { interface: named() },
            false => Obstacle::FirewallIn { interface: named() },
        })));
    }
    if !back.unasked {
        return Ok(Some(Obstacle::FirewallNew { interface: named() }));
    }
    Ok(overlap(range, interface)?.map(|route| Obstacle::Part { route }))
}

/// The mesh's range, and the address in it at which the mesh answers its own device; `None` where the range has no room
/// for one.
fn far(mesh: MeshAddress) -> Option<(IpRange, Ipv4Addr)> {
    let range = mesh.range()?;
    match range.first() {
        IpAddr::V4(far) if far != mesh.address => Some((range, far)),
        _ => None,
    }
}

fn ask(from: Ipv4Addr, far: Ipv4Addr) -> io::Result<Back> {
    let socket = UdpSocket::bind((from, 0))?;
    let question: [u8; 16] = rand::random();
    let mut back = Back::default();
    for _ in 0..TRIES {
        socket.send_to(&question, (far, ECHO_PORT))?;
        listen(&socket, far, &question, &mut back)?;
        if back.answer && back.unasked {
            break;
        }
    }
    Ok(back)
}

fn listen(socket: &UdpSocket, far: Ipv4Addr, question: &[u8], back: &mut Back) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    let mut buffer = [0; 64];
    while !(back.answer && back.unasked) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv_from(&mut buffer) {
            Ok((length, SocketAddr::V4(from))) if *from.ip() == far && buffer[..length] == *question => {
                back.answer |= from.port() == ECHO_PORT;
                back.unasked |= from.port() == UNASKED_PORT;
            }
            // Not from the mesh, or the answer to another question.
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Interrupted | ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Nothing came back: which way does the system know?
fn way(interface: &str, range: IpRange, own: Ipv4Addr, far: Ipv4Addr) -> io::Result<Option<Obstacle>> {
    let mut netlink = Netlink::open()?;
    let links = netlink.links()?;
    let out = netlink.route(own, far).ok().as_ref().and_then(outgoing);
    let to = links.iter().find(|link| Some(link.index) == out);
    let to = to.map(|link| link.name.clone()).unwrap_or_default();
    Ok((to != interface).then(|| Obstacle::Elsewhere {
        interface: interface.to_owned(),
        mesh: range.to_string(),
        to,
    }))
}

/// Packets that the system dropped since it would answer them by another interface. The count is of all interfaces, so
/// that a rise makes this cause likely, and not certain.
fn reverse_path_drops() -> u64 {
    let table = std::fs::read_to_string("/proc/net/netstat").unwrap_or_default();
    counter(&table, "IPReversePathFilter").unwrap_or(0)
}

/// One of `/proc/net/netstat`: a line of names, and a line of as many numbers.
fn counter(table: &str, name: &str) -> Option<u64> {
    let mut lines = table.lines();
    while let (Some(names), Some(numbers)) = (lines.next(), lines.next()) {
        let mut pairs = names.split_whitespace().zip(numbers.split_whitespace());
        if let Some((_, number)) = pairs.find(|(found, _)| *found == name) {
            return number.parse().ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_the_place_of_the_interface_is_named() {
        let range = "127.0.0.0/8".parse().unwrap();
        let [own, far] = [1, 9].map(|last| Ipv4Addr::new(127, 0, 0, last));
        let found = way("flotilla0", range, own, far).unwrap().unwrap();
        let expected = Obstacle::Elsewhere {
            interface: "flotilla0".to_owned(),
            mesh: "127.0.0.0/8".to_owned(),
            to: "lo".to_owned(),
        };
        assert_eq!(found, expected);
        let text = found.to_string();
        assert!(text.contains("goes to lo instead of flotilla0"), "{text}");
        assert!(text.contains("ip rule add to 127.0.0.0/8 lookup main"), "{text}");
    }

    #[test]
    fn an_address_that_is_gone_is_noticed_and_a_range_without_room_is_not_tested() {
        // For documentation (RFC 5737): no machine has it.
        let gone = MeshAddress {
            address: Ipv4Addr::new(192, 0, 2, 7),
            prefix: 24,
        };
        let found = obstacle("flotilla0", gone).unwrap();
        assert!(matches!(found, Some(Obstacle::Address { .. })), "{found:?}");
        let alone = MeshAddress { prefix: 32, ..gone };
        assert_eq!(obstacle("flotilla0", alone).unwrap(), None);
    }

    #[test]
    fn the_interface_that_a_packet_takes_is_in_nobodys_way() {
        let range = "127.0.0.0/8".parse().unwrap();
        let [own, far] = [1, 9].map(|last| Ipv4Addr::new(127, 0, 0, last));
        assert_eq!(way("lo", range, own, far).unwrap(), None);
    }

    #[test]
    fn a_counter_is_found_by_its_name() {
        let table = "TcpExt: SyncookiesSent IPReversePathFilter\nTcpExt: 3 42\nIpExt: InNoRoutes\nIpExt: 7\n";
        assert_eq!(counter(table, "IPReversePathFilter"), Some(42));
        assert_eq!(counter(table, "InNoRoutes"), Some(7));
        assert_eq!(counter(table, "InTruncatedPkts"), None);
        assert_eq!(counter("", "InNoRoutes"), None);
    }
}
