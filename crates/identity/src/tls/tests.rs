//! Handshakes between both configurations, in memory: which ends accept each other.

mod renewed;

use super::*;
use crate::{EXPIRED_GRACE, LeafKey, PeerCertificate, PeerIdentity, TrustError, VerifiedCsr, explain};
use flotilla_protocol::id::DeviceId;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};
use rustls::{
    ClientConnection, ServerConnection,
    pki_types::{CertificateDer, ServerName},
};
use std::io;

const DAY: i64 = 86_400;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn clock(second: i64) -> Clock {
    Clock::new(move || at(second))
}

fn fleet_id(last: u8) -> FleetId {
    format!("01937c5e-7b1a-7c3e-8b9e-0000000000{last:02x}")
        .parse()
        .unwrap()
}

fn device_id() -> DeviceId {
    "01937c5e-7b1a-7c3e-8b9e-0123456789cd".parse().unwrap()
}

/// A fleet that was created at second 0.
struct Fleet {
    ca: FleetCa,
    key: LeafKey,
}

impl Fleet {
    fn new(id: u8) -> Self {
        Self {
            ca: FleetCa::create(fleet_id(id), at(0)).unwrap(),
            key: LeafKey::generate().unwrap(),
        }
    }

    fn trust(&self) -> ControlTrust {
        ControlTrust {
            ca_pin: self.ca.pin(),
            fleet: Some(self.ca.fleet()),
        }
    }

    fn live(&self, key: &LeafKey, certificate: &str) -> LiveCertificate {
        LiveCertificate::new(key, certificate, self.ca.cert_pem()).unwrap()
    }

    fn control(&self, now: i64) -> Arc<ServerConfig> {
        let leaf = self.ca.issue_control(&self.key, at(0)).unwrap();
        control_config(&self.ca, &self.live(&self.key, &leaf.pem), clock(now)).unwrap()
    }

    fn device_certificate(&self, key: &LeafKey, issued: i64) -> String {
        let csr = VerifiedCsr::from_der(&key.csr_der().unwrap()).unwrap();
        self.ca.issue_device(&csr, device_id(), at(issued)).unwrap().pem
    }

    fn agent(&self, now: i64) -> Arc<ClientConfig> {
        let key = LeafKey::generate().unwrap();
        let live = self.live(&key, &self.device_certificate(&key, 0));
        agent_config(self.trust(), Some(&live), clock(now)).unwrap()
    }

    fn stranger(&self, now: i64) -> Arc<ClientConfig> {
        agent_config(self.trust(), None, clock(now)).unwrap()
    }

    /// A server with a certificate signed by this fleet's authority, possibly one that no control would get.
    fn server_with(&self, uri: &str, usage: ExtendedKeyUsagePurpose) -> Arc<ServerConfig> {
        let authority = KeyPair::from_pem(&self.ca.key_pem()).unwrap();
        let mut name = rcgen::DistinguishedName::new();
        name.push(
            rcgen::DnType::CommonName,
            format!("Flotilla fleet {}", self.ca.fleet()),
        );
        let mut issuer = CertificateParams::default();
        issuer.distinguished_name = name;
        let key = LeafKey::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        params.extended_key_usages = vec![usage];
        let certificate = params
            .signed_by(key.pair(), &Issuer::new(issuer, authority))
            .unwrap();
        self.serve(&key, certificate.der().clone())
    }

    fn serve(&self, key: &LeafKey, leaf: CertificateDer<'static>) -> Arc<ServerConfig> {
        let chain = vec![leaf, self.ca.cert_der().clone()];
        let config = ServerConfig::builder_with_details(provider(), Arc::new(clock(0)))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key.private_der())
            .unwrap();
        Arc::new(config)
    }
}

/// The result of a handshake at each end, with the certificate of the other.
struct Outcome {
    agent: Result<Option<PeerCertificate>, TlsError>,
    control: Result<Option<PeerCertificate>, TlsError>,
}

