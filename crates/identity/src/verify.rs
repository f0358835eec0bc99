//! The certificate verifiers of both ends: agents check that the server is their control, control checks that a client
//! is one of its devices.
//!
//! Both check the signature chain with the library's own verifier and add the pin, the identity in the certificate,
//! and tolerance for wrong clocks. Control judges devices by its own clock. A device's clock is not relied on: boards
//! start in 1970, and others are years ahead, so an agent checks control's certificate as of a moment at which it is
//! valid. Its dates would protect little: control keeps its key from one certificate to the next, and a thief of that
//! key has the authority's as well, because both are in the same directory.

use crate::{
    ca::FleetCa,
    key::pin_of,
    peer::{InvalidPeer, PeerCertificate, PeerIdentity, Role},
    tls::ControlTrust,
    trust::TrustError,
};
use flotilla_protocol::{Timestamp, id::FleetId, pin::Pin};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error as TlsError, RootCertStore,
    SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::{
        ParsedCertificate,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use std::{sync::Arc, time::Duration};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

/// How long after its end a device's certificate still passes the handshake, so that the device can be told to renew
/// it.
pub const EXPIRED_GRACE: Duration = Duration::from_secs(30 * 86_400);

/// What every verifier says of signatures: those of TLS 1.3 are checked by its `algorithms`, and TLS 1.2 is not offered.
macro_rules! tls13_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _certificate: &CertificateDer<'_>,
            _signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, TlsError> {
            Err(TlsError::General("TLS 1.2 is not offered".to_owned()))
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, TlsError> {
            verify_tls13_signature(message, certificate, signature, &self.algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.algorithms.supported_schemes()
        }
    };
}
pub(crate) use tls13_signatures;

/// The agents' verifier: the server must be the control of the pinned fleet.
#[derive(Debug)]
pub(crate) struct ControlVerifier {
    pub(crate) trust: ControlTrust,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

impl ControlVerifier {
    /// The verifier of the agents that belong to this authority's fleet.
    pub(crate) fn of(ca: &FleetCa) -> Self {
        Self {
            trust: ControlTrust {
                ca_pin: ca.pin(),
                fleet: Some(ca.fleet()),
            },
            algorithms: aws_lc_rs::default_provider().signature_verification_algorithms,
        }
    }

    /// Judges a certificate as of its own beginning.
    pub(crate) fn judge_undated(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
    ) -> Result<(), TrustError> {
        self.judge(leaf, chain, UnixTime::since_unix_epoch(Duration::ZERO))
    }

    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), TrustError> {
        let roots = pinned_authority(chain, &self.trust.ca_pin)?;
        let peer = named(leaf)?;
        let parsed = ParsedCertificate::try_from(leaf).map_err(|_| TrustError::Malformed)?;
        let at = tolerant_of_any_clock(now, &peer);
        match verify_server_cert_signed_by_trust_anchor(&parsed, &roots, &[], at, self.algorithms.all) {
            Ok(()) => self.judge_identity(peer.identity),
            Err(_) if peer.identity.role != Role::Control => {
                Err(TrustError::NotControl { found: peer.identity })
            }
            Err(_) => Err(TrustError::NotIssued),
        }
    }

    fn judge_identity(&self, found: PeerIdentity) -> Result<(), TrustError> {
        if found.role != Role::Control {
            return Err(TrustError::NotControl { found });
        }
        match self.trust.fleet {
            Some(expected) if expected != found.fleet => Err(TrustError::OtherFleet {
                expected,
                found: found.fleet,
            }),
            _ => Ok(()),
        }
    }
}

impl ServerCertVerifier for ControlVerifier {
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

/// The pinned authority from the server's chain, if it is in there.
pub(crate) fn pinned_authority(chain: &[CertificateDer<'_>], pin: &Pin) -> Result<RootCertStore, TrustError> {
    let authority = chain
        .iter()
        .find(|certificate| spki_pin(certificate).as_ref() == Some(pin))
        .ok_or_else(|| TrustError::PinMismatch {
            expected: pin.clone(),
        })?;
    let mut roots = RootCertStore::empty();
    roots
        .add(authority.clone().into_owned())
        .map_err(|_| TrustError::Malformed)?;
    Ok(roots)
}

/// The identity that a certificate names.
pub(crate) fn named(leaf: &CertificateDer<'_>) -> Result<PeerCertificate, TrustError> {
    PeerCertificate::from_der(leaf).map_err(|invalid| match invalid {
        InvalidPeer::Certificate => TrustError::Malformed,
        InvalidPeer::Uri | InvalidPeer::Names => TrustError::NotIssued,
    })
}

/// Control's verifier: a client certificate must be one of this fleet's devices.
#[derive(Debug)]
pub(crate) struct DeviceVerifier {
    pub(crate) fleet: FleetId,
    /// Checks chain, purpose and dates.
    pub(crate) chain: Arc<dyn ClientCertVerifier>,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for DeviceVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        let peer = PeerCertificate::from_der(leaf)
            .map_err(|_| TlsError::InvalidCertificate(CertificateError::BadEncoding))?;
        let ours = peer.identity.fleet == self.fleet && matches!(peer.identity.role, Role::Device(_));
        if !ours {
            return Err(TlsError::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ));
        }
        let at = tolerant_of_an_expired_device(tolerant_of_a_slow_clock(now, peer.not_before), peer.expires);
        self.chain.verify_client_cert(leaf, intermediates, at)
    }

    tls13_signatures!();
}

/// The moment within a certificate's validity that is nearest to what a device's clock shows.
pub(crate) fn tolerant_of_any_clock(now: UnixTime, peer: &PeerCertificate) -> UnixTime {
    tolerant_of_a_slow_clock(now, peer.not_before).min(unix_time(peer.expires))
}

/// The later of the clock and the certificate's beginning: the authority signed the certificate at its beginning, so a
/// clock that shows an earlier time is behind.
fn tolerant_of_a_slow_clock(now: UnixTime, not_before: Timestamp) -> UnixTime {
    now.max(unix_time(not_before))
}

/// Within [`EXPIRED_GRACE`] after its end, a certificate is checked as of its last second.
fn tolerant_of_an_expired_device(now: UnixTime, expires: Timestamp) -> UnixTime {
    let end = unix_time(expires);
    if now > end && now.as_secs() - end.as_secs() <= EXPIRED_GRACE.as_secs() {
        end
    } else {
        now
    }
}

fn unix_time(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0)))
}

pub(crate) fn spki_pin(der: &[u8]) -> Option<Pin> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(pin_of(certificate.public_key().raw))
}
