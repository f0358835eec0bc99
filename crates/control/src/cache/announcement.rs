//! The part of a device's reports that other devices act upon: where it can be reached, and whether its host is Docker
//! Desktop's virtual machine.

use super::inbound::is_in_the_machine;
use crate::store::LastReport;
use flotilla_protocol::{
    id::RelayId,
    mesh::{Candidate, Nat, share_evenly},
};

/// Candidates of a device that are put into maps: each of them is probed by every peer.
pub(super) const MOST_CANDIDATES: usize = 24;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement {
    pub(super) candidates: Vec<Candidate>,
    pub(super) home_relay: Option<RelayId>,
    pub(super) nat: Nat,
    /// Its agent's host is Docker Desktop's virtual machine.
    pub(super) in_the_machine: bool,
}

impl Announcement {
    pub(super) fn of(last_report: &LastReport) -> Self {
        let mesh = last_report.mesh.as_ref();
        let mut candidates = mesh.map(|mesh| mesh.candidates.clone()).unwrap_or_default();
        accept(&mut candidates);
        Self {
            candidates,
            home_relay: mesh.and_then(|mesh| mesh.home_relay),
            nat: mesh.map(|mesh| mesh.nat).unwrap_or_default(),
            in_the_machine: is_in_the_machine(last_report),
        }
    }
}

/// Keeps the candidates that are worth a probe: unspecified, multicast and loopback addresses go, and those beyond the
/// most that are allowed.
pub(super) fn accept(candidates: &mut Vec<Candidate>) {
    candidates.retain(|candidate| {
        let ip = candidate.address.ip();
        candidate.address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !ip.is_loopback()
    });
    *candidates = share_evenly(std::mem::take(candidates), MOST_CANDIDATES);
}
