//! What a container asks for again, by descriptions as engines give them.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const ID: &str = "4f1c0d1e2f3a4b5c6d7e8f901a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

fn dialect(minor: usize) -> Dialect {
    Dialect {
        api: (1, minor),
        device: "nas".to_owned(),
    }
}

/// An id made up from a network's name.
fn id(name: &str) -> String {
    name.chars().cycle().take(64).collect()
}

fn networks() -> Networks {
    Networks::new(["bridge", "media", "proxy"].map(|name| (id(name), name.to_owned())))
}

fn rich() -> Value {
    json!({
        "Id": ID, "State": {"Status": "running"},
        "Config": {"Hostname": "web", "Domainname": "", "ExposedPorts": {"80/tcp": {}}, "MacAddress": "02:42:ac:aa:bb:cc"},
        "HostConfig": {"NetworkMode": "media", "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
            "Dns": ["192.0.2.53"], "DnsOptions": [], "DnsSearch": null, "ExtraHosts": ["db:192.0.2.1"], "Links": ["/db:/web/database"],
            "PublishAllPorts": false},
        "NetworkSettings": {"Networks": {
            "media": {"Aliases": ["a1", "4f1c0d1e2f3a", "4f", "web"], "IPAddress": "10.0.0.2", "IPAMConfig": {"IPv4Address": "10.0.0.2"},
                "NetworkID": id("media"), "MacAddress": "02:42:0a:00:00:02"},
            "proxy": {"Aliases": null, "NetworkID": id("proxy"), "MacAddress": "02:42:0a:01:00:02"}}},
    })
}

/// The request that creates a container again on an engine of this version.
fn again(answer: &Value, minor: usize) -> (Value, Joins) {
    let mut body = json!({"HostConfig": {}});
    let before = Attachment::of(answer, &dialect(minor));
    let before = Attachment::from_label(&before.to_label()).unwrap();
    let joins = before.apply(&mut body, &networks(), &dialect(minor)).unwrap();
    (body, joins)
}

fn endpoints(body: &Value) -> &Value {
    &body["NetworkingConfig"]["EndpointsConfig"]
}

#[test]
fn what_a_shared_network_forbids_is_remembered_whole() {
    let before = Attachment::of(&rich(), &dialect(41));
    let label = [(BEFORE_POD.to_owned(), before.to_label())];
    let answer = json!({"Config": {"Labels": std::collections::HashMap::from(label)}});
    let answer = serde_json::from_value(answer).unwrap();
    assert_eq!(Attachment::before_pod(&answer), Ok(Some(before)));
}

#[test]
fn a_container_asks_again_for_what_it_had_asked_for_and_for_nothing_else() {
    let (body, joins) = again(&rich(), 41);
    let media = json!({"Aliases": ["a1", "4f"], "IPAMConfig": {"IPv4Address": "10.0.0.2"}});
    assert_eq!(endpoints(&body), &json!({"media": media}));
    assert_eq!(joins.join, [(id("proxy"), json!({}))]);
    assert_eq!(joins.leave, None);
    assert_eq!(joins.wanted[0].address, "10.0.0.2");
    let host = json!({
        "NetworkMode": "media", "Links": ["db:database"], "ExtraHosts": ["db:192.0.2.1"], "Dns": ["192.0.2.53"], "DnsOptions": [],
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
    });
    assert_eq!(body["HostConfig"], host);
    assert_eq!(
        (&body["Hostname"], &body["ExposedPorts"]),
        (&json!("web"), &json!({"80/tcp": {}}))
    );
}

#[test]
fn a_mac_address_is_asked_for_where_the_engine_takes_it_and_only_if_it_was() {
    let (body, _) = again(&rich(), 41);
    assert_eq!(body["MacAddress"], "02:42:ac:aa:bb:cc");
    let (body, joins) = again(&rich(), 45);
    assert_eq!(body.get("MacAddress"), None);
    assert_eq!(endpoints(&body)["media"]["MacAddress"], "02:42:ac:aa:bb:cc");
    assert_eq!(endpoints(&body)["proxy"], json!({}), "made up by the engine");
    assert_eq!(joins.join, []);

    let mut made_up = rich();
    made_up["Config"].as_object_mut().unwrap().remove("MacAddress");
    for minor in [41, 45, 51] {
        let (body, _) = again(&made_up, minor);
        assert_eq!(
            (
                body.get("MacAddress"),
                endpoints(&body)["media"].get("MacAddress")
            ),
            (None, None)
        );
    }
    for (mac, minor, is_asked) in [
        ("de:ad:be:ef:00:01", 41, false),
        ("de:ad:be:ef:00:01", 45, true),
        ("de:ad:be:ef:00:01", 51, false),
        ("00:50:56:00:00:01", 51, true),
    ] {
        made_up["NetworkSettings"]["Networks"]["proxy"]["MacAddress"] = json!(mac);
        let body = again(&made_up, minor).0;
        assert_eq!(
            endpoints(&body)["proxy"]["MacAddress"] == mac,
            is_asked,
            "{mac} on 1.{minor}"
        );
    }
}

