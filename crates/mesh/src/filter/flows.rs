//! The flows that are open between this device and its peers: what went out, or was allowed in, is answered.
//!
//! A flow opens with its first packet, lives as long as packets come often enough, and may be *barred* when the
//! rule that let it in is gone: then nothing passes in, whatever still goes out. The table is bounded; the flow that
//! was idle for longest makes room.

use super::packet::{ACK, FIN, RST, SYN};
use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

pub(crate) const MOST_FLOWS: usize = 65_536;

/// Both ends of a flow, as this device sees them. An echo has its id as both ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FlowKey {
    pub(crate) remote: IpAddr,
    pub(crate) local: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) remote_port: u16,
    pub(crate) local_port: u16,
}

/// Which end sent a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    Here,
    Peer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// One end has spoken so far.
    Opening,
    Open,
    Closing,
}

#[derive(Debug)]
struct Flow {
    key: FlowKey,
    opener: Sender,
    barred: bool,
    life: Life,
    seen: Instant,
    newer: Option<u32>,
    older: Option<u32>,
}

impl Flow {
    fn patience(&self) -> Duration {
        use super::packet::{TCP, UDP};
        Duration::from_secs(match (self.key.protocol, self.life) {
            (TCP, Life::Open) => 2 * 3600,
            (TCP, Life::Opening) => 120,
            (TCP, Life::Closing) => 30,
            (UDP, _) => 180,
            _ => 30,
        })
    }
}

/// All flows, with the most recent one first.
#[derive(Debug)]
pub(crate) struct Flows {
    // Looked up, never walked: its order is nobody's decision.
    places: HashMap<FlowKey, u32>,
    flows: Vec<Flow>,
    newest: Option<u32>,
    oldest: Option<u32>,
    most: usize,
}

impl Flows {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            places: HashMap::new(),
            flows: Vec::new(),
            newest: None,
            oldest: None,
            most,
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    /// Notes a packet of a flow that is open already; whether there is one that lets it pass.
    pub(crate) fn pass(&mut self, key: &FlowKey, sender: Sender, flags: u8, now: Instant) -> bool {
        let Some(place) = self.live(key, now) else {
            return false;
        };
        self.touch(place, now);
        let Some(flow) = self.flows.get_mut(place as usize) else {
            return false;
        };
        flow.seen = now;
        if flags & (FIN | RST) != 0 {
            flow.life = Life::Closing;
        } else if flags & (SYN | ACK) == SYN && sender == flow.opener {
            // The ports are used again for a new connection.
            flow.life = Life::Opening;
        } else if flow.life == Life::Opening && sender != flow.opener {
            flow.life = Life::Open;
        }
        !flow.barred || sender == Sender::Here
    }

    /// Whether a flow is open, without prolonging it.
    pub(crate) fn has(&mut self, key: &FlowKey, now: Instant) -> bool {
        let place = self.live(key, now);
        place
            .and_then(|place| self.flows.get(place as usize))
            .is_some_and(|flow| !flow.barred)
    }

    /// Opens a flow. One that is barred opens again only when a rule lets the peer in, or by a new connection of
    /// our own.
    pub(crate) fn open(&mut self, key: FlowKey, opener: Sender, now: Instant) {
        if let Some(place) = self.places.get(&key).copied() {
            self.remove(place);
        }
        self.forget_idle(now);
        while self.flows.len() >= self.most {
            let Some(oldest) = self.oldest else { break };
            self.remove(oldest);
        }
        let Ok(place) = u32::try_from(self.flows.len()) else {
            return;
        };
        self.flows.push(Flow {
            key,
            opener,
            barred: false,
            life: Life::Opening,
            seen: now,
            newer: None,
            older: None,
        });
        self.places.insert(key, place);
        self.link_newest(place);
    }

    /// Bars the flows that peers opened and that `allows` no longer.
    pub(crate) fn bar(&mut self, allows: impl Fn(&FlowKey) -> bool) {
        for flow in &mut self.flows {
            if flow.opener == Sender::Peer {
                flow.barred = !allows(&flow.key);
            }
        }
    }

    /// Each new flow clears up to two that nobody misses, so the table shrinks as it is used.
    fn forget_idle(&mut self, now: Instant) {
        for _ in 0..2 {
            let oldest = self
                .oldest
                .and_then(|place| self.flows.get(place as usize).map(|flow| (place, flow)));
            match oldest {
                Some((place, flow)) if now.saturating_duration_since(flow.seen) > flow.patience() => {
                    self.remove(place)
                }
                _ => return,
            }
        }
    }

    fn live(&mut self, key: &FlowKey, now: Instant) -> Option<u32> {
        // Runs of packets of one flow are the rule.
        let newest = self.newest.filter(|place| {
            self.flows
                .get(*place as usize)
                .is_some_and(|flow| flow.key == *key)
        });
        let place = newest.or_else(|| self.places.get(key).copied())?;
        let flow = self.flows.get(place as usize)?;
        if now.saturating_duration_since(flow.seen) > flow.patience() {
            self.remove(place);
            return None;
        }
        Some(place)
    }

    fn touch(&mut self, place: u32, now: Instant) {
        if self.newest != Some(place) {
            self.unlink(place);
            self.link_newest(place);
        }
        if let Some(flow) = self.flows.get_mut(place as usize) {
            flow.seen = now;
        }
    }

    fn remove(&mut self, place: u32) {
        self.unlink(place);
        let at = place as usize;
        if at >= self.flows.len() {
            return;
        }
        let gone = self.flows.swap_remove(at);
        self.places.remove(&gone.key);
        // The last one moved to the free place; its neighbors must learn of that.
        let Some(moved) = self.flows.get(at) else { return };
        let (key, newer, older) = (moved.key, moved.newer, moved.older);
        self.places.insert(key, place);
        match newer {
            Some(newer) => self.flow_mut(newer, |flow| flow.older = Some(place)),
            None => self.newest = Some(place),
        }
        match older {
            Some(older) => self.flow_mut(older, |flow| flow.newer = Some(place)),
            None => self.oldest = Some(place),
        }
    }

    fn link_newest(&mut self, place: u32) {
        let before = self.newest.replace(place);
        self.flow_mut(place, |flow| (flow.newer, flow.older) = (None, before));
        match before {
            Some(before) => self.flow_mut(before, |flow| flow.newer = Some(place)),
            None => self.oldest = Some(place),
        }
    }

    fn unlink(&mut self, place: u32) {
        let Some(flow) = self.flows.get(place as usize) else {
            return;
        };
        let (newer, older) = (flow.newer, flow.older);
        match newer {
            Some(newer) => self.flow_mut(newer, |flow| flow.older = older),
            None => self.newest = older,
        }
        match older {
            Some(older) => self.flow_mut(older, |flow| flow.newer = newer),
            None => self.oldest = newer,
        }
    }

    fn flow_mut(&mut self, place: u32, change: impl FnOnce(&mut Flow)) {
        if let Some(flow) = self.flows.get_mut(place as usize) {
            change(flow);
        }
    }
}
