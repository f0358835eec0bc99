//! What people see of policies.

use super::*;
use serde_json::json;

#[test]
fn a_review_is_a_table_of_what_opens_closes_and_is_cut() {
    let reach = |from: &str, to: &str, proto: &str, ports: &str| json!({"from": from, "to": to, "proto": proto, "ports": ports});
    let review: PolicyReview = serde_json::from_value(json!({
        "opens": [reach("laptop", "nas", "tcp", "22, 80-90"), reach("10.0.0.0/8", "web", "any", "any")],
        "closes": [reach("cam", "nas", "icmp", "any")],
        "cuts": [reach("cam", "nas", "icmp", "any")],
        "opens_total": 7, "closes_total": 1, "failing": [], "warnings": [],
    }))
    .unwrap();
    insta::assert_snapshot!(changes(&review), @r"
    CHANGE   FROM         TO    ON
    opens    laptop       nas   tcp 22, 80-90
    opens    10.0.0.0/8   web   any
    closes   cam          nas   icmp
    cuts     cam          nas   icmp
    … and 5 more
    ");
    assert_eq!(summary(&review), "opens 7, closes 1, cuts 1 live connection");
    assert_eq!(changes(&PolicyReview::default()).to_string(), "");
}

#[test]
fn an_answer_names_the_rules_that_come_close() {
    let explanation: Explanation = serde_json::from_value(json!({
        "allowed": false, "message": "Blocked: no rule matches",
        "nearest": [{"rule": "web", "differs": ["its ports are 80, 443", "it is switched off"]}],
    }))
    .unwrap();
    insta::assert_snapshot!(answer(&explanation), @r"
    Blocked: no rule matches.

    NEAREST RULE   WHY IT DOES NOT MATCH
    web            its ports are 80, 443; it is switched off
    ");
}
