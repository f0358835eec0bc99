//! Texts of the mesh: map, paths, tests and relays.

use crate::format::counted;
use flotilla_protocol::{device::RelayPreference, mesh::Nat, path::PathKind};

pub const MAP: &str = "Map";
pub const PATHS: &str = "Paths";
pub const POLICY: &str = "Policy";
pub const SECTIONS: &str = "Views of the mesh";

pub const FILTER_MAP: &str = "Filter map";
pub const VIEW_TABLE: &str = "View as table";
pub const UNTAGGED: &str = "Untagged";
pub const LOADING: &str = "Asking the controller for the paths between devices…";
pub const ONE: &str = "One device so far";
pub const ONE_TEXT: &str = "Paths appear with the second.";
pub const NO_MATCH: &str = "No device matches this filter.";
pub const PRESS_ONE: &str = "Choose a device to see all of its paths.";

pub const FROM: &str = "From";
pub const TO: &str = "To";
pub const PATH: &str = "Path";
pub const REASON: &str = "Reason";
pub const RTT: &str = "RTT";
pub const SINCE: &str = "Since";
pub const RECEIVED: &str = "Received";
pub const SENT: &str = "Sent";
pub const RELAY: &str = "Relay";
pub const HANDSHAKE: &str = "Last handshake";
pub const MTU: &str = "MTU";
pub const FILTER_PATHS: &str = "Filter paths";
pub const TROUBLE_FIRST: &str = "Trouble first, then name";
pub const NO_PATHS: &str = "No paths yet";
pub const NO_PATHS_TEXT: &str = "They appear when two devices are online and a rule lets them talk.";
pub const NO_LINES: &str = "Paths appear when two devices are online and a rule lets them talk.";
pub const CLOSE: &str = "Close";

pub const KINDS: &[(&str, &str)] = &[
    ("none", "No path"),
    ("relayed", "Relayed"),
    ("direct", "Direct"),
    ("unknown", "Unknown"),
];

pub const TEST: &str = "Test path now";
pub const TESTING: &str = "Trying every address and relay…";
pub const NOTHING_TRIED: &str = "There was nothing to try: neither device knows an address of the other.";
pub const TEST_ALL: &str = "Test paths now";
pub const STOP_TESTS: &str = "Stop testing";
pub const NO_PEERS: &str = "There is no path to test.";
pub const NO_ANSWER: &str = "no answer";
pub const EXPLAIN: &str = "Explain access";

/// The value of a kind of path in filters.
#[must_use]
pub fn kind(kind: PathKind) -> &'static str {
    match kind {
        PathKind::Direct => "direct",
        PathKind::Relayed => "relayed",
        PathKind::None => "none",
        PathKind::Unknown => "unknown",
    }
}

/// A kind of path as a word on the map.
#[must_use]
pub fn kind_word(kind: PathKind) -> &'static str {
    let value = self::kind(kind);
    KINDS
        .iter()
        .find(|(known, _)| *known == value)
        .map_or(value, |(_, word)| word)
}

/// "4 devices: 2 paths direct, 1 relayed, 3 none".
#[must_use]
pub fn summary(devices: usize, direct: usize, relayed: usize, none: usize) -> String {
    format!(
        "{}: {} direct, {relayed} relayed, {none} none",
        counted(devices, "device", "devices"),
        counted(direct, "path", "paths")
    )
}

/// "4 devices. Paths appear when two devices are online and a rule lets them talk."
#[must_use]
pub fn no_paths(devices: usize) -> String {
    format!("{}. {NO_LINES}", counted(devices, "device", "devices"))
}

#[must_use]
pub fn paths(number: usize) -> String {
    counted(number, "path", "paths")
}

#[must_use]
pub fn rtt(milliseconds: f32) -> String {
    if milliseconds < 10.0 {
        format!("{milliseconds:.1} ms")
    } else {
        format!("{milliseconds:.0} ms")
    }
}

#[must_use]
pub fn between(from: &str, to: &str) -> String {
    format!("{from} to {to}")
}

#[must_use]
pub fn paths_of(device: &str) -> String {
    format!("Paths of {device}")
}

/// "answered in 11 ms".
#[must_use]
pub fn answered(milliseconds: f32) -> String {
    format!("answered in {}", rtt(milliseconds))
}

