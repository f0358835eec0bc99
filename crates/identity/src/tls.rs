//! The TLS configurations of both ends: one provider, version 1.3 only, without session resumption.
//!
//! A resumed session would keep the client identity of an older one, so a revoked device could come back with it.

mod certificate;

pub use certificate::LiveCertificate;

use crate::{
    ca::FleetCa,
    key::MaterialError,
    verify::{ControlVerifier, DeviceVerifier},
    verify_relay::RelayVerifier,
};
use flotilla_protocol::{
    Timestamp,
    id::{DeviceId, FleetId},
    pin::Pin,
};
use rustls::{
    ClientConfig, Error as TlsError, RootCertStore, ServerConfig,
    client::{Resumption, danger::ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::UnixTime,
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    time_provider::TimeProvider,
    version::TLS13,
};
use std::{sync::Arc, time::Duration};

/// The source of the present time for each handshake.
#[derive(Clone, derive_more::Debug)]
#[debug("Clock")]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Which server an agent accepts as its control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlTrust {
    /// The key of the fleet's authority.
    pub ca_pin: Pin,
    /// The fleet, once the agent knows it; an agent that enrolls with only a token and a pin does not.
    pub fleet: Option<FleetId>,
}

/// Which server a client accepts as a device's relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayTrust {
    /// The key of the fleet's authority.
    pub ca_pin: Pin,
    pub fleet: FleetId,
    /// The device that runs the relay.
    pub device: DeviceId,
}

/// The fleet port's configuration. It offers HTTP/1.1 only, presents `certificate`, and accepts client certificates of
/// this fleet's devices without requiring one.
///
/// # Errors
/// The cryptographic library refused the authority's certificate.
pub fn control_config(
    ca: &FleetCa,
    certificate: &LiveCertificate,
    clock: Clock,
) -> Result<Arc<ServerConfig>, MaterialError> {
    let provider = provider();
    let mut roots = RootCertStore::empty();
    roots
        .add(ca.cert_der().clone())
        .map_err(|_| MaterialError::Certificate)?;
    let algorithms = provider.signature_verification_algorithms;
    let chain = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| MaterialError::Crypto(error.to_string()))?;
    let verifier = DeviceVerifier {
        fleet: ca.fleet(),
        chain,
        algorithms,
    };
    server_config(certificate, Arc::new(verifier), clock)
}

/// An agent's configuration: with a certificate for the link, without one for enrollment. It offers HTTP/1.1 only,
/// because the link begins with an upgrade, which HTTP/2 does not have.
///
/// # Errors
/// The cryptographic library refused the parameters.
pub fn agent_config(
    trust: ControlTrust,
    certificate: Option<&LiveCertificate>,
    clock: Clock,
) -> Result<Arc<ClientConfig>, MaterialError> {
    let verifier = ControlVerifier {
        trust,
        algorithms: provider().signature_verification_algorithms,
    };
    client_config(Arc::new(verifier), certificate, clock)
}

/// The configuration of a relay that a device runs. It asks for no client certificate, because tickets decide which
/// clients are admitted.
///
/// # Errors
/// The cryptographic library refused the parameters.
pub fn relay_config(certificate: &LiveCertificate, clock: Clock) -> Result<Arc<ServerConfig>, MaterialError> {
    server_config(certificate, WebPkiClientVerifier::no_client_auth(), clock)
}

/// The configuration of a client of a relay that a device runs.
///
/// The cryptographic library refused the parameters.
pub fn relay_client_config(trust: RelayTrust, clock: Clock) -> Result<Arc<ClientConfig>, MaterialError> {
    let provider = provider();
    let verifier = RelayVerifier {
        trust,
        algorithms: provider.signature_verification_algorithms,
        provider,
    };
    client_config(Arc::new(verifier), None, clock)
}

/// TLS 1.3 without tickets or resumption: each connection shows its certificate.
fn server_config(
    certificate: &LiveCertificate,
    clients: Arc<dyn ClientCertVerifier>,
    clock: Clock,
) -> Result<Arc<ServerConfig>, MaterialError> {
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(clock))
        .with_protocol_versions(&[&TLS13])
        .map_err(refused)?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(Arc::new(certificate.clone()));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The other side of [`server_config`].
fn client_config(
    server: Arc<dyn ServerCertVerifier>,
    certificate: Option<&LiveCertificate>,
    clock: Clock,
) -> Result<Arc<ClientConfig>, MaterialError> {
    let builder = ClientConfig::builder_with_details(provider(), Arc::new(clock))
        .with_protocol_versions(&[&TLS13])
        .map_err(refused)?
        .dangerous()
        .with_custom_certificate_verifier(server);
    let mut config = match certificate {
        None => builder.with_no_client_auth(),
        Some(certificate) => builder.with_client_cert_resolver(Arc::new(certificate.clone())),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    // The verifiers ignore host names, so none is sent in clear text.
    config.enable_sni = false;
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn refused(error: TlsError) -> MaterialError {
    match error {
        TlsError::InconsistentKeys(_) => MaterialError::Mismatch,
        other => MaterialError::Crypto(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
