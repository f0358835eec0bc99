//! Devices become relays, relays learn which keys to refuse, and the mesh moves to another range.

use crate::{
    config::Ui,
    testbed::{Testbed, peer},
};
use flotilla_protocol::{
    Code,
    agent::Report,
    api::{Fleet, List, RelayFacts},
    device::{Device, NetworkMode, RelayPreference},
    id::RelayId,
    key::PublicKey,
    mesh::{Candidate, CandidateKind, MeshReport, MeshState, Nat, Relay},
};
use http::Method;

fn report(candidates: &[(CandidateKind, &str)]) -> Report {
    Report::Mesh(MeshReport {
        state: MeshState::Starting,
        revision: 0,
        candidates: candidates
            .iter()
            .map(|(kind, address)| Candidate {
                kind: *kind,
                address: address.parse().unwrap(),
            })
            .collect(),
        home_relay: None,
        nat: Nat::EndpointIndependent,
    })
}

async fn bed() -> Testbed {
    let mut boxed = peer("boxed", 3);
    boxed.row.mode = NetworkMode::Bridge;
    Testbed::with(Ui::None, vec![peer("laptop", 1), peer("vps", 2), boxed]).await
}

async fn promote(bed: &Testbed, device: &str, body: &str) {
    let answer = bed
        .call(Method::POST, &format!("/devices/{device}/relay"), body)
        .await;
    assert!(answer.0.is_success(), "{}", answer.1);
}

fn relays(bed: &Testbed) -> Vec<Relay> {
    bed.core.cache.lock().maps.relays().to_vec()
}

