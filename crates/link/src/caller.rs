//! The caller of a request on the fleet port.

use flotilla_identity::{PeerCertificate, Role};
use flotilla_protocol::id::DeviceId;
use std::net::SocketAddr;

/// Request extension on every request of the fleet port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub remote: SocketAddr,
    /// The client certificate, signed by the fleet's authority. It may be revoked, or expired since less than
    /// [`flotilla_identity::EXPIRED_GRACE`]: the routes decide whether to serve it.
    pub certificate: Option<PeerCertificate>,
}

impl Caller {
    /// The device that calls; `None` for a relay or a caller without a certificate.
    pub fn device(&self) -> Option<DeviceId> {
        match self.certificate.as_ref()?.identity.role {
            Role::Device(device) => Some(device),
            Role::Control => None,
        }
    }
}
