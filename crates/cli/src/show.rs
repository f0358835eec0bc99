//! `device show`: everything known of one device, a line each.

use crate::{
    age::{ago, moment, span, until},
    device::{join, status},
    list::size,
    out::Lines,
};
use flotilla_protocol::{
    Timestamp,
    device::{Attention, Device, DeviceStatus},
    inventory::EngineState,
    mesh::{MeshReport, MeshState, Nat},
};
use jiff::tz::TimeZone;

pub(crate) fn device(device: &Device, now: Timestamp, zone: &TimeZone) -> Lines {
    let mut lines = Sheet::default();
    lines.add("Name", device.name.to_string());
    lines.add("Status", status(device));
    for attention in &device.attention {
        lines.add("Attention", explain(attention, now));
    }
    if device.status != DeviceStatus::Online {
        lines.maybe("Last seen", device.last_seen.map(|at| ago(at, now)));
    }
    lines.maybe(
        "Command expires",
        device
            .token_expires
            .map(|at| format!("{} ({})", moment(at, zone), until(at, now))),
    );
    lines.add("Tags", join(&device.tags));
    lines.add("Mesh address", device.mesh_ip.to_string());
    let kept = if device.host_kept {
        ", kept on Docker Desktop"
    } else {
        ""
    };
    lines.add("Network mode", format!("{}{kept}", device.mode));
    lines.add("Access relay", device.relay.to_string());
    if let Some(report) = &device.mesh {
        mesh(&mut lines, report);
    }
    lines.maybe(
        "Relay",
        device
            .is_relay
            .then(|| "passes other devices' packets on".to_owned()),
    );
    if let Some(facts) = &device.facts {
        lines.add("Host name", facts.hostname.clone());
        lines.add("System", format!("{}, {}", facts.os, facts.arch));
        lines.add(
            "Hardware",
            format!("{} cores, {} memory", facts.cpus, size(facts.memory_bytes)),
        );
    }
    lines.maybe("Engine", device.engine.as_ref().map(engine));
    lines.maybe("Containers", device.engine.as_ref().map(|_| containers(device)));
    lines.maybe("Agent", device.agent_version.clone());
    link(&mut lines, device, now);
    if let Some(certificate) = &device.certificate {
        lines.add(
            "Certificate",
            format!("until {}", moment(certificate.expires, zone)),
        );
        lines.add("Fingerprint", certificate.fingerprint.clone());
    }
    lines.add("Id", device.id.to_string());
    lines.0
}

fn containers(device: &Device) -> String {
    let counts = device.containers;
    let trouble = match counts.troubled {
        0 => String::new(),
        troubled => format!(", {troubled} in trouble"),
    };
    format!("{} running of {}{trouble}", counts.running, counts.total)
}

fn link(lines: &mut Sheet, device: &Device, now: Timestamp) {
    let link = &device.link;
    if let Some(since) = link.since {
        let from = link
            .remote
            .as_ref()
            .map(|remote| format!(" from {remote}"))
            .unwrap_or_default();
        let rtt = link
            .rtt_ms
            .map(|rtt| format!(", {rtt:.1} ms"))
            .unwrap_or_default();
        lines.add(
            "Link",
            format!("up for {}{from}{rtt}", span(now.as_second() - since.as_second())),
        );
        lines.maybe(
            "Way to control",
            link.tunneled
                .then(|| "an SSH tunnel that this controller keeps".to_owned()),
        );
    }
    for trial in &device.endpoint_trials {
        let outcome = match &trial.reason {
            None => "yes".to_owned(),
            Some(reason) => format!("no: {reason}"),
        };
        lines.add("Reaches control", format!("at {}, {outcome}", trial.endpoint));
    }
    if let Some(drop) = &link.last_drop {
        lines.add("Last drop", format!("{}: {}", ago(drop.at, now), drop.reason));
    }
}

