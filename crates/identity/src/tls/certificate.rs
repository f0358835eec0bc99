//! The certificate that an end presents. It can be replaced while the end runs.
//!
//! A TLS configuration asks for it in each handshake, so a renewed certificate is in use from the next one on, and
//! connections keep the one with which they began.

use super::{provider, refused};
use crate::key::{LeafKey, MaterialError, certificates};
use rustls::{
    SignatureScheme,
    client::ResolvesClientCert,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::sync::{Arc, PoisonError, RwLock};

/// A certificate with its key and the authority's certificate, for clients and servers. Clones are the same one.
#[derive(Clone, derive_more::Debug)]
#[debug("LiveCertificate")]
pub struct LiveCertificate(Arc<RwLock<Arc<CertifiedKey>>>);

impl LiveCertificate {
    /// `certificate` is the end's own and `authority` its fleet's, both PEM.
    ///
    /// # Errors
    /// A certificate is damaged, or `certificate` does not belong to the key.
    pub fn new(key: &LeafKey, certificate: &str, authority: &str) -> Result<Self, MaterialError> {
        let certified = certified(key, certificate, authority)?;
        Ok(Self(Arc::new(RwLock::new(certified))))
    }

    /// Presents another certificate from the next handshake on.
    ///
    /// # Errors
    /// As of [`LiveCertificate::new`]. The earlier certificate stays.
    pub fn replace(&self, key: &LeafKey, certificate: &str, authority: &str) -> Result<(), MaterialError> {
        let next = certified(key, certificate, authority)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    fn current(&self) -> Arc<CertifiedKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for LiveCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for LiveCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Servers present the authority's certificate too, because clients know only its pin.
fn certified(key: &LeafKey, certificate: &str, authority: &str) -> Result<Arc<CertifiedKey>, MaterialError> {
    let own = certificates(certificate)?.into_iter().take(1);
    let chain = own.chain(certificates(authority)?.into_iter().take(1)).collect();
    CertifiedKey::from_der(chain, key.private_der(), &provider())
        .map(Arc::new)
        .map_err(refused)
}
