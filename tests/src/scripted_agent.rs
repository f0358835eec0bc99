//! An agent inside the test's process: it enrolls and dials as agents do, and what it sends is the test's choice.
//!
//! It exists for what a real agent never does (requests that ask for too much, links that never answer), and for
//! swarms, since a thousand processes do not fit into one computer.

use anyhow::Result;
use axum::Router;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flotilla_identity::{
    Clock, ControlTrust, EnrollmentToken, LeafKey, LiveCertificate, WireguardKey, agent_config,
};
use flotilla_link::{DialError, Introduction, LinkEnd, Target, call, dial, serve};
use flotilla_protocol::device::Facts;
use flotilla_protocol::enroll::{ConfigFile, ENROLL_PATH, EnrollChallenge, EnrollRequest, EnrollResponse};
use flotilla_protocol::{Code, PROTOCOL};
use tokio_util::sync::CancellationToken;

use crate::clock;

/// An agent that is not enrolled: a key pair and a machine id.
#[derive(Debug)]
pub struct ScriptedAgent {
    pub key: LeafKey,
    pub machine_id: String,
}

impl ScriptedAgent {
    pub fn new(machine_id: &str) -> Result<Self> {
        Ok(Self {
            key: LeafKey::generate()?,
            machine_id: machine_id.to_owned(),
        })
    }

    /// Enrolls with a certificate request that names nothing, as agents do.
    pub async fn enroll(&self, config: &ConfigFile) -> Result<EnrolledAgent, DialError> {
        let csr = self.key.csr_der().unwrap_or_default();
        self.enroll_with(config, &csr).await
    }

    /// Enrolls with the given certificate request.
    pub async fn enroll_with(&self, config: &ConfigFile, csr: &[u8]) -> Result<EnrolledAgent, DialError> {
        let target = self.target(config, None)?;
        let wireguard = WireguardKey::generate();
        let request = EnrollRequest {
            protocol: PROTOCOL,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            csr_der: STANDARD.encode(csr),
            wireguard_public_key: wireguard.public().to_string(),
            key_proof: self.proof(config, &target, &wireguard).await?,
            machine_id: self.machine_id.clone(),
            facts: Facts {
                hostname: "newcomer".to_owned(),
                ..Facts::default()
            },
            routes: Vec::new(),
            sent_at: clock::now(),
        };
        let body = serde_json::to_vec(&request).unwrap_or_default();
        let http = http::Request::post(ENROLL_PATH)
            .header(http::header::AUTHORIZATION, format!("Bearer {}", config.token))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body));
        let http = http.unwrap_or_default();
        let answer = call(&target, http).await?;
        let not_understood = |what: String| DialError::NotUnderstood {
            endpoint: answer.endpoint.clone(),
            what,
        };
        let response: EnrollResponse =
            serde_json::from_slice(&answer.body).map_err(|error| not_understood(error.to_string()))?;
        let target = self.target(config, Some(&response))?;
        let introduction = Introduction {
            run: "run".into(),
            machine_id: self.machine_id.clone(),
            hostname: "newcomer".to_owned(),
        };
        Ok(EnrolledAgent {
            response,
            target,
            introduction,
        })
    }

    /// The proof that this agent has the private half of its WireGuard key; empty where the config file has no valid
    /// token, since control refuses that before it checks the proof.
    async fn proof(
        &self,
        config: &ConfigFile,
        target: &Target,
        wireguard: &WireguardKey,
    ) -> Result<String, DialError> {
        let ask = http::Request::get(ENROLL_PATH).body(Bytes::new());
        let answer = call(target, ask.unwrap_or_default()).await?;
        let not_understood = |what: String| DialError::NotUnderstood {
            endpoint: answer.endpoint.clone(),
            what,
        };
        let challenge: EnrollChallenge =
            serde_json::from_slice(&answer.body).map_err(|error| not_understood(error.to_string()))?;
        let proof_key = challenge.proof_key.to_string().parse();
        let proof_key = proof_key.map_err(|_| not_understood("no key for proofs".to_owned()))?;
        let token = EnrollmentToken::parse(&config.token);
        let prove = |token: EnrollmentToken| wireguard.prove(&proof_key, token.id(), &self.key.pin());
        Ok(token.ok().and_then(|token| prove(token).ok()).unwrap_or_default())
    }

    fn target(&self, config: &ConfigFile, enrolled: Option<&EnrollResponse>) -> Result<Target, DialError> {
        let trust = ControlTrust {
            ca_pin: config.ca_pin.clone(),
            fleet: enrolled.map(|response| response.fleet_id),
        };
        // A key that does not fit its certificate has no error of its own here: the test sees `NoEndpoint`.
        let certificate = enrolled
            .map(|response| LiveCertificate::new(&self.key, &response.chain, &response.ca))
            .transpose()
            .map_err(|_| DialError::NoEndpoint)?;
        let tls = agent_config(trust, certificate.as_ref(), Clock::new(clock::now))
            .map_err(|_| DialError::NoEndpoint)?;
        Ok(Target {
            endpoints: config.endpoints.clone(),
            last_good: None,
            proxies: flotilla_link::Proxies::default(),
            tls,
        })
    }
}

/// A device's identity, and what it needs to dial control.
#[derive(Debug, Clone)]
pub struct EnrolledAgent {
    pub response: EnrollResponse,
    pub target: Target,
    pub introduction: Introduction,
}

impl EnrolledAgent {
    /// Dials and holds one link until it ends; `router` answers control's calls.
    pub async fn hold_link(&self, router: Router, shutdown: CancellationToken) -> Result<LinkEnd, DialError> {
        let dialed = dial(&self.target, &self.introduction).await?;
        Ok(serve(dialed, router, shutdown).await)
    }
}

/// The code with which control refused.
#[must_use]
pub fn refusal<T>(outcome: &Result<T, DialError>) -> Option<Code> {
    match outcome {
        Err(DialError::Refused { problem, .. }) => Some(problem.code),
        _ => None,
    }
}

/// A certificate request of this key that asks for the identity `uri`, for control's name, and for a server's usage.
pub fn greedy_request(key: &LeafKey, uri: &str) -> Result<Vec<u8>> {
    let pair = rcgen::KeyPair::from_pem(&key.to_pem())?;
    let mut wish = rcgen::CertificateParams::default();
    wish.subject_alt_names = vec![
        rcgen::SanType::URI(uri.try_into()?),
        rcgen::SanType::DnsName("control".try_into()?),
    ];
    wish.extended_key_usages = vec![
        rcgen::ExtendedKeyUsagePurpose::ServerAuth,
        rcgen::ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(wish.serialize_request(&pair)?.der().to_vec())
}