#[test]
fn a_network_is_the_same_one_by_its_id_and_by_its_name() {
    let mut by_id = rich();
    by_id["HostConfig"]["NetworkMode"] = json!(id("media"));
    let (body, _) = again(&by_id, 41);
    assert_eq!(body["HostConfig"]["NetworkMode"], json!(id("media")));
    assert_eq!(endpoints(&body)[id("media")]["Aliases"], json!(["a1", "4f"]));

    // The network was created anew meanwhile.
    by_id["HostConfig"]["NetworkMode"] = json!(id("old"));
    by_id["NetworkSettings"]["Networks"]["media"]["NetworkID"] = json!(id("old"));
    let (body, _) = again(&by_id, 41);
    assert_eq!(body["HostConfig"]["NetworkMode"], json!(id("media")));
    assert_eq!(
        endpoints(&body)[id("media")]["IPAMConfig"]["IPv4Address"],
        "10.0.0.2"
    );
}

#[test]
fn of_two_networks_with_one_name_it_comes_back_to_its_own() {
    let twins = Networks::new(
        [("bridge", "bridge"), ("one", "twin"), ("two", "twin")].map(|(it, name)| (id(it), name.to_owned())),
    );
    let on_one = json!({"Id": ID, "HostConfig": {"NetworkMode": "default"}, "NetworkSettings": {"Networks": {"twin": {"NetworkID": id("one")}}}});
    for minor in [41, 45] {
        let mut body = json!({"HostConfig": {}});
        let before = Attachment::of(&on_one, &dialect(minor));
        let joins = before.apply(&mut body, &twins, &dialect(minor));
        assert_eq!(joins, Ok(Joins::default()));
        assert_eq!(
            endpoints(&body),
            &json!({ id("one"): {} }),
            "and not in the one of its mode"
        );
        assert_eq!(body["HostConfig"]["NetworkMode"], "default");
    }
    let mut on_both = on_one;
    on_both["NetworkSettings"]["Networks"]["bridge"] = json!({"NetworkID": id("bridge")});
    let mut body = json!({"HostConfig": {}});
    let before = Attachment::of(&on_both, &dialect(41));
    let joins = before.apply(&mut body, &twins, &dialect(41)).unwrap();
    assert_eq!(endpoints(&body), &json!({ id("one"): {} }));
    assert_eq!(joins.join, [(id("bridge"), json!({}))]);
}

#[test]
fn a_network_that_is_gone_is_named() {
    let mut lost = rich();
    lost["HostConfig"]["NetworkMode"] = json!(id("gone"));
    lost["NetworkSettings"]["Networks"] = json!({"gone13": {"NetworkID": id("gone")}});
    let before = Attachment::of(&lost, &dialect(41));
    let refused = before.apply(&mut json!({"HostConfig": {}}), &networks(), &dialect(41));
    assert_eq!(refused, Err(UnresolvedNetwork::Gone("gone13".to_owned())));
}

#[test]
fn one_that_was_taken_off_every_network_comes_back_to_none() {
    let off = json!({"Id": ID, "HostConfig": {"NetworkMode": "media"}, "NetworkSettings": {"Networks": {}}});
    let (body, joins) = again(&off, 41);
    assert_eq!(
        (body.get("NetworkingConfig"), joins.leave),
        (None, Some(id("media")))
    );
}

