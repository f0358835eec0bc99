//! Admission: a client gets a session when it receives at its address, holds a valid ticket, and has the ticket's key.
//!
//! The checks are ordered by cost. The cookie takes one hash, and only after it are the ticket's signature and the
//! proof verified, at a limited rate.

use super::{
    Client, KEEPALIVE_SECONDS, Leg, Now, Switchboard, allowance::Allowance, cookies::is_equal,
    facts::Counters, queue::Queue,
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
            Leg::Tls(leg) => match self.tls_legs.lookup(leg) {
                Some((cookie, remote)) => (remote, Some(cookie)),
                None => return,
            },
        };
        if !self.is_good(&hello.cookie, expected, seen) {
            self.totals.challenged += 1;
            let cookie = expected.unwrap_or_else(|| self.cookies.cookie_for(seen));
            self.answer(from, &Frame::Challenge(Challenge { tx, cookie }));
            return;
        }
        if !self.hello_limiter.allows(seen.ip(), now.at) {
            self.totals.rate_limited += 1;
            return;
        }
        match self.admit(from, seen, hello, now) {
            Ok(welcome) => self.answer(from, &Frame::Welcome(welcome)),
            Err(reason) => {
                self.totals.refused += 1;
                self.answer(from, &Frame::Refused { tx, reason });
                if let Leg::Tls(leg) = from {
                    self.tls_legs.finish(leg);
                }
            }
        }
    }

    fn is_good(&self, cookie: &Cookie, expected: Option<Cookie>, seen: SocketAddr) -> bool {
        match expected {
            Some(expected) => is_equal(cookie, &expected),
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
        let session = self.assign_session(from, &claims, now)?;
        if let Leg::Tls(leg) = from {
            self.tls_legs.admit(leg, session);
        }
        Ok(key.welcome(hello.tx, session, KEEPALIVE_SECONDS, seen))
    }

    /// The session for an admitted client. A client that says hello again on the leg of its session keeps that
    /// session.
    fn assign_session(&mut self, from: Leg, claims: &TicketClaims, now: Now) -> Result<SessionId, Reason> {
        let left = claims.expires.duration_since(now.wall);
        let ticket_ends = now.at + Duration::try_from(left).unwrap_or(Duration::ZERO);
        let before = self.clients.by_key_mut(&claims.key).map(|(session, _)| session);
        let mut allowance = Allowance::new(self.limits.unasked);
        if let Some(session) = before {
            if let Some(client) = self.clients.refresh(session, from, now.at) {
                client.ticket_ends = client.ticket_ends.max(ticket_ends);
                return Ok(session);
            }
            if let Some(client) = self.end(session, Some(Reason::Replaced)) {
                allowance.inherit(client.allowance);
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
            last_heard: now.at,
            ticket_ends,
            queue: Queue::default(),
            allowance,
            counters: Counters::default(),
        };
        self.clients.insert(session, client);
        Ok(session)
    }
}
