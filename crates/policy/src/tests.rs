//! What the rules of a small fleet mean, and properties of every policy.

use super::*;
use flotilla_protocol::{
    api::StartingPolicy,
    cidr::IpRange,
    policy::{Ports, Proto, Selector},
};
use std::collections::BTreeSet;

mod properties;

fn subject(number: u8, name: &str, tags: &[&str]) -> Subject {
    Subject {
        id: id(number),
        name: name.parse().unwrap(),
        address: Ipv4Addr::new(100, 83, 0, number),
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        user: None,
        mode: NetworkMode::Host,
    }
}

fn id(number: u8) -> DeviceId {
    DeviceId(uuid::Uuid::from_u128(u128::from(number)))
}

fn mesh() -> IpRange {
    "100.83.0.0/16".parse().unwrap()
}

const LAPTOP: u8 = 1;
const NAS: u8 = 2;
const WEB: u8 = 3;
const CAM: u8 = 9;

fn fleet() -> Vec<Subject> {
    let mut cam = subject(CAM, "cam", &["edge"]);
    cam.mode = NetworkMode::Bridge;
    vec![
        Subject {
            user: Some("ada".to_owned()),
            ..subject(LAPTOP, "laptop", &["laptop"])
        },
        subject(NAS, "nas", &["prod", "media"]),
        subject(WEB, "web", &["prod", "web"]),
        cam,
    ]
}

fn policy(text: &str) -> Policy {
    serde_json::from_str(text).unwrap()
}

fn rule(name: &str, from: &str, to: &str, proto: &str, ports: &str) -> Rule {
    serde_json::from_value(serde_json::json!({
        "name": name, "from": [from], "to": [to], "proto": proto,
        "ports": serde_json::from_str::<serde_json::Value>(ports).unwrap(),
    }))
    .unwrap()
}

fn rules(rules: &[Rule]) -> Policy {
    Policy {
        rules: rules.to_vec(),
        tests: Vec::new(),
    }
}

fn reaches(policy: &Policy, from: u8, to: u8, proto: Proto, port: Option<u16>) -> Option<String> {
    evaluate(policy, &fleet(), id(from), id(to), proto, port).allowed_by
}

#[test]
fn nothing_is_allowed_until_a_rule_says_so_and_then_in_one_direction() {
    let none = Policy::default();
    assert_eq!(reaches(&none, LAPTOP, NAS, Proto::Tcp, Some(22)), None);
    let ssh = rules(&[rule("ssh", "user:ada", "tag:prod+tag:media", "tcp", "[22]")]);
    assert_eq!(
        reaches(&ssh, LAPTOP, NAS, Proto::Tcp, Some(22)).as_deref(),
        Some("ssh")
    );
    for (from, to, proto, port) in [
        (NAS, LAPTOP, Proto::Tcp, Some(22)),
        (LAPTOP, WEB, Proto::Tcp, Some(22)),
        (LAPTOP, NAS, Proto::Udp, Some(22)),
        (LAPTOP, NAS, Proto::Tcp, Some(23)),
        (LAPTOP, NAS, Proto::Tcp, None),
        (LAPTOP, NAS, Proto::Icmp, None),
    ] {
        assert_eq!(
            reaches(&ssh, from, to, proto, port),
            None,
            "{from} {to} {proto} {port:?}"
        );
    }
}