fn handshake(agent: Arc<ClientConfig>, control: Arc<ServerConfig>) -> Outcome {
    let name = ServerName::try_from("192.0.2.1").unwrap();
    let mut client = ClientConnection::new(agent, name).unwrap();
    let mut server = ServerConnection::new(control).unwrap();
    let (mut client_says, mut server_says) = (Ok(()), Ok(()));
    while client_says.is_ok() && server_says.is_ok() && (client.is_handshaking() || server.is_handshaking()) {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        server.read_tls(&mut wire.as_slice()).unwrap();
        server_says = server.process_new_packets().map(drop);
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        client.read_tls(&mut wire.as_slice()).unwrap();
        client_says = client.process_new_packets().map(drop);
    }
    let read = |chain: &[CertificateDer<'_>]| PeerCertificate::from_der(&chain[0]).unwrap();
    Outcome {
        agent: client_says.map(|()| client.peer_certificates().map(read)),
        control: server_says.map(|()| server.peer_certificates().map(read)),
    }
}

fn reason(outcome: Outcome) -> TrustError {
    let error = outcome.agent.expect_err("the agent must not trust");
    explain(&io::Error::other(error))
        .expect("the agent knows why")
        .clone()
}

#[test]
fn a_device_and_its_control_recognize_each_other() {
    let fleet = Fleet::new(1);
    let outcome = handshake(fleet.agent(0), fleet.control(0));
    outcome.agent.unwrap();
    let seen = outcome.control.unwrap().unwrap();
    assert_eq!(seen.identity, PeerIdentity::device(fleet_id(1), device_id()));
}

#[test]
fn a_stranger_who_trusts_the_pin_may_knock_without_a_certificate() {
    let fleet = Fleet::new(1);
    let trust = ControlTrust {
        fleet: None,
        ..fleet.trust()
    };
    let outcome = handshake(agent_config(trust, None, clock(0)).unwrap(), fleet.control(0));
    outcome.agent.unwrap();
    assert_eq!(outcome.control.unwrap(), None);
}

#[test]
fn another_authority_is_a_pin_mismatch_and_says_what_was_expected() {
    let (ours, other) = (Fleet::new(1), Fleet::new(1));
    let found = reason(handshake(ours.agent(0), other.control(0)));
    assert_eq!(
        found,
        TrustError::PinMismatch {
            expected: ours.ca.pin()
        }
    );
    assert!(found.to_string().contains(ours.ca.pin().as_str()));
}

#[test]
fn presenting_the_right_authority_beside_a_leaf_it_did_not_sign_is_refused() {
    let (ours, other) = (Fleet::new(1), Fleet::new(1));
    let key = LeafKey::generate().unwrap();
    let forged = other.ca.issue_control(&key, at(0)).unwrap();
    assert_eq!(
        reason(handshake(ours.agent(0), ours.serve(&key, forged.der))),
        TrustError::NotIssued
    );
}

#[test]
fn a_device_does_not_pass_for_control() {
    let fleet = Fleet::new(1);
    let key = LeafKey::generate().unwrap();
    let csr = VerifiedCsr::from_der(&key.csr_der().unwrap()).unwrap();
    let issued = fleet.ca.issue_device(&csr, device_id(), at(0)).unwrap();
    let found = PeerIdentity::device(fleet_id(1), device_id());
    assert_eq!(
        reason(handshake(fleet.agent(0), fleet.serve(&key, issued.der))),
        TrustError::NotControl { found }
    );
    let as_server = fleet.server_with(&found.to_string(), ExtendedKeyUsagePurpose::ServerAuth);
    assert_eq!(
        reason(handshake(fleet.agent(0), as_server)),
        TrustError::NotControl { found }
    );
}

#[test]
fn controls_name_on_a_client_certificate_is_refused() {
    let fleet = Fleet::new(1);
    let uri = PeerIdentity::control(fleet_id(1)).to_string();
    let server = fleet.server_with(&uri, ExtendedKeyUsagePurpose::ClientAuth);
    assert_eq!(reason(handshake(fleet.agent(0), server)), TrustError::NotIssued);
}

#[test]
fn the_control_of_another_fleet_under_the_same_authority_is_refused() {
    let fleet = Fleet::new(1);
    let other = PeerIdentity::control(fleet_id(2)).to_string();
    let server = fleet.server_with(&other, ExtendedKeyUsagePurpose::ServerAuth);
    let expected = TrustError::OtherFleet {
        expected: fleet_id(1),
        found: fleet_id(2),
    };
    assert_eq!(reason(handshake(fleet.agent(0), server)), expected);
}

#[test]
fn a_wrong_name_under_the_right_authority_is_refused() {
    let fleet = Fleet::new(1);
    let good = PeerIdentity::control(fleet_id(1)).to_string();
    for uri in [
        "https://control.example",
        &format!("{good}/"),
        &good.replace("control", "relay"),
        &good.to_uppercase(),
    ] {
        let server = fleet.server_with(uri, ExtendedKeyUsagePurpose::ServerAuth);
        assert_eq!(
            reason(handshake(fleet.agent(0), server)),
            TrustError::NotIssued,
            "{uri}"
        );
    }
}

#[test]
fn an_agent_whose_clock_is_years_behind_still_trusts() {
    let fleet = Fleet::new(1);
    let outcome = handshake(fleet.agent(-20 * 365 * DAY), fleet.control(0));
    outcome.agent.unwrap();
    assert!(outcome.control.unwrap().is_some());
}

#[test]
fn an_agent_whose_clock_is_ahead_still_trusts_its_control_and_no_other() {
    let (fleet, other) = (Fleet::new(1), Fleet::new(1));
    for now in [DAY, 91 * DAY, 5 * 365 * DAY] {
        let outcome = handshake(fleet.agent(now), fleet.control(0));
        outcome.agent.unwrap();
        assert!(outcome.control.unwrap().is_some());
        let found = reason(handshake(fleet.agent(now), other.control(0)));
        assert!(matches!(found, TrustError::PinMismatch { .. }), "{found}");
    }
}

/// Control's certificate is fresh; the device's was issued at second 0 and is checked at `now`.
fn device_certificate_aged(now: i64) -> Outcome {
    let fleet = Fleet::new(1);
    let leaf = fleet.ca.issue_control(&fleet.key, at(now)).unwrap();
    let control = control_config(&fleet.ca, &fleet.live(&fleet.key, &leaf.pem), clock(now)).unwrap();
    handshake(fleet.agent(now), control)
}

#[test]
fn a_device_certificate_passes_the_handshake_for_a_while_after_its_end_so_that_it_can_be_told() {
    let grace = i64::try_from(EXPIRED_GRACE.as_secs()).unwrap();
    for now in [89 * DAY, 90 * DAY + 1, 90 * DAY + grace] {
        assert!(
            device_certificate_aged(now).control.unwrap().is_some(),
            "second {now}"
        );
    }
    assert!(device_certificate_aged(90 * DAY + grace + 1).control.is_err());
}

#[test]
fn a_device_certificate_passes_when_controls_clock_was_set_back() {
    let fleet = Fleet::new(1);
    assert!(
        handshake(fleet.agent(0), fleet.control(-2 * DAY))
            .control
            .unwrap()
            .is_some()
    );
}

#[test]
fn control_refuses_client_certificates_that_are_not_a_device_of_its_fleet() {
    let (ours, other) = (Fleet::new(1), Fleet::new(2));
    let foreign = LeafKey::generate().unwrap();
    let csr = VerifiedCsr::from_der(&foreign.csr_der().unwrap()).unwrap();
    let device_of_another = other.ca.issue_device(&csr, device_id(), at(0)).unwrap();
    let control_of_ours = ours.ca.issue_control(&foreign, at(0)).unwrap();
    for pem in [device_of_another.pem, control_of_ours.pem] {
        let agent = agent_config(ours.trust(), Some(&ours.live(&foreign, &pem)), clock(0)).unwrap();
        assert!(handshake(agent, ours.control(0)).control.is_err());
    }
}

#[test]
fn nothing_is_kept_that_could_resume_a_session() {
    let fleet = Fleet::new(1);
    let control = fleet.control(0);
    assert_eq!(control.send_tls13_tickets, 0);
    assert!(!control.session_storage.can_cache());
    assert!(!control.ticketer.enabled());
}

#[test]
fn a_key_and_a_certificate_that_do_not_belong_together_are_found_at_once() {
    let fleet = Fleet::new(1);
    let leaf = fleet.ca.issue_control(&fleet.key, at(0)).unwrap();
    let other = LeafKey::generate().unwrap();
    let refused = LiveCertificate::new(&other, &leaf.pem, fleet.ca.cert_pem());
    assert_eq!(refused.unwrap_err(), MaterialError::Mismatch);
    let live = fleet.live(&fleet.key, &leaf.pem);
    let refused = live.replace(&other, &leaf.pem, fleet.ca.cert_pem());
    assert_eq!(refused, Err(MaterialError::Mismatch));
    let control = control_config(&fleet.ca, &live, clock(0)).unwrap();
    let seen = handshake(fleet.agent(0), control).agent.unwrap().unwrap();
    assert_eq!(seen.fingerprint, leaf.fingerprint, "it stays as it was");
}

#[test]
fn a_client_that_asks_for_no_more_than_http2_gets_no_connection() {
    let fleet = Fleet::new(1);
    let mut agent = (*fleet.stranger(0)).clone();
    agent.alpn_protocols = vec![b"h2".to_vec()];
    assert!(handshake(Arc::new(agent), fleet.control(0)).control.is_err());
}

/// A device's relay with its certificate, and a client that expects `expected`.
fn relayed(fleet: &Fleet, expected: RelayTrust, now: i64) -> Outcome {
    let key = LeafKey::generate().unwrap();
    let live = fleet.live(&key, &fleet.device_certificate(&key, 0));
    let relay = relay_config(&live, clock(now)).unwrap();
    handshake(relay_client_config(expected, clock(now)).unwrap(), relay)
}

fn relay_trust(fleet: &Fleet) -> RelayTrust {
    RelayTrust {
        ca_pin: fleet.ca.pin(),
        fleet: fleet.ca.fleet(),
        device: device_id(),
    }
}

#[test]
fn a_device_that_relays_is_known_by_its_name_and_its_authority() {
    let (fleet, other) = (Fleet::new(1), Fleet::new(2));
    assert!(relayed(&fleet, relay_trust(&fleet), 0).agent.is_ok());
    assert!(relayed(&fleet, relay_trust(&fleet), -100 * DAY).agent.is_ok());
    assert!(relayed(&fleet, relay_trust(&fleet), 121 * DAY).agent.is_ok());
    assert!(relayed(&fleet, relay_trust(&other), 0).agent.is_err());
    let device = "01937c5e-7b1a-7c3e-8b9e-0123456789ce".parse().unwrap();
    let neighbor = RelayTrust {
        device,
        ..relay_trust(&fleet)
    };
    assert!(relayed(&fleet, neighbor, 0).agent.is_err());
}

#[test]
fn neither_control_nor_a_relay_passes_for_the_other() {
    let fleet = Fleet::new(1);
    let client = relay_client_config(relay_trust(&fleet), clock(0)).unwrap();
    assert!(handshake(client, fleet.control(0)).agent.is_err());
    let key = LeafKey::generate().unwrap();
    let live = fleet.live(&key, &fleet.device_certificate(&key, 0));
    let relay = relay_config(&live, clock(0)).unwrap();
    assert!(handshake(fleet.stranger(0), relay).agent.is_err());
}
