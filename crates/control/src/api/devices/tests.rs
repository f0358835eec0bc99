//! What people can do to devices over HTTP, and what they are told when they can't.

use crate::testbed::Testbed;
use flotilla_protocol::{
    Code,
    activity::{Action, Activity},
    api::{DeviceAdded, Fleet, List, Scope},
    device::{Device, DeviceStatus},
};
use http::Method;

#[tokio::test]
async fn a_device_is_added_with_defaults_and_an_address_of_its_own() {
    let bed = Testbed::new().await;
    let first: DeviceAdded = bed.post("/devices", "{}").await;
    let second: DeviceAdded = bed
        .post(
            "/devices",
            r#"{"name":"nas","mode":"bridge","tags":["b","a","b"]}"#,
        )
        .await;
    assert_eq!(first.device.mesh_ip.to_string(), "100.71.0.1");
    assert_eq!(second.device.mesh_ip.to_string(), "100.71.0.2");
    assert!(first.install.is_some() && second.install.is_none() && second.unavailable.install.is_some());
    let tags: Vec<_> = second.device.tags.iter().map(ToString::to_string).collect();
    assert_eq!(tags, ["a", "b"]);
    let list: List<Device> = bed.get("/devices").await;
    assert!(
        list.items
            .iter()
            .all(|device| device.status == DeviceStatus::Pending && device.token_expires.is_some())
    );
    assert!(
        list.unreachable_devices.is_empty(),
        "nothing is expected of a pending device"
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_device_is_said_at_its_field() {
    let bed = Testbed::new().await;
    bed.post::<DeviceAdded>("/devices", r#"{"name":"nas"}"#).await;
    for (body, code, field) in [
        (r#"{"name":""}"#, Code::InvalidInput, "name"),
        (r#"{"name":"NAS"}"#, Code::InvalidInput, "name"),
        (r#"{"name":"nas"}"#, Code::NameTaken, "name"),
        (r#"{"tags":["a b"]}"#, Code::InvalidInput, "tags"),
        (r#"{"expires_seconds":10}"#, Code::InvalidInput, "expires_seconds"),
        (r#"{"mode":"vpn"}"#, Code::InvalidInput, "mode"),
    ] {
        let problem = bed.refused(Method::POST, "/devices", body).await;
        assert_eq!(
            (problem.code, problem.field.as_deref()),
            (code, Some(field)),
            "{body}"
        );
    }
    let list: List<Device> = bed.get("/devices").await;
    assert_eq!(list.items.len(), 1, "nothing was added by a refusal");
}

#[tokio::test]
async fn renaming_and_tagging_show_everywhere_and_are_recorded() {
    let bed = Testbed::new().await;
    bed.post::<DeviceAdded>("/devices", r#"{"name":"nas","tags":["old"]}"#)
        .await;
    let mut live = bed.core.cache.subscribe(Scope::All);
    live.next().await;
    let body = r#"{"name":"vault","tags":{"add":["prod"],"remove":["old"]}}"#;
    assert!(bed.call(Method::PATCH, "/devices/nas", body).await.0.is_success());
    assert!(live.next().await.unwrap().contains(r#""name":"vault""#));
    let device: Device = bed.get("/devices/vault").await;
    assert_eq!(device.tags, ["prod".parse().unwrap()]);
    assert_eq!(
        bed.refused(Method::GET, "/devices/nas", "").await.code,
        Code::NotFound
    );
    let log: List<Activity> = bed.get("/activity?limit=1").await;
    assert_eq!(log.items[0].action, Action::DeviceUpdated);
    assert_eq!(log.items[0].details, "Renamed from nas to vault. Tags: prod.");
}

#[tokio::test]
async fn the_fleet_has_a_name_once_its_owner_names_it() {
    let bed = Testbed::new().await;
    assert_eq!(bed.get::<Fleet>("/fleet").await.name, None);
    let body = r#"{"name":" home-lab ","starting_policy":"open_lab"}"#;
    assert!(bed.call(Method::PATCH, "/fleet", body).await.0.is_success());
    assert_eq!(bed.get::<Fleet>("/fleet").await.name.as_deref(), Some("home-lab"));
    let empty = bed.refused(Method::PATCH, "/fleet", r#"{"name":"  "}"#).await;
    assert_eq!(empty.field.as_deref(), Some("name"));
}

#[tokio::test]
async fn lists_refuse_unknown_filters_and_devices() {
    let bed = Testbed::new().await;
    assert_eq!(
        bed.refused(Method::GET, "/containers?tag=x", "")
            .await
            .field
            .as_deref(),
        Some("tag")
    );
    assert_eq!(
        bed.refused(Method::GET, "/containers?device=nas", "").await.code,
        Code::NotFound
    );
    assert_eq!(
        bed.refused(Method::GET, "/activity?limit=0", "")
            .await
            .field
            .as_deref(),
        Some("limit")
    );
    assert_eq!(
        bed.refused(Method::GET, "/activity?limit=x", "").await.code,
        Code::InvalidInput
    );
}
