//! Frames from relays: which relay a frame is from, and whether it is authentic.
//!
//! The network map may name one address for two relays: both are behind one public address, or in two homes with the
//! same private addresses, or the owner of one claims the other's address. So the address only narrows down which
//! relay sent a frame. The frame is from the relay whose key made it, whose session it names, or whose hello it
//! answers.

use super::{Relay, Relays, leg::Effect};
use crate::{Leg, Transmit};
use flotilla_protocol::{id::RelayId, key::PublicKey};
use flotilla_wire::Frame;
use rand::{Rng, rngs::StdRng};
use std::time::Instant;

/// The meaning of a relay's frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Relayed<'a> {
    /// A datagram from this peer, delivered by this relay.
    Data {
        relay: RelayId,
        source: PublicKey,
        payload: &'a [u8],
    },
    Gone {
        relay: RelayId,
        peer: PublicKey,
    },
    /// A frame about the relay's own session; `changed` when the relay came up or went down.
    Control {
        changed: bool,
    },
    NotAuthentic,
}

enum FrameOutcome<'a> {
    Delivered(Relayed<'a>),
    Effect(Effect),
}

impl Relays {
    pub(crate) fn handle_frame<'a>(&mut self, from: Leg, frame: Frame<'a>, now: Instant) -> Relayed<'a> {
        let Self {
            relays, ticket, rng, ..
        } = self;
        let mut possible = relays
            .iter_mut()
            .filter(|(id, relay)| relay.may_be_at(**id, from));
        let outcome = possible.find_map(|(id, relay)| {
            let before = relay.up();
            let outcome = relay.handle(*id, from, frame, ticket.as_deref(), rng, now)?;
            Some((*id, before, outcome))
        });
        let (id, before, effect) = match outcome {
            None => return Relayed::NotAuthentic,
            Some((_, _, FrameOutcome::Delivered(delivered))) => return delivered,
            Some((id, before, FrameOutcome::Effect(effect))) => (id, before, effect),
        };
        if let Effect::Send(bytes) = effect {
            self.outbox.push_back(Transmit { leg: from, bytes });
        }
        let is_up_by_udp = self.relays.get(&id).is_some_and(|relay| relay.udp.up().is_some());
        if matches!(from, Leg::Udp(_)) && is_up_by_udp {
            self.release_tls_leg(id);
        }
        let after = self.relays.get(&id).and_then(Relay::up);
        Relayed::Control {
            changed: before != after,
        }
    }
}

impl Relay {
    fn may_be_at(&self, id: RelayId, from: Leg) -> bool {
        match from {
            Leg::Tls(of) => id == of && self.tls_open,
            Leg::Udp(address) => self.addresses.contains(&address),
        }
    }

    /// Handles a frame; `None` when it is not this relay's or not authentic.
    fn handle<'a>(
        &mut self,
        id: RelayId,
        from: Leg,
        frame: Frame<'a>,
        ticket: Option<&[u8]>,
        rng: &mut StdRng,
        now: Instant,
    ) -> Option<FrameOutcome<'a>> {
        let key = self.key.as_ref()?;
        let is_tls = matches!(from, Leg::Tls(_));
        let state = if is_tls { &mut self.tls } else { &mut self.udp };
        let effect = match frame {
            Frame::Data(data) if state.is_authentic(data.session, from, now) => {
                return Some(FrameOutcome::Delivered(Relayed::Data {
                    relay: id,
                    source: data.key,
                    payload: data.payload,
                }));
            }
            Frame::Gone { session, key } if state.is_authentic(session, from, now) => {
                return Some(FrameOutcome::Delivered(Relayed::Gone { relay: id, peer: key }));
            }
            Frame::Challenge(challenge) => {
                let tx = if is_tls { rng.random() } else { challenge.tx };
                state.handle_challenge(&challenge, tx, from, ticket.map(|ticket| (key, ticket)), now)
            }
            Frame::Welcome(welcome) => state.handle_welcome(&welcome, key, from, now),
            Frame::Refused { tx, reason } => state.handle_refusal(tx, from, reason, now),
            Frame::Pong { session, .. } if state.is_authentic(session, from, now) => Effect::Nothing,
            Frame::End { session, reason } => state.handle_end(session, reason, now),
            _ => return None,
        };
        (!matches!(effect, Effect::NotAuthentic)).then_some(FrameOutcome::Effect(effect))
    }
}
