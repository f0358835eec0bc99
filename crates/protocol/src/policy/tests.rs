//! What a policy document may say, and how it is written.

use super::*;
use proptest::prelude::*;

const DOCUMENT: &str = r#"{
    "rules": [
        {"name": "web from laptops", "enabled": true, "from": ["tag:laptop", "device:desk"],
         "to": ["tag:web+tag:prod"], "proto": "tcp", "ports": [80, 443, "8000-8010"]},
        {"name": "ping", "from": ["any"], "to": ["cidr:100.64.0.0/10"], "proto": "icmp"}
    ],
    "tests": [{"from": "tag:laptop", "to": "device:nas", "proto": "tcp", "port": 22, "expect": "deny"}]
}"#;

#[test]
fn a_document_reads_and_writes() {
    let policy: Policy = serde_json::from_str(DOCUMENT).unwrap();
    assert_eq!(policy.rules[0].ports.to_string(), "80, 443, 8000-8010");
    assert!(policy.rules[1].enabled && policy.rules[1].ports == Ports::Any);
    let written = serde_json::to_string(&policy).unwrap();
    assert!(written.contains(r#""ports":[80,443,"8000-8010"]"#) && written.contains(r#""ports":"any""#));
    assert_eq!(serde_json::from_str::<Policy>(&written).unwrap(), policy);
}

#[test]
fn selectors_say_what_can_be_written() {
    for good in [
        "any",
        "tag:a",
        "tag:a+tag:b",
        "device:nas",
        "user:ada",
        "cidr:10.0.0.0/8",
    ] {
        assert_eq!(good.parse::<Selector>().unwrap().to_string(), good);
    }
    for bad in [
        "",
        "all",
        "tag:",
        "tag:a+b",
        "tag:a+device:b",
        "device:Ä",
        "user:",
        "cidr:10.0.0.0",
    ] {
        let error = bad.parse::<Selector>().unwrap_err().to_string();
        assert!(error.contains("tag:NAME"), "{bad}: {error}");
    }
}

#[test]
fn ports_outside_of_their_range_are_refused() {
    for bad in ["[0]", "[65536]", "[\"9-8\"]", "[\"1-\"]", "[\"+1\"]", "\"some\""] {
        assert!(serde_json::from_str::<Ports>(bad).is_err(), "{bad}");
    }
    assert_eq!(
        serde_json::from_str::<Ports>("\"53\"").unwrap(),
        Ports::Only(vec![PortRange::new(53, 53).unwrap()])
    );
}

#[test]
fn a_misspelled_field_is_named() {
    let error = serde_json::from_str::<Policy>(r#"{"rule": []}"#).unwrap_err();
    assert!(error.to_string().contains("`rule`"), "{error}");
}

proptest! {
    #[test]
    fn any_selector_text_is_answered(text in "[a-z:+./0-9]{0,24}") {
        if let Ok(selector) = text.parse::<Selector>() {
            prop_assert_eq!(selector.to_string().parse(), Ok(selector));
        }
    }

    #[test]
    fn port_ranges_print_as_they_parse(a in 1u16.., b in 1u16..) {
        let range = PortRange::new(a.min(b), a.max(b)).unwrap();
        prop_assert_eq!(range.to_string().parse(), Ok(range));
    }
}
