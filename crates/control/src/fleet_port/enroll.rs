//! `/agent/v1/enroll`: makes a device with a certificate from a token and a certificate request.
//!
//! `GET` answers the key with which a device proves that its WireGuard key is its own; `POST` enrolls.

use super::credential::{self, HeldToken};
use crate::{
    change::devices,
    core::Core,
    refusal::Refusal,
    store::{Credential, DeviceRow, TokenRow, TokenUse, UseOutcome},
};
use axum::{Extension, Json, extract::State};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flotilla_fleet::{
    check_protocol,
    enrollment::{TokenError::Used, Verdict},
};
use flotilla_identity::{VerifiedCsr, WireguardPublicKey};
use flotilla_link::Caller;
use flotilla_protocol::{
    Code, Problem,
    api::Stage,
    device::CertificateFacts,
    enroll::{EnrollChallenge, EnrollRequest, EnrollResponse, MeshAddress},
    key::PublicKey,
};
use http::HeaderMap;
use serde::{Deserialize, de::DeserializeOwned};
use std::sync::Arc;

/// Longest machine id. It is a hash in hexadecimal; this leaves room for a longer hash.
const MACHINE_ID_CHARS: usize = 128;

/// Networks that are kept of a device: more than a router at home or in an office has.
const ROUTES: usize = 256;

pub(super) async fn challenge(State(core): State<Arc<Core>>) -> Json<EnrollChallenge> {
    let key = core.trust.proof_key.public();
    Json(EnrollChallenge {
        proof_key: PublicKey::from_bytes(*key.as_bytes()),
    })
}

