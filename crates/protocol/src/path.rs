//! Paths: how two devices reach each other on the mesh, and why so.

use crate::{
    Timestamp,
    id::{DeviceId, RelayId},
    name::DeviceName,
};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    Direct,
    Relayed,
    None,
    #[serde(other)]
    Unknown,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal $kind:ident,)*) => {
        /// Why a path is what it is: a closed list, written as `kind.reason`.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, derive_more::Display,
        )]
        #[display("{}", self.as_str())]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum PathReason {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
            /// Nothing recent is known, or a newer agent has a reason that this build does not know.
            #[serde(rename = "unknown", other)]
            Unknown,
        }

        impl PathReason {
            pub const ALL: &'static [Self] = &[$(Self::$name,)* Self::Unknown];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* Self::Unknown => "unknown" }
            }

            pub fn kind(self) -> PathKind {
                match self { $(Self::$name => PathKind::$kind,)* Self::Unknown => PathKind::Unknown }
            }
        }
    };
}

reasons! {
    DirectLan "direct.lan" Direct,
    DirectIpv6 "direct.ipv6" Direct,
    /// By an address of a private network that this end is not in itself: through a router, or through a VPN.
    DirectRouted "direct.routed" Direct,
    DirectNat "direct.nat" Direct,
    /// Direct candidates are being probed.
    RelayTrying "relay.trying" Relayed,
    RelayUdpBlocked "relay.udp_blocked" Relayed,
    /// Both ends map each destination anew, so neither can foresee the other's address.
    RelayHardNat "relay.hard_nat" Relayed,
    RelayAlways "relay.always" Relayed,
    /// There was a direct path, and it fell silent.
    RelayLost "relay.lost" Relayed,
    NoneNever "none.never" None,
    NoneAsleep "none.asleep" None,
    NoneOffline "none.offline" None,
    NoneNoRelay "none.no_relay" None,
    NoneMode "none.mode" None,
    NonePolicy "none.policy" None,
}

/// How one agent reaches one of its peers now.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerPath {
    pub peer: DeviceId,
    pub why: PathReason,
    pub relay: Option<RelayId>,
    /// Where its packets go when the path is direct.
    pub remote: Option<SocketAddr>,
    /// The end at which `why` holds, when it is one of the two: `Some` of the peer's or the own id.
    pub cause: Option<DeviceId>,
    /// Round trip of the last answered probe.
    #[serde(default, deserialize_with = "crate::figure::finite_if_any")]
    pub rtt_ms: Option<f32>,
    pub since: Timestamp,
    pub last_handshake: Option<Timestamp>,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    /// Largest IP packet that the path carries.
    pub mtu: u16,
}

/// A path as the control API shows it, as seen by `from`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Path {
    pub from: DeviceName,
    pub from_id: DeviceId,
    pub to: DeviceName,
    pub to_id: DeviceId,
    pub kind: PathKind,
    /// The relay's name, on a relayed path.
    pub relay: Option<String>,
    pub rtt_ms: Option<f32>,
    pub since: Option<Timestamp>,
    pub why_code: PathReason,
    /// `why_code` as a sentence for people, with the names of what it is about.
    pub why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handshake: Option<Timestamp>,
    #[serde(default)]
    pub received_bytes: u64,
    #[serde(default)]
    pub sent_bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
    pub as_of: Timestamp,
}

/// One try of a test of a path.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PathAttempt {
    /// What was tried, for people: `Local 192.168.1.20:7000`, `Relay controller`.
    pub target: String,
    /// Round trip in milliseconds; absent when no answer came in time.
    #[serde(default, deserialize_with = "crate::figure::finite_if_any")]
    pub rtt_ms: Option<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_written_as_it_prints_and_begins_with_its_kind() {
        for reason in PathReason::ALL {
            let text = serde_json::to_string(reason).unwrap();
            assert_eq!(text, format!("\"{reason}\""));
            assert_eq!(serde_json::from_str::<PathReason>(&text).unwrap(), *reason);
            let kind = match reason.kind() {
                PathKind::Direct => "direct.",
                PathKind::Relayed => "relay.",
                PathKind::None => "none.",
                PathKind::Unknown => "unknown",
            };
            assert!(reason.as_str().starts_with(kind));
        }
        assert_eq!(
            serde_json::from_str::<PathReason>("\"relay.by_pigeon\"").unwrap(),
            PathReason::Unknown
        );
    }
}
