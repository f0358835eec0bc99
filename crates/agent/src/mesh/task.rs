//! The task that owns the map and the data plane.
//!
//! Life cycle: without a map it waits for one → with a map it has a data plane, or knows why not and tries again → it
//! ends when it is told to leave, or when the last [`Mesh`](super::Mesh) is dropped.

use super::{
    Order, Setup, Standing, Told,
    delivery::Delivery,
    map_file::{Kept, MapFile},
    moves::only_moves,
    plane::Plane,
    range::check_map,
    standing::{class, reason, settled},
    storing::{Storing, Unstored},
};
use crate::complaint::Complaint;
use flotilla_link::Target;
use flotilla_protocol::{
    Code, Problem,
    id::{DeviceId, RelayId},
    mesh::{MapPush, MapTaken, MeshState, NetworkMap, Obstacle},
    path::{PathAttempt, PeerPath},
};
use flotilla_tunnel::{Event, MTU, TunnelError};
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until},
};

/// Time between attempts to start a data plane that failed. The causes (rights, routes) are mended by a person.
const RETRY: Duration = Duration::from_secs(15);

/// How often the figures of paths are read from the data plane.
const FIGURES: Duration = Duration::from_secs(5);

pub(super) struct Keeper {
    setup: Setup,
    storing: Storing,
    /// The map that is, or should be, on disk.
    kept: Option<Kept>,
    plane: Option<Plane>,
    delivery: Delivery,
    retry: Instant,
    complaint: Complaint,
    standing: watch::Sender<Standing>,
    /// What the status file holds.
    noted: Told,
}

/// What woke the task.
enum Wake {
    Order(Option<Order>),
    Event(Event),
    /// The result of a check: the obstacle, if there is one.
    Tried(Option<Obstacle>),
    Retry,
    Store,
    Figures,
    LookUp,
}

impl Keeper {
    pub(super) fn new(setup: Setup, standing: watch::Sender<Standing>) -> Self {
        let file = MapFile::new(setup.state.dir(), setup.device);
        Self {
            kept: file.load(),
            storing: Storing::new(file),
            setup,
            plane: None,
            delivery: Delivery::new(),
            retry: Instant::now(),
            complaint: Complaint::default(),
            standing,
            noted: Told::default(),
        }
    }

    pub(super) async fn keep(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        self.start_plane().await;
        let [mut figures, mut look_up] = [FIGURES, super::lookup::AGAIN].map(every);
        loop {
            match self.wake(&mut orders, &mut figures, &mut look_up).await {
                Wake::Order(Some(Order::Take(push, answer))) => {
                    // The caller may be gone by now, with its link.
                    let _ = answer.send(self.take(*push).await);
                }
                Wake::Order(Some(Order::Test(peer, answer))) => self.test_path(peer, answer),
                Wake::Order(Some(Order::Leave(answer))) => {
                    self.plane = None;
                    self.storing.delete();
                    self.setup.status.clear_mesh();
                    let _ = answer.send(());
                    return;
                }
                Wake::Order(None) => return self.storing.store_quietly(self.kept.as_ref()).await,
                Wake::Event(event) => self.handle(event),
                Wake::Tried(obstacle) => self.show_up(obstacle),
                Wake::Retry => self.start_plane().await,
                Wake::Store => self.storing.store_quietly(self.kept.as_ref()).await,
                Wake::Figures => self.read_figures().await,
                Wake::LookUp => {
                    if let (Some(plane), Some(kept)) = (&mut self.plane, &self.kept) {
                        plane.look_up_again(&kept.map);
                    }
                }
            }
            self.note();
        }
    }

