//! Who is at the other end of a connection to the fleet port.

use flotilla_identity::{PeerCertificate, Role};
use flotilla_protocol::id::DeviceId;
use std::net::SocketAddr;

/// Request extension on every request of the fleet port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub remote: SocketAddr,
    /// The client certificate, signed by the fleet's authority. It may be revoked, or expired since less than
    /// [`flotilla_identity::EXPIRED_GRACE`]: that is for the routes to answer.
    pub certificate: Option<PeerCertificate>,
}

impl Caller {
    /// The device that calls, when it is one.
    #[must_use]
    pub fn device(&self) -> Option<DeviceId> {
        match self.certificate.as_ref()?.identity.role {
            Role::Device(device) => Some(device),
            Role::Control => None,
        }
    }
}
