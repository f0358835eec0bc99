//! One leg to a relay, by UDP or by TLS: admission, keepalive, and its end.

use crate::Leg;
use flotilla_wire::{
    Challenge, Cookie, Frame, Hello, MAX_CONTROL_LEN, Proof, Reason, RelayKey, SessionId, Welcome,
};
use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// The pauses after each of the first hellos.
const HELLO: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(750),
    Duration::from_millis(1500),
    Duration::from_secs(3),
];
/// The pause between later hellos to a relay that does not answer.
const LATER_HELLO: Duration = Duration::from_secs(10);
/// The least time before a hello to changed addresses, because a relay's addresses may change without end.
const REDIRECT: Duration = Duration::from_secs(1);
const PROOF: Duration = Duration::from_millis(300);
const PROOFS: u32 = 5;
/// How many pings may stay unanswered, one per [`PING_AGAIN`].
const PINGS: u32 = 3;
const PING_AGAIN: Duration = Duration::from_millis(300);
/// After so many pings without an answer a session counts as silent; all but the last had time to be answered.
const SILENT_PINGS: u32 = 3;
/// When something was sent through the relay and nothing came back for this long, the relay is pinged.
const SILENT_SENDING: Duration = Duration::from_secs(1);
const LONGEST_KEEPALIVE: Duration = Duration::from_secs(25);
/// The pause after a refusal that may end with another ticket, or when another client of a full relay leaves.
const REFUSED_PAUSE: Duration = Duration::from_secs(30);
/// The pause after one of several greeted addresses refused: by then the right relay has answered at another address.
const OTHER_ADDRESS_PAUSE: Duration = Duration::from_secs(1);
const ENDED: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Off,
    Greeting {
        tx: u64,
    },
    /// Each address that sent a challenge got a proof of its own, because another relay may be at some of them.
    Proving {
        tx: u64,
        hellos: Vec<(Leg, Vec<u8>)>,
    },
    Up {
        session: SessionId,
        to: Leg,
        keepalive: Duration,
        /// When something was last sent: NATs forget a mapping without outgoing packets, even while others come in.
        sent: Instant,
        /// When the first datagram was sent since the relay was last heard from.
        waiting: Option<Instant>,
    },
}

/// The effect of a frame.
pub(super) enum Effect {
    Send(Vec<u8>),
    Nothing,
    NotAuthentic,
}

#[derive(Debug, Default)]
pub(super) struct LegState {
    stage: Stage,
    next: Option<Instant>,
    /// How often the frame of the present stage was sent.
    tries: u32,
    /// Another relay answered at the nearest address, or it refused, so all addresses are greeted at once.
    greets_all: bool,
}

impl LegState {
    pub(super) fn up(&self) -> Option<(SessionId, Leg)> {
        match self.stage {
            Stage::Up { session, to, .. } => Some((session, to)),
            _ => None,
        }
    }

    pub(super) fn is_off(&self) -> bool {
        matches!(self.stage, Stage::Off)
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.next
    }