    async fn wake(
        &mut self,
        orders: &mut mpsc::UnboundedReceiver<Order>,
        figures: &mut Interval,
        look_up: &mut Interval,
    ) -> Wake {
        let can_retry = self.plane.is_none() && self.kept.is_some();
        let due = self.storing.due();
        let store_at = due.unwrap_or_else(Instant::now);
        let place = self.kept.as_ref().map(|kept| kept.map.address);
        let interface = &self.setup.tun_name;
        let delivery = &mut self.delivery;
        let plane = self.plane.as_mut();
        let has_plane = plane.is_some();
        let tried = async {
            match place {
                Some(place) => delivery.next(interface, place).await,
                None => std::future::pending().await,
            }
        };
        let event = async {
            match plane {
                Some(plane) => plane.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            order = orders.recv() => Wake::Order(order),
            event = event => Wake::Event(event),
            obstacle = tried, if has_plane => Wake::Tried(obstacle),
            () = sleep_until(self.retry), if can_retry => Wake::Retry,
            () = sleep_until(store_at), if due.is_some() => Wake::Store,
            _ = figures.tick(), if has_plane => Wake::Figures,
            _ = look_up.tick(), if has_plane => Wake::LookUp,
        }
    }

    async fn take(&mut self, push: MapPush) -> Result<MapTaken, Problem> {
        let before = self.kept.as_ref();
        let map = match push {
            MapPush::Whole(map) => Some(map),
            MapPush::Change(change) => before.map(|kept| kept.map.clone()).and_then(|mut map| {
                // A change for another revision is not applied: the answer tells control, which sends the whole map.
                map.apply(change).ok().map(|()| map)
            }),
            // Answered like a change for another revision.
            MapPush::Unknown => None,
        };
        if let Some(map) = map {
            check_map(&map)?;
            match before.map(|kept| &kept.map) {
                Some(old) if *old == map => {}
                Some(old) if only_moves(old, &map) => self.storing.note(Unstored::Moves),
                _ => self.storing.note(Unstored::Pressing),
            }
            self.kept = Some(match self.kept.take() {
                Some(kept) => Kept { map, ..kept },
                None => Kept::new(map),
            });
            self.put_in_force().await;
        }
        // In force first: a full disk must not keep a revoked peer on the mesh.
        if self.storing.is_pressing() {
            self.storing.store(self.kept.as_ref()).await?;
        }
        Ok(MapTaken {
            revision: self.kept.as_ref().map_or(0, |kept| kept.map.revision),
        })
    }

    async fn put_in_force(&mut self) {
        let (Some(plane), Some(kept)) = (&mut self.plane, &self.kept) else {
            return self.start_plane().await;
        };
        match plane.apply(&kept.map).await {
            Ok(()) => {
                self.delivery.hasten();
                self.show_map();
            }
            Err(error) => self.handle_failure(&error),
        }
    }

    async fn start_plane(&mut self) {
        let Some(kept) = self.kept.as_mut().filter(|_| self.plane.is_none()) else {
            return;
        };
        let beginning = Kept {
            began: kept.next_beginning(self.setup.clock.now()),
            ..kept.clone()
        };
        match Plane::start(&self.setup, &beginning) {
            Ok(plane) => {
                let tunnel = plane.tunnel();
                *kept = Kept {
                    listen_port: tunnel.listen_port(),
                    ..beginning
                };
                self.storing.note(Unstored::Pressing);
                tracing::info!(
                    interface = tunnel.interface(),
                    map.revision = kept.map.revision,
                    "on the mesh"
                );
                self.complaint.settle();
                self.plane = Some(plane);
                self.delivery = Delivery::new();
                self.standing
                    .send_modify(|standing| standing.report.state = MeshState::Starting);
                self.show_map();
                // Where storing fails, peers may not recognize the next data plane so soon, which is better than no
                // mesh now.
                self.storing.store_quietly(self.kept.as_ref()).await;
            }
            Err(error) => self.handle_failure(&error),
        }
    }

    /// Takes the result of a check: the mesh is up, with or without an obstacle.
    fn show_up(&mut self, obstacle: Option<Obstacle>) {
        let up = MeshState::Up {
            interface: self.setup.tun_name.clone(),
            mtu: MTU,
            obstacle,
        };
        self.standing.send_if_modified(|standing| {
            let is_news = standing.report.state != up;
            if let MeshState::Up {
                obstacle: Some(obstacle),
                ..
            } = &up
                && is_news
            {
                tracing::warn!(
                    obstacle.reason,
                    "this device is on the mesh, and not all packets pass"
                );
            }
            standing.report.state = up;
            is_news
        });
    }

    fn handle_failure(&mut self, error: &TunnelError) {
        self.plane = None;
        self.retry = Instant::now() + RETRY;
        let (code, reason) = (error.trouble(), error.to_string());
        if self.complaint.is_new(class(code)) {
            tracing::warn!(
                reason,
                "this device is not on the mesh; it tries again now and then"
            );
        }
        let revision = self.kept.as_ref().map_or(0, |kept| kept.map.revision);
        self.standing.send_modify(|standing| {
            *standing = Standing::default();
            standing.report.revision = revision;
            standing.report.state = MeshState::Down { code, reason };
        });
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Path(path) => self.show_paths(vec![path]),
            Event::Standing(found) => {
                let has_moved = self
                    .plane
                    .as_mut()
                    .is_some_and(|plane| plane.has_moved(&found.candidates));
                self.standing.send_modify(|standing| {
                    standing.report.candidates = found.candidates;
                    standing.report.home_relay = found.home_relay;
                    standing.report.nat = found.nat;
                });
                if has_moved {
                    for relay in self.plane.as_ref().map(Plane::legs).unwrap_or_default() {
                        self.open_leg(relay);
                    }
                }
            }
            Event::NeedsStream(relay) => self.open_leg(relay),
            Event::NoLongerNeedsStream(relay) => {
                if let Some(plane) = &mut self.plane {
                    plane.close_leg(relay);
                }
            }
            Event::Surroundings => self.delivery.hasten(),
            Event::Ended(error) => self.handle_failure(&error),
        }
    }

