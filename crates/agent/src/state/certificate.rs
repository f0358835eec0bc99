//! The certificate that this device presents: to control on its links, and to the clients of its relay.
//!
//! Life cycle: as stored when the link or the relay begins → another is stored → presented from the next handshake on.
//! Connections keep the one with which they began, so a renewal ends nothing.

use super::Identity;
use flotilla_identity::{LeafKey, LiveCertificate, MaterialError};

#[derive(Debug)]
pub(crate) struct DeviceCertificate {
    live: LiveCertificate,
    /// The stored certificate that was taken last, PEM.
    taken: String,
}

impl DeviceCertificate {
    pub(crate) fn of(identity: &Identity) -> Result<Self, MaterialError> {
        let key = LeafKey::from_pem(identity.keys.tls.expose())?;
        Ok(Self {
            live: LiveCertificate::new(&key, &identity.certificate, &identity.ca)?,
            taken: identity.certificate.clone(),
        })
    }

    /// For a TLS configuration, which then follows.
    pub(crate) fn live(&self) -> &LiveCertificate {
        &self.live
    }

    /// Takes the certificate of `identity` if it is another than before. One that can't be presented is left out.
    pub(crate) fn follow(&mut self, identity: &Identity) {
        if identity.certificate == self.taken {
            return;
        }
        self.taken.clone_from(&identity.certificate);
        let replaced = LeafKey::from_pem(identity.keys.tls.expose())
            .and_then(|key| self.live.replace(&key, &identity.certificate, &identity.ca));
        match replaced {
            Ok(()) => tracing::info!("this device presents its new certificate"),
            Err(error) => {
                tracing::warn!(%error, "the new certificate is of no use; the one before is presented")
            }
        }
    }
}
