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
fn surroundings_are_the_same_until_something_changes() {
    let [first, second] = [0, 0].map(|_| surroundings("flotilla0", None).unwrap());
    assert_eq!(first, second);
    assert!(first.addresses.iter().all(|address| !address.is_loopback()));
}
