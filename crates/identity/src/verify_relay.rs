//! The verifier of clients of a relay that a device runs: the server must be that device, of this fleet.
//!
//! A device's certificate is for clients only, so that a device cannot pass for control. Its relay presents the same
//! certificate, which is therefore checked for a client's purpose: the authority's signature and the name must be
//! right. Its dates are not checked, because relays have to go on while control, which renews certificates, is away; a
//! relay ends by being removed from the network map.

use crate::{
    peer::PeerIdentity,
    tls::RelayTrust,
    trust::TrustError,
    verify::{named, pinned_authority, tls13_signatures, tolerant_of_any_clock},
};
use rustls::{
    DigitallySignedStruct, Error as TlsError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::WebPkiClientVerifier,
};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct RelayVerifier {
    pub(crate) trust: RelayTrust,
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

impl RelayVerifier {
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), TrustError> {
        let roots = pinned_authority(chain, &self.trust.ca_pin)?;
        let peer = named(leaf)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|_| TrustError::Malformed)?;
        let at = tolerant_of_any_clock(now, &peer);
        match verifier.verify_client_cert(leaf, &[], at) {
            Ok(_) => self.judge_identity(peer.identity),
            Err(_) => Err(TrustError::NotIssued),
        }
    }

    fn judge_identity(&self, found: PeerIdentity) -> Result<(), TrustError> {
        let expected = PeerIdentity::device(self.trust.fleet, self.trust.device);
        if found == expected {
            Ok(())
        } else {
            Err(TrustError::OtherRelay { expected, found })
        }
    }
}

impl ServerCertVerifier for RelayVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        self.judge(leaf, chain, now)?;
        Ok(ServerCertVerified::assertion())
    }

    tls13_signatures!();
}
