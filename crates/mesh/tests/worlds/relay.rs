//! A relay that follows the frames' specification, without protection against hostile clients.

use flotilla_protocol::key::PublicKey;
use flotilla_wire::{Challenge, Cookie, Frame, Reason, RelayKey, SessionId, StaticKey, readdress};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

pub(crate) const PORT: u16 = 7443;
pub(crate) const SECOND_PORT: u16 = 7444;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Client {
    Udp(SocketAddr),
    /// The TLS leg of the device with this number.
    Tls(usize),
}

pub(crate) struct Relay {
    own: StaticKey,
    number: u8,
    pub(crate) has_ipv6: bool,
    pub(crate) alive: bool,
    next: u64,
    sessions: BTreeMap<u64, (PublicKey, Client)>,
    keys: BTreeMap<PublicKey, u64>,
    /// Bytes from one key to another since the other last sent something back.
    unasked: BTreeMap<(PublicKey, PublicKey), usize>,
}

/// What a real relay passes in a second to a key that does not answer. The greetings and probes of a whole world, with
/// devices that sleep, are less.
const MAX_UNASKED: usize = 256 << 10;

impl Relay {
    pub(crate) fn new(number: u8) -> Self {
        Self {
            own: StaticKey::from_bytes([200 + number; 32]),
            number,
            has_ipv6: false,
            alive: true,
            next: u64::from(number) << 32,
            sessions: BTreeMap::new(),
            keys: BTreeMap::new(),
            unasked: BTreeMap::new(),
        }
    }

    /// One address of each family that it has.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, self.number.into());
        let v6 = self.has_ipv6.then_some(IpAddr::V6(v6));
        [IpAddr::from([198, 18, 0, self.number])].into_iter().chain(v6)
    }

    /// The source address of datagrams that it sends to a client unasked.
    pub(crate) fn address_for(&self, client: SocketAddr) -> SocketAddr {
        let ip = self.addresses().find(|ip| ip.is_ipv4() == client.is_ipv4());
        SocketAddr::new(ip.unwrap(), PORT)
    }

    pub(crate) fn is_at(&self, to: SocketAddr) -> bool {
        [PORT, SECOND_PORT].contains(&to.port()) && self.addresses().any(|ip| ip == to.ip())
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.own.public()
    }

    pub(crate) fn die(&mut self) {
        self.alive = false;
        self.sessions.clear();
        self.keys.clear();
    }

    pub(crate) fn greeting() -> Vec<u8> {
        let cookie = cookie_for(Client::Tls(0));
        written(Frame::Challenge(Challenge { tx: 0, cookie }))
    }

    pub(crate) fn handle(&mut self, from: Client, bytes: &[u8]) -> Vec<(Client, Vec<u8>)> {
        let Ok(frame) = Frame::parse(bytes) else {
            panic!("a client sent what is no frame");
        };
        let back = |frame| vec![(from, written(frame))];
        let unknown = |session| {
            back(Frame::End {
                session,
                reason: Reason::NoSession,
            })
        };
        match (frame, from) {
            (Frame::ReflectRequest { tx }, Client::Udp(observed)) => {
                back(Frame::ReflectAnswer { tx, observed })
            }
            (Frame::Hello(hello), _) if hello.cookie == Cookie::NONE => back(Frame::Challenge(Challenge {
                tx: hello.tx,
                cookie: cookie_for(from),
            })),
            (Frame::Hello(hello), _) => self.admit(from, &hello),
            (Frame::Data(data), _) => {
                let Some((source, _)) = self.session(data.session, from) else {
                    return unknown(data.session);
                };
                self.count(source, data.key, bytes.len());
                let Some(session) = self.keys.get(&data.key) else {
                    return back(Frame::Gone {
                        session: data.session,
                        key: data.key,
                    });
                };
                let mut bytes = bytes.to_vec();
                assert!(readdress(&mut bytes, SessionId(*session), source));
                vec![(self.sessions[session].1, bytes)]
            }
            (Frame::Ping { session, tx }, _) => match self.session(session, from) {
                Some(_) => back(Frame::Pong { session, tx }),
                None => unknown(session),
            },
            (Frame::End { session, .. }, _) => {
                if let Some((key, _)) = self.session(session, from) {
                    self.sessions.remove(&session.0);
                    self.keys.remove(&key);
                }
                vec![]
            }
            other => panic!("a client sent {other:?}"),
        }
    }

    /// Devices answer through the relay by which they are asked, because a real relay would otherwise stop passing
    /// packets to them.
    fn count(&mut self, from: PublicKey, to: PublicKey, bytes: usize) {
        self.unasked.remove(&(to, from));
        if self.keys.contains_key(&to) {
            let unasked = self.unasked.entry((from, to)).or_default();
            *unasked += bytes;
            assert!(
                *unasked < MAX_UNASKED,
                "relay {} hears no answer to {from}",
                self.number
            );
        }
    }

    fn session(&self, session: SessionId, from: Client) -> Option<(PublicKey, Client)> {
        self.sessions
            .get(&session.0)
            .copied()
            .filter(|(_, client)| *client == from)
    }

    /// A ticket is simply the client's key.
    fn admit(&mut self, from: Client, hello: &flotilla_wire::Hello<'_>) -> Vec<(Client, Vec<u8>)> {
        let key: PublicKey = std::str::from_utf8(hello.ticket).unwrap().parse().unwrap();
        let shared = RelayKey::of_relay(&self.own, key).unwrap();
        if hello.cookie != cookie_for(from) {
            return vec![];
        }
        assert!(shared.hello_is_good(hello), "a proof that proves nothing");
        self.next += 1;
        let session = self.next;
        let mut out = vec![];
        if let Some(old) = self.keys.insert(key, session)
            && let Some((_, client)) = self.sessions.remove(&old)
        {
            let session = SessionId(old);
            out.push((
                client,
                written(Frame::End {
                    session,
                    reason: Reason::Replaced,
                }),
            ));
        }
        self.sessions.insert(session, (key, from));
        let observed = match from {
            Client::Udp(address) => address,
            Client::Tls(_) => SocketAddr::from(([192, 0, 2, 1], 1)),
        };
        out.push((
            from,
            written(Frame::Welcome(shared.welcome(
                hello.tx,
                SessionId(session),
                25,
                observed,
            ))),
        ));
        out
    }
}

fn cookie_for(client: Client) -> Cookie {
    let mut cookie = [7; 32];
    if let Client::Udp(address) = client {
        cookie[..2].copy_from_slice(&address.port().to_be_bytes());
        match address.ip() {
            IpAddr::V4(v4) => cookie[2..6].copy_from_slice(&v4.octets()),
            IpAddr::V6(v6) => cookie[2..18].copy_from_slice(&v6.octets()),
        }
    }
    Cookie(cookie)
}

fn written(frame: Frame<'_>) -> Vec<u8> {
    let mut bytes = vec![0; flotilla_wire::MAX_CONTROL_LEN];
    let len = frame.write(&mut bytes).unwrap();
    bytes.truncate(len);
    bytes
}
