//! What a person should look at about a device, derived from its record and its last report.

use super::inbound::{is_in_the_machine, is_undecided};
use crate::{
    report::LIMITS,
    store::{DeviceRow, LastReport},
};
use flotilla_protocol::{
    cidr::{IpRange, Ipv4Net},
    device::{Attention, NetworkMode},
    inventory::{Container, ContainerState, EngineState},
    mesh::{MeshState, MeshTrouble},
};

/// How far a clock may be off. Beyond this, one-time passwords fail and logs of two devices don't match.
const SKEW_SECONDS: i64 = 30;

/// Free space that is enough on any disk: it holds a round of image updates. On disks below 100 GiB a tenth is enough.
const LOW_DISK: u64 = 10 << 30;

/// Everything about the device that needs attention. `range` is the mesh's range.
pub(super) fn attention(row: &DeviceRow, last_report: &LastReport, range: Ipv4Net) -> Vec<Attention> {
    let mut found = Vec::new();
    if let Some(imposter) = row.imposter.clone() {
        found.push(Attention::Cloned {
            hostname: imposter.hostname,
            address: imposter.address,
            at: imposter.at,
            contests: imposter.contests,
        });
    }
    found.extend(off_mesh(row, last_report, range));
    found.extend(mode_mismatch(row, last_report).map(|runs| Attention::Strayed { runs }));
    if matches!(&last_report.engine, Some(EngineState::Running(_)) if is_undecided(row, last_report)) {
        found.push(if is_in_the_machine(last_report) {
            Attention::DockerDesktopHost
        } else {
            Attention::DockerDesktop
        });
    }
    let trouble = last_report.engine.as_ref().and_then(EngineState::trouble);
    found.extend(trouble.map(|(reason, since)| Attention::Engine {
        reason: reason.to_owned(),
        since,
    }));
    if let Some(seconds) = last_report
        .clock_skew_seconds
        .filter(|seconds| seconds.abs() > SKEW_SECONDS)
    {
        found.push(Attention::ClockSkew { seconds });
    }
    if let (Some(facts), Some(usage)) = (&last_report.facts, &last_report.usage) {
        let total_bytes = facts.disk_bytes;
        let free_bytes = total_bytes.saturating_sub(usage.disk_bytes);
        if free_bytes < LOW_DISK.min(total_bytes / 10) {
            found.push(Attention::LowDisk {
                free_bytes,
                total_bytes,
            });
        }
    }
    found.extend(last_report.partial.then(partial));
    found
}

fn partial() -> Attention {
    Attention::Partial {
        reason: format!(
            "It holds more than the controller keeps of one device ({LIMITS}). Remove what it doesn't need, then restart its agent."
        ),
    }
}

/// The network mode in which the agent runs, where it is not the device's mode.
pub(super) fn mode_mismatch(row: &DeviceRow, last_report: &LastReport) -> Option<NetworkMode> {
    network_of_agent(last_report).filter(|runs| *runs != row.mode)
}

/// The mode whose network the agent runs in; `None` before the agent's container was reported, and while it is being
/// moved.
fn network_of_agent(last_report: &LastReport) -> Option<NetworkMode> {
    if !last_report.facts.as_ref()?.containerized {
        return Some(NetworkMode::Host);
    }
    let running = |container: &&Container| container.is_agent && container.state == ContainerState::Running;
    let containers = last_report
        .inventory
        .containers()
        .values()
        .map(|kept| &*kept.item);
    let mut agents = containers.filter(running);
    // A second running agent is the container that moves the first.
    let agent = agents.next().filter(|_| agents.next().is_none())?;
    Some(NetworkMode::of_network(&agent.network_mode))
}