#[test]
fn one_without_a_network_of_its_mode_comes_back_to_those_that_it_has() {
    let beside = |mode: &str, networks: Value| json!({"Id": ID, "Config": {"NetworkDisabled": true}, "HostConfig": {"NetworkMode": mode, "Dns": []}, "NetworkSettings": {"Networks": networks}});
    let (body, _) = again(&beside("none", json!({"media": {"NetworkID": id("media")}})), 45);
    assert_eq!(endpoints(&body), &json!({"media": {}}));
    let (body, _) = again(&beside("host", json!({"host": {"NetworkID": id("host")}})), 45);
    assert_eq!(body.get("NetworkingConfig"), None);
    let (body, _) = again(&beside("container:x", json!({})), 45);
    assert_eq!(
        (&body["NetworkDisabled"], &body["HostConfig"]["Dns"]),
        (&json!(true), &json!([]))
    );
}

#[test]
fn in_a_shared_network_nothing_is_asked_for() {
    let mut body = json!({"Hostname": "web", "ExposedPorts": {"80/tcp": {}}, "MacAddress": "02:42:ac:aa:bb:cc", "User": "1",
        "HostConfig": {"PortBindings": {"80/tcp": null}, "Dns": [], "Memory": 1}});
    let joins = Attachment::in_network_of("p1").apply(&mut body, &Networks::default(), &dialect(41));
    assert_eq!(joins, Ok(Joins::default()));
    assert_eq!(
        body,
        json!({"User": "1", "HostConfig": {"Memory": 1, "NetworkMode": "container:p1"}})
    );
}

#[test]
fn a_name_that_the_engine_made_up_is_none_and_the_pause_containers_name_is_not_ones_own() {
    let of = |answer: Value| Attachment::of(&answer, &dialect(41));
    let by_id = json!({"Id": ID, "Config": {"Hostname": &ID[..12]}});
    assert_eq!(of(by_id), Attachment::named("bridge"));
    let devices = json!({"Id": ID, "Config": {"Hostname": "nas"}, "HostConfig": {"NetworkMode": "host"}});
    assert_eq!(of(devices), Attachment::named("host"));
    let in_pod =
        json!({"Id": ID, "Config": {"Hostname": "pause"}, "HostConfig": {"NetworkMode": "container:p1"}});
    assert_eq!(of(in_pod), Attachment::in_network_of("p1"));
    let own = json!({"Id": ID, "Config": {"Hostname": "4f1c"}});
    assert_ne!(
        of(own),
        Attachment::named("bridge"),
        "only the whole of it is made up"
    );
}

#[test]
fn a_label_decides_the_network_and_nothing_else() {
    let label = json!({"mode": "bridge", "config": {"Image": "evil", "Hostname": "x"}, "host": {"Privileged": true}, "sysctls": {"kernel.x": "1"},
        "endpoints": {"media": {"NetworkID": id("media"), "Evil": 1}}});
    let (mut body, dialect) = (json!({"HostConfig": {}}), dialect(45));
    let read = Attachment::from_label(&label.to_string()).unwrap();
    read.apply(&mut body, &networks(), &dialect).unwrap();
    let expected = json!({"Hostname": "x", "HostConfig": {"NetworkMode": "bridge"}, "NetworkingConfig": {"EndpointsConfig": {"media": {}}}});
    assert_eq!(body, expected);
}

#[test]
fn a_label_that_says_nothing_sensible_is_refused_whatever_it_costs_to_read() {
    let deep = "[".repeat(100_000);
    let long = format!(r#"{{"mode":"bridge","x":["{}"]}}"#, "x".repeat(LABEL_BYTES));
    for label in [
        "",
        "{}",
        "null",
        "[1]",
        r#"{"mode":""}"#,
        r#"{"mode":"br\u001bidge"}"#,
        r#"{"mode":{"mode":"host"}}"#,
        r#"{"mode":"bridge","endpoints":{"a":[]}}"#,
        &deep,
        &format!(r#"{{"mode":"a","endpoints":{deep}"#),
        &long,
    ] {
        let reason = Attachment::from_label(label).unwrap_err().to_string();
        assert!(
            reason.chars().count() < 120 && !reason.contains('\u{1b}'),
            "{reason}"
        );
    }
}

proptest! {
    #[test]
    fn any_label_is_answered(label in r#".{0,60}|\{"mode":.{0,20},"endpoints":.{0,30}\}"#) {
        if let Ok(read) = Attachment::from_label(&label) {
            prop_assert_eq!(Attachment::from_label(&read.to_label()), Ok(read));
        }
    }
}
