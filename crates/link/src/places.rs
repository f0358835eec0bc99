//! The places of a port: every connection has one from its acceptance until its socket is closed.
//!
//! A connection begins as a stranger. It becomes a guest when it shows a device's certificate or is served what only
//! callers with access are served. Strangers and guests have limits of their own, so no number of strangers takes a
//! place from a guest. At a limit, [`EvictionQueue`] chooses the connection to evict, which is then cut wherever its bytes
//! are.

use crate::{
    capacity::Capacity,
    eviction::{EvictionQueue, Member, Source, Stage},
};
use flotilla_protocol::{id::DeviceId, neighborhood::neighborhood};
use parking_lot::Mutex;
use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Sockets that were cut and are not closed yet. Beyond that, the port accepts nothing until one is closed.
const CLOSING: usize = 16;

#[derive(Debug)]
struct PlaceTable {
    capacity: Capacity,
    strangers: EvictionQueue,
    guests: EvictionQueue,
    /// In the order of their arrival.
    occupants: BTreeMap<u64, Occupant>,
    last: u64,
    /// A guest was refused and the log has a warning about it; later refusals are not logged.
    is_full: bool,
}

#[derive(Debug)]
struct Occupant {
    source: Source,
    stage: Stage,
    since: Instant,
    is_guest: bool,
    is_upgraded: bool,
    cut: CancellationToken,
}

/// All places of one port.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    table: Arc<Mutex<PlaceTable>>,
    sockets: Arc<Semaphore>,
}

/// One connection's place. Dropping it frees the place, so it is kept with the socket.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Admission,
    _socket: Option<OwnedSemaphorePermit>,
}

/// How a port counts a connection, and the handle by which a route makes it a guest. Request extension on every
/// request; clones are of the same connection.
#[derive(Clone, derive_more::Debug)]
#[debug("Admission({number})")]
pub struct Admission {
    number: u64,
    table: Arc<Mutex<PlaceTable>>,
}

impl Places {
    pub(crate) fn new(capacity: Capacity) -> Self {
        let table = PlaceTable {
            capacity,
            strangers: EvictionQueue::default(),
            guests: EvictionQueue::default(),
            occupants: BTreeMap::new(),
            last: 0,
            is_full: false,
        };
        Self {
            table: Arc::new(Mutex::new(table)),
            sockets: Arc::new(Semaphore::new(capacity.strangers + capacity.guests + CLOSING)),
        }
    }

    /// Waits until one more socket may be opened. Only sockets that were cut and are about to close can make it wait.
    pub(crate) async fn socket(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        self.sockets.clone().acquire_owned().await.ok()
    }

    /// Gives a new connection a place, with the token that is cancelled when the connection has to end.
    pub(crate) fn take(
        &self,
        socket: Option<OwnedSemaphorePermit>,
        ip: IpAddr,
        now: Instant,
    ) -> (Place, CancellationToken) {
        let cut = CancellationToken::new();
        let mut table = self.table.lock();
        table.last += 1;
        let number = table.last;
        let occupant = Occupant {
            source: Source::Neighborhood(neighborhood(ip)),
            stage: Stage::Idle,
            since: now,
            is_guest: false,
            is_upgraded: false,
            cut: cut.clone(),
        };
        table.insert(number, occupant);
        drop(table);
        let admission = Admission {
            number,
            table: self.table.clone(),
        };
        let place = Place {
            admission,
            _socket: socket,
        };
        (place, cut)
    }

    /// Evicts the strangers that have been here for `lifetime` and have nothing under way.
    pub(crate) fn end_overdue(&self, lifetime: Duration, now: Instant) {
        let mut table = self.table.lock();
        let overdue = table.occupants.iter().filter(|(_, occupant)| {
            !occupant.is_guest
                && now.saturating_duration_since(occupant.since) >= lifetime
                && (occupant.stage == Stage::Idle || occupant.is_upgraded)
        });
        let overdue: Vec<_> = overdue.map(|(number, _)| *number).collect();
        for number in overdue {
            table.evict(number);
        }
    }
}

impl PlaceTable {
    /// Gives a connection a place, evicting another one at the limit, or refuses it.
    fn insert(&mut self, number: u64, occupant: Occupant) {
        let (capacity, queue) = if occupant.is_guest {
            (self.capacity.guests, &self.guests)
        } else {
            (self.capacity.strangers, &self.strangers)
        };
        if queue.len() >= capacity {
            match queue.victim(occupant.source) {
                Some(other) => self.evict(other.number),
                None => return self.refuse(&occupant),
            }
        }
        let member = occupant.member(number);
        self.queue(occupant.is_guest).enter(occupant.source, member);
        self.occupants.insert(number, occupant);
    }

    fn refuse(&mut self, occupant: &Occupant) {
        occupant.cut.cancel();
        if !std::mem::replace(&mut self.is_full, true) {
            tracing::warn!(
                connections = self.guests.len(),
                "no more devices can connect: this process may open too few files"
            );
        }
    }

    fn remove(&mut self, number: u64) -> Option<Occupant> {
        let occupant = self.occupants.remove(&number)?;
        let member = occupant.member(number);
        self.queue(occupant.is_guest).leave(occupant.source, member);
        self.is_full &= !occupant.is_guest;
        Some(occupant)
    }

