//! The socket: its options, and receiving.

use crate::{inbox::Inbox, refusal::Refusals};
use quinn_udp::{UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Type};
use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Mutex,
};

/// Bytes that may wait while this program is not scheduled. With the system's default of 208 KiB, a few milliseconds
/// of a sender's burst are lost, and most of the throughput with them. It is a limit, not an allocation.
const RECEIVE_BUFFER: usize = 16 << 20;

/// The addresses at both ends of a datagram's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    pub remote: SocketAddr,
    /// This system's address that the datagram was sent to, or is to be sent from. Without one the system chooses.
    pub local: Option<IpAddr>,
}

#[derive(Debug)]
pub struct Socket {
    pub(crate) socket: UdpSocket,
    pub(crate) state: UdpSocketState,
    pub(crate) is_v6: bool,
    /// The most datagrams of one call. The figure of `state` is not used, because it drops to 1 for good, and for all
    /// destinations, when one destination refuses a run.
    pub(crate) longest: usize,
    pub(crate) refusals: Mutex<Refusals>,
}

impl Socket {
    /// Binds a non-blocking socket. An IPv6 address serves both families. `send_buffer` is how many bytes the system
    /// may queue while a network device is busy.
    ///
    /// The system's error: the address is taken, is not one of this system's, or its family is not available.
    pub fn bind(address: SocketAddr, send_buffer: usize) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.bind(&address.into())?;
        enlarge(&socket, send_buffer);
        // Forbids fragmentation in both families, with the options that also let a probe exceed the path MTU that the
        // system has stored; asks for the address that each datagram was sent to; and receives runs whole.
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        if state.may_fragment() {
            tracing::warn!(
                "This system cuts datagrams that are too large for a path in two, which makes them slow."
            );
        }
        Ok(Self {
            socket: socket.into(),
            is_v6: address.is_ipv6(),
            longest: state.max_gso_segments(),
            state,
            refusals: Mutex::default(),
        })
    }

    /// The system's error.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// A second handle, for a runtime to wait on.
    ///
    /// # Errors
    /// The process has run out of files.
    pub fn handle(&self) -> io::Result<UdpSocket> {
        self.socket.try_clone()
    }

    /// Receives the runs that have come, as many as the inbox has buffers for; returns how many. A socket for both
    /// families gives IPv4 addresses as mapped ones.
    ///
    /// `WouldBlock` when nothing has come; else an error about one datagram, after which the next call receives the
    /// next one.
    pub fn receive<const RUNS: usize>(&self, inbox: &mut Inbox<RUNS>) -> io::Result<usize> {
        inbox.fill(|buffers, metas| self.state.recv(UdpSockRef::from(&self.socket), buffers, metas))
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for Socket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Enlarges the buffers as far as this process is allowed.
fn enlarge(socket: &socket2::Socket, send_buffer: usize) {
    #[cfg(target_os = "linux")]
    {
        use rustix::net::sockopt;
        // These exceed the system's limit, and require the capability to administrate the network.
        let receive = sockopt::set_socket_recv_buffer_size_force(socket, RECEIVE_BUFFER);
        let send = sockopt::set_socket_send_buffer_size_force(socket, send_buffer);
        if receive.is_ok() && send.is_ok() {
            return;
        }
    }
    for result in [
        socket.set_recv_buffer_size(RECEIVE_BUFFER),
        socket.set_send_buffer_size(send_buffer),
    ] {
        if let Err(error) = result {
            tracing::debug!(%error, "the socket keeps its buffer");
        }
    }
}
