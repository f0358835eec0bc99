//! Whether packets pass between this system and the mesh.
//!
//! Life cycle: a data plane began → tried at once, and the mesh counts as up from then on → tried again when the
//! system's networks or filters change, and now and then, since some do without a word. What is in the way is told when it
//! is found twice in a row: while networks change, a packet may be lost.

use flotilla_protocol::{
    enroll::MeshAddress,
    mesh::{MeshTrouble, Obstacle},
};
use std::{io, time::Duration};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep_until},
};

/// How long a firewall that came up unseen keeps the mesh looking well.
const AGAIN: Duration = Duration::from_secs(20);

/// Networks that change have come to rest by then.
const SOON: Duration = Duration::from_secs(1);

type Found = io::Result<Option<flotilla_tunnel::Obstacle>>;

#[derive(Debug)]
pub(super) struct Delivery {
    next: Instant,
    under_way: Option<JoinHandle<Found>>,
    /// The last try failed, and nobody was told.
    in_doubt: bool,
}

impl Delivery {
    /// Of a data plane that has just begun.
    pub(super) fn new() -> Self {
        Self {
            next: Instant::now(),
            under_way: None,
            in_doubt: false,
        }
    }

    /// What was found may be another by now.
    pub(super) fn hasten(&mut self) {
        self.next = self.next.min(Instant::now() + SOON);
    }

    /// Waits for the next verdict about the interface and its address.
    pub(super) async fn next(&mut self, interface: &str, place: MeshAddress) -> Option<Obstacle> {
        loop {
            let Some(task) = &mut self.under_way else {
                sleep_until(self.next).await;
                let interface = interface.to_owned();
                self.under_way = Some(spawn_blocking(move || {
                    flotilla_tunnel::obstacle(&interface, place)
                }));
                continue;
            };
            let found = task.await.unwrap_or_else(|error| Err(error.into()));
            self.under_way = None;
            let obstacle = told(found);
            if obstacle.is_some() && !self.in_doubt {
                self.in_doubt = true;
                self.next = Instant::now() + SOON;
                continue;
            }
            self.in_doubt = obstacle.is_some();
            self.next = Instant::now() + AGAIN;
            return obstacle;
        }
    }
}

fn told(found: Found) -> Option<Obstacle> {
    match found {
        Ok(obstacle) => obstacle.map(|obstacle| Obstacle {
            code: obstacle.trouble(),
            reason: obstacle.to_string(),
        }),
        Err(error) => Some(Obstacle {
            code: MeshTrouble::Other,
            reason: format!(
                "Whether packets pass between this device and the mesh could not be tried: {error}."
            ),
        }),
    }
}