#[tokio::test]
async fn a_promoted_device_is_in_every_map_at_its_own_addresses() {
    let bed = bed().await;
    let (id, now) = (
        bed.core.cache.lock().find("vps").unwrap().row.id,
        bed.core.clock.now(),
    );
    let candidates = [
        (CandidateKind::Local, "192.0.2.9:50000"),
        (CandidateKind::Local, "127.0.0.1:50000"),
        (CandidateKind::Reflexive, "198.51.100.4:50001"),
    ];
    bed.core.cache.lock().apply_report(id, report(&candidates), now);
    promote(&bed, "vps", r#"{"relay":true,"port":8443}"#).await;
    let relay = relays(&bed).remove(0);
    let endpoints: Vec<_> = relay.endpoints.iter().map(ToString::to_string).collect();
    assert_eq!(endpoints, ["198.51.100.4:8443", "192.0.2.9:8443"]);
    assert_eq!(
        (relay.id, relay.public_key),
        (RelayId(id.0), PublicKey::from_bytes([2; 32]))
    );
    let map = bed.core.cache.lock().maps.map(id).unwrap();
    assert_eq!(map.relays, [relay]);
    assert!(bed.get::<Device>("/devices/vps").await.is_relay);
    let list: List<RelayFacts> = bed.get("/relays").await;
    assert_eq!((list.items[0].name.as_str(), list.items[0].up), ("vps", false));
    promote(&bed, "vps", r#"{"relay":false}"#).await;
    assert!(relays(&bed).is_empty());
}

#[tokio::test]
async fn a_relay_passes_on_as_much_as_its_owner_lets_it_and_not_a_whole_line_by_default() {
    let bed = bed().await;
    for (body, limit) in [
        (r#"{"relay":true}"#, 100),
        (r#"{"relay":true,"mbit_per_second":20}"#, 20),
    ] {
        promote(&bed, "vps", body).await;
        let list: List<RelayFacts> = bed.get("/relays").await;
        assert_eq!(list.items[0].mbit_per_second, Some(limit));
        let state = bed.core.cache.lock();
        let duty = state.relay_duty(state.find("vps").unwrap(), bed.core.clock.now());
        assert_eq!(duty.unwrap().mbit_per_second, limit);
    }
}

#[tokio::test]
async fn a_relay_can_have_an_address_that_is_not_its_own() {
    let bed = bed().await;
    for (address, expected) in [
        ("relay.example.com", "relay.example.com:7443"),
        ("relay.example.com:443", "relay.example.com:443"),
        ("2001:db8::7", "[2001:db8::7]:7443"),
    ] {
        promote(&bed, "vps", &format!(r#"{{"relay":true,"address":"{address}"}}"#)).await;
        let endpoints: Vec<_> = relays(&bed)[0]
            .endpoints
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(endpoints == [expected] || endpoints == [address], "{endpoints:?}");
    }
    for (device, body, code, field) in [
        ("boxed", r#"{"relay":true}"#, Code::Conflict, None),
        (
            "vps",
            r#"{"relay":true,"port":0}"#,
            Code::InvalidInput,
            Some("port"),
        ),
        (
            "vps",
            r#"{"relay":true,"mbit_per_second":0}"#,
            Code::InvalidInput,
            Some("mbit_per_second"),
        ),
        (
            "vps",
            r#"{"relay":true,"mbit_per_second":100001}"#,
            Code::InvalidInput,
            Some("mbit_per_second"),
        ),
        (
            "vps",
            r#"{"relay":true,"address":"a b"}"#,
            Code::InvalidInput,
            Some("address"),
        ),
        ("moon", r#"{"relay":true}"#, Code::NotFound, None),
    ] {
        let refused = bed
            .refused(Method::POST, &format!("/devices/{device}/relay"), body)
            .await;
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            (code, field),
            "{device} {body}"
        );
    }
}

#[tokio::test]
async fn a_revoked_device_is_in_no_map_and_relays_know_its_key() {
    let bed = bed().await;
    bed.call(Method::PATCH, "/fleet", r#"{"starting_policy":"open_lab"}"#)
        .await;
    promote(&bed, "vps", r#"{"relay":true}"#).await;
    let (laptop, vps) = {
        let state = bed.core.cache.lock();
        (
            state.find("laptop").unwrap().row.id,
            state.find("vps").unwrap().row.id,
        )
    };
    bed.post::<Device>("/devices/laptop/revoke", "").await;
    let state = bed.core.cache.lock();
    assert!(state.maps.map(laptop).is_none());
    assert!(
        state
            .maps
            .map(vps)
            .unwrap()
            .peers
            .iter()
            .all(|peer| peer.id != laptop)
    );
    let duty = state
        .relay_duty(state.device(vps).unwrap(), bed.core.clock.now())
        .unwrap();
    assert_eq!(duty.revoked, [PublicKey::from_bytes([1; 32])]);
    bed.clock.advance(35 * 86_400);
    let later = state
        .relay_duty(state.device(vps).unwrap(), bed.core.clock.now())
        .unwrap();
    assert!(later.revoked.is_empty(), "its ticket has run out");
}

#[tokio::test]
async fn access_relay_is_changed_on_the_running_device() {
    let bed = bed().await;
    bed.call(Method::PATCH, "/fleet", r#"{"starting_policy":"open_lab"}"#)
        .await;
    let (vps, now) = (
        bed.core.cache.lock().find("vps").unwrap().row.id,
        bed.core.clock.now(),
    );
    bed.core
        .cache
        .lock()
        .apply_report(vps, report(&[(CandidateKind::Local, "192.0.2.9:50000")]), now);
    let seen = |bed: &Testbed| {
        let state = bed.core.cache.lock();
        let map = state.maps.map(state.find("laptop").unwrap().row.id).unwrap();
        map.peers.into_iter().find(|peer| peer.id == vps).unwrap()
    };
    assert_eq!(
        (seen(&bed).candidates.len(), seen(&bed).nat),
        (1, Nat::EndpointIndependent)
    );
    bed.call(Method::PATCH, "/devices/vps", r#"{"relay":"always"}"#)
        .await;
    assert_eq!(
        (seen(&bed).relay, seen(&bed).candidates.len()),
        (RelayPreference::Always, 0)
    );
}

#[tokio::test]
async fn the_mesh_moves_to_a_range_that_is_in_no_devices_way() {
    let bed = bed().await;
    let routes = ["172.20.0.0/16", "100.71.0.0/16", "0.0.0.0/0"];
    {
        let mut state = bed.core.cache.lock();
        let id = state.find("vps").unwrap().row.id;
        state.note(id, |entry| {
            entry.row.routes = routes.map(|route| route.parse().unwrap()).to_vec()
        });
    }
    for (range, code) in [
        ("10.0.0.0/25", Code::InvalidInput),
        ("10.0.0.0/7", Code::InvalidInput),
        ("fd00::/8", Code::InvalidInput),
        ("127.0.0.0/16", Code::InvalidInput),
        ("172.20.4.0/22", Code::Conflict),
    ] {
        let refused = bed
            .refused(Method::PATCH, "/fleet", &format!(r#"{{"mesh_cidr":"{range}"}}"#))
            .await;
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            (code, Some("mesh_cidr")),
            "{range}"
        );
        assert!(
            code != Code::Conflict || refused.message.contains("cut them off: vps."),
            "{}",
            refused.message
        );
    }
    let (status, body) = bed
        .call(Method::PATCH, "/fleet", r#"{"mesh_cidr":"100.103.7.0/24"}"#)
        .await;
    assert!(status.is_success(), "{body}");
    assert_eq!(
        serde_json::from_str::<Fleet>(&body).unwrap().mesh_cidr,
        "100.103.7.0/24"
    );
    let device: Device = bed.get("/devices/vps").await;
    assert_eq!(device.mesh_ip.to_string(), "100.103.7.2");
    let map = bed.core.cache.lock().maps.map(device.id).unwrap();
    assert_eq!((map.address.address, map.address.prefix), (device.mesh_ip, 24));
    let stored = bed.core.store.list_devices().await.unwrap();
    assert!(
        stored
            .iter()
            .all(|row| row.mesh_ip.octets()[..3] == [100, 103, 7])
    );
}
