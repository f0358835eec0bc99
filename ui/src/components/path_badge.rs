//! A button with the kind of a path, which opens a panel with its reason, relay, round trip and age.

use super::{
    badge::{Status, status_badge},
    popover::Popover,
};
use crate::{clock::use_clock, copy::mesh as copy, format};
use flotilla_protocol::{
    Timestamp,
    path::{Path, PathKind},
};
use leptos::prelude::*;
use std::sync::Arc;

/// The badge of a path. `children` are below the facts in the panel.
#[component]
pub fn PathBadge(#[prop(into)] path: Signal<Arc<Path>>, children: ChildrenFn) -> impl IntoView {
    let word = Signal::derive(move || path.with(|path| Status::of_path(path.kind).word));
    let spoken = Signal::derive(move || Some(path.with(|path| spoken(path))));
    let name = path.with_untracked(|path| copy::between(path.from.as_str(), path.to.as_str()));
    let children = StoredValue::new(children);
    let panel = move || {
        view! {
            <PathFacts path/>
            {children.with_value(|children| children())}
        }
    };
    let class = move || {
        let kind = path.with(|path| path.kind);
        format!("path-badge {}", Status::of_path(kind).tone.class())
    };
    view! { <span class=class><Popover label=word name spoken panel/></span> }
}

/// The accessible name: "Path to nas: Relayed, UDP is blocked on vps-2's network".
#[must_use]
pub fn spoken(path: &Path) -> String {
    let why = if path.why.is_empty() {
        Status::of_path(path.kind).word
    } else {
        path.why.clone()
    };
    format!("Path to {}: {}", path.to, why.replacen(": ", ", ", 1))
}

/// The facts of a path without its ends.
#[component]
pub fn PathFacts(path: Signal<Arc<Path>>) -> impl IntoView {
    let clock = use_clock();
    let rows = move || {
        let now = clock.half_minute.get();
        let fact =
            |(name, value): (&'static str, String)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
        path.with(|path| facts(path, now))
            .into_iter()
            .map(fact)
            .collect_view()
    };
    view! {
        <div class="path-facts">
            {move || path.with(|path| status_badge(&Status::of_path(path.kind), true, false))}
            <p>{move || path.with(|path| path.why.clone())}</p>
            <dl class="fact-list">{rows}</dl>
        </div>
    }
}

fn facts(path: &Path, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    facts.extend(path.relay.clone().map(|relay| (copy::RELAY, relay)));
    facts.extend(path.rtt_ms.map(|rtt| (copy::RTT, copy::rtt(rtt))));
    facts.extend(
        path.since
            .map(|since| (copy::SINCE, format::clock_time(since, now))),
    );
    if path.kind == PathKind::Direct || path.kind == PathKind::Relayed {
        facts.push((copy::RECEIVED, format::disk(path.received_bytes)));
        facts.push((copy::SENT, format::disk(path.sent_bytes)));
        facts.extend(path.mtu.map(|mtu| (copy::MTU, mtu.to_string())));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_says_where_the_path_leads_and_why_it_is_so() {
        let json = r#"{"from":"desk","from_id":"00000000-0000-7000-8000-000000000001","to":"nas",
            "to_id":"00000000-0000-7000-8000-000000000002","kind":"relayed","relay":"controller","rtt_ms":48.0,
            "since":null,"why_code":"relay.udp_blocked","why":"Relayed: UDP is blocked on vps-2's network",
            "as_of":"2026-01-01T00:00:00Z"}"#;
        let path: Path = serde_json::from_str(json).unwrap();
        assert_eq!(
            spoken(&path),
            "Path to nas: Relayed, UDP is blocked on vps-2's network"
        );
    }
}
