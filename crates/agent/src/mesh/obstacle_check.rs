//! Checks whether packets pass between this system and the mesh.
//!
//! Life cycle: a data plane began → checked at once, and the mesh counts as up from then on → checked again soon after
//! the system's networks or filters changed, and every [`AGAIN`], since the kernel does not report every change. An
//! obstacle is reported when two checks in a row find one: a single packet may be lost while networks change.

use flotilla_protocol::{
    enroll::MeshAddress,
    mesh::{MeshTrouble, Obstacle},
};
use std::{io, time::Duration};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep_until},
};

/// From one check to the next. A firewall whose change the kernel does not report is noticed after so long.
const AGAIN: Duration = Duration::from_secs(20);

/// From a change, or from a first failure, to the next check: networks have come to rest by then. Changes without end
/// lead to one check in so long.
const SOON: Duration = Duration::from_secs(1);

type CheckResult = io::Result<Option<flotilla_tunnel::Obstacle>>;

#[derive(Debug)]
pub(super) struct ObstacleCheck {
    next: Instant,
    running: Option<JoinHandle<CheckResult>>,
    /// The last check found an obstacle; the next one decides whether it is reported.
    in_doubt: bool,
}

impl ObstacleCheck {
    /// The checks of a data plane that has just begun.
    pub(super) fn new() -> Self {
        Self {
            next: Instant::now(),
            running: None,
            in_doubt: false,
        }
    }

    /// Checks soon, because the system changed and the last result may be wrong.
    pub(super) fn check_soon(&mut self) {
        self.next = self.next.min(Instant::now() + SOON);
    }

    /// Waits for the next result for the interface and its address.
    pub(super) async fn next(&mut self, interface: &str, place: MeshAddress) -> Option<Obstacle> {
        loop {
            let Some(task) = &mut self.running else {
                sleep_until(self.next).await;
                // Set before the check, so that a change during it still hastens the one after it.
                self.next = Instant::now() + AGAIN;
                let interface = interface.to_owned();
                self.running = Some(spawn_blocking(move || {
                    flotilla_tunnel::obstacle(&interface, place)
                }));
                continue;
            };
            let found = task.await.unwrap_or_else(|error| Err(error.into()));
            self.running = None;
            let obstacle = obstacle_in(found);
            let was_in_doubt = std::mem::replace(&mut self.in_doubt, obstacle.is_some());
            if self.in_doubt && !was_in_doubt {
                self.check_soon();
                continue;
            }
            return obstacle;
        }
    }
}

fn obstacle_in(found: CheckResult) -> Option<Obstacle> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    /// A range without room for an echo: a check finds no obstacle, and sends nothing.
    const ALONE: MeshAddress = MeshAddress {
        address: std::net::Ipv4Addr::new(192, 0, 2, 7),
        prefix: 32,
    };

    /// How long the next result takes, which has to be good.
    async fn next_good(check: &mut ObstacleCheck) -> Duration {
        let begun = Instant::now();
        assert_eq!(check.next("flotilla0", ALONE).await, None);
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_during_a_try_leads_to_another_one_soon_and_then_they_are_rare_again() {
        let (answer, answered) = oneshot::channel();
        let mut check = ObstacleCheck {
            next: Instant::now() + AGAIN,
            running: Some(tokio::spawn(async { answered.await.unwrap() })),
            in_doubt: false,
        };
        check.check_soon();
        answer.send(Ok(None)).unwrap();
        next_good(&mut check).await;
        assert!(next_good(&mut check).await < 2 * SOON);
        assert!(next_good(&mut check).await > AGAIN / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn changes_without_end_lead_to_a_try_a_second() {
        let mut check = ObstacleCheck::new();
        next_good(&mut check).await;
        for _ in 0..10 {
            for _ in 0..100 {
                check.check_soon();
            }
            let took = next_good(&mut check).await;
            assert!((SOON / 2..2 * SOON).contains(&took), "{took:?}");
        }
    }
}
