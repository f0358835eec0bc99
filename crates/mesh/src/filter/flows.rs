//! The flows that are open between this device and its peers. A packet that went out, or was allowed in, opens one.
//!
//! A flow opens with its first packet and lives as long as packets come often enough. It is *barred* when the rule
//! that let it in is gone: nothing passes in then, not even answers, and refused packets do not prolong it. The table
//! is bounded. When it is full, the peer with the most flows loses the one that was idle for longest, and a barred one
//! only when it has no other, because forgetting a bar would lift it.

mod shares;

use flotilla_wire::packet::{ACK, FIN, RST, SYN, TCP, UDP};
use shares::Shares;
use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

pub(crate) const MAX_FLOWS: usize = 65_536;

/// How long an open connection may be silent (RFC 5382 §5), also one that is closed in one direction: keepalives come
/// every two hours.
const SILENT_TCP: Duration = Duration::from_secs(2 * 3600 + 4 * 60);

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
enum FlowState {
    /// Only one end has sent packets so far.
    Opening,
    Open,
    /// This end has sent its last data, and the other end may go on.
    HalfClosed(Sender),
    /// Both ends have sent their last data; only the last acknowledgments are due.
    Closed,
}

#[derive(Debug)]
struct Flow {
    key: FlowKey,
    opener: Sender,
    barred: bool,
    state: FlowState,
    seen: Instant,
    /// The place of the peer's share.
    share: u32,
    /// Neighbors in the list of the same peer's flows, barred or not barred as this one.
    newer: Option<u32>,
    older: Option<u32>,
}

impl Flow {
    fn patience(&self) -> Duration {
        if self.barred {
            // A program of this device may still send on the flow that late. If the flow were forgotten then, that
            // packet would open it as one begun from here, without the bar.
            return SILENT_TCP;
        }
        match (self.key.protocol, self.state) {
            (TCP, FlowState::Open | FlowState::HalfClosed(_)) => SILENT_TCP,
            (TCP, FlowState::Opening) => Duration::from_secs(120),
            (UDP, _) => Duration::from_secs(180),
            _ => Duration::from_secs(30),
        }
    }

