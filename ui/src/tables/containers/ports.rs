//! The ports of a container as text.

use crate::{components::table::Dash, copy::containers as copy, format};
use flotilla_protocol::inventory::{Container, Port, numbers};
use leptos::prelude::*;
use std::ops::RangeInclusive;

/// The ports at which a container is reached: its published ports or, in a pod, its own.
pub fn open_ports(container: &Container) -> Vec<RangeInclusive<u16>> {
    open(container.ports.iter(), container.pod.is_some())
}

fn open<'a>(ports: impl Iterator<Item = &'a Port>, in_pod: bool) -> Vec<RangeInclusive<u16>> {
    let place = |port: &Port| in_pod.then(|| port.inside()).or_else(|| port.outside());
    let mut open: Vec<_> = ports.filter_map(place).collect();
    open.sort_by_key(|ports| (*ports.start(), *ports.end()));
    open.dedup();
    open
}

/// The ports in a row. Those that only the device itself reaches say so.
pub fn shown_ports(container: &Container) -> Vec<String> {
    let ports = container.ports.iter();
    let others = open(
        ports.clone().filter(|port| !port.is_on_loopback()),
        container.pod.is_some(),
    );
    let own = ports.filter(|port| port.is_on_loopback());
    others
        .iter()
        .map(numbers)
        .chain(own.map(ToString::to_string))
        .collect()
}

pub fn ports_cell(container: &Container) -> AnyView {
    let (shown, more) = format::ports(&shown_ports(container));
    if shown.is_empty() {
        return view! { <Dash/> }.into_any();
    }
    let more = (more > 0).then(|| format!(", +{more}"));
    view! { <span class="num">{shown}{more}</span> }.into_any()
}

/// All ports, one text each: `0.0.0.0:8096 → 8096/tcp` for a published one, `8096/tcp` for another. With `only`, only
/// published ports.
pub fn published(container: &Container, only: bool) -> Vec<String> {
    let line = |port: &Port| {
        let inside = format!("{}/{}", numbers(&port.inside()), port.protocol);
        let Some(public) = port.outside().map(|outside| numbers(&outside)) else {
            return inside;
        };
        let line = match port.address.as_deref() {
            Some(address) if address.contains(':') => format!("[{address}]:{public} → {inside}"),
            address => format!("{}:{public} → {inside}", address.unwrap_or("*")),
        };
        if port.is_on_loopback() {
            line + copy::ON_LOOPBACK
        } else {
            line
        }
    };
    let ports = container.ports.iter();
    ports
        .filter(|port| !only || port.public.is_some())
        .map(line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_one_entry_and_what_the_device_keeps_to_itself_says_so() {
        let json = r#"{"id":"1","name":"a","image":"b","state":"running","status":"","health":"none","ports":[
            {"private":80,"protocol":"tcp","public":18016,"address":"127.0.0.1"},
            {"private":20000,"private_last":20999,"protocol":"udp","public":20000,"address":"0.0.0.0"},
            {"private":20000,"private_last":20999,"protocol":"udp","public":20000,"address":"::"},
            {"private":53,"protocol":"udp"}]}"#;
        let container: Container = serde_json::from_str(json).unwrap();
        assert_eq!(shown_ports(&container), ["20000-20999", "127.0.0.1:18016→80"]);
        assert_eq!(
            published(&container, true),
            [
                "127.0.0.1:18016 → 80/tcp (this device only)",
                "0.0.0.0:20000-20999 → 20000-20999/udp",
                "[::]:20000-20999 → 20000-20999/udp"
            ]
        );
    }
}