/// "Testing paths: 2 of 5 done."
#[must_use]
pub fn testing(done: usize, all: usize) -> String {
    format!("Testing paths: {done} of {all} done.")
}

/// "5 paths tested: 4 answered. Nothing answered on the way to pi-garage."
#[must_use]
pub fn tested(answered: usize, silent: &[String], failed: usize) -> String {
    let all = answered + silent.len() + failed;
    let mut text = format!("{} tested: {answered} answered.", paths(all));
    if !silent.is_empty() {
        text += &format!(" Nothing answered on the way to {}.", super::pods::and(silent));
    }
    if failed > 0 {
        text += &format!(" {} could not be tested.", paths(failed));
    }
    text
}

#[must_use]
pub fn answers_of(device: &str) -> String {
    format!("Answers on the way to {device}")
}

pub const MESH: &str = "Mesh";
pub const STATE: &str = "State";
pub const NOT_REPORTED: &str = "Its agent has not reported on the mesh yet.";
pub const STARTING: &str = "Starting";
pub const NEWER: &str = "In a state that this version can't name";
pub const WAY_OUT: &str = "Way out";
pub const NOW: &str = "Its paths now";
pub const RELAY_SAVED: &str = "Access Relay changed.";
pub const RUNS_RELAY: &str = "Passes other devices' packets on";

#[must_use]
pub fn up(interface: &str, mtu: u16) -> String {
    format!("Up on {interface}, packets up to {mtu} bytes where a path carries them")
}

#[must_use]
pub fn nat(nat: Nat) -> Option<&'static str> {
    match nat {
        Nat::EndpointIndependent => Some("Others can find it"),
        Nat::EndpointDependent => Some("NAT that changes ports per connection"),
        Nat::UdpBlocked => Some("UDP is blocked"),
        Nat::Unknown => None,
    }
}

/// The options of Access Relay: values and labels.
#[must_use]
pub fn relays() -> Vec<(String, String)> {
    let option = |preference: &RelayPreference| {
        let words = super::add_device::relay(*preference).0;
        (preference.to_string(), words.to_owned())
    };
    RelayPreference::ALL.iter().map(option).collect()
}

pub const SETTINGS_TEXT: &str = "Relays pass on encrypted packets between devices that can't reach each other directly. They can't read them.";
pub const RANGE: &str = "Mesh range";
pub const RANGE_HINT: &str =
    "Every device keeps its place in the new range. Connections over the mesh are interrupted once.";
pub const CHANGE_RANGE: &str = "Change range";
pub const RANGE_CHANGED: &str = "The mesh range is changed.";
pub const RELAYS: &str = "Relays";
pub const CONTROLLER: &str = "This controller";
pub const UP: &str = "Up";
pub const DOWN: &str = "Down";
pub const DEVICE: &str = "Device";
pub const MAKE_RELAY: &str = "Make it a relay";
pub const SAVE_RELAY: &str = "Save relay";
pub const CANCEL: &str = "Cancel";
pub const PORT: &str = "Port";
pub const PORT_HINT: &str = "UDP and TCP, and the next one for UDP. Empty means 7443.";
pub const PORT_WRONG: &str = "Choose a port from 1 to 65534.";
pub const ADDRESS: &str = "Address (optional)";
pub const ADDRESS_HINT: &str = "HOST or HOST:PORT at which others reach it, where its own addresses are not it: a router's, for example.";
pub const LIMIT: &str = "Limit in Mbit/s (optional)";
pub const LIMIT_HINT: &str = "What it passes on for all devices together, who share it evenly. Less than its line leaves room for others.";
pub const LIMIT_WRONG: &str = "Choose a limit from 1 to 100000.";
pub const NO_CANDIDATE: &str = "Every device that could be a relay is one.";

#[must_use]
pub fn stop_relay(device: &str) -> String {
    format!("Stop relaying on {device}")
}

#[must_use]
pub fn edit_relay(device: &str) -> String {
    format!("Change port, address or limit of {device}")
}

#[must_use]
pub fn relay_on(device: &str) -> String {
    format!("Relay on {device}")
}

#[must_use]
pub fn listening(devices: u32) -> String {
    format!("{} listening", counted(devices as usize, "device", "devices"))
}