    fn evict(&mut self, number: u64) {
        if let Some(occupant) = self.remove(number) {
            occupant.cut.cancel();
        }
    }

    fn queue(&mut self, of_guests: bool) -> &mut EvictionQueue {
        if of_guests {
            &mut self.guests
        } else {
            &mut self.strangers
        }
    }

    /// Changes a connection's stage, and with it its rank for eviction.
    fn update(&mut self, number: u64, change: impl FnOnce(&mut Occupant)) {
        let Some(occupant) = self.occupants.get_mut(&number) else {
            return;
        };
        let (source, is_guest, before) = (occupant.source, occupant.is_guest, occupant.member(number));
        change(occupant);
        let after = occupant.member(number);
        if before != after {
            let queue = self.queue(is_guest);
            queue.leave(source, before);
            queue.enter(source, after);
        }
    }
}

impl Occupant {
    fn member(&self, number: u64) -> Member {
        let stage = match (self.is_upgraded, self.is_guest) {
            (true, true) => Stage::Live,
            (true, false) => Stage::Busy,
            (false, _) => self.stage,
        };
        Member { stage, number }
    }
}

impl Place {
    pub(crate) fn admission(&self) -> &Admission {
        &self.admission
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.table.lock().remove(self.admission.number);
    }
}

impl Admission {
    /// The far end has proved to be this device: the connection becomes a guest and is counted under the device.
    pub fn admit(&self, device: DeviceId) {
        self.become_guest(Some(device));
    }

    /// The far end was served what only callers with access are served: the connection becomes a guest of its address.
    pub(crate) fn admit_unnamed(&self) {
        self.become_guest(None);
    }

    fn become_guest(&self, device: Option<DeviceId>) {
        let mut table = self.table.lock();
        let is_stranger = |occupant: &Occupant| !occupant.is_guest;
        if !table.occupants.get(&self.number).is_some_and(is_stranger) {
            return;
        }
        if let Some(mut occupant) = table.remove(self.number) {
            occupant.is_guest = true;
            occupant.source = device.map_or(occupant.source, Source::Device);
            table.insert(self.number, occupant);
        }
    }

    pub(crate) fn set_stage(&self, stage: Stage) {
        self.table
            .lock()
            .update(self.number, |occupant| occupant.stage = stage);
    }

    pub(crate) fn set_upgraded(&self) {
        self.table
            .lock()
            .update(self.number, |occupant| occupant.is_upgraded = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Capacity = Capacity {
        strangers: 3,
        guests: 2,
    };

    fn device(number: u8) -> DeviceId {
        format!("01937c5e-7b1a-7c3e-8b9e-0123456789{number:02x}")
            .parse()
            .unwrap()
    }

    fn come(places: &Places, from: u8) -> (Place, CancellationToken) {
        places.take(None, [192, 0, 2, from].into(), Instant::now())
    }

    #[tokio::test]
    async fn strangers_take_places_from_each_other_and_never_from_a_guest() {
        let places = Places::new(ROOM);
        let (guest, guest_cut) = come(&places, 1);
        guest.admission().admit(device(1));
        let crowd: Vec<_> = (0..100).map(|_| come(&places, 1)).collect();
        let cut = crowd.iter().filter(|(_, cut)| cut.is_cancelled()).count();
        assert_eq!((cut, guest_cut.is_cancelled()), (97, false));
        drop(crowd);
        assert_eq!(places.table.lock().occupants.len(), 1);
    }

    #[tokio::test]
    async fn a_device_with_many_connections_loses_its_own() {
        let places = Places::new(ROOM);
        let (one, one_cut) = come(&places, 1);
        one.admission().admit(device(1));
        let many: Vec<_> = (0..10)
            .map(|_| {
                let (place, cut) = come(&places, 2);
                place.admission().admit(device(2));
                (place, cut)
            })
            .collect();
        assert!(!one_cut.is_cancelled());
        let kept = many.iter().filter(|(_, cut)| !cut.is_cancelled()).count();
        assert_eq!(kept, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stranger_that_stays_is_ended_and_a_guest_is_not() {
        let places = Places::new(ROOM);
        let minute = Duration::from_secs(60);
        let (_stranger, cut) = come(&places, 1);
        let (guest, guest_cut) = come(&places, 1);
        guest.admission().admit_unnamed();
        places.end_overdue(minute, Instant::now() + minute / 2);
        assert!(!cut.is_cancelled());
        places.end_overdue(minute, Instant::now() + minute);
        assert!(cut.is_cancelled() && !guest_cut.is_cancelled());
    }

    #[tokio::test]
    async fn a_socket_that_is_not_closed_keeps_another_from_being_opened() {
        let places = Places::new(ROOM);
        let mut open = Vec::new();
        for _ in 0..5 + CLOSING {
            let socket = places.socket().await;
            open.push(places.take(socket, [192, 0, 2, 1].into(), Instant::now()));
        }
        assert_eq!(places.sockets.available_permits(), 0);
        open.clear();
        assert_eq!(places.sockets.available_permits(), 5 + CLOSING);
    }
}
