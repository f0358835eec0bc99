//! The stateful filter: which packets from peers may come in.
//!
//! Every packet may go out, and opens a flow that lets answers in. An incoming packet passes when a rule allows it or
//! when it belongs to an open flow; all others are dropped silently. Of a fragmented packet the first fragment is
//! judged, and the later ones are treated like it.

mod flows;
mod fragments;
#[cfg(test)]
mod tests;

use crate::DropReason;
use flotilla_protocol::{
    mesh::{Allow, Filter as Rules},
    policy::Proto,
};
use flotilla_wire::packet::{ACK, Headers, ICMP, ICMPV6, Payload, Quoted, SYN, TCP, UDP};
use flows::{FlowKey, Flows, MAX_FLOWS, Sender};
use fragments::Fragments;
use std::{net::IpAddr, time::Instant};

/// For an echo the id stands for the remote port, and for the local port one of these constants, by the end that asked:
/// so a request of the peer is no answer to one from here.
const ASKED_HERE: u16 = 1;
const ASKED_BY_PEER: u16 = 2;

#[derive(Debug)]
pub(crate) struct Filter {
    rules: Rules,
    flows: Flows,
    fragments: Fragments,
}

impl Default for Filter {
    fn default() -> Self {
        Self::with_room_for(MAX_FLOWS)
    }
}

impl Filter {
    fn with_room_for(flows: usize) -> Self {
        Self {
            rules: Rules::default(),
            flows: Flows::new(flows),
            fragments: Fragments::default(),
        }
    }

    /// Sets the rules. Flows that were let in by a rule that is gone end.
    pub(crate) fn set_rules(&mut self, rules: &Rules) {
        if self.rules == *rules {
            return;
        }
        self.rules.clone_from(rules);
        let rules = &self.rules;
        self.flows
            .bar(|flow| allows(rules, flow.remote, flow.protocol, flow.local_port));
    }

    /// Notes a packet that goes out.
    pub(crate) fn outbound(&mut self, headers: &Headers, now: Instant) {
        let Some((key, flags)) = flow_of(headers, Sender::Here) else {
            return;
        };
        let begins = flags & (SYN | ACK) == SYN;
        if self.flows.pass(&key, Sender::Here, flags, now) && !begins {
            return;
        }
        // An echo reply asks for no answer, so it opens no flow.
        if matches!(headers.payload, Payload::Echo { reply: true, .. }) {
            return;
        }
        // The beginning of this connection was not seen by this filter. Where a rule lets the peer begin it, it counts
        // as the peer's and ends with that rule.
        let goes_on = key.protocol == TCP && !begins;
        let is_theirs = goes_on && allows(&self.rules, key.remote, key.protocol, key.local_port);
        let opener = if is_theirs { Sender::Peer } else { Sender::Here };
        self.flows.open(key, opener, now);
    }

    /// Decides whether a packet may come in. Its source address has been checked to be the sending peer's.
    pub(crate) fn inbound(&mut self, headers: &Headers, now: Instant) -> Result<(), DropReason> {
        match headers.payload {
            Payload::Later if self.fragments.have(headers, now) => return Ok(()),
            Payload::Later => return Err(DropReason::Fragment),
            Payload::Error { about } => self.decide_error(headers, &about, now)?,
            _ => self.decide(headers, now)?,
        }
        self.fragments.note(headers, now);
        Ok(())
    }

    /// A peer may report an error only about packets that went from here to that peer.
    fn decide_error(&mut self, headers: &Headers, about: &Quoted, now: Instant) -> Result<(), DropReason> {
        if (about.source, about.destination) != (headers.destination, headers.source) {
            return Err(DropReason::Filtered);
        }
        if self.flows.has(&flow_of_quoted(about), now) {
            return Ok(());
        }
        self.decide(headers, now)
    }

    fn decide(&mut self, headers: &Headers, now: Instant) -> Result<(), DropReason> {
        let flow = flow_of(headers, Sender::Peer);
        if let Some((key, flags)) = flow
            && self.flows.pass(&key, Sender::Peer, flags, now)
        {
            return Ok(());
        }
        let port = flow.map_or(0, |(key, _)| key.local_port);
        if !allows(&self.rules, headers.source, headers.protocol, port) {
            return Err(DropReason::Filtered);
        }
        if let Some((key, _)) = flow {
            self.flows.open(key, Sender::Peer, now);
        }
        Ok(())
    }
}

fn allows(rules: &Rules, source: IpAddr, protocol: u8, port: u16) -> bool {
    rules
        .allows
        .iter()
        .any(|allow| matches(allow, protocol, port) && names(allow, source))
}

fn matches(allow: &Allow, protocol: u8, port: u16) -> bool {
    let with_ports = || allow.ports.is_empty() || allow.ports.iter().any(|range| range.contains(port));
    match allow.proto {
        Proto::Any => true,
        Proto::Tcp => protocol == TCP && with_ports(),
        Proto::Udp => protocol == UDP && with_ports(),
        Proto::Icmp => protocol == ICMP || protocol == ICMPV6,
        Proto::Unknown => false,
    }
}

fn names(allow: &Allow, source: IpAddr) -> bool {
    allow.sources.iter().any(|range| range.contains(source))
}

/// The flow of a packet and its TCP flags; `None` for packets without a flow.
fn flow_of(headers: &Headers, sender: Sender) -> Option<(FlowKey, u8)> {
    let (source, destination, flags) = match headers.payload {
        Payload::Tcp {
            source,
            destination,
            flags,
        } => (source, destination, flags),
        Payload::Udp { source, destination } => (source, destination, 0),
        Payload::Echo { id, reply } => {
            let asked = if (sender == Sender::Here) == reply {
                ASKED_BY_PEER
            } else {
                ASKED_HERE
            };
            match sender {
                Sender::Here => (asked, id, 0),
                Sender::Peer => (id, asked, 0),
            }
        }
        Payload::Other => (0, 0, 0),
        Payload::Error { .. } | Payload::Later => return None,
    };
    let key = |remote, local, remote_port, local_port| FlowKey {
        remote,
        local,
        protocol: headers.protocol,
        remote_port,
        local_port,
    };
    Some(match sender {
        Sender::Here => (
            key(headers.destination, headers.source, destination, source),
            flags,
        ),
        Sender::Peer => (
            key(headers.source, headers.destination, source, destination),
            flags,
        ),
    })
}

fn flow_of_quoted(about: &Quoted) -> FlowKey {
    let (source_port, destination_port) = match about.echo {
        Some((id, reply)) => (if reply { ASKED_BY_PEER } else { ASKED_HERE }, id),
        None => about.ports,
    };
    FlowKey {
        remote: about.destination,
        local: about.source,
        protocol: about.protocol,
        remote_port: destination_port,
        local_port: source_port,
    }
}
