//! A device that relays as its settings say, on real ports of this computer.

use super::*;
use crate::state::{Keys, Secret};
use flotilla_identity::{FleetCa, RelayTrust, VerifiedCsr, WireguardKey, relay_client_config};
use flotilla_link::{Target, open};
use flotilla_protocol::{agent::RelayDuty, endpoint::Endpoint};
use flotilla_relay::CONNECT_PATH;
use std::net::UdpSocket;
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(30);

/// A device of a fleet of its own.
fn enrolled() -> Identity {
    let now = AgentClock::system();
    let id = "01937c5e-7b1a-7c3e-8b9e-0123456789ab";
    let ca = FleetCa::create(id.parse().unwrap(), now).unwrap();
    let key = LeafKey::generate().unwrap();
    let csr = VerifiedCsr::from_der(&key.csr_der().unwrap()).unwrap();
    let identity = crate::mesh::samples::identity();
    Identity {
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
    }
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
    let target = |device| Target {
        endpoints: vec![Endpoint::from_ip(running.address.ip(), running.address.port())],
        last_good: None,
        proxies: flotilla_link::Proxies::default(),
        tls: relay_client_config(
            RelayTrust {
                ca_pin: identity.ca_pin.clone(),
                fleet: identity.fleet_id,
                device,
            },
            clock.for_tls(),
        )
        .unwrap(),
    };
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
async fn a_relay_needs_an_enrollment() {
    let dir = tempfile::tempdir().unwrap();
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let exit = relay(dir.path(), at, CancellationToken::new()).await;
    assert!(matches!(exit, Exit::Refused(reason) if reason.contains("Add Device")));
}
