//! The task that owns the map and the data plane.
//!
//! Life cycle: without a map it waits for one → with a map it has a data plane, or knows why not and tries again → it
//! ends when it is told to leave, or when the last [`Mesh`](super::Mesh) is dropped.

mod show;

use super::{
    MeshRequest,
    map_file::{MapFile, MapRecord},
    map_writer::{MapWriter, Unstored},
    moves::only_moves,
    obstacle_check::ObstacleCheck,
    plane::Plane,
    range::check_map,
    setup::Setup,
    snapshot::{MeshSnapshot, ReportCursor, class, reason},
};
use crate::complaint::Complaint;
use flotilla_link::Target;
use flotilla_protocol::{
    Code, Problem,
    id::{DeviceId, RelayId},
    mesh::{MapPush, MapTaken, MeshState, Obstacle},
    path::PathAttempt,
};
use flotilla_tunnel::{Event, TunnelError};
use show::is_peer;
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until},
};

/// Time between attempts to start a data plane that failed. The causes (rights, routes) are mended by a person.
const RETRY: Duration = Duration::from_secs(15);

/// How often the figures of paths are read from the data plane.
const FIGURES: Duration = Duration::from_secs(5);

pub(super) struct MeshTask {
    setup: Setup,
    writer: MapWriter,
    /// The map that is, or should be, on disk.
    record: Option<MapRecord>,
    plane: Option<Plane>,
    obstacle_check: ObstacleCheck,
    retry: Instant,
    complaint: Complaint,
    snapshot: watch::Sender<MeshSnapshot>,
    /// What the status file holds.
    noted: ReportCursor,
}

/// What woke the task.
enum Wake {
    Request(Option<MeshRequest>),
    Event(Event),
    /// The result of a check: the obstacle, if there is one.
    Checked(Option<Obstacle>),
    Retry,
    Store,
    Figures,
    LookUp,
}

impl MeshTask {
    pub(super) fn new(setup: Setup, snapshot: watch::Sender<MeshSnapshot>) -> Self {
        let file = MapFile::new(setup.surroundings.state.dir(), setup.device);
        Self {
            record: file.load(),
            writer: MapWriter::new(file),
            setup,
            plane: None,
            obstacle_check: ObstacleCheck::new(),
            retry: Instant::now(),
            complaint: Complaint::default(),
            snapshot,
            noted: ReportCursor::default(),
        }
    }

    pub(super) async fn run(mut self, mut requests: mpsc::UnboundedReceiver<MeshRequest>) {
        self.start_plane().await;
        let [mut figures, mut look_up] = [FIGURES, super::lookup::AGAIN].map(every);
        loop {
            match self.wake(&mut requests, &mut figures, &mut look_up).await {
                Wake::Request(Some(MeshRequest::Take(push, answer))) => {
                    // The caller may be gone by now, with its link.
                    let _ = answer.send(self.take(*push).await);
                }
                Wake::Request(Some(MeshRequest::Test(peer, answer))) => self.test_path(peer, answer),
                Wake::Request(Some(MeshRequest::Leave(answer))) => {
                    self.plane = None;
                    self.writer.delete();
                    self.setup.surroundings.status.clear_mesh();
                    let _ = answer.send(());
                    return;
                }
                Wake::Request(None) => return self.writer.store_quietly(self.record.as_ref()).await,
                Wake::Event(event) => self.handle(event),
                Wake::Checked(obstacle) => self.show_checked(obstacle),
                Wake::Retry => self.start_plane().await,
                Wake::Store => self.writer.store_quietly(self.record.as_ref()).await,
                Wake::Figures => self.read_figures().await,
                Wake::LookUp => {
                    if let (Some(plane), Some(record)) = (&mut self.plane, &self.record) {
                        plane.look_up_again(&record.map);
                    }
                }
            }
            self.note_status();
        }
    }