    fn open_leg(&mut self, relay: RelayId) {
        let (Some(plane), Some(kept)) = (&mut self.plane, &self.kept) else {
            return;
        };
        let Some(known) = kept.map.relays.iter().find(|known| known.id == relay) else {
            return;
        };
        match self.setup.relay_tls(relay) {
            Ok(tls) => {
                let target = Target {
                    endpoints: known.endpoints.clone(),
                    last_good: None,
                    tls,
                    proxies: self.setup.proxies.clone(),
                };
                plane.open_leg(relay, target);
            }
            Err(error) => {
                tracing::warn!(relay.id = %relay, %error, "this relay cannot be reached by TLS");
            }
        }
    }

    /// Starts a test of a path; maps and revocations do not wait for its end.
    fn test_path(&mut self, peer: DeviceId, answer: oneshot::Sender<Result<Vec<PathAttempt>, Problem>>) {
        let known = self.kept.as_ref().filter(|kept| is_peer(&kept.map, peer));
        let problem = match (known, &mut self.plane) {
            (Some(kept), Some(plane)) => return plane.test_path(peer, &kept.map, answer),
            (Some(_), None) => {
                let standing = self.standing.borrow();
                Problem::new(Code::Unavailable, reason(&standing.report.state))
            }
            (None, _) => Problem::new(
                Code::NotFound,
                "No rule of the policy connects this device with that one.",
            ),
        };
        // The caller may be gone by now, with its link.
        let _ = answer.send(Err(problem));
    }

    async fn read_figures(&mut self) {
        let Some(plane) = &self.plane else { return };
        if let Ok(paths) = plane.tunnel().paths().await {
            self.show_paths(paths);
        }
    }

    /// Shows in the snapshot that another map is in force.
    fn show_map(&self) {
        let Some(Kept { map, .. }) = &self.kept else {
            return;
        };
        self.standing.send_modify(|standing| {
            standing.report.revision = map.revision;
            standing.paths.retain(|peer, _| is_peer(map, *peer));
        });
    }

    fn show_paths(&self, paths: Vec<PeerPath>) {
        let Some(Kept { map, .. }) = &self.kept else {
            return;
        };
        self.standing.send_modify(|standing| {
            for path in paths.into_iter().filter(|path| is_peer(map, path.peer)) {
                let path = settled(standing.paths.get(&path.peer), path);
                standing.paths.insert(path.peer, path);
            }
        });
    }

    /// Writes to the status file what a person would want to know.
    fn note(&mut self) {
        let standing = self.standing.borrow();
        if !self.noted.news(&standing, Instant::now()).is_empty() {
            let map = self.kept.as_ref().map(|kept| &kept.map);
            self.setup.status.set_mesh(&standing, map);
        }
    }
}

fn is_peer(map: &NetworkMap, peer: DeviceId) -> bool {
    map.peers.iter().any(|known| known.id == peer)
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}