#[test]
fn a_filter_holds_the_addresses_that_rules_select() {
    let policy = rules(&[
        rule("web", "tag:prod", "device:web", "tcp", r#"[443, 80, "81-90"]"#),
        rule(
            "office",
            "cidr:192.168.1.0/24",
            "cidr:100.83.0.3/32",
            "icmp",
            "\"any\"",
        ),
        rule("lab", "any", "tag:laptop", "any", "\"any\""),
    ]);
    let compiled = Compiled::new(&policy, &fleet(), mesh());
    let text = |device| serde_json::to_string(&compiled.filter_for(id(device)).allows).unwrap();
    assert_eq!(
        text(WEB),
        r#"[{"sources":["100.83.0.2/31"],"proto":"tcp","ports":["80-90",443]},{"sources":["192.168.1.0/24"],"proto":"icmp"}]"#
    );
    assert_eq!(text(LAPTOP), r#"[{"sources":["100.83.0.0/16"],"proto":"any"}]"#);
    assert_eq!(text(NAS), "[]");
    assert_eq!(compiled.neighbors(id(NAS)), BTreeSet::from([id(LAPTOP), id(WEB)]));
    assert_eq!(compiled.neighbors(id(CAM)), BTreeSet::from([id(LAPTOP)]));
    assert!(compiled.connects(id(CAM), id(LAPTOP)) && !compiled.connects(id(LAPTOP), id(CAM)));
}

#[test]
fn a_rule_between_a_device_and_itself_means_nothing() {
    let policy = rules(&[rule("self", "device:nas", "device:nas", "any", "\"any\"")]);
    let compiled = Compiled::new(&policy, &fleet(), mesh());
    assert!(compiled.filter_for(id(NAS)).allows.is_empty());
    assert!(compiled.neighbors(id(NAS)).is_empty() && !compiled.connects(id(NAS), id(NAS)));
    assert_eq!(reaches(&policy, NAS, NAS, Proto::Icmp, None), None);
}

#[test]
fn a_rule_that_is_switched_off_or_refused_allows_nothing() {
    let mut off = rule("off", "any", "any", "any", "\"any\"");
    off.enabled = false;
    let odd = rule("odd", "any", "any", "any", "[22]");
    let empty = rule("empty", "any", "any", "tcp", "[]");
    for rule in [off, odd, empty] {
        let policy = rules(&[rule]);
        let compiled = Compiled::new(&policy, &fleet(), mesh());
        assert!(compiled.filter_for(id(NAS)).allows.is_empty());
        assert_eq!(reaches(&policy, LAPTOP, NAS, Proto::Tcp, Some(22)), None);
        assert!(compiled.neighbors(id(NAS)).is_empty());
    }
}

#[test]
fn a_device_in_bridge_networking_takes_nothing_and_that_is_said() {
    let policy = rules(&[rule("lab", "any", "any", "any", "\"any\"")]);
    let compiled = Compiled::new(&policy, &fleet(), mesh());
    assert!(compiled.filter_for(id(CAM)).allows.is_empty());
    assert!(!compiled.filter_for(id(NAS)).allows.is_empty());
    assert_eq!(
        warnings(&policy, &fleet()),
        ["Unreachable because of their network mode, whatever the rules say: cam."]
    );
}

#[test]
fn flaws_name_their_field_and_missing_devices_are_none() {
    let ghost = rules(&[rule("ghost", "device:ghost", "tag:prod", "tcp", "[80]")]);
    assert_eq!(check(&ghost), Ok(()));
    assert_eq!(
        warnings(&ghost, &fleet()),
        ["Rule \"ghost\": device:ghost means no device now."]
    );
    let good = rule("a", "any", "any", "tcp", "[80]");
    let flawed = |change: &dyn Fn(&mut Rule)| {
        let mut rule = good.clone();
        change(&mut rule);
        check(&rules(&[
            Rule {
                name: "b".to_owned(),
                ..good.clone()
            },
            rule,
        ]))
        .unwrap_err()
    };
    assert_eq!(flawed(&|rule| rule.from.clear()).field(), "rules[1].from");
    assert_eq!(flawed(&|rule| rule.to.clear()).field(), "rules[1].to");
    assert_eq!(flawed(&|rule| rule.proto = Proto::Icmp).field(), "rules[1].ports");
    assert_eq!(
        flawed(&|rule| rule.ports = Ports::Only(Vec::new())).field(),
        "rules[1].ports"
    );
    assert_eq!(
        flawed(&|rule| rule.name = " ".to_owned()).field(),
        "rules[1].name"
    );
    let twice = flawed(&|rule| rule.name = "b".to_owned());
    assert_eq!(
        twice.to_string(),
        "There are two rules with the name \"b\". Rename one of them."
    );
}

#[test]
fn a_user_whom_nothing_belongs_to_yet_is_said_to_be_one() {
    let ada = rules(&[rule("ada", "user:ada", "tag:prod", "tcp", "[80]")]);
    assert_eq!(warnings(&ada, &fleet()), [""; 0]);
    let unowned: Vec<_> = fleet().into_iter().map(|s| Subject { user: None, ..s }).collect();
    assert_eq!(
        warnings(&ada, &unowned),
        [
            "Rule \"ada\": user:ada means no device, because no device belongs to a user yet; name devices or tags instead."
        ]
    );
}

fn failing(rule: &Rule, test: &str) -> Option<String> {
    let mut policy = rules(std::slice::from_ref(rule));
    policy.tests.push(serde_json::from_str(test).unwrap());
    let failed = run_tests(&policy, &fleet());
    failed.into_iter().map(|failed| failed.message).next()
}

#[test]
fn tests_guard_a_policy_and_read_as_sentences() {
    let ssh = rule("ssh", "tag:laptop", "tag:prod", "tcp", "[22]");
    let message = |test: &str| failing(&ssh, test).unwrap_or_default();
    assert_eq!(
        message(r#"{"from":"device:laptop","to":"device:nas","proto":"tcp","port":443,"expect":"allow"}"#),
        "the test \"laptop can reach nas on tcp 443\" would fail"
    );
    assert_eq!(
        message(r#"{"from":"tag:laptop","to":"any","expect":"deny"}"#),
        "the test \"tag:laptop cannot reach any\" would fail"
    );
    assert_eq!(
        message(r#"{"from":"device:laptop","to":"device:nas","proto":"tcp","port":22,"expect":"allow"}"#),
        ""
    );
    assert_eq!(message(r#"{"from":"tag:edge","to":"any","expect":"deny"}"#), "");
}

#[test]
fn tests_can_be_about_addresses_that_no_device_has() {
    let office = rule("office", "cidr:10.0.0.0/8", "any", "tcp", "[22]");
    let fails = |from: &str, expect: &str| {
        let test = format!(r#"{{"from":"{from}","to":"any","proto":"tcp","port":22,"expect":"{expect}"}}"#);
        failing(&office, &test).is_some()
    };
    assert!(fails("cidr:10.1.0.0/16", "deny") && !fails("cidr:10.1.0.0/16", "allow"));
    assert!(fails("cidr:8.0.0.0/5", "deny") && fails("cidr:8.0.0.0/5", "allow"));
    assert!(!fails("cidr:11.0.0.0/8", "deny"));
}

#[test]
fn an_explanation_names_the_rule_or_those_that_come_close() {
    let mut off = rule("off", "tag:laptop", "device:nas", "tcp", "[445]");
    off.enabled = false;
    let policy = rules(&[
        rule("elsewhere", "tag:edge", "tag:web", "any", "\"any\""),
        rule("backups", "device:nas", "tag:laptop", "tcp", "[445]"),
        rule("web from laptops", "tag:laptop", "tag:web", "tcp", "[80, 443]"),
        off,
    ]);
    let ask = |to, port| explain(&policy, &fleet(), id(LAPTOP), id(to), Proto::Tcp, Some(port));
    let allowed = ask(WEB, 443);
    assert_eq!(allowed.message, "Allowed by rule web from laptops");
    assert_eq!(allowed.rule.as_deref(), Some("web from laptops"));
    let blocked = ask(NAS, 445);
    assert_eq!(blocked.message, "Blocked: no rule matches");
    let near: Vec<_> = blocked
        .nearest
        .iter()
        .map(|n| (n.rule.as_str(), n.differs.join("; ")))
        .collect();
    assert_eq!(
        near,
        [
            (
                "backups",
                "it lets nas reach laptop, which is the other direction".to_owned()
            ),
            ("off", "it is switched off".to_owned()),
            (
                "web from laptops",
                "it leads to tag:web, not to nas; its ports are 80, 443".to_owned()
            ),
        ]
    );
}

#[test]
fn a_review_lists_what_opens_and_closes_between_whom() {
    let old = rules(&[rule("ssh", "tag:laptop", "tag:prod", "tcp", "[22]")]);
    let new = rules(&[
        rule("ssh", "tag:laptop", "device:nas", "tcp", r#"["20-30"]"#),
        rule("office", "cidr:10.0.0.0/8", "device:web", "icmp", "\"any\""),
    ]);
    let review = review(&old, &new, &fleet());
    let line = |reach: &flotilla_protocol::api::Reach| {
        format!("{} {} {} {}", reach.from, reach.to, reach.proto, reach.ports)
    };
    assert_eq!(
        review.opens.iter().map(line).collect::<Vec<_>>(),
        ["10.0.0.0/8 web icmp any", "laptop nas tcp 20-21, 23-30"]
    );
    assert_eq!(
        review.closes.iter().map(line).collect::<Vec<_>>(),
        ["laptop web tcp 22"]
    );
    assert_eq!((review.opens_total, review.closes_total), (2, 1));
}

#[test]
fn a_review_of_a_large_fleet_is_counted_whole_and_listed_in_part() {
    let many: Vec<_> = (0..=255u8)
        .map(|number| Subject {
            id: id(number),
            ..subject(number, &format!("d{number}"), &[])
        })
        .collect();
    let review = review(
        &Policy::default(),
        &starting(StartingPolicy::OpenLab, None),
        &many,
    );
    assert_eq!((review.opens_total, review.opens.len()), (256 * 255, LISTED));
}

#[test]
fn a_fleet_begins_locked_or_open() {
    let locked = starting(StartingPolicy::Locked, Some(&"laptop".parse().unwrap()));
    assert!(reaches(&locked, LAPTOP, NAS, Proto::Any, None).is_some());
    assert!(reaches(&locked, NAS, LAPTOP, Proto::Icmp, None).is_none());
    assert_eq!(check(&locked), Ok(()));
    assert!(starting(StartingPolicy::Locked, None).rules.is_empty());
    assert!(
        reaches(
            &starting(StartingPolicy::OpenLab, None),
            NAS,
            WEB,
            Proto::Icmp,
            None
        )
        .is_some()
    );
}

#[test]
fn a_device_keeps_its_access_under_another_name() {
    let policy = policy(
        r#"{"rules":[{"name":"a","from":["device:nas","device:web"],"to":["device:nas"]}],
            "tests":[{"from":"device:nas","to":"device:web","expect":"deny"}]}"#,
    );
    let text = serde_json::to_string(&renamed(
        &policy,
        &"nas".parse().unwrap(),
        &"box".parse().unwrap(),
    ))
    .unwrap();
    assert!(!text.contains("device:nas") && text.matches("device:box").count() == 3);
}
