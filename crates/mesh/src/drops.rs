//! Why packets were dropped, counted, because drops are otherwise silent.

use flotilla_protocol::id::DeviceId;
use std::collections::BTreeMap;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// Why a packet was dropped.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DropReason {
            $($(#[$doc])* $name,)*
        }

        impl DropReason {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// A name for logs and metrics.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// Not an IP packet, or one whose lengths contradict each other.
    Malformed "malformed",
    /// A question to the mesh itself, which was answered.
    Echo "echo",
    /// No peer has the destination address.
    NoPeer "no_peer",
    /// There is no path to the peer.
    NoPath "no_path",
    /// Larger than the path carries; the sender was told by ICMP.
    TooBig "too_big",
    /// Too many packets wait for the handshake.
    QueueFull "queue_full",
    /// A peer sent from an address that is not its own, or sent a packet through the mesh that belongs around it.
    Spoofed "spoofed",
    /// Its destination is not this device.
    NotForUs "not_for_us",
    /// No rule allows it, and it belongs to no flow that was opened from here.
    Filtered "filtered",
    /// A later fragment whose first one was not seen, or not allowed.
    Fragment "fragment",
    /// Neither WireGuard nor a probe nor a relay's frame.
    UnknownDatagram "unknown_datagram",
    /// It names a session or a peer that is unknown here.
    UnknownPeer "unknown_peer",
    /// It fails authentication.
    Forged "forged",
    /// It was received before, or is too old to tell.
    Replayed "replayed",
    /// Too many handshakes came.
    UnderLoad "under_load",
    /// The caller's buffer cannot hold the result.
    BufferTooSmall "buffer_too_small",
}

/// Bytes of IP packets to and from one peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    pub sent_bytes: u64,
    pub received_bytes: u64,
}

/// Counts of dropped packets and passed bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets per reason; a reason that never occurred is absent.
    pub drops: BTreeMap<DropReason, u64>,
    pub peers: BTreeMap<DeviceId, Traffic>,
}