    async fn wake(
        &mut self,
        requests: &mut mpsc::UnboundedReceiver<MeshRequest>,
        figures: &mut Interval,
        look_up: &mut Interval,
    ) -> Wake {
        let can_retry = self.plane.is_none() && self.record.is_some();
        let due = self.writer.due();
        let store_at = due.unwrap_or_else(Instant::now);
        let place = self.record.as_ref().map(|record| record.map.address);
        let interface = &self.setup.surroundings.tun_name;
        let obstacle_check = &mut self.obstacle_check;
        let plane = self.plane.as_mut();
        let has_plane = plane.is_some();
        let checked = async {
            match place {
                Some(place) => obstacle_check.next(interface, place).await,
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
            request = requests.recv() => Wake::Request(request),
            event = event => Wake::Event(event),
            obstacle = checked, if has_plane => Wake::Checked(obstacle),
            () = sleep_until(self.retry), if can_retry => Wake::Retry,
            () = sleep_until(store_at), if due.is_some() => Wake::Store,
            _ = figures.tick(), if has_plane => Wake::Figures,
            _ = look_up.tick(), if has_plane => Wake::LookUp,
        }
    }

    async fn take(&mut self, push: MapPush) -> Result<MapTaken, Problem> {
        let before = self.record.as_ref();
        let map = match push {
            MapPush::Whole(map) => Some(map),
            MapPush::Change(change) => before.map(|record| record.map.clone()).and_then(|mut map| {
                // A change for another revision is not applied: the answer tells control, which sends the whole map.
                map.apply(change).ok().map(|()| map)
            }),
            // Answered like a change for another revision.
            MapPush::Unknown => None,
        };
        if let Some(map) = map {
            check_map(&map)?;
            match before.map(|record| &record.map) {
                Some(old) if *old == map => {}
                Some(old) if only_moves(old, &map) => self.writer.note(Unstored::Moves),
                _ => self.writer.note(Unstored::Pressing),
            }
            self.record = Some(match self.record.take() {
                Some(record) => MapRecord { map, ..record },
                None => MapRecord::new(map),
            });
            self.put_in_force().await;
        }
        // In force first: a full disk must not keep a revoked peer on the mesh.
        if self.writer.is_pressing() {
            self.writer.store(self.record.as_ref()).await?;
        }
        Ok(MapTaken {
            revision: self.record.as_ref().map_or(0, |record| record.map.revision),
        })
    }

    async fn put_in_force(&mut self) {
        let (Some(plane), Some(record)) = (&mut self.plane, &self.record) else {
            return self.start_plane().await;
        };
        match plane.apply(&record.map).await {
            Ok(()) => {
                self.obstacle_check.check_soon();
                self.show_map();
            }
            Err(error) => self.handle_failure(&error),
        }
    }

    async fn start_plane(&mut self) {
        let Some(record) = self.record.as_mut().filter(|_| self.plane.is_none()) else {
            return;
        };
        let beginning = MapRecord {
            began: record.next_beginning(self.setup.surroundings.clock.now()),
            ..record.clone()
        };
        match Plane::start(&self.setup, &beginning) {
            Ok(plane) => {
                let tunnel = plane.tunnel();
                *record = MapRecord {
                    listen_port: tunnel.listen_port(),
                    ..beginning
                };
                self.writer.note(Unstored::Pressing);
                tracing::info!(
                    interface = tunnel.interface(),
                    map.revision = record.map.revision,
                    "on the mesh"
                );
                self.complaint.settle();
                self.plane = Some(plane);
                self.obstacle_check = ObstacleCheck::new();
                self.snapshot
                    .send_modify(|snapshot| snapshot.report.state = MeshState::Starting);
                self.show_map();
                // Where storing fails, peers may not recognize the next data plane so soon, which is better than no
                // mesh now.
                self.writer.store_quietly(self.record.as_ref()).await;
            }
            Err(error) => self.handle_failure(&error),
        }
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
        let revision = self.record.as_ref().map_or(0, |record| record.map.revision);
        self.snapshot.send_modify(|snapshot| {
            *snapshot = MeshSnapshot::default();
            snapshot.report.revision = revision;
            snapshot.report.state = MeshState::Down { code, reason };
        });
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Path(path) => self.show_paths(vec![path]),
            Event::Reachability(found) => {
                let has_moved = self
                    .plane
                    .as_mut()
                    .is_some_and(|plane| plane.has_moved(&found.candidates));
                self.snapshot.send_modify(|snapshot| {
                    snapshot.report.candidates = found.candidates;
                    snapshot.report.home_relay = found.home_relay;
                    snapshot.report.nat = found.nat;
                });
                if has_moved {
                    for relay in self.plane.as_ref().map(Plane::legs).unwrap_or_default() {
                        self.open_leg(relay);
                    }
                }
            }
            Event::NeedsLeg(relay) => self.open_leg(relay),
            Event::NoLongerNeedsLeg(relay) => {
                if let Some(plane) = &mut self.plane {
                    plane.close_leg(relay);
                }
            }
            Event::Surroundings => self.obstacle_check.check_soon(),
            Event::Ended(error) => self.handle_failure(&error),
        }
    }

    fn open_leg(&mut self, relay: RelayId) {
        let (Some(plane), Some(record)) = (&mut self.plane, &self.record) else {
            return;
        };
        let Some(known) = record.map.relays.iter().find(|known| known.id == relay) else {
            return;
        };
        match self.setup.relay_tls(relay) {
            Ok(tls) => {
                let target = Target {
                    endpoints: known.endpoints.clone(),
                    last_good: None,
                    tls,
                    proxies: self.setup.surroundings.proxies.clone(),
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
        let known = self.record.as_ref().filter(|record| is_peer(&record.map, peer));
        let problem = match (known, &mut self.plane) {
            (Some(record), Some(plane)) => return plane.test_path(peer, &record.map, answer),
            (Some(_), None) => {
                let snapshot = self.snapshot.borrow();
                Code::Unavailable.because(reason(&snapshot.report.state))
            }
            (None, _) => Code::NotFound.because("No rule of the policy connects this device with that one."),
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
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}
