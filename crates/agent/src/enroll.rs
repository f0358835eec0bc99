//! Enrolling: a one-time token becomes a certificate.
//!
//! Life cycle: keys are made and stored → control is asked (as often as the network needs, always with the same keys,
//! and each time with a proof that the WireGuard key is this device's own) → the answer is stored, in the same step in
//! which the old identity is replaced. A refusal by control ends it. A server that is not control never sees the token,
//! because the TLS handshake with it fails.

pub(crate) mod source;

use crate::{
    complaint::{Complaint, class},
    machine::{self, AgentClock, Gauge},
    mesh::{RefusedMap, check_place},
    state::{
        Identity, Keys, Secret, StateDir, StateError,
        status_file::{LinkStatus, StatusFile},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flotilla_identity::{
    ControlTrust, InvalidWireguardKey, LeafKey, LiveCertificate, MaterialError, WireguardKey, agent_config,
};
use flotilla_link::{Backoff, DialError, Proxies, Target, call};
use flotilla_protocol::{
    Code, PROTOCOL, Problem,
    enroll::{ENROLL_PATH, EnrollChallenge, EnrollRequest, EnrollResponse},
};
use source::Enrollment;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// How an enrollment ended.
#[derive(Debug)]
pub(crate) enum EnrollOutcome {
    Enrolled,
    /// Control refused, and asking again would not help.
    Refused(Problem),
    Stopped,
}

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("the device's own keys cannot be used: {0}")]
    Keys(#[from] MaterialError),
    #[error("control's answer is not understood: {0}")]
    Answer(String),
    #[error(transparent)]
    Place(#[from] RefusedMap),
}

impl Failure {
    fn class(&self) -> &'static str {
        match self {
            Self::Dial(error) => class(error),
            Self::State(_) => "state",
            Self::Keys(_) => "keys",
            Self::Answer(_) => "answer",
            Self::Place(_) => "place",
        }
    }
}

/// Enrolls with this token, retrying until control answers, or until `shutdown`.
pub(crate) async fn enroll(
    state: &StateDir,
    enrollment: &Enrollment,
    proxies: &Proxies,
    clock: &AgentClock,
    status: &StatusFile,
    shutdown: &CancellationToken,
) -> EnrollOutcome {
    if let Some(expires) = enrollment
        .expires
        .filter(|expires| *expires < AgentClock::system())
    {
        // Control decides: this device's clock may be the one that is wrong.
        tracing::warn!(token.expires = %expires, "by this device's clock the token has expired; asking control");
    }
    let mut backoff = Backoff::default();
    let mut complaint = Complaint::default();
    loop {
        let Some(result) = shutdown
            .run_until_cancelled(attempt(state, enrollment, proxies, clock))
            .await
        else {
            return EnrollOutcome::Stopped;
        };
        let failure = match result {
            Ok(()) => return EnrollOutcome::Enrolled,
            Err(Failure::Dial(DialError::Refused { problem, .. })) if is_final(problem.code) => {
                return EnrollOutcome::Refused(problem);
            }
            Err(Failure::Place(reason)) => return EnrollOutcome::Refused(reason.into()),
            Err(failure) => failure,
        };
        if complaint.is_new(failure.class()) {
            tracing::warn!(error = %failure, "this device could not enroll yet; it keeps trying");
        }
        status.set_link(LinkStatus::down(AgentClock::system(), failure.to_string()));
        let pause: Duration = backoff.handle_down(Instant::now(), &mut rand::rng());
        if shutdown
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_none()
        {
            return EnrollOutcome::Stopped;
        }
    }
}

/// Whether control refused the token or this agent, in contrast to a control that cannot answer right now.
fn is_final(code: Code) -> bool {
    !matches!(
        code,
        Code::RateLimited | Code::Unavailable | Code::Internal | Code::NoAnswer | Code::Unknown
    )
}

async fn attempt(
    state: &StateDir,
    enrollment: &Enrollment,
    proxies: &Proxies,
    clock: &AgentClock,
) -> Result<(), Failure> {
    let keys = prepared_keys(state, enrollment)?;
    let tls_key = LeafKey::from_pem(keys.tls.expose())?;
    let trust = ControlTrust {
        ca_pin: enrollment.ca_pin.clone(),
        fleet: enrollment.fleet,
    };
    let target = Target {
        endpoints: enrollment.endpoints.clone(),
        last_good: None,
        tls: agent_config(trust, None, clock.for_tls())?,
        proxies: proxies.clone(),
    };
    let challenge = call(&target, challenge()?).await?;
    let challenge: EnrollChallenge =
        serde_json::from_slice(&challenge.body).map_err(|error| Failure::Answer(error.to_string()))?;
    let request = request(state, enrollment, (&keys, &tls_key), challenge)?;
    let answer = call(&target, request).await?;
    let answered = answer.endpoint;
    let response: EnrollResponse =
        serde_json::from_slice(&answer.body).map_err(|error| Failure::Answer(error.to_string()))?;
    check_place(response.mesh)?;
    // A certificate that does not fit the key would only fail later, when the token is used up.
    LiveCertificate::new(&tls_key, &response.chain, &response.ca)?;
    tracing::info!(device.id = %response.device_id, device.name = %response.device_name, "this device is enrolled");
    let mut endpoints = response.endpoints;
    endpoints.extend(
        enrollment
            .endpoints
            .iter()
            .filter(|known| !endpoints.contains(known))
            .cloned()
            .collect::<Vec<_>>(),
    );
    state.update(|state| {
        state.pending = None;
        state.identity = Some(Identity {
            fleet_id: response.fleet_id,
            device_id: response.device_id,
            device_name: response.device_name,
            keys,
            certificate: response.chain,
            ca: response.ca,
            ca_pin: enrollment.ca_pin.clone(),
            endpoints,
            last_good: Some(answered),
            mesh: response.mesh,
            relay: None,
        });
    })?;
    Ok(())
}

/// The keys for this token: those on disk if there are some, so that control recognizes a repeated request.
fn prepared_keys(state: &StateDir, enrollment: &Enrollment) -> Result<Keys, Failure> {
    let token = enrollment.token.id();
    if let Some(keys) = state.get().pending.filter(|keys| keys.token == token) {
        return Ok(keys);
    }
    let keys = Keys {
        token,
        tls: Secret::new(LeafKey::generate()?.to_pem()),
        wireguard: Secret::new(WireguardKey::generate().to_base64()),
    };
    state.update(|state| state.pending = Some(keys.clone()))?;
    Ok(keys)
}

/// The request for the key with which this device proves that its WireGuard key is its own. It carries no token.
fn challenge() -> Result<http::Request<Bytes>, Failure> {
    http::Request::get(ENROLL_PATH)
        .body(Bytes::new())
        .map_err(|error| Failure::Answer(error.to_string()))
}

fn request(
    state: &StateDir,
    enrollment: &Enrollment,
    (keys, tls_key): (&Keys, &LeafKey),
    challenge: EnrollChallenge,
) -> Result<http::Request<Bytes>, Failure> {
    let wireguard = WireguardKey::from_base64(keys.wireguard.expose()).map_err(|_| MaterialError::Key)?;
    let proof_key = challenge.proof_key.to_string().parse();
    let proof_key = proof_key.map_err(|error: InvalidWireguardKey| Failure::Answer(error.to_string()))?;
    let key_proof = wireguard.prove(&proof_key, enrollment.token.id(), &tls_key.pin());
    let key_proof = key_proof.map_err(|error| Failure::Answer(error.to_string()))?;
    let body = EnrollRequest {
        protocol: PROTOCOL,
        agent_version: crate::VERSION.to_owned(),
        csr_der: STANDARD.encode(tls_key.csr_der()?),
        wireguard_public_key: wireguard.public().to_string(),
        key_proof,
        machine_id: machine::id(state)?,
        facts: Gauge::new(state.dir()).facts(),
        routes: machine::routes(),
        sent_at: AgentClock::system(),
    };
    let body = serde_json::to_vec(&body).map_err(|error| Failure::Answer(error.to_string()))?;
    let bearer = Zeroizing::new(format!("Bearer {}", *enrollment.token.reveal()));
    let mut bearer =
        http::HeaderValue::from_str(&bearer).map_err(|error| Failure::Answer(error.to_string()))?;
    bearer.set_sensitive(true);
    http::Request::post(ENROLL_PATH)
        .header(http::header::AUTHORIZATION, bearer)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(body))
        .map_err(|error| Failure::Answer(error.to_string()))
}
