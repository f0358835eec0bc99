//! Addresses that people add.

use crate::testbed::Testbed;
use flotilla_protocol::{
    Code,
    activity::{Action, Activity},
    api::{Fleet, List},
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
