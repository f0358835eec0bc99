//! Load for the bench of relaying: a relay in one process, and two clients in another one, so that only the relay is
//! measured.
//!
//! `relay_load serve` prints `{"address", "tickets"}` and relays until it is killed. `relay_load send SECONDS ADDRESS
//! TICKET TICKET` sends through that relay. `relay_load plain SECONDS OWN ADDRESS` sends the same to any address and
//! receives at OWN; when both are the same, the datagrams pass no relay. It prints `{"gbit", "seconds", "lost"}` of
//! what arrived.

#![expect(clippy::print_stdout, reason = "figures are its output")]

use flotilla_identity::{Clock, FleetCa};
use flotilla_protocol::{
    Timestamp,
    id::{DeviceId, FleetId},
    key::PublicKey,
};
use flotilla_relay::{Limits, Relay, RelayConfig};
use flotilla_wire::{Cookie, Data, Frame, Hello, Proof, RelayKey, SessionId, StaticKey};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use std::{
    error::Error,
    io::{self, IoSliceMut},
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A full packet of a relayed mesh: 1,280 bytes, sealed by WireGuard.
const PAYLOAD: usize = 1312;

/// Datagrams in one call, as many as in a burst of TCP.
const RUN: usize = 45;

/// Datagrams in flight at once, as many as in a window of TCP.
const WINDOW: u64 = 8 * RUN as u64;

/// When nothing arrives for that long, the datagrams in flight count as lost.
const LOST: Duration = Duration::from_millis(50);

const RELAY: [u8; 32] = [9; 32];
const CLIENTS: [[u8; 32]; 2] = [[1; 32], [2; 32]];

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve"] => serve(),
        ["send", seconds, address, tickets @ ..] => send(seconds.parse()?, address.parse()?, tickets),
        ["plain", seconds, own, address] => {
            let receiver = UdpSocket::bind(own)?;
            let sender = UdpSocket::bind("127.0.0.1:0")?;
            sender.connect(address.parse::<SocketAddr>()?)?;
            load(sender, &[7; 45 + PAYLOAD], receiver, seconds.parse()?)
        }
        _ => Err("the top of its source says how it is used".into()),
    }
}

fn serve() -> Outcome<()> {
    let now = Timestamp::UNIX_EPOCH;
    let ca = FleetCa::create(FleetId(Uuid::nil()), now)?;
    let relay = Relay::start(RelayConfig {
        udp: "127.0.0.1:0".parse()?,
        reflect: None,
        key: StaticKey::from_bytes(RELAY),
        authority: ca.cert_der().to_vec(),
        clock: Clock::new(move || now),
        limits: Limits {
            // The relay's speed is measured, so its own limit on the line is out of the way.
            line: 1 << 40,
            ..Limits::default()
        },
    })?;
    let ticket = |key| ca.issue_ticket(DeviceId(Uuid::nil()), StaticKey::from_bytes(key).public(), now);
    let [sender, receiver] = CLIENTS.map(ticket);
    println!(
        r#"{{"address":"{}","tickets":["{}","{}"]}}"#,
        relay.udp_address(),
        sender?.0,
        receiver?.0
    );
    loop {
        thread::park();
    }
}

fn send(seconds: f64, address: SocketAddr, tickets: &[&str]) -> Outcome<()> {
    let [ticket, other_ticket] = tickets else {
        return Err("two tickets are needed".into());
    };
    let (sender, session) = admitted(address, CLIENTS[0], ticket)?;
    let (receiver, other_session) = admitted(address, CLIENTS[1], other_ticket)?;
    // A client may send freely only to a peer that has sent it something, so the receiver sends first.
    let asks = Data {
        session: other_session,
        key: StaticKey::from_bytes(CLIENTS[0]).public(),
        payload: &[7; 32],
    };
    let mut bytes = [0; 45 + 32];
    Frame::Data(asks).write(&mut bytes).ok_or("no room")?;
    receiver.send(&bytes)?;
    sender.recv(&mut [0; 100])?;
    let data = Data {
        session,
        key: StaticKey::from_bytes(CLIENTS[1]).public(),
        payload: &[7; PAYLOAD],
    };
    let mut datagram = [0; 45 + PAYLOAD];
    Frame::Data(data).write(&mut datagram).ok_or("no room")?;
    load(sender, &datagram, receiver, seconds)
}