fn mesh(lines: &mut Sheet, report: &MeshReport) {
    lines.add(
        "Mesh",
        match &report.state {
            MeshState::Starting => "starting".to_owned(),
            MeshState::Up {
                obstacle: Some(obstacle),
                interface,
                ..
            } => format!("up on {interface}, but not all packets pass: {}", obstacle.reason),
            MeshState::Up { interface, mtu, .. } => {
                format!("up on {interface}, packets up to {mtu} bytes where a path carries them")
            }
            MeshState::Down { reason, .. } => format!("down: {reason}"),
            MeshState::Unknown => "in a state this version can't name".to_owned(),
        },
    );
    let nat = match report.nat {
        Nat::EndpointIndependent => "others can find it",
        Nat::EndpointDependent => "its NAT changes ports per connection",
        Nat::UdpBlocked => "UDP is blocked on its network",
        Nat::Unknown => "",
    };
    lines.add("Way out", nat.to_owned());
}

fn engine(engine: &EngineState) -> String {
    match engine {
        EngineState::Running(facts) => format!("{} {} on {}", facts.flavor, facts.version, facts.os),
        EngineState::Absent { reason, .. } => format!("absent: {reason}"),
        EngineState::Stopped { reason, .. } => format!("stopped: {reason}"),
        EngineState::Denied { reason, .. } => format!("no permission: {reason}"),
        EngineState::Unfit { reason, .. } => format!("can't be used: {reason}"),
        EngineState::Unknown => "in a state that a newer version of this command knows".to_owned(),
    }
}

/// What to do about a clock that is off.
const SET_CLOCK: &str = "Set the clock on the device.";

fn explain(attention: &Attention, now: Timestamp) -> String {
    match attention {
        Attention::DockerDesktopHost => {
            "It runs Docker Desktop. Host networking reaches its virtual machine, not the computer, so nothing may come in. Choose another mode (device mode), or decide for it (device keep-host)."
                .to_owned()
        }
        Attention::DockerDesktop => {
            "It runs Docker Desktop. Containers with host networking are in its virtual machine, so the mesh can't reach them. Publish their ports instead."
                .to_owned()
        }
        Attention::Strayed { runs } => format!(
            "Its agent runs in {runs} mode. Give the order again, or change the mode back to {runs} (device mode)."
        ),
        Attention::ClockSkew { seconds } if *seconds < 0 => {
            format!("Its clock is {} behind. {SET_CLOCK}", span(-seconds))
        }
        Attention::ClockSkew { seconds } => format!("Its clock is {} ahead. {SET_CLOCK}", span(*seconds)),
        Attention::LowDisk {
            free_bytes,
            total_bytes,
        } => {
            format!(
                "Only {} of {} disk are free.",
                size(*free_bytes),
                size(*total_bytes)
            )
        }
        Attention::Engine {
            reason,
            since: Some(since),
        } => format!("{reason} This began {}.", ago(*since, now)),
        Attention::Engine { reason, since: None } => reason.clone(),
        Attention::Cloned {
            hostname,
            address,
            contests: Some(other),
            ..
        } => format!(
            "Two machines take turns with its identity, and both wait: {other}, and {hostname} at {address}. If they are one, say so (device vouch); else enroll the right one again (device rotate)."
        ),
        Attention::Cloned {
            hostname, address, ..
        } => {
            format!(
                "A second machine presents itself as this device: {hostname} at {address}. If it is this one under another machine id, say so (device vouch)."
            )
        }
        Attention::Mesh { reason, .. }
        | Attention::MeshObstacle { reason, .. }
        | Attention::Partial { reason } => reason.clone(),
        Attention::Unknown => "Something this version can't name. Update Flotilla.".to_owned(),
    }
}

/// `Label:  value` lines; empty values are left out.
#[derive(Default)]
struct Sheet(Lines);

impl Sheet {
    fn add(&mut self, label: &str, value: String) {
        if !value.is_empty() {
            self.0.push(&format!("{:<17}{value}", format!("{label}:")));
        }
    }

    fn maybe(&mut self, label: &str, value: Option<String>) {
        self.add(label, value.unwrap_or_default());
    }
}
