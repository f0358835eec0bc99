//! Where a device is on the mesh, and how its traffic gets there.

use crate::{cidr::IpRange, open::choice};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// A device's place on the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeshAddress {
    pub address: Ipv4Addr,
    /// Prefix length of the fleet's range around `address`.
    pub prefix: u8,
}

impl MeshAddress {
    /// The fleet's range; `None` when the prefix is longer than an address.
    pub fn range(&self) -> Option<IpRange> {
        IpRange::new(self.address.into(), self.prefix).ok()
    }
}

choice!(
    /// When a device's mesh traffic goes through a relay.
    RelayPreference: Auto = "auto", Always = "always", Never = "never"
);
