//! A relay on real sockets on loopback.

use super::*;
use crate::LegRequest;
use flotilla_identity::FleetCa;
use flotilla_protocol::{
    Timestamp,
    id::{DeviceId, FleetId},
};
use flotilla_wire::{Cookie, Data, Hello, Proof, Reason, RelayKey, SessionId};
use futures_util::{SinkExt as _, StreamExt as _};
use std::{net::UdpSocket, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(20);

fn start_wall() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

struct Fleet {
    ca: FleetCa,
    relay: Relay,
}

impl Fleet {
    fn new() -> Self {
        let ca = FleetCa::create(FleetId(Uuid::from_u128(1)), start_wall()).unwrap();
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let relay = Relay::start(RelayConfig {
            udp: loopback,
            reflect: Some(loopback),
            key: StaticKey::from_bytes([0xEE; 32]),
            authority: ca.cert_der().to_vec(),
            clock: Clock::new(start_wall),
            limits: Limits::default(),
        })
        .unwrap();
        Self { ca, relay }
    }

    fn ticket(&self, key: &StaticKey) -> String {
        let device = DeviceId(Uuid::from_u128(2));
        self.ca
            .issue_ticket(device, key.public(), start_wall())
            .unwrap()
            .0
    }

    fn hello(&self, key: &StaticKey, cookie: Cookie) -> Vec<u8> {
        let (relay, ticket) = (self.relay.public_key(), self.ticket(key));
        let proof = RelayKey::of_client(key, relay)
            .unwrap()
            .prove_hello(1, &cookie, ticket.as_bytes());
        let ticket = ticket.as_bytes();
        written(&Frame::Hello(Hello {
            tx: 1,
            cookie,
            proof,
            ticket,
        }))
    }

    /// A client by UDP, admitted.
    fn client(&self, number: u8) -> Client {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(self.relay.udp_address()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let key = StaticKey::from_bytes([number; 32]);
        let mut client = Client {
            socket,
            key,
            session: SessionId(0),
        };
        client.send(&Frame::Hello(Hello {
            tx: 1,
            cookie: Cookie::NONE,
            proof: Proof::NONE,
            ticket: &[],
        }));
        let cookie = match Frame::parse(&client.receive()).unwrap() {
            Frame::Challenge(challenge) => challenge.cookie,
            other => panic!("{other:?}"),
        };
        client.socket.send(&self.hello(&client.key, cookie)).unwrap();
        client.session = match Frame::parse(&client.receive()).unwrap() {
            Frame::Welcome(welcome) => welcome.session,
            other => panic!("{other:?}"),
        };
        client
    }
}

struct Client {
    socket: UdpSocket,
    key: StaticKey,
    session: SessionId,
}

impl Client {
    fn send(&self, frame: &Frame<'_>) {
        self.socket.send(&written(frame)).unwrap();
    }

    fn send_data(&self, to: PublicKey, payload: &[u8]) {
        let session = self.session;
        self.send(&Frame::Data(Data {
            session,
            key: to,
            payload,
        }));
    }

    fn receive(&self) -> Vec<u8> {
        let mut bytes = vec![0; 2000];
        let length = self.socket.recv(&mut bytes).unwrap();
        bytes.truncate(length);
        bytes
    }
}

fn written(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = vec![0; 2000];
    let length = frame.write(&mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

fn payload_of(bytes: &[u8], source: PublicKey) -> Vec<u8> {
    match Frame::parse(bytes).unwrap() {
        Frame::Data(data) if data.key == source => data.payload.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_clients_reach_each_other_by_key() {
    let fleet = Fleet::new();
    let (alice, bob) = (fleet.client(1), fleet.client(2));
    alice.send_data(bob.key.public(), b"to bob");
    assert_eq!(payload_of(&bob.receive(), alice.key.public()), b"to bob");
    bob.send_data(alice.key.public(), b"to alice");
    assert_eq!(payload_of(&alice.receive(), bob.key.public()), b"to alice");
}

#[test]
fn a_stream_of_packets_arrives_whole_and_in_order() {
    let fleet = Fleet::new();
    let (alice, bob) = (fleet.client(1), fleet.client(2));
    bob.send_data(alice.key.public(), b"go on");
    alice.receive();
    // As many as surely fit into the receiver's socket buffer, a few times over.
    for round in 0..20u8 {
        for number in 0..40u8 {
            alice.send_data(bob.key.public(), &[&[round, number][..], &[7; 1310]].concat());
        }
        for number in 0..40u8 {
            let payload = payload_of(&bob.receive(), alice.key.public());
            assert_eq!(payload[..2], [round, number]);
        }
    }
    let facts = fleet.relay.facts();
    assert_eq!(
        facts
            .clients
            .iter()
            .map(|client| client.counters.sent_datagrams)
            .sum::<u64>(),
        801
    );
}

#[test]
fn both_ports_tell_callers_where_they_are_seen() {
    let fleet = Fleet::new();
    let reflect = fleet.relay.reflect_address().unwrap();
    assert_ne!(reflect.port(), fleet.relay.udp_address().port());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let observed = socket.local_addr().unwrap();
    for (tx, port) in [(5, fleet.relay.udp_address()), (6, reflect)] {
        socket
            .send_to(&written(&Frame::ReflectRequest { tx }), port)
            .unwrap();
        let mut bytes = [0; 100];
        let (length, from) = socket.recv_from(&mut bytes).unwrap();
        assert_eq!(from, port);
        assert_eq!(
            Frame::parse(&bytes[..length]),
            Ok(Frame::ReflectAnswer { tx, observed })
        );
    }
}

#[test]
fn a_reflect_port_that_is_taken_gives_way_to_another() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _entered = runtime.enter();
    let (_, bound) = bind_or_any_port(address).unwrap();
    assert_ne!(bound, address);
    assert!(matches!(bind(address), Err(StartError::Listen { .. })));
}

#[test]
fn a_revoked_client_and_a_relay_that_stops_are_told() {
    let fleet = Fleet::new();
    let (alice, bob) = (fleet.client(1), fleet.client(2));
    fleet.relay.revoke([alice.key.public()]);
    let end = |session, reason| written(&Frame::End { session, reason });
    assert_eq!(alice.receive(), end(alice.session, Reason::Revoked));
    fleet.relay.stop();
    assert_eq!(bob.receive(), end(bob.session, Reason::Leaving));
}

async fn connected(
    fleet: &Fleet,
    port: SocketAddr,
    key: &StaticKey,
) -> (WebSocketStream<TcpStream>, SessionId) {
    let stream = TcpStream::connect(port).await.unwrap();
    let url = format!("ws://{port}{CONNECT_PATH}");
    let (mut socket, _) = client_async(url, stream).await.unwrap();
    let challenge = received(&mut socket).await;
    let Ok(Frame::Challenge(challenge)) = Frame::parse(&challenge) else {
        panic!("{challenge:?}");
    };
    let hello = fleet.hello(key, challenge.cookie);
    socket.send(Message::Binary(hello.into())).await.unwrap();
    let welcome = received(&mut socket).await;
    let Ok(Frame::Welcome(welcome)) = Frame::parse(&welcome) else {
        panic!("{welcome:?}");
    };
    (socket, welcome.session)
}

async fn received(socket: &mut WebSocketStream<TcpStream>) -> Vec<u8> {
    let message = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap();
    match message.unwrap().unwrap() {
        Message::Binary(bytes) => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_on_a_tls_leg_reaches_one_on_udp_and_back() {
    let fleet = Fleet::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap();
    let router = fleet.relay.router::<()>(|_| LegRequest {
        remote: SocketAddr::from(([127, 0, 0, 1], 1)),
        admitted: Box::new(|_| {}),
    });
    let served = tokio::spawn(async move { axum::serve(listener, router).await });
    let alice = StaticKey::from_bytes([1; 32]);
    let (mut socket, session) = connected(&fleet, port, &alice).await;
    let bob = fleet.client(2);
    let key = bob.key.public();
    let data = written(&Frame::Data(Data {
        session,
        key,
        payload: b"up",
    }));
    socket.send(Message::Binary(data.into())).await.unwrap();
    assert_eq!(payload_of(&bob.receive(), alice.public()), b"up");
    for number in 0..100u8 {
        bob.send_data(alice.public(), &[number; 1000]);
        assert_eq!(payload_of(&received(&mut socket).await, key), [number; 1000]);
    }
    socket.close(None).await.unwrap();
    drop(socket);
    while fleet.relay.facts().tls_legs > 0 {
        tokio::task::yield_now().await;
    }
    bob.send_data(alice.public(), b"gone?");
    let gone = Frame::Gone {
        session: bob.session,
        key: alice.public(),
    };
    assert_eq!(bob.receive(), written(&gone));
    served.abort();
}
