//! Rules in the JSON that nft prints.

use super::*;
use serde_json::json;

/// A table with a base chain and other chains, from pairs of a chain and a rule.
fn table(policy: &str, rules: &[(&str, Value)]) -> Value {
    let base =
        json!({"chain": {"family": "inet", "table": "t", "name": "in", "hook": "input", "policy": policy}});
    let mut objects = vec![json!({"metainfo": {}}), base];
    let rule = |(chain, parts): &(&str, Value)| json!({"rule": {"family": "inet", "table": "t", "chain": chain, "expr": parts}});
    objects.extend(rules.iter().map(rule));
    json!({"nftables": objects})
}

fn answers() -> Value {
    json!([{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}, {"accept": null}])
}

fn itself() -> Value {
    json!([{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lo"}}, {"accept": null}])
}

fn port(right: Value) -> Value {
    json!([{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": right}}, {"counter": {}}, {"accept": null}])
}

fn is_shut(rules: &Value) -> bool {
    blocking_chain(rules, 7443).is_some()
}

#[test]
fn answers_this_computer_itself_and_another_port_let_no_device_in() {
    let mut rules = vec![("in", answers()), ("in", itself()), ("in", port(json!(22)))];
    rules.push(("in", json!([{"match": {"op": "==", "left": {"payload": {"protocol": "icmp", "field": "type"}}, "right": "echo-request"}}, {"accept": null}])));
    assert_eq!(
        blocking_chain(&table("drop", &rules), 7443).as_deref(),
        Some("inet t in")
    );
    assert!(!is_shut(&table("accept", &rules)));
    for right in [
        json!(7443),
        json!({"set": [22, {"range": [7000, 7500]}]}),
        json!({"range": [1, 65535]}),
        json!("@ports"),
    ] {
        let mut rules = rules.clone();
        rules.push(("in", port(right.clone())));
        assert!(!is_shut(&table("drop", &rules)), "{right}");
    }
}

#[test]
fn a_last_rule_that_rejects_is_a_policy_and_what_follows_it_counts_for_nothing() {
    let reject = json!([{"reject": {"type": "icmpx"}}]);
    assert!(is_shut(&table(
        "accept",
        &[("in", itself()), ("in", reject.clone())]
    )));
    assert!(is_shut(&table(
        "accept",
        &[("in", reject), ("in", port(json!(7443)))]
    )));
}

#[test]
fn other_chains_are_followed_and_what_is_not_understood_may_let_it_in() {
    let jump = json!([{"jump": {"target": "zone"}}]);
    let leads = |rule: Value| is_shut(&table("drop", &[("in", jump.clone()), ("zone", rule)]));
    assert!(leads(port(json!(22))));
    assert!(!leads(port(json!(7443))));
    assert!(!leads(
        json!([{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "10.0.0.0/8"}}, {"accept": null}])
    ));
    assert!(!leads(json!([{"vmap": {"key": {}, "data": {}}}])));
    assert!(!leads(json!([{"jump": {"target": "zone"}}])), "a circle");
    assert!(leads(
        json!([{"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": "dnat"}}, {"accept": null}])
    ));
    assert!(leads(
        json!([{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"set": ["icmp", "ipv6-icmp"]}}}, {"accept": null}])
    ));
}

#[test]
fn chains_that_many_rules_lead_to_are_read_once() {
    let names: Vec<_> = (0..16).map(|depth| format!("c{depth}")).collect();
    let jump = |to: &str| json!([{"jump": {"target": to}}]);
    let mut rules = vec![("in", jump("c0"))];
    for pair in names.windows(2) {
        rules.extend((0..20).map(|_| (pair[0].as_str(), jump(&pair[1]))));
    }
    // 20 to the 15th power ways lead to the last chain.
    assert!(is_shut(&table("drop", &rules)));
    rules.push(("c15", port(json!(7443))));
    assert!(!is_shut(&table("drop", &rules)));
}

#[test]
fn rules_of_iptables_are_read_as_far_as_they_are_told() {
    let matched = |name: &str| json!({"xt": {"type": "match", "name": name}});
    let rejects = json!([{"counter": {}}, {"xt": {"type": "target", "name": "REJECT"}}]);
    let alone = json!([matched("conntrack"), {"counter": {}}, {"accept": null}]);
    assert!(is_shut(&table(
        "accept",
        &[("in", alone.clone()), ("in", itself()), ("in", rejects.clone())]
    )));
    let tcp = json!({"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "tcp"}});
    let ports = json!([tcp, matched("multiport"), {"accept": null}]);
    assert!(!is_shut(&table(
        "accept",
        &[("in", alone), ("in", ports), ("in", rejects)]
    )));
}

#[test]
fn no_rules_and_rules_for_others_keep_no_device_out() {
    assert!(!is_shut(&json!({"nftables": []})));
    assert!(!is_shut(&json!("nonsense")));
    let forward = json!({"nftables": [{"chain": {"family": "inet", "table": "t", "name": "f", "hook": "forward", "policy": "drop"}}]});
    assert!(!is_shut(&forward));
}