    fn is_idle(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.seen) > self.patience()
    }

    fn note(&mut self, sender: Sender, flags: u8, now: Instant) {
        self.seen = now;
        if flags & RST != 0 {
            self.state = FlowState::Closed;
        } else if flags & FIN != 0 {
            self.state = match self.state {
                FlowState::HalfClosed(by) if by != sender => FlowState::Closed,
                FlowState::Closed => FlowState::Closed,
                _ => FlowState::HalfClosed(sender),
            };
        } else if flags & (SYN | ACK) == SYN && sender == self.opener {
            // A new connection uses the same ports again.
            self.state = FlowState::Opening;
        } else if self.state == FlowState::Opening && sender != self.opener {
            self.state = FlowState::Open;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Flows {
    // It is only looked up, never iterated, so its order has no effect.
    places: HashMap<FlowKey, u32>,
    flows: Vec<Flow>,
    shares: Shares,
    /// The place of the last packet's flow.
    last: Option<u32>,
    /// The place from which the search for idle flows goes on.
    sweep: usize,
    most: usize,
}

impl Flows {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            places: HashMap::new(),
            flows: Vec::new(),
            shares: Shares::default(),
            last: None,
            sweep: 0,
            most,
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    /// Notes a packet of a flow; returns whether an open flow lets it pass.
    pub(crate) fn pass(&mut self, key: &FlowKey, sender: Sender, flags: u8, now: Instant) -> bool {
        let Some(place) = self.live(key, now) else {
            return false;
        };
        let flow = self.flows.get_mut(place as usize);
        let Some(flow) = flow.filter(|flow| !flow.barred || sender == Sender::Here) else {
            return false;
        };
        flow.note(sender, flags, now);
        if flow.newer.is_some() {
            self.unlink(place);
            self.link_newest(place);
        }
        self.last = Some(place);
        true
    }

    /// Whether a flow is open. Asking does not prolong it.
    pub(crate) fn has(&mut self, key: &FlowKey, now: Instant) -> bool {
        let place = self.live(key, now);
        place
            .and_then(|place| self.flows.get(place as usize))
            .is_some_and(|flow| !flow.barred)
    }

    /// Opens a flow. A barred one opens again only when a rule lets the peer in, or by a new connection from here.
    pub(crate) fn open(&mut self, key: FlowKey, opener: Sender, now: Instant) {
        if let Some(place) = self.places.get(&key).copied() {
            self.remove(place);
        }
        self.forget_idle(now);
        self.make_room(key.remote);
        let Ok(place) = u32::try_from(self.flows.len()) else {
            return;
        };
        self.flows.push(Flow {
            key,
            opener,
            barred: false,
            state: FlowState::Opening,
            seen: now,
            share: self.shares.enter(key.remote),
            newer: None,
            older: None,
        });
        self.places.insert(key, place);
        self.link_newest(place);
    }

    /// Bars the flows that peers opened and that `allows` does not allow.
    pub(crate) fn bar(&mut self, allows: impl Fn(&FlowKey) -> bool) {
        for flow in &mut self.flows {
            flow.barred = flow.opener == Sender::Peer && !allows(&flow.key);
        }
        let mut places: Vec<_> = (0u32..)
            .zip(&self.flows)
            .map(|(place, flow)| (flow.seen, place))
            .collect();
        places.sort_unstable();
        self.shares.unlink_all();
        for (_, place) in places {
            self.link_newest(place);
        }
    }

    fn make_room(&mut self, opener: IpAddr) {
        while self.flows.len() >= self.most {
            let Some(place) = self.shares.victim(opener) else {
                return;
            };
            self.remove(place);
        }
    }

    /// Each new flow checks two others for having expired, so the table shrinks as it is used.
    fn forget_idle(&mut self, now: Instant) {
        for _ in 0..2 {
            match self.flows.get(self.sweep).map(|flow| flow.is_idle(now)) {
                Some(true) => self.remove(u32::try_from(self.sweep).unwrap_or(u32::MAX)),
                Some(false) => self.sweep += 1,
                None => self.sweep = 0,
            }
        }
    }

    fn live(&mut self, key: &FlowKey, now: Instant) -> Option<u32> {
        // Packets of one flow mostly come in runs.
        let last = self.last.filter(|place| {
            self.flows
                .get(*place as usize)
                .is_some_and(|flow| flow.key == *key)
        });
        let place = last.or_else(|| self.places.get(key).copied())?;
        if self.flows.get(place as usize)?.is_idle(now) {
            self.remove(place);
            return None;
        }
        Some(place)
    }

    fn remove(&mut self, place: u32) {
        self.unlink(place);
        let at = place as usize;
        if at >= self.flows.len() {
            return;
        }
        let gone = self.flows.swap_remove(at);
        self.places.remove(&gone.key);
        self.shares.leave(gone.share);
        self.last = None;
        // The last flow moved to the free place, so its neighbors have to point there.
        let Some(moved) = self.flows.get(at) else { return };
        self.places.insert(moved.key, place);
        let (newer, older) = (moved.newer, moved.older);
        if let Some(ends) = self.shares.ends(moved.share, moved.barred) {
            if newer.is_none() {
                ends.newest = Some(place);
            }
            if older.is_none() {
                ends.oldest = Some(place);
            }
        }
        self.change(newer, |flow| flow.older = Some(place));
        self.change(older, |flow| flow.newer = Some(place));
    }

    fn link_newest(&mut self, place: u32) {
        let flow = self.flows.get(place as usize);
        let Some(ends) = flow.and_then(|flow| self.shares.ends(flow.share, flow.barred)) else {
            return;
        };
        let before = ends.newest.replace(place);
        if before.is_none() {
            ends.oldest = Some(place);
        }
        self.change(Some(place), |flow| (flow.newer, flow.older) = (None, before));
        self.change(before, |flow| flow.newer = Some(place));
    }

    fn unlink(&mut self, place: u32) {
        let Some(flow) = self.flows.get(place as usize) else {
            return;
        };
        let (newer, older) = (flow.newer, flow.older);
        if let Some(ends) = self.shares.ends(flow.share, flow.barred) {
            if newer.is_none() {
                ends.newest = older;
            }
            if older.is_none() {
                ends.oldest = newer;
            }
        }
        self.change(newer, |flow| flow.older = older);
        self.change(older, |flow| flow.newer = newer);
    }

    fn change(&mut self, place: Option<u32>, change: impl FnOnce(&mut Flow)) {
        if let Some(flow) = place.and_then(|place| self.flows.get_mut(place as usize)) {
            change(flow);
        }
    }
}