/// A socket with a session at the relay.
fn admitted(relay: SocketAddr, key: [u8; 32], ticket: &str) -> Outcome<(UdpSocket, SessionId)> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(relay)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let relay_key: PublicKey = StaticKey::from_bytes(RELAY).public();
    let key = RelayKey::of_client(&StaticKey::from_bytes(key), relay_key)?;
    let (mut cookie, mut proof) = (Cookie::NONE, Proof::NONE);
    loop {
        let mut bytes = [0; 1000];
        let ticket = ticket.as_bytes();
        let hello = Frame::Hello(Hello {
            tx: 1,
            cookie,
            proof,
            ticket,
        });
        let length = hello.write(&mut bytes).ok_or("the ticket is too long")?;
        socket.send(&bytes[..length])?;
        let length = socket.recv(&mut bytes)?;
        match Frame::parse(&bytes[..length])? {
            Frame::Challenge(challenge) => {
                cookie = challenge.cookie;
                proof = key.prove_hello(1, &cookie, ticket);
            }
            Frame::Welcome(welcome) => return Ok((socket, welcome.session)),
            other => return Err(format!("{other:?}").into()),
        }
    }
}

/// Sends as fast as the other end receives, and prints what arrived.
fn load(sender: UdpSocket, datagram: &[u8], receiver: UdpSocket, seconds: f64) -> Outcome<()> {
    let (arrived, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let receiving = {
        let (arrived, over) = (arrived.clone(), over.clone());
        thread::spawn(move || receive(&receiver, &arrived, &over))
    };
    let state = UdpSocketState::new(UdpSockRef::from(&sender))?;
    let run = datagram.repeat(RUN);
    let begun = Instant::now();
    let (mut sent, mut lost) = (0, 0);
    let (mut last, mut progress) = (0, begun);
    while begun.elapsed().as_secs_f64() < seconds {
        let here = arrived.load(Ordering::Relaxed);
        if here != last {
            (last, progress) = (here, Instant::now());
        }
        if sent - lost - here >= WINDOW {
            if progress.elapsed() > LOST {
                lost = sent - here;
                progress = Instant::now();
            }
            thread::yield_now();
            continue;
        }
        let transmit = Transmit {
            destination: sender.peer_addr()?,
            ecn: None,
            contents: &run,
            segment_size: Some(datagram.len()),
            src_ip: None,
        };
        match state.try_send(UdpSockRef::from(&sender), &transmit) {
            Ok(()) => sent += RUN as u64,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => return Err(error.into()),
        }
    }
    let took = begun.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    let here = arrived.load(Ordering::Relaxed);
    receiving.join().map_err(|_| "the receiver failed")??;
    let gbit = here as f64 * PAYLOAD as f64 * 8e-9;
    println!(r#"{{"gbit":{gbit:.4},"seconds":{took:.4},"lost":{lost}}}"#);
    Ok(())
}

fn receive(socket: &UdpSocket, arrived: &AtomicU64, over: &AtomicBool) -> io::Result<()> {
    let state = UdpSocketState::new(UdpSockRef::from(socket))?;
    let mut buffers = vec![0; BATCH_SIZE * 65_535];
    let mut metas = [RecvMeta::default(); BATCH_SIZE];
    while !over.load(Ordering::Relaxed) {
        let mut chunks = buffers.chunks_mut(65_535);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        match state.recv(UdpSockRef::from(socket), &mut slices, &mut metas) {
            Ok(count) => {
                let datagrams = metas
                    .iter()
                    .take(count)
                    .map(|meta| meta.len.div_ceil(meta.stride.max(1)));
                arrived.fetch_add(datagrams.sum::<usize>() as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
