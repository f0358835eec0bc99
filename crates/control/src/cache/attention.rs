//! What about a device a person should look at, derived from what is known of it.

use crate::store::{DeviceRow, Known};
use flotilla_protocol::{
    device::{Attention, NetworkMode},
    inventory::EngineState,
};

/// A clock further off than this breaks more than it shows: one-time passwords, logs side by side.
const SKEW_SECONDS: i64 = 30;

pub(super) fn attention(row: &DeviceRow, known: &Known) -> Vec<Attention> {
    let mut found = Vec::new();
    if let Some(imposter) = row.imposter.clone() {
        found.push(Attention::Cloned {
            hostname: imposter.hostname,
            address: imposter.address,
            at: imposter.at,
        });
    }
    match &known.engine {
        Some(EngineState::Running(engine)) if engine.docker_desktop && row.mode == NetworkMode::Host => {
            found.push(Attention::DockerDesktopHost);
        }
        Some(engine) => {
            found.extend(engine.reason().map(|reason| Attention::Engine {
                reason: reason.to_owned(),
            }));
        }
        None => {}
    }
    if let Some(seconds) = known
        .clock_skew_seconds
        .filter(|seconds| seconds.abs() > SKEW_SECONDS)
    {
        found.push(Attention::ClockSkew { seconds });
    }
    if let (Some(facts), Some(usage)) = (&known.facts, &known.usage) {
        let total_bytes = facts.disk_bytes;
        let free_bytes = total_bytes.saturating_sub(usage.disk_bytes);
        if total_bytes > 0 && free_bytes < total_bytes / 10 {
            found.push(Attention::LowDisk {
                free_bytes,
                total_bytes,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::device;
    use flotilla_protocol::{
        device::{Facts, Usage},
        inventory::EngineFacts,
    };

    #[test]
    fn a_healthy_device_needs_none() {
        let known = Known {
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
            ..Known::default()
        };
        assert_eq!(attention(&device("nas", 1), &known), []);
    }

    #[test]
    fn each_trouble_is_named_with_its_figures() {
        let mut row = device("nas", 1);
        let known = Known {
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
            ..Known::default()
        };
        let skew = Attention::ClockSkew { seconds: -10_800 };
        let disk = Attention::LowDisk {
            free_bytes: 9,
            total_bytes: 100,
        };
        assert_eq!(
            attention(&row, &known),
            [Attention::DockerDesktopHost, skew.clone(), disk.clone()]
        );
        row.mode = NetworkMode::Bridge;
        assert_eq!(
            attention(&row, &known),
            [skew, disk],
            "Docker Desktop hides nothing in bridge mode"
        );
    }

    #[test]
    fn an_engine_that_cannot_be_used_says_why() {
        let engine = Some(EngineState::Denied {
            reason: "no permission".into(),
        });
        let known = Known {
            engine,
            ..Known::default()
        };
        let expected = Attention::Engine {
            reason: "no permission".into(),
        };
        assert_eq!(attention(&device("nas", 1), &known), [expected]);
    }
}
