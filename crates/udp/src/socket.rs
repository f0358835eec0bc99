//! The socket: its options, and datagrams in.

use crate::{inbox::Inbox, refusal::Refusals};
use quinn_udp::{UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Type};
use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Mutex,
};

/// A sender's burst waits here while this program is not on a processor: with the system's default of 208 KiB a few
/// milliseconds of it are lost, and most of the throughput with them. It is a limit, not an allocation.
const RECEIVE_BUFFER: usize = 16 << 20;

/// Both ends of a datagram's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    pub remote: SocketAddr,
    /// Our own address that was asked, and that the answer bears. Without one the system chooses.
    pub local: Option<IpAddr>,
}

#[derive(Debug)]
pub struct Socket {
    pub(crate) socket: UdpSocket,
    pub(crate) state: UdpSocketState,
    pub(crate) is_v6: bool,
    /// Datagrams that one call may send. The state's own figure goes to 1 for good, and for all, when one
    /// destination refuses a run.
    pub(crate) longest: usize,
    pub(crate) refusals: Mutex<Refusals>,
}

impl Socket {
    /// Binds a socket that never waits. An IPv6 address gets both families. `send_buffer` is how many bytes the
    /// system may hold back for a network device that is busy.
    ///
    /// # Errors
    /// The system's: the address is taken, or none of ours, or its family is not there.
    pub fn bind(address: SocketAddr, send_buffer: usize) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.bind(&address.into())?;
        enlarge(&socket, send_buffer);
        // Forbids fragments in both families, by the options that also let a probe pass what the system believes to
        // know of a path, asks for the address that each datagram came to, and makes runs come in whole.
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

    /// # Errors
    /// The system's.
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

    /// Takes in the runs that have come, as many as the inbox has room for, and says how many those are. A socket for
    /// both families tells of IPv4 addresses as mapped ones.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing; else what the system says of one datagram, and the next call gets the next.
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

/// As much as this process may have.
fn enlarge(socket: &socket2::Socket, send_buffer: usize) {
    #[cfg(target_os = "linux")]
    {
        use rustix::net::sockopt;
        // These go beyond the system's limit, and take the right to administrate the network.
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