/// Why the device is not on the mesh, or what obstructs it there, as its agent reports; before the first report,
/// whether the networks that it had at enrollment overlap the mesh's range.
fn off_mesh(row: &DeviceRow, last_report: &LastReport, range: Ipv4Net) -> Option<Attention> {
    match last_report.mesh.as_ref().map(|mesh| &mesh.state) {
        Some(MeshState::Down {
            code: MeshTrouble::RangeOverlap,
            ..
        }) => {}
        Some(MeshState::Down { code, reason }) => {
            return Some(Attention::Mesh {
                code: *code,
                reason: reason.clone(),
            });
        }
        Some(MeshState::Up {
            obstacle: Some(obstacle),
            ..
        }) => {
            return Some(Attention::MeshObstacle {
                code: obstacle.code,
                reason: obstacle.reason.clone(),
            });
        }
        None if overlaps(&row.routes, range) => {}
        _ => return None,
    }
    Some(Attention::Mesh {
        code: MeshTrouble::RangeOverlap,
        reason: format!(
            "{}'s local network already uses {range}. Joining would cut it off, so the mesh was not started. Change the mesh range in Settings.",
            row.name
        ),
    })
}

/// Whether the mesh's range overlaps one of these networks. Default routes, and the halves that VPNs split them into,
/// do not count.
pub(crate) fn overlaps(routes: &[IpRange], range: Ipv4Net) -> bool {
    let range = range.into();
    let mut networks = routes.iter().filter(|route| !route.is_last_resort());
    networks.any(|route| route.overlaps(&range))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::Holdings, store::tests::device};
    use flotilla_protocol::{
        device::{Facts, Usage},
        inventory::{EngineFacts, Inventory},
        mesh::{MeshReport, Nat, Obstacle},
    };
    use std::net::Ipv4Addr;

    const RANGE: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 71, 0, 0), 16);

    #[test]
    fn a_device_off_the_mesh_says_why() {
        let report = |code, reason: &str| LastReport {
            mesh: Some(MeshReport {
                state: MeshState::Down {
                    code,
                    reason: reason.into(),
                },
                revision: 0,
                candidates: vec![],
                home_relay: None,
                nat: Nat::Unknown,
            }),
            ..LastReport::default()
        };
        let mut row = device("nas", 1);
        let mut last_report = report(MeshTrouble::NoTun, "no TUN here");
        last_report.mesh.as_mut().unwrap().state = MeshState::Up {
            interface: "flotilla0".into(),
            mtu: 1420,
            obstacle: Some(Obstacle {
                code: MeshTrouble::Firewall,
                reason: "it drops".into(),
            }),
        };
        let found = attention(&row, &last_report, RANGE);
        let (code, reason) = (MeshTrouble::Firewall, "it drops".into());
        assert_eq!(found, [Attention::MeshObstacle { code, reason }]);
        let found = attention(&row, &report(MeshTrouble::NoTun, "no TUN here"), RANGE);
        assert_eq!(
            found,
            [Attention::Mesh {
                code: MeshTrouble::NoTun,
                reason: "no TUN here".into()
            }]
        );
        let overlap = attention(&row, &report(MeshTrouble::RangeOverlap, "own words"), RANGE);
        let [
            Attention::Mesh {
                code: MeshTrouble::RangeOverlap,
                reason,
            },
        ] = &overlap[..]
        else {
            panic!("{overlap:?}")
        };
        assert!(
            reason.starts_with("nas's local network already uses 100.71.0.0/16. "),
            "{reason}"
        );
        row.routes = ["0.0.0.0/0", "0.0.0.0/1", "64.0.0.0/2", "10.0.0.0/8"]
            .map(|text| text.parse().unwrap())
            .into();
        assert_eq!(attention(&row, &LastReport::default(), RANGE), []);
        row.routes.push("100.64.0.0/10".parse().unwrap());
        assert_eq!(
            attention(&row, &LastReport::default(), RANGE),
            overlap,
            "it is known before its agent tells"
        );
    }

    #[test]
    fn a_healthy_device_needs_none() {
        let last_report = LastReport {
            engine: Some(EngineState::Running(EngineFacts::default())),
            clock_skew_seconds: Some(-30),
            facts: Some(Facts {
                disk_bytes: 100,
                ..Facts::default()
            }),
            usage: Some(Usage {
                disk_bytes: 90,
                ..Usage::default()
            }),
            ..LastReport::default()
        };
        assert_eq!(attention(&device("nas", 1), &last_report, RANGE), []);
    }

    #[test]
    fn an_agent_in_another_network_than_the_devices_mode_has_strayed() {
        let row = device("nas", 1);
        let container = |network: &str| -> Container {
            serde_json::from_value(serde_json::json!({
                "id": network, "name": "flotilla-agent", "image": "flotilla/agent:1", "state": "running",
                "status": "Running", "health": "none", "ports": [], "created": "2026-01-01T00:00:00Z",
                "network_mode": network, "is_agent": true,
            }))
            .unwrap()
        };
        let last_report = |containers| LastReport {
            facts: Some(Facts {
                containerized: true,
                ..Facts::default()
            }),
            inventory: Holdings::of(Inventory {
                containers,
                ..Inventory::default()
            })
            .0,
            ..LastReport::default()
        };
        let mode_mismatch = |runs| vec![Attention::Strayed { runs }];
        for (network, expected) in [
            ("host", vec![]),
            ("bridge", mode_mismatch(NetworkMode::Bridge)),
            ("container:0123", mode_mismatch(NetworkMode::Pause)),
        ] {
            assert_eq!(
                attention(&row, &last_report(vec![container(network)]), RANGE),
                expected,
                "{network}"
            );
        }
        let moving = last_report(vec![container("bridge"), container("none")]);
        assert_eq!(attention(&row, &moving, RANGE), [], "it is being moved");
        assert_eq!(
            attention(&row, &last_report(vec![]), RANGE),
            [],
            "it is not reported yet"
        );
    }

    #[test]
    fn each_trouble_is_named_with_its_figures() {
        let mut row = device("nas", 1);
        let last_report = LastReport {
            engine: Some(EngineState::Running(EngineFacts {
                docker_desktop: true,
                ..EngineFacts::default()
            })),
            clock_skew_seconds: Some(-10_800),
            facts: Some(Facts {
                disk_bytes: 100,
                ..Facts::default()
            }),
            usage: Some(Usage {
                disk_bytes: 91,
                ..Usage::default()
            }),
            ..LastReport::default()
        };
        let skew = Attention::ClockSkew { seconds: -10_800 };
        let disk = Attention::LowDisk {
            free_bytes: 9,
            total_bytes: 100,
        };
        assert_eq!(
            attention(&row, &last_report, RANGE),
            [Attention::DockerDesktop, skew.clone(), disk.clone()]
        );
        row.mode = NetworkMode::Bridge;
        let runs = NetworkMode::Host;
        assert_eq!(
            attention(&row, &last_report, RANGE),
            [Attention::Strayed { runs }, skew, disk],
            "Docker Desktop hides nothing in bridge mode"
        );
    }

    #[test]
    fn docker_desktop_around_the_agent_is_another_matter_than_beside_it() {
        let mut row = device("mac", 1);
        let mut last_report = LastReport {
            engine: Some(EngineState::Running(EngineFacts {
                docker_desktop: true,
                ..EngineFacts::default()
            })),
            facts: Some(Facts::default()),
            ..LastReport::default()
        };
        assert_eq!(attention(&row, &last_report, RANGE), [Attention::DockerDesktop]);
        last_report.facts.as_mut().unwrap().containerized = true;
        assert_eq!(
            attention(&row, &last_report, RANGE),
            [Attention::DockerDesktopHost]
        );
        row.host_kept = true;
        assert_eq!(
            attention(&row, &last_report, RANGE),
            [],
            "its owner decided for it"
        );
    }

    #[test]
    fn an_engine_that_cannot_be_used_says_why() {
        let engine = Some(EngineState::Denied {
            reason: "no permission".into(),
            since: None,
        });
        let last_report = LastReport {
            engine,
            ..LastReport::default()
        };
        let expected = Attention::Engine {
            reason: "no permission".into(),
            since: None,
        };
        assert_eq!(attention(&device("nas", 1), &last_report, RANGE), [expected]);
    }

    #[test]
    fn a_tenth_of_a_large_disk_is_room_enough() {
        let left = |free_bytes: u64| LastReport {
            facts: Some(Facts {
                disk_bytes: 1 << 40,
                ..Facts::default()
            }),
            usage: Some(Usage {
                disk_bytes: (1 << 40) - free_bytes,
                ..Usage::default()
            }),
            ..LastReport::default()
        };
        let row = device("nas", 1);
        assert_eq!(attention(&row, &left(LOW_DISK), RANGE), []);
        let full = attention(&row, &left(LOW_DISK - 1), RANGE);
        assert!(matches!(full[..], [Attention::LowDisk { .. }]), "{full:?}");
    }
}
