//! Packets both ways: from the device through the mesh to the socket, and from the socket through the mesh to the
//! device, by runs and without an allocation per packet.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use flotilla_mesh::{Leg, Mesh, Opened, Sealed};
use flotilla_protocol::id::RelayId;
use flotilla_udp::Received;

use crate::device::{Device, Offload};
use crate::offload::coalesce::{Coalescer, Joins, Sink, write_single};
use crate::offload::segment::Segments;
use crate::offload::{LARGEST_PACKET, VirtioHeader};
use crate::relay_leg::Rings;
use crate::udp::run::Outbox;
use crate::udp::{Inbox, Socket};

/// Frames that are read from the device before the results are sent: enough to fill a run with small ones, and few
/// enough that incoming packets do not wait.
const FRAMES: usize = 8;

#[derive(derive_more::Debug)]
#[debug("Packets({device:?})")]
pub(crate) struct Packets {
    device: Device,
    socket: Socket,
    inbox: Inbox,
    outbox: Outbox,
    coalescer: Coalescer,
    /// The buffer for one frame from the device.
    frame: Box<[u8]>,
}

/// Writes to the device, and records whether it refused a run.
struct ToDevice<'a> {
    device: &'a Device,
    refused: bool,
}

impl Sink for ToDevice<'_> {
    fn write(&mut self, pieces: &[IoSlice<'_>]) {
        // A packet that the device does not take is lost, as on any other link. More than a header and a packet is a
        // run, which may be of a kind that this kernel does not know.
        if let Err(error) = self.device.write(pieces) {
            self.refused |= pieces.len() > 2 && error.kind() == ErrorKind::InvalidInput;
        }
    }
}

impl Packets {
    pub(super) fn new(device: Device, socket: Socket) -> Self {
        let joins = match device.offload() {
            Offload::None => Joins::Nothing,
            Offload::Tcp => Joins::Tcp,
            Offload::TcpAndUdp => Joins::TcpAndUdp,
        };
        Self {
            device,
            socket,
            inbox: Inbox::default(),
            outbox: Outbox::new(),
            coalescer: Coalescer::new(joins),
            frame: vec![0; VirtioHeader::LEN + LARGEST_PACKET].into_boxed_slice(),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.socket.port()
    }

    pub(super) fn unsent(&self) -> u64 {
        self.outbox.unsent()
    }

    /// Device and socket, to poll for reading.
    pub(super) fn sources(&self) -> [BorrowedFd<'_>; 2] {
        [self.device.as_fd(), self.socket.as_fd()]
    }

    /// Reads packets from the device, seals them and sends them. Returns whether there may be more; an error means
    /// that the interface is gone.
    pub(super) fn send(
        &mut self,
        mesh: &mut Mesh,
        legs: &BTreeMap<RelayId, Rings>,
        now: Instant,
    ) -> io::Result<bool> {
        for _ in 0..FRAMES {
            match self.device.read(&mut self.frame) {
                Ok(length) => self.seal(length, mesh, legs, now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn seal(&mut self, length: usize, mesh: &mut Mesh, legs: &BTreeMap<RelayId, Rings>, now: Instant) {
        let (header, packet) = self.frame[..length].split_at_mut(VirtioHeader::LEN.min(length));
        let Ok(mut segments) = VirtioHeader::parse(header).and_then(|header| Segments::new(&header, packet))
        else {
            return;
        };
        let (headers, largest) = segments.headers();
        // The mesh counts the packets that it drops.
        let Ok(peer) = mesh.outbound(headers, largest, now) else {
            return;
        };
        while let Some(packet) = segments.next() {
            if let Sealed::Data { len, leg } = mesh.seal(peer, packet, self.outbox.space(), now) {
                match leg {
                    Leg::Udp(destination) => self.outbox.add(len, destination, &mut self.socket, now),
                    Leg::Tls(relay) => push(legs, relay, self.outbox.set_aside(len).to_vec()),
                }
            }
        }
    }

    /// Reads datagrams from the socket. Returns whether there may be more.
    pub(super) fn receive(&mut self, mesh: &mut Mesh, now: Instant) -> bool {
        let Ok(runs) = self.socket.receive(&mut self.inbox) else {
            return false;
        };
        let mut sink = ToDevice {
            device: &self.device,
            refused: false,
        };
        for Received { from, run, size } in self.inbox.runs() {
            let mut is_heard = false;
            for datagram in run.chunks(size) {
                is_heard |= open(
                    &mut self.coalescer,
                    mesh,
                    Leg::Udp(from.remote),
                    datagram,
                    &mut sink,
                    now,
                );
            }
            // Only from a sender that the mesh has authenticated: the source of any other datagram may be forged.
            if is_heard {
                self.socket.note_route(from);
            }
        }
        self.coalescer.flush(&mut sink);
        if sink.refused {
            self.coalescer.join_less();
            tracing::info!(joins = ?self.coalescer.joins(), "The kernel refused a run of packets; it gets no more of that kind.");
        }
        runs == Socket::RUNS
    }

    pub(super) fn open_from_leg(&mut self, mesh: &mut Mesh, relay: RelayId, datagram: &[u8], now: Instant) {
        let mut sink = ToDevice {
            device: &self.device,
            refused: false,
        };
        open(
            &mut self.coalescer,
            mesh,
            Leg::Tls(relay),
            datagram,
            &mut sink,
            now,
        );
        self.coalescer.flush(&mut sink);
    }

    /// Sends everything that the mesh has to send and everything that was gathered. The mesh is told which datagrams
    /// were too large for an interface, and may have more to send then.
    pub(super) fn settle(&mut self, mesh: &mut Mesh, legs: &BTreeMap<RelayId, Rings>, now: Instant) {
        loop {
            while let Some(transmit) = mesh.poll_transmit() {
                match transmit.leg {
                    Leg::Udp(destination) => {
                        let length = transmit.bytes.len();
                        self.outbox.space()[..length].copy_from_slice(&transmit.bytes);
                        self.outbox.add(length, destination, &mut self.socket, now);
                    }
                    Leg::Tls(relay) => push(legs, relay, transmit.bytes),
                }
            }
            self.outbox.flush(&mut self.socket, now);
            let Some((destination, length)) = self.outbox.poll_too_large() else {
                break;
            };
            mesh.handle_too_large(destination, length, now);
        }
        while let Some(packet) = mesh.poll_bounce() {
            let mut sink = ToDevice {
                device: &self.device,
                refused: false,
            };
            write_single(&packet, &mut sink);
        }
    }

    /// This device's addresses changed.
    pub(super) fn forget_routes(&mut self) {
        self.socket.forget_routes();
    }
}

/// Opens a datagram; returns whether it came from a peer or a relay of the mesh.
fn open(
    coalescer: &mut Coalescer,
    mesh: &mut Mesh,
    from: Leg,
    datagram: &[u8],
    sink: &mut ToDevice<'_>,
    now: Instant,
) -> bool {
    match mesh.open(from, datagram, coalescer.space(sink), now) {
        Opened::Packet { packet, .. } => {
            let length = packet.len();
            coalescer.take(length, sink);
            true
        }
        Opened::Consumed => true,
        Opened::Dropped(_) => false,
    }
}

fn push(legs: &BTreeMap<RelayId, Rings>, relay: RelayId, datagram: Vec<u8>) {
    // A leg that just ended may be missing here before the mesh is told; its datagrams are lost.
    if let Some(rings) = legs.get(&relay) {
        rings.outgoing.push(datagram);
    }
}
