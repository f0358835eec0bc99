//! Tests of [`super`].

use super::*;
use std::collections::BTreeSet;

fn at(address: &str) -> (&'static str, &'static str) {
    let place = locate(address).unwrap();
    (place.page.path, place.inner)
}

#[test]
fn an_address_opens_its_page_with_what_is_open_in_it() {
    assert_eq!(at("/"), ("/", ""));
    assert_eq!(at("/devices"), ("/devices", ""));
    assert_eq!(at("/devices/add"), ("/devices", "add"));
    assert_eq!(at("/devices/nas/trust"), ("/devices/:device", "trust"));
    assert_eq!(at("/mesh/policy/explain"), ("/mesh", "policy/explain"));
    assert_eq!(locate("/mesh/policy/explain").unwrap().tab(), "policy");
    assert_eq!(at("/containers/nas/web"), ("/containers", ":device/:item"));
    assert_eq!(
        at("/containers/nas/web/inspect"),
        ("/containers/:device/:container", "inspect")
    );
    assert_eq!(at("/images/nas/sha256%3Aab"), ("/images", ":device/:item"));
}

#[test]
fn parameters_are_decoded_and_an_absent_one_is_nothing() {
    let place = locate("/images/nas/library%2Fweb%3A1").unwrap();
    assert_eq!(
        (place.param("device"), place.param("item")),
        ("nas", "library/web:1")
    );
    assert_eq!(place.param("container"), "");
}

#[test]
fn an_address_of_no_page_opens_none() {
    for address in [
        "/nowhere",
        "/devices/nas/nowhere",
        "/mesh/nowhere",
        "/images/nas",
        "/images/a/b/c",
    ] {
        assert_eq!(locate(address), None, "{address}");
    }
}

#[test]
fn a_tab_or_a_panel_is_the_same_page_and_another_object_is_not() {
    let same = |one: &str, other: &str| locate(one).unwrap().is_page_of(&locate(other).unwrap());
    assert!(same("/devices", "/devices/add"));
    assert!(same("/devices/nas", "/devices/nas/trust"));
    assert!(same("/containers", "/containers/nas/web"));
    assert!(same("/containers/nas/web/logs", "/containers/nas/web/inspect"));
    assert!(!same("/containers/nas/web", "/containers/nas/web/inspect"));
    assert!(!same("/devices", "/devices/nas"));
    assert!(!same("/devices/nas", "/devices/desk"));
}

#[test]
fn addresses_names_and_keys_are_of_one_page_each() {
    for page in PAGES {
        for inside in page.insides() {
            let address = format!("{}/{inside}", page.path).replace(':', "any-");
            assert_eq!(at(&address), (page.path, inside), "another page has its address");
        }
    }
    let keys: Vec<_> = nav().filter_map(|(_, nav)| nav.key).collect();
    let titles: Vec<_> = nav().map(|(page, _)| page.title).collect();
    for all in [keys, titles] {
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
    }
}
