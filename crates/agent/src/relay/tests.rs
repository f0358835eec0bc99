//! A device that relays as its settings say, on real ports of this computer.

use super::*;
use crate::state::{Keys, Secret};
use flotilla_identity::{
    FleetCa, LeafKey, PeerCertificate, RelayTrust, VerifiedCsr, WireguardKey, relay_client_config,
};
use flotilla_link::{Target, open};
use flotilla_protocol::{agent::RelayDuty, endpoint::Endpoint, id::DeviceId};
use flotilla_relay::CONNECT_PATH;
use futures_util::FutureExt as _;
use rustls::{ClientConnection, pki_types::ServerName};
use std::net::{TcpStream, UdpSocket};
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(30);

fn enrolled() -> Identity {
    enrolled_in_fleet().1
}

/// A device of a fleet of its own, and its authority.
fn enrolled_in_fleet() -> (FleetCa, Identity) {
    let now = AgentClock::system();
    let id = "01937c5e-7b1a-7c3e-8b9e-0123456789ab";
    let ca = FleetCa::create(id.parse().unwrap(), now).unwrap();
    let key = LeafKey::generate().unwrap();
    let csr = VerifiedCsr::from_der(&key.csr_der().unwrap()).unwrap();
    let identity = crate::mesh::samples::identity();
    let identity = Identity {
        fleet_id: ca.fleet(),
        keys: Keys {
            tls: Secret::new(key.to_pem()),
            wireguard: Secret::new(WireguardKey::generate().to_base64()),
            ..identity.keys
        },
        certificate: ca.issue_device(&csr, identity.device_id, now).unwrap().pem,
        ca: ca.cert_pem().to_owned(),
        ca_pin: ca.pin(),
        ..identity
    };
    (ca, identity)
}

fn trust(identity: &Identity, device: DeviceId) -> RelayTrust {
    RelayTrust {
        ca_pin: identity.ca_pin.clone(),
        fleet: identity.fleet_id,
        device,
    }
}

/// How a client reaches the relay of `device`, on a port of this computer.
fn target(identity: &Identity, device: DeviceId, port: u16) -> Target {
    Target {
        endpoints: vec![Endpoint::from_ip(Ipv4Addr::LOCALHOST.into(), port)],
        last_good: None,
        proxies: flotilla_link::Proxies::default(),
        tls: relay_client_config(trust(identity, device), AgentClock::new(None).for_tls()).unwrap(),
    }
}

/// The certificate that a new client of the relay is shown.
async fn presented(identity: &Identity, port: u16) -> PeerCertificate {
    let tls = target(identity, identity.device_id, port).tls;
    let client = tokio::task::spawn_blocking(move || {
        let name = ServerName::from(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut client = ClientConnection::new(tls, name).unwrap();
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        client.complete_io(&mut socket).unwrap();
        client
    });
    let client = client.await.unwrap();
    PeerCertificate::from_der(&client.peer_certificates().unwrap()[0]).unwrap()
}

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Whether a probe to the port is answered with the address that it came from.
fn reflects(port: u16) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut request = [0; 64];
    request[..13].copy_from_slice(&[0xF1, 0x07, 0x11, 0xA0, 0x02, 1, 2, 3, 4, 5, 6, 7, 8]);
    let sent = socket
        .connect(("127.0.0.1", port))
        .and_then(|()| socket.send(&request));
    sent.and_then(|_| socket.recv(&mut request))
        .is_ok_and(|length| length == 31)
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_device_relays_while_its_settings_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let state = Arc::new(StateDir::open(dir.path()).unwrap());
    let _relaying = start(state.clone(), AgentClock::new(None));
    let (first, second) = (free_port(), free_port());
    let serve_at = |port: Option<u16>| {
        let changed = state.update(|state| {
            let identity = state.identity.take().unwrap_or_else(enrolled);
            let relay = port.map(|port| RelayDuty {
                port,
                mbit_per_second: 100,
                revoked: Vec::new(),
            });
            state.identity = Some(Identity { relay, ..identity });
        });
        changed.unwrap();
    };
    serve_at(Some(first));
    eventually("it relays", || reflects(first)).await;
    serve_at(Some(second));
    eventually("it relays elsewhere", || reflects(second)).await;
    assert!(!reflects(first));
    serve_at(None);
    eventually("it relays no more", || !reflects(second)).await;
}

#[tokio::test]
async fn clients_know_the_relay_by_the_device_that_runs_it() {
    let identity = enrolled();
    let clock = AgentClock::new(None);
    let running = Running::start(&identity, &clock, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let target = |device| target(&identity, device, running.address.port());
    let (_outgoing, mut incoming) = open(&target(identity.device_id), CONNECT_PATH)
        .await
        .unwrap()
        .split();
    let challenge = timeout(PATIENCE, incoming.next()).await.unwrap().unwrap();
    assert_eq!((challenge.len(), challenge[4]), (45, 0x05));
    let other = "01937c5e-7b1a-7c3e-8b9e-0123456789ff".parse().unwrap();
    assert!(open(&target(other), CONNECT_PATH).await.is_err());
}

#[tokio::test]
async fn a_relay_presents_its_devices_new_certificate_and_keeps_its_clients() {
    let dir = tempfile::tempdir().unwrap();
    let state = Arc::new(StateDir::open(dir.path()).unwrap());
    let _relaying = start(state.clone(), AgentClock::new(None));
    let (ca, mut identity) = enrolled_in_fleet();
    let port = free_port();
    identity.relay = Some(RelayDuty {
        port,
        mbit_per_second: 100,
        revoked: Vec::new(),
    });
    let store = |identity: Identity| state.update(|state| state.identity = Some(identity)).unwrap();
    store(identity.clone());
    eventually("it relays", || reflects(port)).await;
    let before = presented(&identity, port).await;
    let client = open(&target(&identity, identity.device_id, port), CONNECT_PATH).await;
    let (_outgoing, mut incoming) = client.unwrap().split();
    timeout(PATIENCE, incoming.next()).await.unwrap().unwrap();

    let key = LeafKey::from_pem(identity.keys.tls.expose()).unwrap();
    let csr = VerifiedCsr::from_der(&key.csr_der().unwrap()).unwrap();
    let next = ca.issue_device(&csr, identity.device_id, AgentClock::system());
    identity.certificate = next.unwrap().pem;
    store(identity.clone());
    let deadline = Instant::now() + PATIENCE;
    while presented(&identity, port).await.fingerprint == before.fingerprint {
        assert!(Instant::now() < deadline, "it presents the old one");
    }
    assert!(incoming.next().now_or_never().is_none(), "its client stays");
}

#[tokio::test]
async fn a_relay_needs_an_enrollment() {
    let dir = tempfile::tempdir().unwrap();
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let exit = relay(dir.path(), at, CancellationToken::new()).await;
    assert!(matches!(exit, Exit::Refused(reason) if reason.contains("Add Device")));
}
