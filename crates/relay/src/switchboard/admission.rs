//! Who is let in: whoever receives at its address, holds a ticket that counts, and has the ticket's key.
//!
//! In order of cost: the cookie is one hash and everything else waits for it, then the ticket's signature and the
//! proof, which are paid for at a limited pace.

use super::{
    Client, KEEPALIVE_SECONDS, Leg, Now, Switchboard, cookies::same, facts::Counters, pace::Pace,
    queue::Queue,
};
use flotilla_identity::{InvalidTicket, TicketClaims};
use flotilla_wire::{Challenge, Cookie, Frame, Hello, Reason, RelayKey, SessionId, Welcome};
use rand::RngCore;
use std::{net::SocketAddr, time::Duration};

impl Switchboard {
    pub(super) fn handle_hello(&mut self, from: Leg, hello: &Hello<'_>, now: Now) {
        let tx = hello.tx;
        let (seen, expected) = match from {
            Leg::Udp(route) => (route.remote, None),
            Leg::Stream(stream) => match self.streams.lookup(stream) {
                Some((cookie, remote)) => (remote, Some(cookie)),
                None => return,
            },
        };
        if !self.is_good(&hello.cookie, expected, seen) {
            self.totals.challenged += 1;
            let cookie = expected.unwrap_or_else(|| self.cookies.bake(seen));
            self.answer(from, &Frame::Challenge(Challenge { tx, cookie }));
            return;
        }
        if !self.gate.opens(seen.ip(), now.at) {
            self.totals.hurried += 1;
            return;
        }
        match self.admit(from, seen, hello, now) {
            Ok(welcome) => self.answer(from, &Frame::Welcome(welcome)),
            Err(reason) => {
                self.totals.refused += 1;
                self.answer(from, &Frame::Refused { tx, reason });
                if let Leg::Stream(stream) = from {
                    self.streams.finish(stream);
                }
            }
        }
    }

    fn is_good(&self, cookie: &Cookie, expected: Option<Cookie>, seen: SocketAddr) -> bool {
        match expected {
            Some(expected) => same(cookie, &expected),
            None => self.cookies.is_good(cookie, seen),
        }
    }

    fn admit(&mut self, from: Leg, seen: SocketAddr, hello: &Hello<'_>, now: Now) -> Result<Welcome, Reason> {
        let claims = self
            .tickets
            .verify(hello.ticket, now.wall)
            .map_err(|invalid| match invalid {
                InvalidTicket::Expired(_) => Reason::TicketExpired,
                _ => Reason::Ticket,
            })?;
        let key = RelayKey::of_relay(&self.key, claims.key).map_err(|_| Reason::Ticket)?;
        if !key.hello_is_good(hello) {
            return Err(Reason::Ticket);
        }
        if self.revoked.contains_key(&claims.key) {
            return Err(Reason::Revoked);
        }
        let session = self.seat(from, &claims, now)?;
        if let Leg::Stream(stream) = from {
            self.streams.admit(stream, session);
        }
        Ok(key.welcome(hello.tx, session, KEEPALIVE_SECONDS, seen))
    }

    /// The session for a client that is let in. A client that says hello again where it already is keeps its own.
    fn seat(&mut self, from: Leg, claims: &TicketClaims, now: Now) -> Result<SessionId, Reason> {
        let left = claims.expires.duration_since(now.wall);
        let ends = now.at + Duration::try_from(left).unwrap_or(Duration::ZERO);
        let before = self.clients.by_key_mut(&claims.key).map(|(session, _)| session);
        let mut pace = Pace::new(now.at, self.limits.unasked);
        if let Some(session) = before {
            if let Some(client) = self.clients.heard(session, from, now.at) {
                client.ends = client.ends.max(ends);
                return Ok(session);
            }
            if let Some(client) = self.end(session, Some(Reason::Replaced)) {
                pace.succeed(client.pace);
            }
        } else if self.clients.len() >= self.limits.clients {
            return Err(Reason::Full);
        }
        self.totals.admitted += 1;
        let session = SessionId(self.random.next_u64());
        let client = Client {
            key: claims.key,
            device: claims.device,
            leg: from,
            since: now.at,
            heard: now.at,
            ends,
            queue: Queue::default(),
            pace,
            counters: Counters::default(),
        };
        self.clients.insert(session, client);
        Ok(session)
    }
}
