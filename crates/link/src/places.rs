//! The places of a port: every connection has one from its acceptance until its socket is closed.
//!
//! A connection comes as a stranger and becomes a guest when it shows something that counts. Both crowds have a
//! room of their own, so no number of strangers takes a place from a guest. When a crowd has no room, [`Crowd`] says
//! who gives way, and that connection is cut wherever its bytes are.

use crate::{
    crowd::{Crowd, Member, Source, Stage},
    room::Room,
};
use flotilla_protocol::{id::DeviceId, neighborhood::neighborhood};
use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Sockets that were cut and are not closed yet. More wait to be accepted meanwhile.
const CLOSING: usize = 16;

#[derive(Debug)]
struct Taken {
    room: Room,
    strangers: Crowd,
    guests: Crowd,
    /// In the order of their arrival.
    visits: BTreeMap<u64, Visit>,
    last: u64,
    /// A guest was turned away, and the log knows.
    is_full: bool,
}

#[derive(Debug)]
struct Visit {
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
    taken: Arc<Mutex<Taken>>,
    sockets: Arc<Semaphore>,
}

/// One connection's place. Dropping it gives the place back, so it lives where the socket lives.
#[derive(Debug)]
pub(crate) struct Place {
    standing: Standing,
    _socket: Option<OwnedSemaphorePermit>,
}

/// What a connection counts as at its port. Request extension on every request; clones are the same connection.
#[derive(Clone)]
pub struct Standing {
    number: u64,
    taken: Arc<Mutex<Taken>>,
}

impl Places {
    pub(crate) fn new(room: Room) -> Self {
        let taken = Taken {
            room,
            strangers: Crowd::default(),
            guests: Crowd::default(),
            visits: BTreeMap::new(),
            last: 0,
            is_full: false,
        };
        Self {
            taken: Arc::new(Mutex::new(taken)),
            sockets: Arc::new(Semaphore::new(room.strangers + room.guests + CLOSING)),
        }
    }

    /// Waits until there may be one more socket. It takes a moment only: those that were cut are closing.
    pub(crate) async fn socket(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        self.sockets.clone().acquire_owned().await.ok()
    }

    /// The place of a new connection, with the signal that it has to end.
    pub(crate) fn take(
        &self,
        socket: Option<OwnedSemaphorePermit>,
        ip: IpAddr,
        now: Instant,
    ) -> (Place, CancellationToken) {
        let cut = CancellationToken::new();
        let mut taken = lock(&self.taken);
        taken.last += 1;
        let number = taken.last;
        let visit = Visit {
            source: Source::Neighborhood(neighborhood(ip)),
            stage: Stage::Idle,
            since: now,
            is_guest: false,
            is_upgraded: false,
            cut: cut.clone(),
        };
        taken.seat(number, visit);
        drop(taken);
        let standing = Standing {
            number,
            taken: self.taken.clone(),
        };
        let place = Place {
            standing,
            _socket: socket,
        };
        (place, cut)
    }

    /// Ends the strangers that have been here for `lifetime` and have nothing under way.
    pub(crate) fn end_overdue(&self, lifetime: Duration, now: Instant) {
        let mut taken = lock(&self.taken);
        let overdue = taken.visits.iter().filter(|(_, visit)| {
            !visit.is_guest
                && now.saturating_duration_since(visit.since) >= lifetime
                && (visit.stage == Stage::Idle || visit.is_upgraded)
        });
        let overdue: Vec<_> = overdue.map(|(number, _)| *number).collect();
        for number in overdue {
            taken.end(number);
        }
    }
}

impl Taken {
    /// Gives a connection a place, at the expense of another one where there is no room; or ends it.
    fn seat(&mut self, number: u64, visit: Visit) {
        let (room, crowd) = if visit.is_guest {
            (self.room.guests, &self.guests)
        } else {
            (self.room.strangers, &self.strangers)
        };
        if crowd.len() >= room {
            match crowd.gives_way(visit.source) {
                Some(other) => self.end(other.number),
                None => return self.turn_away(&visit),
            }
        }
        let member = visit.member(number);
        self.crowd(visit.is_guest).enter(visit.source, member);
        self.visits.insert(number, visit);
    }

    fn turn_away(&mut self, visit: &Visit) {
        visit.cut.cancel();
        if !std::mem::replace(&mut self.is_full, true) {
            tracing::warn!(
                connections = self.guests.len(),
                "no more devices can connect: this process may open too few files"
            );
        }
    }

    fn unseat(&mut self, number: u64) -> Option<Visit> {
        let visit = self.visits.remove(&number)?;
        let member = visit.member(number);
        self.crowd(visit.is_guest).leave(visit.source, member);
        self.is_full &= !visit.is_guest;
        Some(visit)
    }

    fn end(&mut self, number: u64) {
        if let Some(visit) = self.unseat(number) {
            visit.cut.cancel();
        }
    }

    fn crowd(&mut self, of_guests: bool) -> &mut Crowd {
        if of_guests {
            &mut self.guests
        } else {
            &mut self.strangers
        }
    }

    /// Moves within the crowd.
    fn reach(&mut self, number: u64, stage: impl FnOnce(&mut Visit)) {
        let Some(visit) = self.visits.get_mut(&number) else {
            return;
        };
        let (source, is_guest, before) = (visit.source, visit.is_guest, visit.member(number));
        stage(visit);
        let after = visit.member(number);
        if before != after {
            let crowd = self.crowd(is_guest);
            crowd.leave(source, before);
            crowd.enter(source, after);
        }
    }
}

impl Visit {
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
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.standing.taken).unseat(self.standing.number);
    }
}

impl Standing {
    /// This device is at the other end, which was proven: the connection is a stranger's no longer, and is counted
    /// to the device.
    pub fn admit(&self, device: DeviceId) {
        self.become_guest(Some(device));
    }

    /// Whoever is at the other end was served what not everybody is served.
    pub(crate) fn welcome(&self) {
        self.become_guest(None);
    }

    fn become_guest(&self, device: Option<DeviceId>) {
        let mut taken = lock(&self.taken);
        let is_stranger = |visit: &Visit| !visit.is_guest;
        if !taken.visits.get(&self.number).is_some_and(is_stranger) {
            return;
        }
        if let Some(mut visit) = taken.unseat(self.number) {
            visit.is_guest = true;
            visit.source = device.map_or(visit.source, Source::Device);
            taken.seat(self.number, visit);
        }
    }

    pub(crate) fn reach(&self, stage: Stage) {
        lock(&self.taken).reach(self.number, |visit| visit.stage = stage);
    }

    pub(crate) fn upgraded(&self) {
        lock(&self.taken).reach(self.number, |visit| visit.is_upgraded = true);
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Standing({})", self.number)
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room {
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
        guest.standing().admit(device(1));
        let crowd: Vec<_> = (0..100).map(|_| come(&places, 1)).collect();
        let cut = crowd.iter().filter(|(_, cut)| cut.is_cancelled()).count();
        assert_eq!((cut, guest_cut.is_cancelled()), (97, false));
        drop(crowd);
        assert_eq!(lock(&places.taken).visits.len(), 1);
    }

    #[tokio::test]
    async fn a_device_with_many_connections_loses_its_own() {
        let places = Places::new(ROOM);
        let (one, one_cut) = come(&places, 1);
        one.standing().admit(device(1));
        let many: Vec<_> = (0..10)
            .map(|_| {
                let (place, cut) = come(&places, 2);
                place.standing().admit(device(2));
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
        guest.standing().welcome();
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
