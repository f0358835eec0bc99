//! `flotilla paths`: how devices reach each other, and why.

use crate::{age::ago, args::List as Arguments, clock, failure::Failure, list, table::Table};
use flotilla_client::Client;
use flotilla_protocol::{
    Timestamp,
    api::{List, ListPaths},
    path::{Path, PathKind},
};

pub(crate) async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { devices, json } = arguments;
    let paths = client.send(&ListPaths { devices }).await?;
    list::print(&paths, json, || table(&paths, clock::now()).render())
}

fn table(paths: &List<Path>, now: Timestamp) -> Table<9> {
    let heading = [
        "FROM", "TO", "PATH", "RELAY", "RTT", "MTU", "SINCE", "WHY", "AS OF",
    ];
    let rows = paths.items.iter().map(|path| {
        [
            path.from.to_string(),
            path.to.to_string(),
            kind(path.kind).to_owned(),
            path.relay.clone().unwrap_or_default(),
            path.rtt_ms.map(|rtt| format!("{rtt:.1} ms")).unwrap_or_default(),
            path.mtu.map(|mtu| mtu.to_string()).unwrap_or_default(),
            path.since.map(|since| ago(since, now)).unwrap_or_default(),
            path.why.clone(),
            list::age(paths, &path.from, path.as_of, now),
        ]
    });
    Table::of(heading, rows)
}

fn kind(kind: PathKind) -> &'static str {
    match kind {
        PathKind::Direct => "direct",
        PathKind::Relayed => "relayed",
        PathKind::None => "none",
        PathKind::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_are_told_with_their_reason_and_age() {
        let path = |from: &str, more: serde_json::Value| {
            let mut path = json!({
                "from": from, "from_id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "to": "vps-2",
                "to_id": "01937c5e-7b1a-7c3e-8b9e-0123456789ac", "as_of": "2026-01-02T03:05:00Z",
            });
            path.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            path
        };
        let list: List<Path> = serde_json::from_value(json!({
            "items": [
                path("nas", json!({
                    "kind": "relayed", "relay": "controller", "rtt_ms": 48.25, "mtu": 1280, "since": "2026-01-01T07:05:00Z",
                    "why_code": "relay.udp_blocked", "why": "Relayed: UDP is blocked on vps-2's network",
                })),
                path("pi-garage", json!({
                    "kind": "none", "relay": null, "rtt_ms": null, "since": null,
                    "why_code": "none.offline", "why": "No path: pi-garage is offline since 09:12",
                })),
            ],
            "unreachable_devices": [{"device": "pi-garage", "reason": "pi-garage is offline."}],
        }))
        .unwrap();
        insta::assert_snapshot!(table(&list, "2026-01-02T07:05:00Z".parse().unwrap()).render(), @r"
        FROM        TO      PATH      RELAY        RTT       MTU    SINCE     WHY                                          AS OF
        nas         vps-2   relayed   controller   48.2 ms   1280   1 d ago   Relayed: UDP is blocked on vps-2's network
        pi-garage   vps-2   none                                              No path: pi-garage is offline since 09:12    4 h ago
        ");
    }
}
