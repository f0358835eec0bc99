//! The relay that this device runs for other devices while control's settings ask for it. It runs whether control is
//! reachable or not.
//!
//! Life cycle: control's settings name a port → [`start`] opens it by UDP and TLS → every change of the settings is
//! followed: other revoked keys, another limit and a new certificate at once, another port by starting anew, no port by
//! ending. A port that cannot be opened is tried again. [`relay`] is the same relay as a program of its own, which takes
//! no settings from control while it runs.

use crate::{
    complaint::Complaint,
    exit::Exit,
    machine::AgentClock,
    state::{self, Identity, StateDir, certificate::DeviceCertificate},
};
use axum::Router;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flotilla_identity::{MaterialError, relay_config};
use flotilla_link::{Admission, Caller, listen, raise_file_limit, serve_tls};
use flotilla_protocol::{agent::RELAY_MBIT_PER_SECOND, mesh::REFLECT_PORT_OFFSET};
use flotilla_relay::{LegRequest, Limits, Relay, RelayConfig, StartError, StaticKey};
use http::Extensions;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use zeroize::Zeroizing;

/// How long until a port that could not be opened is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// Why a relay does not run.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the device's keys cannot be used: {0}")]
    Keys(#[from] MaterialError),
    #[error("TCP port {port} can't be listened on: {source}", port = address.port())]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Relay(#[from] StartError),
}

impl RelayError {
    fn class(&self) -> &'static str {
        match self {
            Self::Keys(_) => "keys",
            Self::Listen { .. } => "tcp",
            Self::Relay(_) => "udp",
        }
    }
}

/// A running relay. It ends when dropped.
struct Running {
    address: SocketAddr,
    relay: Relay,
    certificate: DeviceCertificate,
    _serving: AbortOnDropHandle<()>,
}

impl Running {
    /// Listens by UDP and TLS on one port number.
    fn start(identity: &Identity, clock: &AgentClock, at: SocketAddr) -> Result<Self, RelayError> {
        let certificate = DeviceCertificate::of(identity)?;
        let tls = relay_config(certificate.live(), clock.for_tls())?;
        let authority =
            CertificateDer::from_pem_slice(identity.ca.as_bytes()).map_err(|_| MaterialError::Certificate)?;
        let listener = listen(at).map_err(|source| RelayError::Listen { address: at, source })?;
        let address = listener.local_addr().unwrap_or(at);
        let reflect = address.port().checked_add(REFLECT_PORT_OFFSET).unwrap_or(0);
        let relay = Relay::start(RelayConfig {
            udp: address,
            reflect: Some(SocketAddr::new(address.ip(), reflect)),
            key: wireguard_key(identity)?,
            authority: authority.to_vec(),
            clock: clock.for_tls(),
            limits: Limits {
                line: line(RELAY_MBIT_PER_SECOND),
                ..Limits::default()
            },
        })?;
        let router: Router = relay.router(leg_request);
        raise_file_limit();
        // Dropping the serving task ends its connections, so the token is never cancelled.
        let serving = tokio::spawn(serve_tls(listener, tls, router, CancellationToken::new()));
        tracing::info!(relay.address = %address, "this device passes packets on for others");
        Ok(Self {
            address,
            relay,
            certificate,
            _serving: AbortOnDropHandle::new(serving),
        })
    }

    /// Listens on all addresses of this device; of IPv4 alone where there is no IPv6.
    fn start_everywhere(identity: &Identity, clock: &AgentClock, port: u16) -> Result<Self, RelayError> {
        let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        match Self::start(identity, clock, both) {
            Err(RelayError::Listen { source, .. }) if source.kind() != io::ErrorKind::AddrInUse => {
                Self::start(identity, clock, (Ipv4Addr::UNSPECIFIED, port).into())
            }
            other => other,
        }
    }
}

/// A line's rate in bytes per second.
fn line(mbit_per_second: u32) -> u64 {
    u64::from(mbit_per_second) * 125_000
}

fn leg_request(extensions: &Extensions) -> LegRequest {
    let caller = extensions.get::<Caller>();
    let admission = extensions.get::<Admission>().cloned();
    LegRequest {
        remote: caller.map_or((Ipv6Addr::UNSPECIFIED, 0).into(), |caller| caller.remote),
        admitted: Box::new(move |device| {
            if let Some(admission) = admission {
                admission.admit(device);
            }
        }),
    }
}

fn wireguard_key(identity: &Identity) -> Result<StaticKey, MaterialError> {
    let bytes = STANDARD.decode(identity.keys.wireguard.expose());
    let bytes = Zeroizing::new(bytes.map_err(|_| MaterialError::Key)?);
    let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| MaterialError::Key)?;
    Ok(StaticKey::from_bytes(bytes))
}

/// Runs the relay that the stored settings ask for, until the handle is dropped.
pub(crate) fn start(state: Arc<StateDir>, clock: AgentClock) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(follow_settings(state, clock)))
}

async fn follow_settings(state: Arc<StateDir>, clock: AgentClock) {
    let mut changes = state.watch();
    let mut running = None;
    let mut complaint = Complaint::default();
    loop {
        let changed = match match_settings(&state, &clock, &mut running) {
            Ok(()) => {
                complaint.settle();
                changes.changed().await
            }
            Err(error) => {
                if complaint.is_new(error.class()) {
                    tracing::warn!(%error, "this device cannot be the relay that it should be; it keeps trying");
                }
                timeout(RETRY, changes.changed()).await.unwrap_or(Ok(()))
            }
        };
        if changed.is_err() {
            return;
        }
    }
}

/// Makes the running relay match the settings.
fn match_settings(
    state: &StateDir,
    clock: &AgentClock,
    running: &mut Option<Running>,
) -> Result<(), RelayError> {
    let identity = state.get().identity;
    let wanted = identity
        .as_ref()
        .and_then(|identity| Some((identity, identity.relay.as_ref()?)));
    let Some((identity, duty)) = wanted else {
        *running = None;
        return Ok(());
    };
    if running
        .as_ref()
        .is_some_and(|running| running.address.port() != duty.port)
    {
        *running = None;
    }
    if running.is_none() {
        *running = Some(Running::start_everywhere(identity, clock, duty.port)?);
    }
    if let Some(running) = running {
        running.certificate.follow(identity);
        running.relay.limit_line(line(duty.mbit_per_second));
        running.relay.revoke(duty.revoked.iter().copied());
    }
    Ok(())
}

/// Runs a relay with the enrollment of this device until `shutdown`.
pub async fn relay(state_dir: &Path, at: SocketAddr, shutdown: CancellationToken) -> Exit {
    let state = match state::load(state_dir) {
        Ok(state) => state.unwrap_or_default(),
        Err(error) => return Exit::Failed(error.to_string()),
    };
    let Some(identity) = &state.identity else {
        return Exit::Refused(format!(
            "No device is enrolled in {}. Enroll this one first: create a command under Add Device.",
            state_dir.display()
        ));
    };
    let running = match Running::start(identity, &AgentClock::new(state.heard), at) {
        Ok(running) => running,
        Err(error) => return Exit::Failed(format!("The relay cannot start: {error}.")),
    };
    let revoked = identity.relay.as_ref().map(|duty| duty.revoked.clone());
    running.relay.revoke(revoked.unwrap_or_default());
    shutdown.cancelled().await;
    drop(running);
    Exit::Stopped
}

#[cfg(test)]
mod tests;
