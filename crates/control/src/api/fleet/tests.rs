//! `PATCH /fleet`: added addresses, and changes that are made whole or not at all.

use crate::testbed::Testbed;
use flotilla_protocol::{
    Code,
    activity::{Action, Activity},
    api::{Fleet, List},
    device::Device,
    endpoint::Endpoint,
};
use http::Method;

async fn set(bed: &Testbed, addresses: &str) -> Fleet {
    let body = format!(r#"{{"added_endpoints":{addresses}}}"#);
    let (status, answer) = bed.call(Method::PATCH, "/fleet", &body).await;
    assert!(status.is_success(), "{answer}");
    serde_json::from_str(&answer).unwrap()
}

fn list(texts: &[&str]) -> Vec<Endpoint> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn added_addresses_are_told_kept_and_taken_away_again() {
    let bed = Testbed::new().await;
    let before: Fleet = bed.get("/fleet").await;
    assert!(before.added_endpoints.is_empty());
    let fleet = set(
        &bed,
        r#"["fleet.example.org:443","vpn.lan","fleet.example.org:443"]"#,
    )
    .await;
    assert_eq!(fleet.added_endpoints, list(&["fleet.example.org:443", "vpn.lan"]));
    assert_eq!(
        fleet.endpoints,
        list(&["192.0.2.1:7443", "fleet.example.org:443", "vpn.lan"])
    );
    let stored = bed.core.store.lookup_fleet().await.unwrap().unwrap();
    assert_eq!(stored.added_endpoints, fleet.added_endpoints);
    let log: List<Activity> = bed.get("/activity").await;
    assert_eq!(log.items[0].action, Action::FleetUpdated);
    assert_eq!(
        log.items[0].details,
        "Devices are also told: fleet.example.org:443, vpn.lan:7443."
    );

    let fleet = set(&bed, "[]").await;
    assert_eq!(fleet.endpoints, before.endpoints);
    let again = set(&bed, "[]").await;
    assert_eq!(again.endpoints, before.endpoints);
    let log: List<Activity> = bed.get("/activity").await;
    assert_eq!(log.items.len(), 2, "nothing changed, so nothing is recorded");
}

#[test]
fn a_name_that_containers_do_not_find_is_doubted() {
    let doubt = |text: &str| super::doubt(&text.parse().unwrap());
    let said = doubt("ctl.local:7443").unwrap();
    assert!(
        said.contains("ctl.local") && said.ends_with("flotilla address add IP:7443"),
        "{said}"
    );
    for fine in ["192.0.2.1:7443", "fleet.example.org", "vpn.lan", "local.example"] {
        assert_eq!(doubt(fine), None, "{fine}");
    }
}

#[tokio::test]
async fn an_address_that_leads_a_device_to_itself_or_nowhere_is_refused() {
    let bed = Testbed::new().await;
    let many: Vec<_> = (0..17).map(|n| format!("\"n{n}.lan\"")).collect();
    for addresses in [
        r#"["127.0.0.1:7443"]"#.to_owned(),
        r#"["[::1]:7443"]"#.to_owned(),
        r#"["0.0.0.0"]"#.to_owned(),
        r#"["localhost"]"#.to_owned(),
        format!("[{}]", many.join(",")),
    ] {
        let body = format!(r#"{{"name":"home","added_endpoints":{addresses}}}"#);
        let problem = bed.refused(Method::PATCH, "/fleet", &body).await;
        assert_eq!(
            (problem.code, problem.field.as_deref()),
            (Code::InvalidInput, Some("added_endpoints")),
            "{addresses}"
        );
    }
    let fleet: Fleet = bed.get("/fleet").await;
    assert_eq!(fleet.name, None, "a refused request changes nothing");
}

#[tokio::test]
async fn a_change_is_made_whole_or_not_at_all() {
    let bed = Testbed::new().await;
    let _: serde_json::Value = bed.post("/devices", r#"{"name":"nas"}"#).await;
    let open = r#"{"starting_policy":"open_lab"}"#;
    assert!(bed.call(Method::PATCH, "/fleet", open).await.0.is_success());
    let before: Fleet = bed.get("/fleet").await;
    let address = async || bed.get::<Device>("/devices/nas").await.mesh_ip;
    let address_before = address().await;
    let stored = bed.core.store.lookup_fleet().await.unwrap();
    let logged = bed.get::<List<Activity>>("/activity").await.items.len();
    // The range is free and the addresses are valid, but a starting policy was chosen already.
    let body = r#"{"mesh_cidr":"100.103.7.0/24","name":"lab","added_endpoints":["vpn.lan"],"starting_policy":"locked"}"#;
    let problem = bed.refused(Method::PATCH, "/fleet", body).await;
    assert_eq!(
        (problem.code, problem.field.as_deref()),
        (Code::Conflict, Some("starting_policy"))
    );
    let after: Fleet = bed.get("/fleet").await;
    assert_eq!(
        (
            &after.mesh_cidr,
            &after.name,
            &after.added_endpoints,
            address().await
        ),
        (
            &before.mesh_cidr,
            &before.name,
            &before.added_endpoints,
            address_before
        )
    );
    assert_eq!(bed.core.store.lookup_fleet().await.unwrap(), stored);
    assert_eq!(bed.get::<List<Activity>>("/activity").await.items.len(), logged);

    let body = body.replace("locked", "open_lab");
    let (status, answer) = bed.call(Method::PATCH, "/fleet", &body).await;
    assert!(status.is_success(), "{answer}");
    let after: Fleet = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (
            after.mesh_cidr.as_str(),
            after.name.as_deref(),
            after.added_endpoints
        ),
        ("100.103.7.0/24", Some("lab"), list(&["vpn.lan"]))
    );
    assert_eq!(address().await.octets()[..3], [100, 103, 7]);
    let stored = bed.core.store.lookup_fleet().await.unwrap().unwrap();
    assert_eq!(
        (stored.mesh_cidr.to_string().as_str(), stored.name.as_deref()),
        ("100.103.7.0/24", Some("lab"))
    );
    assert_eq!(
        bed.get::<List<Activity>>("/activity").await.items.len(),
        logged + 3
    );
}
