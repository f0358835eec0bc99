//! `/agent/v1/enroll`: makes a device with a certificate from a token and a certificate request.
//!
//! `GET` answers the key with which a device proves that its WireGuard key is its own; `POST` enrolls.

use super::credential::{self, HeldToken};
use crate::{
    change::devices::{self, EnrollError, Enrolled, Enrollee},
    core::Core,
    effects::carry_out,
    refusal::Refusal,
    store::DeviceRow,
};
use axum::{Extension, Json, extract::State};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flotilla_fleet::check_protocol;
use flotilla_identity::{VerifiedCsr, WireguardPublicKey};
use flotilla_link::Caller;
use flotilla_protocol::{
    Code, Problem,
    enroll::{EnrollChallenge, EnrollRequest, EnrollResponse, MeshAddress},
    key::PublicKey,
};
use http::HeaderMap;
use serde::{Deserialize, de::DeserializeOwned};
use std::sync::Arc;

/// Longest machine id. It is a hash in hexadecimal; this leaves room for a longer hash.
const MACHINE_ID_CHARS: usize = 128;

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
        Refusal(Code::TooLarge.because("The enrollment request is too large, or it ended early."))
    })?;
    match enroll_held(&core, &caller, &held, &body).await {
        Ok(response) => Ok(Json(response)),
        Err(EnrollError::Refused(problem)) => {
            Err(credential::refuse(&core, &caller, Some(&held.row), problem).await)
        }
        Err(EnrollError::Failed(refusal)) => Err(refusal),
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
            Code::CsrInvalid
                .because("The certificate request does not prove that the device holds its key.")
                .with_field("csr_der")
        })?;
    let proof_key = &core.trust.proof_key;
    let proved = proof_key.check(&request.key_proof, &key, held.row.id, &csr.pin());
    proved.map_err(|_| {
        let message = "The enrollment request does not prove that the device holds its WireGuard key.";
        Code::CsrInvalid.because(message).with_field("key_proof")
    })?;
    let enrollee = Enrollee {
        token: &held.token,
        row: &held.row,
        csr: &csr,
        key,
        request: &request,
        from: &credential::address(caller),
    };
    let (Enrolled { device, chain }, effects) = devices::enroll(core, &enrollee).await?;
    carry_out(core, effects).await;
    Ok(answer(core, &device, chain))
}

fn read(body: &[u8]) -> Result<(EnrollRequest, WireguardPublicKey), Problem> {
    // Of an agent that speaks another protocol, the version may be all that can be read.
    let SpokenProtocol { protocol } = parse(body)?;
    check_protocol(protocol)?;
    let request: EnrollRequest = parse(body)?;
    let key = request.wireguard_public_key.parse().map_err(|_| {
        let message = "The WireGuard key is not an X25519 public key in base64.";
        Code::InvalidInput
            .because(message)
            .with_field("wireguard_public_key")
    })?;
    if request.machine_id.is_empty() || request.machine_id.len() > MACHINE_ID_CHARS {
        let problem = Code::InvalidInput.because("The machine id has 1 to 128 characters.");
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
        Code::InvalidInput.because(
            // The parser's message may quote the whole request.
            format!(
                "The enrollment request can't be read: line {}, column {}.",
                error.line(),
                error.column()
            ),
        )
    })
}

fn answer(core: &Core, device: &DeviceRow, chain: String) -> EnrollResponse {
    EnrollResponse {
        fleet_id: core.trust.ca.fleet(),
        device_id: device.id,
        device_name: device.name.clone(),
        chain,
        ca: core.trust.ca.cert_pem().to_owned(),
        endpoints: core.endpoints_of(device.id),
        mesh: MeshAddress {
            address: device.mesh_ip,
            prefix: core.cache.lock().maps.range().prefix_len(),
        },
    }
}
