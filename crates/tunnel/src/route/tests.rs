//! Routes of the machine that the tests run on: its loopback always exists.

use super::*;

#[test]
fn a_range_that_is_routed_already_is_found_with_its_interface() {
    let range = "127.0.0.0/24".parse().unwrap();
    let found = overlap(range, "flotilla0").unwrap().unwrap();
    assert_eq!(found.interface, "lo");
    assert!(found.to_string().ends_with(" on lo"), "{found}");
    // The mesh's own interface does not overlap with the mesh.
    assert_eq!(overlap(range, "lo").unwrap(), None);
    // Ranges for documentation (RFC 5737) and for benchmarks (RFC 2544), which no machine routes.
    assert_eq!(
        overlap("198.51.100.0/24".parse().unwrap(), "flotilla0").unwrap(),
        None
    );
}

#[test]
fn a_name_server_inside_of_the_mesh_that_is_none_of_its_peers_would_be_lost() {
    let map: NetworkMap = serde_json::from_value(serde_json::json!({
        "revision": 1,
        "address": {"address": "100.100.0.2", "prefix": 16},
        "relay": "auto",
        "peers": [{
            "id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab",
            "name": "names",
            "public_key": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
            "address": "100.100.0.53",
            "relay": "auto",
        }],
        "relays": [],
        "filter": {"allows": []},
    }))
    .unwrap();
    let range = map.address.range().unwrap();
    for (server, covered) in [
        ("100.100.2.136", true),
        ("100.100.0.53", false),
        ("100.100.0.2", false),
        ("192.168.1.1", false),
    ] {
        assert_eq!(
            is_covered(server.parse().unwrap(), range, &map),
            covered,
            "{server}"
        );
    }
}

#[test]
fn surroundings_are_the_same_until_something_changes() {
    let [first, second] = [0, 0].map(|_| surroundings("flotilla0", None).unwrap());
    assert_eq!(first, second);
    assert!(first.addresses.iter().all(|address| !address.is_loopback()));
}
