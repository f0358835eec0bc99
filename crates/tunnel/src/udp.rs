//! The UDP socket of the mesh: one for both families where the system has IPv6, with runs both ways.
//!
//! - [`Socket`]: datagrams in by up to four runs at once, datagrams out one run at a time.
//! - [`run`]: datagrams of one destination are laid side by side until they fill a run.

pub(crate) mod run;

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
    set_socket_recv_buffer_size, set_socket_recv_buffer_size_force, set_socket_send_buffer_size,
    set_socket_send_buffer_size_force,
};
use socket2::{Domain, Protocol, Type};

/// Runs that one call takes in. More bring nothing.
const RUNS: usize = 4;

/// A run may have this many bytes; a shorter buffer would cut its end off without a word.
const LARGEST_RUN: usize = 65_536;

/// A sender's burst waits here while this program is not on a processor. It is a limit, not an allocation.
const RECEIVE_BUFFER: usize = 16 << 20;
const SEND_BUFFER: usize = 4 << 20;

/// A socket that is full this long means that the network device takes nothing.
const PATIENCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 10_000_000,
};

/// How long runs are not tried again after the kernel refused one.
const REFUSED: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Socket {
    socket: socket2::Socket,
    state: UdpSocketState,
    is_v6: bool,
    port: u16,
    /// The destination, and until when it gets no runs: its path is narrower than the interface says, or its
    /// interface cannot cut runs.
    refused: Vec<(SocketAddr, Instant)>,
}

impl Socket {
    /// Takes any free port when `port` is 0.
    pub(crate) fn bind(port: u16) -> io::Result<Self> {
        let (socket, is_v6) = match open(Domain::IPV6, IpAddr::V6(Ipv6Addr::UNSPECIFIED), port) {
            Err(error) if error.kind() != ErrorKind::AddrInUse => (
                open(Domain::IPV4, IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)?,
                false,
            ),
            opened => (opened?, true),
        };
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let bound = socket.local_addr()?.as_socket();
        let port = bound.map_or(port, |address| address.port());
        let socket = Self {
            socket,
            state,
            is_v6,
            port,
            refused: Vec::new(),
        };
        socket.set_options();
        Ok(socket)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends datagrams of `size` bytes each, the last of which may be shorter. What cannot be sent is lost, as
    /// datagrams are.
    pub(crate) fn send(
        &mut self,
        destination: SocketAddr,
        contents: &[u8],
        size: usize,
        now: Instant,
    ) -> io::Result<()> {
        let destination = self.mapped(destination);
        if contents.len() <= size {
            return self.transmit(destination, contents, None);
        }
        match self.transmit(destination, contents, Some(size)) {
            Err(error) if is_refusal(&error) => {
                // The state takes a refusal for that of the whole system, for good; it is one destination's.
                if let Ok(state) = UdpSocketState::new(UdpSockRef::from(&self.socket)) {
                    self.state = state;
                    self.set_options();
                }
                self.refused.retain(|(_, until)| *until > now);
                self.refused.push((destination, now + REFUSED));
                contents
                    .chunks(size)
                    .try_for_each(|one| self.transmit(destination, one, None))
            }
            sent => sent,
        }
    }

    /// How many datagrams a run to this destination may have.
    pub(crate) fn longest_run(&self, destination: SocketAddr, now: Instant) -> usize {
        let mapped = self.mapped(destination);
        let is_refused = |(refused, until): &(SocketAddr, Instant)| *refused == mapped && *until > now;
        if self.refused.iter().any(is_refused) {
            1
        } else {
            self.state.max_gso_segments()
        }
    }

    fn transmit(
        &self,
        destination: SocketAddr,
        contents: &[u8],
        segment_size: Option<usize>,
    ) -> io::Result<()> {
        let transmit = Transmit {
            destination,
            ecn: None,
            contents,
            segment_size,
            src_ip: None,
        };
        let send = || self.state.try_send(UdpSockRef::from(&self.socket), &transmit);
        match send() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                // Waiting keeps the packets in the TUN's queue, where their senders notice.
                poll(&mut [PollFd::new(&self.socket, PollFlags::OUT)], Some(&PATIENCE))?;
                send()
            }
            sent => sent,
        }
    }

    /// Takes in what has come, at most four runs.
    pub(crate) fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        let mut buffers = inbox.buffers.each_mut().map(|buffer| IoSliceMut::new(buffer));
        self.state
            .recv(UdpSockRef::from(&self.socket), &mut buffers, &mut inbox.metas)
    }

    /// A socket of IPv6 speaks of IPv4 addresses as mapped ones.
    fn mapped(&self, address: SocketAddr) -> SocketAddr {
        match address {
            SocketAddr::V4(v4) if self.is_v6 => SocketAddr::from((v4.ip().to_ipv6_mapped(), v4.port())),
            other => other,
        }
    }

    /// Larger buffers, by force where we may. And back to what Linux does by itself about the path's MTU: learn it
    /// and fragment, where otherwise everything too large for a narrow path would vanish.
    fn set_options(&self) {
        let socket = &self.socket;
        let forced = set_socket_recv_buffer_size_force(socket, RECEIVE_BUFFER);
        forced
            .or_else(|_| set_socket_recv_buffer_size(socket, RECEIVE_BUFFER))
            .ok();
        let forced = set_socket_send_buffer_size_force(socket, SEND_BUFFER);
        forced
            .or_else(|_| set_socket_send_buffer_size(socket, SEND_BUFFER))
            .ok();
        set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::WANT).ok();
        if self.is_v6 {
            set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::WANT).ok();
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Where runs of datagrams come in.
#[derive(Debug)]
pub(crate) struct Inbox {
    buffers: [Box<[u8]>; RUNS],
    metas: [RecvMeta; RUNS],
}

impl Inbox {
    /// As many runs as one call can bring.
    pub(crate) const RUNS: usize = RUNS;

    pub(crate) fn new() -> Self {
        Self {
            buffers: std::array::from_fn(|_| vec![0; LARGEST_RUN].into_boxed_slice()),
            metas: [RecvMeta::default(); RUNS],
        }
    }

    /// The datagrams of one run and who sent them.
    pub(crate) fn run(&self, number: usize) -> (SocketAddr, impl Iterator<Item = &[u8]>) {
        let meta = &self.metas[number];
        let source = SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port());
        let bytes = &self.buffers[number][..meta.len.min(LARGEST_RUN)];
        (source, bytes.chunks(meta.stride.max(1)))
    }
}

fn open(domain: Domain, address: IpAddr, port: u16) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.bind(&SocketAddr::new(address, port).into())?;
    Ok(socket)
}

/// Errors by which Linux refuses a run that it would take as single datagrams.
fn is_refusal(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let refusals = [Errno::INVAL, Errno::IO, Errno::MSGSIZE];
    refusals
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests;
