//! A status as icon, word and color, never as color alone.

use super::icon::{Glyph, Icon, lucide};
use flotilla_protocol::{
    device::{Device, DeviceStatus},
    inventory::{Container, ContainerState, Health, Trouble},
    path::PathKind,
};
use leptos::prelude::*;

/// The meaning of a color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Ok,
    Warn,
    Bad,
    Info,
    Off,
    /// Works by a relay.
    Relay,
}

impl Tone {
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Info => "info",
            Self::Off => "off",
            Self::Relay => "relay",
        }
    }
}

/// A status as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub tone: Tone,
    pub glyph: Glyph,
    pub word: String,
}

impl Status {
    fn new(tone: Tone, glyph: Glyph, word: &str) -> Self {
        Self {
            tone,
            glyph,
            word: word.to_owned(),
        }
    }

    /// The status of a device. An online device that reports trouble needs attention instead of being online.
    #[must_use]
    pub fn of_device(device: &Device) -> Self {
        match device.status {
            DeviceStatus::Pending => Self::new(Tone::Info, lucide::HOURGLASS, "Pending"),
            DeviceStatus::Online if device.needs_attention() => {
                Self::new(Tone::Warn, lucide::TRIANGLE_ALERT, "Needs attention")
            }
            DeviceStatus::Online => Self::new(Tone::Ok, lucide::CIRCLE_CHECK, "Online"),
            DeviceStatus::Reconnecting => Self::new(Tone::Warn, lucide::REFRESH_CW, "Reconnecting"),
            DeviceStatus::Offline => Self::new(Tone::Bad, lucide::UNPLUG, "Offline"),
            DeviceStatus::Revoked => Self::new(Tone::Bad, lucide::BAN, "Revoked"),
            DeviceStatus::Quarantined => Self::new(Tone::Bad, lucide::BAN, "Quarantined"),
            DeviceStatus::Unknown => Self::new(Tone::Off, lucide::CIRCLE_QUESTION_MARK, "Unknown"),
        }
    }

    #[must_use]
    pub fn of_path(kind: PathKind) -> Self {
        match kind {
            PathKind::Direct => Self::new(Tone::Ok, lucide::ARROW_LEFT_RIGHT, "Direct"),
            PathKind::Relayed => Self::new(Tone::Relay, lucide::WAYPOINTS, "Relayed"),
            PathKind::None => Self::new(Tone::Bad, lucide::UNLINK, "No path"),
            PathKind::Unknown => Self::new(Tone::Off, lucide::CIRCLE_QUESTION_MARK, "Unknown"),
        }
    }

    #[must_use]
    pub fn of_container(container: &Container) -> Self {
        let running = || match container.health {
            Health::Unhealthy => Self::new(Tone::Bad, lucide::HEART_CRACK, "Unhealthy"),
            Health::Starting => Self::new(Tone::Warn, lucide::HOURGLASS, "Starting"),
            Health::Healthy => Self::new(Tone::Ok, lucide::HEART_PULSE, "Healthy"),
            Health::None | Health::Unknown => Self::new(Tone::Ok, lucide::PLAY, "Running"),
        };
        match container.state {
            ContainerState::Running => running(),
            ContainerState::Created | ContainerState::Exited if is_not_started(container) => {
                Self::new(Tone::Bad, lucide::CIRCLE_X, "Not started")
            }
            ContainerState::Created => Self::new(Tone::Off, lucide::CIRCLE_DASHED, "Created"),
            ContainerState::Paused => Self::new(Tone::Off, lucide::PAUSE, "Paused"),
            ContainerState::Restarting => Self::new(Tone::Warn, lucide::ROTATE_CW, "Restarting"),
            ContainerState::Removing => Self::new(Tone::Off, lucide::CIRCLE_DASHED, "Removing"),
            ContainerState::Exited if container.trouble().is_some() => {
                Self::new(Tone::Bad, lucide::CIRCLE_X, &exited(container))
            }
            ContainerState::Exited => Self::new(Tone::Off, lucide::SQUARE, &exited(container)),
            ContainerState::Dead => Self::new(Tone::Bad, lucide::SKULL, "Dead"),
            ContainerState::Unknown => Self::new(Tone::Off, lucide::CIRCLE_QUESTION_MARK, "Unknown"),
        }
    }
}

fn is_not_started(container: &Container) -> bool {
    container.trouble() == Some(Trouble::NotStarted)
}

fn exited(container: &Container) -> String {
    container
        .exit_code
        .map_or_else(|| "Exited".to_owned(), |code| format!("Exited ({code})"))
}

/// A status as icon and word; with `chip` it has a background, for places outside of tables.
///
/// A stale status keeps its word, muted, with a clock as its icon.
#[component]
pub fn StatusBadge(
    #[prop(into)] status: Signal<Status>,
    #[prop(optional)] chip: bool,
    #[prop(optional, into)] stale: Signal<bool>,
) -> impl IntoView {
    move || status.with(|status| status_badge(status, chip, stale.get()))
}

/// A badge whose status does not change.
#[must_use]
pub fn status_badge(status: &Status, chip: bool, stale: bool) -> AnyView {
    let look = if chip { "badge chip" } else { "badge" };
    let class = format!("{look} {}", if stale { "stale" } else { status.tone.class() });
    let glyph = if stale { lucide::CLOCK } else { status.glyph };
    view! { <span class=class><Icon glyph/>{status.word.clone()}</span> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(state: ContainerState, health: Health, exit_code: Option<i64>) -> Container {
        let json = r#"{"id":"1","name":"a","image":"b","state":"exited","status":"","health":"none","ports":[],"created":"2026-01-01T00:00:00Z"}"#;
        let mut container: Container = serde_json::from_str(json).unwrap();
        (container.state, container.health, container.exit_code) = (state, health, exit_code);
        container
    }

    #[test]
    fn a_failed_exit_is_bad_and_a_clean_one_is_off() {
        let failed = Status::of_container(&container(ContainerState::Exited, Health::None, Some(1)));
        let clean = Status::of_container(&container(ContainerState::Exited, Health::None, Some(0)));
        let stopped = Status::of_container(&container(ContainerState::Exited, Health::None, Some(137)));
        assert_eq!((stopped.tone, stopped.word.as_str()), (Tone::Off, "Exited (137)"));
        assert_eq!((failed.tone, failed.word.as_str()), (Tone::Bad, "Exited (1)"));
        assert_eq!((clean.tone, clean.word.as_str()), (Tone::Off, "Exited (0)"));
    }

    #[test]
    fn health_counts_only_while_it_runs() {
        let running = Status::of_container(&container(ContainerState::Running, Health::Unhealthy, None));
        let stopped = Status::of_container(&container(ContainerState::Exited, Health::Unhealthy, Some(0)));
        assert_eq!(
            (running.word.as_str(), stopped.word.as_str()),
            ("Unhealthy", "Exited (0)")
        );
    }
}
