//! A UDP socket that takes and gives runs: datagrams of one size from or to one address, as one call.

use crate::switchboard::{Route, Transmit};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
};
use tokio::{io::Interest, net::UdpSocket};

/// What the kernel keeps while the relay is busy: with its default of 208 KiB a burst of a few milliseconds is
/// lost, and with it most of the throughput. It is a limit, not an allocation.
const SOCKET_BUFFER: usize = 16 << 20;

/// Of everything that UDP carries: the longest run that the kernel hands over.
const RUN_BYTES: usize = 65_535;

/// Longest payload that one call may send.
const SEND_BYTES: usize = 65_507;

/// Runs that are received by one call. Each needs a buffer.
const RUNS: usize = if BATCH_SIZE < 8 { BATCH_SIZE } else { 8 };

pub(crate) struct Udp {
    socket: UdpSocket,
    state: UdpSocketState,
    /// Sending failed, and the log knows.
    failing: AtomicBool,
}

/// Room for what one call receives.
pub(crate) struct Batch {
    buffers: Vec<u8>,
    metas: [RecvMeta; RUNS],
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            buffers: vec![0; RUNS * RUN_BYTES],
            metas: [RecvMeta::default(); RUNS],
        }
    }
}

/// One run as it was received.
pub(crate) struct Received<'a> {
    pub(crate) from: Route,
    pub(crate) run: &'a mut [u8],
    pub(crate) segment: usize,
}

impl Udp {
    /// Binds a socket and hands it to the current runtime.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        enlarge(&socket);
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let_routers_fragment(&socket, address);
        Ok(Self {
            socket: UdpSocket::from_std(socket.into())?,
            state,
            failing: AtomicBool::new(false),
        })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    /// Receives what is there, up to a batch; `WouldBlock` when there is nothing.
    pub(crate) fn receive<'a>(
        &self,
        batch: &'a mut Batch,
    ) -> io::Result<impl Iterator<Item = Received<'a>> + use<'a>> {
        let Batch { buffers, metas } = batch;
        let mut chunks = buffers.chunks_mut(RUN_BYTES);
        let mut slices: [IoSliceMut<'_>; RUNS] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let count = self.socket.try_io(Interest::READABLE, || {
            self.state
                .recv(UdpSockRef::from(&self.socket), &mut slices, metas)
        })?;
        let runs = buffers.chunks_mut(RUN_BYTES).zip(metas.iter()).take(count);
        Ok(runs.filter_map(|(buffer, meta)| {
            Some(Received {
                from: Route {
                    remote: meta.addr,
                    local: meta.dst_ip,
                },
                run: buffer.get_mut(..meta.len)?,
                segment: meta.stride,
            })
        }))
    }

    /// Sends a run in as few calls as the kernel allows. `false` when the socket is full: nothing, or not all, was sent.
    pub(crate) fn send(&self, to: Route, run: &[u8], segment: usize) -> bool {
        let segment = segment.clamp(1, SEND_BYTES);
        let most = (SEND_BYTES / segment).min(self.state.max_gso_segments()).max(1);
        for part in run.chunks(segment * most) {
            match self.send_part(to, part, segment) {
                Ok(()) => self.failing.store(false, Ordering::Relaxed),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // A device that refuses long runs is noticed by a failed one; from then on the limit is one.
                Err(_) if part.len() > segment && self.state.max_gso_segments() == 1 => {
                    let sent = part
                        .chunks(segment)
                        .all(|one| self.send_part(to, one, segment).is_ok());
                    if !sent {
                        return false;
                    }
                }
                Err(error) => {
                    if !self.failing.swap(true, Ordering::Relaxed) {
                        tracing::warn!(%error, remote = %to.remote, "datagrams cannot be sent");
                    }
                }
            }
        }
        true
    }

    pub(crate) fn send_all(&self, transmit: &Transmit) -> bool {
        self.send(transmit.to, &transmit.bytes, transmit.segment)
    }

    fn send_part(&self, to: Route, part: &[u8], segment: usize) -> io::Result<()> {
        let transmit = quinn_udp::Transmit {
            destination: to.remote,
            ecn: None,
            contents: part,
            segment_size: (part.len() > segment).then_some(segment),
            src_ip: to.local,
        };
        self.socket.try_io(Interest::WRITABLE, || {
            self.state.try_send(UdpSockRef::from(&self.socket), &transmit)
        })
    }
}

/// As much as this process may have.
fn enlarge(socket: &Socket) {
    #[cfg(target_os = "linux")]
    {
        use rustix::net::sockopt;
        // These go beyond the system's limit, and take the right to administrate the network.
        let receive = sockopt::set_socket_recv_buffer_size_force(socket, SOCKET_BUFFER);
        let send = sockopt::set_socket_send_buffer_size_force(socket, SOCKET_BUFFER);
        if receive.is_ok() && send.is_ok() {
            return;
        }
    }
    for result in [
        socket.set_recv_buffer_size(SOCKET_BUFFER),
        socket.set_send_buffer_size(SOCKET_BUFFER),
    ] {
        if let Err(error) = result {
            tracing::debug!(%error, "the socket keeps its buffer");
        }
    }
}

/// A relay does not learn what the paths to its clients carry, so a long packet is better split than lost.
#[cfg(target_os = "linux")]
fn let_routers_fragment(socket: &Socket, address: SocketAddr) {
    use rustix::net::sockopt;
    let result = if address.is_ipv4() {
        sockopt::set_ip_mtu_discover(socket, sockopt::Ipv4PathMtuDiscovery::DONT)
    } else {
        sockopt::set_ipv6_mtu_discover(socket, sockopt::Ipv6PathMtuDiscovery::DONT)
    };
    if let Err(error) = result {
        tracing::debug!(%error, "long packets are not split");
    }
}

#[cfg(not(target_os = "linux"))]
fn let_routers_fragment(_socket: &Socket, _address: SocketAddr) {}
