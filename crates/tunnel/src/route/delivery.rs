//! Tests whether packets pass between the system and the mesh's interface: it sends and receives as a program would,
//! by the system's own routes and filters, with the mesh answering at the other end. When nothing passes, it asks the
//! system for the reason.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use flotilla_mesh::{ECHO_PORT, UNASKED_PORT};
use flotilla_protocol::cidr::IpRange;
use flotilla_protocol::enroll::MeshAddress;

use super::netlink::Netlink;
use super::{outgoing, overlap};
use crate::Obstacle;

/// How long an answer may take, [`TRIES`] times: a packet to the mesh and back takes microseconds, and much longer
/// only on a busy device.
const PATIENCE: Duration = Duration::from_millis(250);
const TRIES: usize = 2;

/// Which of the mesh's packets arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Replies {
    answer: bool,
    unsolicited: bool,
}

/// What keeps packets from passing between this system and the running data plane that has `interface`. Takes about a
/// millisecond when packets pass, and half a second when they do not.
///
/// # Errors
/// The system gives no socket, or does not tell its routes.
pub fn obstacle(interface: &str, mesh: MeshAddress) -> io::Result<Option<Obstacle>> {
    let Some((range, far)) = echo_address(mesh) else {
        return Ok(None);
    };
    let named = || interface.to_owned();
    let dropped = reverse_path_drops();
    let replies = match send_echoes(mesh.address, far) {
        Ok(replies) => replies,
        Err(error) => match error.kind() {
            ErrorKind::AddrNotAvailable => return Ok(Some(Obstacle::Address { interface: named() })),
            ErrorKind::PermissionDenied => return Ok(Some(Obstacle::FirewallOut { interface: named() })),
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => Replies::default(),
            _ => return Err(error),
        },
    };
    if !replies.answer {
        let wrong_route = wrong_route(interface, range, mesh.address, far)?;
        let is_by_reverse_path = reverse_path_drops() > dropped;
        return Ok(Some(wrong_route.unwrap_or_else(|| match is_by_reverse_path {
            true => Obstacle::ReversePath { interface: named() },
            false => Obstacle::FirewallIn { interface: named() },
        })));
    }
    if !replies.unsolicited {
        return Ok(Some(Obstacle::FirewallNew { interface: named() }));
    }
    Ok(overlap(range, interface)?.map(|route| Obstacle::Part { route }))
}

/// The mesh's range, and the address in it at which the mesh answers its own device; `None` when the range is too
/// small to have one.
fn echo_address(mesh: MeshAddress) -> Option<(IpRange, Ipv4Addr)> {
    let range = mesh.range()?;
    match range.first() {
        IpAddr::V4(far) if far != mesh.address => Some((range, far)),
        _ => None,
    }
}

fn send_echoes(from: Ipv4Addr, far: Ipv4Addr) -> io::Result<Replies> {
    let socket = UdpSocket::bind((from, 0))?;
    let question: [u8; 16] = rand::random();
    let mut replies = Replies::default();
    for _ in 0..TRIES {
        socket.send_to(&question, (far, ECHO_PORT))?;
        receive_replies(&socket, far, &question, &mut replies)?;
        if replies.answer && replies.unsolicited {
            break;
        }
    }
    Ok(replies)
}

fn receive_replies(
    socket: &UdpSocket,
    far: Ipv4Addr,
    question: &[u8],
    replies: &mut Replies,
) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    let mut buffer = [0; 64];
    while !(replies.answer && replies.unsolicited) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv_from(&mut buffer) {
            Ok((length, SocketAddr::V4(from))) if *from.ip() == far && buffer[..length] == *question => {
                replies.answer |= from.port() == ECHO_PORT;
                replies.unsolicited |= from.port() == UNASKED_PORT;
            }
            // Neither from the mesh nor the answer to this question.
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

/// When no answer came: whether the system routes the mesh's range to another interface.
fn wrong_route(
    interface: &str,
    range: IpRange,
    own: Ipv4Addr,
    far: Ipv4Addr,
) -> io::Result<Option<Obstacle>> {
    let mut netlink = Netlink::open()?;
    let links = netlink.links()?;
    let out = netlink.route(own, far).ok().as_ref().and_then(outgoing);
    let to = links.iter().find(|link| Some(link.index) == out);
    let to = to.map(|link| link.name.clone()).unwrap_or_default();
    Ok((to != interface).then(|| Obstacle::WrongRoute {
        interface: interface.to_owned(),
        mesh: range.to_string(),
        to,
    }))
}

/// How many packets the kernel dropped because it would answer them through another interface. The counter is of all
/// interfaces, so a rise makes this cause likely but not certain.
fn reverse_path_drops() -> u64 {
    let table = std::fs::read_to_string("/proc/net/netstat").unwrap_or_default();
    counter(&table, "IPReversePathFilter").unwrap_or(0)
}

/// A counter in `/proc/net/netstat`, which has lines of names, each followed by a line of as many numbers.
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
        let found = wrong_route("flotilla0", range, own, far).unwrap().unwrap();
        let expected = Obstacle::WrongRoute {
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
        // An address for documentation (RFC 5737), which no machine has.
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
    fn the_interface_that_a_packet_takes_is_no_obstacle() {
        let range = "127.0.0.0/8".parse().unwrap();
        let [own, far] = [1, 9].map(|last| Ipv4Addr::new(127, 0, 0, last));
        assert_eq!(wrong_route("lo", range, own, far).unwrap(), None);
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