pub(super) async fn enroll(
    State(core): State<Arc<Core>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<EnrollResponse>, Refusal> {
    let held = credential::held_token(&core, &caller, &headers).await?;
    let body = body.map_err(|_| {
        Refusal::new(
            Code::TooLarge,
            "The enrollment request is too large, or it ended early.",
        )
    })?;
    match enroll_held(&core, &caller, &held, &body).await {
        Ok(response) => Ok(Json(response)),
        Err(EnrollError::Refused(problem)) => {
            Err(credential::refuse(&core, &caller, Some(&held.row), problem).await)
        }
        Err(EnrollError::Failed(refusal)) => Err(refusal),
    }
}

/// Why an enrollment did not happen.
enum EnrollError {
    /// By the caller's fault: counted and recorded.
    Refused(Problem),
    /// By control's fault.
    Failed(Refusal),
}

impl From<Problem> for EnrollError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<crate::store::StoreError> for EnrollError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

async fn enroll_held(
    core: &Core,
    caller: &Caller,
    held: &HeldToken,
    body: &[u8],
) -> Result<EnrollResponse, EnrollError> {
    let (request, key) = read(body)?;
    let csr = STANDARD
        .decode(&request.csr_der)
        .ok()
        .and_then(|der| VerifiedCsr::from_der(&der).ok())
        .ok_or_else(|| {
            Problem::new(
                Code::CsrInvalid,
                "The certificate request does not prove that the device holds its key.",
            )
            .with_field("csr_der")
        })?;
    let proof_key = &core.trust.proof_key;
    let proved = proof_key.check(&request.key_proof, &key, held.row.id, &csr.pin());
    proved.map_err(|_| {
        let message = "The enrollment request does not prove that the device holds its WireGuard key.";
        Problem::new(Code::CsrInvalid, message).with_field("key_proof")
    })?;
    let _write_guard = core.write_lock.lock().await;
    let now = core.clock.now();
    // Read again under the lock: another agent may have used the token meanwhile.
    let token = core
        .store
        .lookup_token(held.row.id)
        .await?
        .unwrap_or_else(|| held.row.clone());
    let device = core
        .cache
        .lock()
        .device(token.device_id)
        .map(|entry| entry.row.clone());
    let device = device.ok_or_else(|| {
        Problem::new(
            Code::TokenRevoked,
            "The device of this command was removed. Add it again.",
        )
    })?;
    let verdict = token
        .record()
        .judge(&held.token, &csr.pin(), now)
        .map_err(Problem::from)?;
    if let (Verdict::Repeat, Some(used)) = (verdict, &token.used) {
        return answer(core, &device, used.chain.clone());
    }
    let from = credential::address(caller);
    devices::stage_reached(core, &token, Stage::IdentityChecked, &from).await;
    issue(core, device, &token, (&csr, key), (&request, &from)).await
}

/// Signs the certificate, and uses the token up: both or neither.
async fn issue(
    core: &Core,
    mut device: DeviceRow,
    token: &TokenRow,
    (csr, key): (&VerifiedCsr, WireguardPublicKey),
    (request, from): (&EnrollRequest, &str),
) -> Result<EnrollResponse, EnrollError> {
    let now = core.clock.now();
    let issued = core.trust.ca.issue_device(csr, device.id, now).map_err(|error| {
        tracing::error!(device.id = %device.id, %error, "certificate not issued");
        EnrollError::Failed(Refusal::new(
            Code::Internal,
            "The controller could not sign a certificate. Its log says more.",
        ))
    })?;
    device.enrolled = Some(now);
    device.revoked = None;
    device.imposter = None;
    // A route that can't be parsed is left out; it is no reason to refuse the device.
    device.routes = request
        .routes
        .iter()
        .filter_map(|route| route.parse().ok())
        .take(ROUTES)
        .collect();
    device.incoming = Some(Credential {
        certificate: CertificateFacts {
            issued: now,
            expires: issued.expires,
            fingerprint: issued.fingerprint,
        },
        machine_id: request.machine_id.clone(),
        wireguard_key: key.to_string(),
    });
    let used = TokenUse {
        at: now,
        key: csr.pin(),
        chain: issued.pem.clone(),
    };
    match core.store.use_token(token.id, &used, &device).await? {
        UseOutcome::Done => {}
        UseOutcome::TokenGone => return Err(Problem::from(Used).into()),
        UseOutcome::KeyKnown => {
            let message = "This WireGuard key has been in this fleet before, and every enrollment needs a new one. Empty the agent's state directory, then enroll it with a new command.";
            return Err(Problem::new(Code::Conflict, message)
                .with_field("wireguard_public_key")
                .into());
        }
    }
    // From here on the new certificate decides: its first link must not count as one of two agents that take turns.
    core.links.forget_holders(device.id);
    devices::device_enrolled(core, &device, token.id, used, request, from).await;
    answer(core, &device, issued.pem)
}

fn read(body: &[u8]) -> Result<(EnrollRequest, WireguardPublicKey), Problem> {
    // Of an agent that speaks another protocol, the version may be all that can be read.
    let SpokenProtocol { protocol } = parse(body)?;
    check_protocol(protocol)?;
    let request: EnrollRequest = parse(body)?;
    let key = request.wireguard_public_key.parse().map_err(|_| {
        let message = "The WireGuard key is not an X25519 public key in base64.";
        Problem::new(Code::InvalidInput, message).with_field("wireguard_public_key")
    })?;
    if request.machine_id.is_empty() || request.machine_id.len() > MACHINE_ID_CHARS {
        let problem = Problem::new(Code::InvalidInput, "The machine id has 1 to 128 characters.");
        return Err(problem.with_field("machine_id"));
    }
    Ok((request, key))
}

/// The part of the request that every protocol version has.
#[derive(Deserialize)]
struct SpokenProtocol {
    protocol: u32,
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        Problem::new(
            Code::InvalidInput,
            // The parser's message may quote the whole request.
            format!(
                "The enrollment request can't be read: line {}, column {}.",
                error.line(),
                error.column()
            ),
        )
    })
}

fn answer(core: &Core, device: &DeviceRow, chain: String) -> Result<EnrollResponse, EnrollError> {
    let prefix = devices::range(core).map_err(EnrollError::Failed)?.prefix();
    Ok(EnrollResponse {
        fleet_id: core.trust.ca.fleet(),
        device_id: device.id,
        device_name: device.name.clone(),
        chain,
        ca: core.trust.ca.cert_pem().to_owned(),
        endpoints: core.endpoints_of(device.id),
        mesh: MeshAddress {
            address: device.mesh_ip,
            prefix,
        },
    })
}
