//! The stateful filter: what peers may send here.
//!
//! Everything may go out, and opens a flow by which answers come back. What comes in passes when a rule allows it or
//! when it belongs to an open flow; the rest is dropped in silence. Of a fragmented packet the first fragment
//! decides and the later ones follow it.

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
use flows::{FlowKey, Flows, MOST_FLOWS, Sender};
use fragments::Fragments;
use std::{net::IpAddr, time::Instant};

/// An echo's id stands for the remote port, and who asked for the local one: being asked is no answer.
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
        Self::with_room_for(MOST_FLOWS)
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

    /// Other rules; flows that came in by one that is gone end.
    pub(crate) fn set_rules(&mut self, rules: &Rules) {
        if self.rules == *rules {
            return;
        }
        self.rules.clone_from(rules);
        let rules = &self.rules;
        self.flows
            .bar(|flow| allows(rules, flow.remote, flow.protocol, flow.local_port));
    }

    /// Notes what goes out.
    pub(crate) fn outbound(&mut self, headers: &Headers, now: Instant) {
        let Some((key, flags)) = flow_of(headers, Sender::Here) else {
            return;
        };
        let begins = flags & (SYN | ACK) == SYN;
        if self.flows.pass(&key, Sender::Here, flags, now) && !begins {
            return;
        }
        // An echo reply answers and asks for nothing.
        if matches!(headers.payload, Payload::Echo { reply: true, .. }) {
            return;
        }
        // The beginning of a connection that goes on was before this filter's: where a rule lets the peer begin it, it
        // ends with the rule.
        let goes_on = key.protocol == TCP && !begins;
        let is_theirs = goes_on && allows(&self.rules, key.remote, key.protocol, key.local_port);
        let opener = if is_theirs { Sender::Peer } else { Sender::Here };
        self.flows.open(key, opener, now);
    }

    /// Decides about what came in from the peer that has the source address.
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

    /// A peer knows of no packets but those that went from here to it.
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

/// The flow of a packet and its TCP flags, when it has one.
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