    /// Whether the session was pinged and has not answered so far.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.stage, Stage::Up { .. }) && self.tries >= SILENT_PINGS
    }

    /// Whether the relay sent a challenge, and its welcome is not overdue.
    pub(super) fn is_promising(&self) -> bool {
        matches!(self.stage, Stage::Proving { .. }) && self.tries <= 1
    }

    /// Sends the next hello without waiting.
    pub(super) fn retry_now(&mut self, now: Instant) {
        if !matches!(self.stage, Stage::Up { .. }) {
            *self = Self::off(now);
        }
    }

    /// The relay's addresses changed: sends a hello soon.
    pub(super) fn redirect(&mut self, now: Instant) {
        if self.next.is_none_or(|next| next > now + REDIRECT) {
            self.retry_now(now);
        }
    }

    pub(super) fn doubt(&mut self, now: Instant) {
        match self.stage {
            Stage::Up { .. } => (self.tries, self.next) = (1, Some(now)),
            _ => self.retry_now(now),
        }
    }

    /// As [`Self::doubt`], but not while the session is being pinged, because peers can cause this without end.
    pub(super) fn suspect(&mut self, now: Instant) {
        if self.up().is_some() && self.tries == 0 {
            self.doubt(now);
        }
    }

    pub(super) fn note_sent(&mut self, now: Instant) {
        if let Stage::Up { sent, waiting, .. } = &mut self.stage {
            *sent = now;
            if waiting.is_none() {
                *waiting = Some(now);
                let check = now + SILENT_SENDING;
                self.next = Some(self.next.map_or(check, |next| next.min(check)));
            }
        }
    }

    /// Whether a frame with this session comes from the relay.
    pub(super) fn is_authentic(&mut self, claimed: SessionId, from: Leg, now: Instant) -> bool {
        match &mut self.stage {
            Stage::Up {
                session, to, waiting, ..
            } if *session == claimed && *to == from => {
                *waiting = None;
                self.tries = 0;
                true
            }
            // The welcome to a later session may have been lost; the relay then ended this one.
            Stage::Up { to, .. } if *to == from && self.tries == 0 => {
                (self.tries, self.next) = (1, Some(now));
                false
            }
            _ => false,
        }
    }

    pub(super) fn handle_challenge(
        &mut self,
        challenge: &Challenge,
        tx: u64,
        from: Leg,
        means: Option<(&RelayKey, &[u8])>,
        now: Instant,
    ) -> Effect {
        let awaited = match (&self.stage, from) {
            (Stage::Greeting { tx }, Leg::Udp(_)) => *tx == challenge.tx,
            (Stage::Proving { tx, hellos }, Leg::Udp(_)) => {
                *tx == challenge.tx && hellos.iter().all(|(to, _)| *to != from)
            }
            (Stage::Off, Leg::Tls(_)) => true,
            _ => false,
        };
        let Some((key, ticket)) = means.filter(|_| awaited) else {
            return Effect::NotAuthentic;
        };
        let cookie = challenge.cookie;
        let proof = key.prove_hello(tx, &cookie, ticket);
        let Some(hello) = written(&Frame::Hello(Hello {
            tx,
            cookie,
            proof,
            ticket,
        })) else {
            return Effect::NotAuthentic;
        };
        let again = (from, hello.clone());
        match &mut self.stage {
            Stage::Proving { hellos, .. } => hellos.push(again),
            stage => {
                let hellos = vec![again];
                *stage = Stage::Proving { tx, hellos };
            }
        }
        (self.tries, self.next) = (1, Some(now + PROOF));
        Effect::Send(hello)
    }

    pub(super) fn handle_welcome(
        &mut self,
        welcome: &Welcome,
        key: &RelayKey,
        from: Leg,
        now: Instant,
    ) -> Effect {
        match &self.stage {
            Stage::Proving { tx, hellos }
                if *tx == welcome.tx
                    && hellos.iter().any(|(to, _)| *to == from)
                    && key.welcome_is_good(welcome) => {}
            _ => return Effect::NotAuthentic,
        }
        let keepalive = Duration::from_secs(welcome.keepalive_seconds.max(1).into()).min(LONGEST_KEEPALIVE);
        self.stage = Stage::Up {
            session: welcome.session,
            to: from,
            keepalive,
            sent: now,
            waiting: None,
        };
        (self.tries, self.next, self.greets_all) = (0, Some(now + keepalive), false);
        Effect::Nothing
    }

    /// A refusal is not signed, and may come from another relay at one of the addresses.
    pub(super) fn handle_refusal(&mut self, refused: u64, from: Leg, reason: Reason, now: Instant) -> Effect {
        match &mut self.stage {
            Stage::Greeting { tx } if *tx == refused => *self = Self::off(now + REFUSED_PAUSE),
            Stage::Proving { tx, hellos } if *tx == refused && hellos.iter().any(|(to, _)| *to == from) => {
                hellos.retain(|(to, _)| *to != from);
                match (hellos.is_empty(), from) {
                    (false, _) => {}
                    (true, Leg::Tls(_)) => *self = Self::off(now + REFUSED_PAUSE),
                    (true, _) if self.greets_all => self.next = Some(now + OTHER_ADDRESS_PAUSE),
                    (true, _) => *self = Self::greeting_all(now),
                }
            }
            _ => return Effect::NotAuthentic,
        }
        tracing::warn!(relay.reason = ?reason, "a relay refused this device");
        Effect::Nothing
    }

    pub(super) fn handle_end(&mut self, ended: SessionId, reason: Reason, now: Instant) -> Effect {
        match self.stage {
            Stage::Up { session, .. } if session == ended => {}
            _ => return Effect::NotAuthentic,
        }
        let pause = match reason {
            Reason::Ticket | Reason::TicketExpired | Reason::Revoked | Reason::Full => REFUSED_PAUSE,
            Reason::NoSession => Duration::ZERO,
            _ => ENDED,
        };
        *self = Self::off(now + pause);
        Effect::Nothing
    }

    /// The frames to send. Without addresses it sends no hello: on a TLS leg the relay begins with its challenge.
    pub(super) fn poll(
        &mut self,
        wanted: bool,
        addresses: &[SocketAddr],
        near: Option<IpAddr>,
        tx: u64,
        now: Instant,
    ) -> Vec<(Leg, Vec<u8>)> {
        if !wanted {
            return self.leave();
        }
        if matches!(self.stage, Stage::Off) && self.next.is_none() && !addresses.is_empty() {
            self.next = Some(now);
        }
        if self.next.is_none_or(|next| now < next) {
            return Vec::new();
        }
        match &self.stage {
            Stage::Off if addresses.is_empty() => {
                self.next = None;
                Vec::new()
            }
            Stage::Off => {
                self.stage = Stage::Greeting { tx };
                self.tries = 0;
                self.greet(tx, addresses, near, now)
            }
            Stage::Greeting { tx } => self.greet(*tx, addresses, near, now),
            Stage::Proving { hellos, .. } if hellos.is_empty() => {
                *self = Self::greeting_all(now + REFUSED_PAUSE);
                Vec::new()
            }
            Stage::Proving { .. } if self.tries >= PROOFS => {
                *self = Self::off(now + LATER_HELLO);
                Vec::new()
            }
            Stage::Proving { hellos, .. } => {
                self.tries += 1;
                self.next = Some(now + PROOF * self.tries);
                hellos.clone()
            }
            Stage::Up { .. } => self.keep_alive(tx, now),
        }
    }

    fn keep_alive(&mut self, tx: u64, now: Instant) -> Vec<(Leg, Vec<u8>)> {
        let Stage::Up {
            session,
            to,
            keepalive,
            sent,
            waiting,
        } = &mut self.stage
        else {
            return Vec::new();
        };
        let overdue = waiting.map(|since| since + SILENT_SENDING);
        let due = overdue.map_or(*sent + *keepalive, |overdue| overdue.min(*sent + *keepalive));
        if self.tries == 0 && now < due {
            self.next = Some(due);
            return Vec::new();
        }
        if self.tries > PINGS {
            *self = Self::off(now);
            return Vec::new();
        }
        *sent = now;
        let ping = Frame::Ping {
            session: *session,
            tx,
        };
        let ping = written(&ping).map(|ping| (*to, ping));
        self.tries += 1;
        self.next = Some(now + PING_AGAIN);
        ping.into_iter().collect()
    }

    /// Sends hellos to the nearest address if one is known, else to all; the first to answer is used.
    fn greet(
        &mut self,
        tx: u64,
        addresses: &[SocketAddr],
        near: Option<IpAddr>,
        now: Instant,
    ) -> Vec<(Leg, Vec<u8>)> {
        let pause = HELLO.get(self.tries as usize).copied().unwrap_or(LATER_HELLO);
        let alone = near.filter(|_| self.tries == 0 && !self.greets_all);
        self.tries = self.tries.saturating_add(1);
        self.next = Some(now + pause);
        let hello = written(&Frame::Hello(Hello {
            tx,
            cookie: Cookie::NONE,
            proof: Proof::NONE,
            ticket: &[],
        }));
        let to = addresses
            .iter()
            .filter(|address| alone.is_none_or(|near| near == address.ip()));
        to.filter_map(|address| Some((Leg::Udp(*address), hello.clone()?)))
            .collect()
    }

    fn leave(&mut self) -> Vec<(Leg, Vec<u8>)> {
        let end = self.up().and_then(|(session, to)| {
            let reason = Reason::Leaving;
            Some((to, written(&Frame::End { session, reason })?))
        });
        *self = Self::default();
        end.into_iter().collect()
    }

    fn greeting_all(again: Instant) -> Self {
        Self {
            greets_all: true,
            ..Self::off(again)
        }
    }

    fn off(again: Instant) -> Self {
        Self {
            stage: Stage::Off,
            next: Some(again),
            tries: 0,
            greets_all: false,
        }
    }
}

fn written(frame: &Frame<'_>) -> Option<Vec<u8>> {
    let mut bytes = vec![0; MAX_CONTROL_LEN];
    let len = frame.write(&mut bytes)?;
    bytes.truncate(len);
    Some(bytes)
}
