//! Frames that come from relays: which relay is meant, and whether it is believed.
//!
//! The network map may name one address for two relays: both are behind one public address, or in two homes with the
//! same private addresses, or the owner of one claims the other's address. So an address only narrows down which relay
//! sent a frame. It is from the one whose key made it, whose session it names, or whose hello it answers.

use super::{Relay, Relays, leg::Said};
use crate::{Leg, Transmit};
use flotilla_protocol::{id::RelayId, key::PublicKey};
use flotilla_wire::Frame;
use rand::{Rng, rngs::StdRng};
use std::time::Instant;

/// What a relay frame was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Relayed<'a> {
    /// From this peer, by way of this relay.
    Data {
        relay: RelayId,
        source: PublicKey,
        payload: &'a [u8],
    },
    Gone {
        relay: RelayId,
        peer: PublicKey,
    },
    /// The relay's own business; `true` when it came up or went down.
    Control {
        changed: bool,
    },
    NotBelieved,
}

enum Heard<'a> {
    Passed(Relayed<'a>),
    Said(Said),
}

impl Relays {
    pub(crate) fn handle_frame<'a>(&mut self, from: Leg, frame: Frame<'a>, now: Instant) -> Relayed<'a> {
        let Self {
            relays, ticket, rng, ..
        } = self;
        let mut meant = relays
            .iter_mut()
            .filter(|(id, relay)| relay.may_be_at(**id, from));
        let heard = meant.find_map(|(id, relay)| {
            let before = relay.up();
            let heard = relay.hear(*id, from, frame, ticket.as_deref(), rng, now)?;
            Some((*id, before, heard))
        });
        let (id, before, said) = match heard {
            None => return Relayed::NotBelieved,
            Some((_, _, Heard::Passed(passed))) => return passed,
            Some((id, before, Heard::Said(said))) => (id, before, said),
        };
        if let Said::Send(bytes) = said {
            self.outbox.push_back(Transmit { leg: from, bytes });
        }
        let is_up_by_udp = self.relays.get(&id).is_some_and(|relay| relay.udp.up().is_some());
        if matches!(from, Leg::Udp(_)) && is_up_by_udp {
            self.release_stream(id);
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
            Leg::Stream(stream) => id == stream && self.stream_open,
            Leg::Udp(address) => self.addresses.contains(&address),
        }
    }

    /// `None` when it is not this relay's, or not to be believed.
    fn hear<'a>(
        &mut self,
        id: RelayId,
        from: Leg,
        frame: Frame<'a>,
        ticket: Option<&[u8]>,
        rng: &mut StdRng,
        now: Instant,
    ) -> Option<Heard<'a>> {
        let key = self.key.as_ref()?;
        let is_stream = matches!(from, Leg::Stream(_));
        let state = if is_stream {
            &mut self.stream
        } else {
            &mut self.udp
        };
        let said = match frame {
            Frame::Data(data) if state.believes(data.session, from, now) => {
                return Some(Heard::Passed(Relayed::Data {
                    relay: id,
                    source: data.key,
                    payload: data.payload,
                }));
            }
            Frame::Gone { session, key } if state.believes(session, from, now) => {
                return Some(Heard::Passed(Relayed::Gone { relay: id, peer: key }));
            }
            Frame::Challenge(challenge) => {
                let tx = if is_stream { rng.random() } else { challenge.tx };
                state.handle_challenge(&challenge, tx, from, ticket.map(|ticket| (key, ticket)), now)
            }
            Frame::Welcome(welcome) => state.handle_welcome(&welcome, key, from, now),
            Frame::Refused { tx, reason } => state.handle_refusal(tx, from, reason, now),
            Frame::Pong { session, .. } if state.believes(session, from, now) => Said::Nothing,
            Frame::End { session, reason } => state.handle_end(session, reason, now),
            _ => return None,
        };
        (!matches!(said, Said::NotBelieved)).then_some(Heard::Said(said))
    }
}
