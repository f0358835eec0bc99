//! Generated callers on generated fleets, beside a reference that lists every verb on every device one by one.

use super::*;
use flotilla_protocol::api::Role;
use proptest::{collection, prelude::*, sample::subsequence};
use std::collections::BTreeSet;

const TAGS: [&str; 4] = ["prod", "lab", "edge", "home"];

/// A device as the reference sees it.
#[derive(Debug, Clone)]
struct Thing {
    id: DeviceId,
    tags: Vec<Tag>,
}

fn id(nth: u128) -> DeviceId {
    DeviceId(uuid::Uuid::from_u128(nth))
}

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

fn fleet() -> impl Strategy<Value = Vec<Thing>> {
    collection::vec(subsequence(TAGS.to_vec(), 0..=TAGS.len()), 1..6).prop_map(|devices| {
        let device = |(nth, tags): (usize, Vec<&str>)| Thing {
            id: id(nth as u128),
            tags: tags.into_iter().map(tag).collect(),
        };
        devices.into_iter().enumerate().map(device).collect()
    })
}

fn scope() -> impl Strategy<Value = Scope> {
    let part = (
        subsequence(TAGS.to_vec(), 0..=2),
        subsequence((0..6).collect::<Vec<u128>>(), 0..=2),
    );
    let part = part.prop_map(|(tags, devices)| Scope::Part {
        tags: tags.into_iter().map(tag).collect(),
        devices: devices.into_iter().map(id).collect(),
    });
    prop_oneof![1 => Just(Scope::All), 6 => part, 1 => Just(Scope::Unknown)]
}

fn grant() -> impl Strategy<Value = Grant> {
    (
        subsequence(Role::ALL.to_vec(), 0..=1),
        subsequence(Verb::ALL.to_vec(), 0..=2),
        scope(),
    )
        .prop_map(|(roles, verbs, scope)| Grant {
            roles: roles.into_iter().collect(),
            verbs: verbs.into_iter().collect(),
            scope,
        })
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    collection::vec(grant(), 0..4)
}

fn caller(grants: Vec<Grant>) -> Caller {
    Caller::token("ci".parse().unwrap(), grants)
}

/// Everything that grants allow, as pairs of a verb and a device, found by going through all of them.
fn listed(grants: &[Grant], fleet: &[Thing]) -> BTreeSet<(Verb, DeviceId)> {
    let mut allowed = BTreeSet::new();
    for grant in grants {
        let mut verbs: Vec<Verb> = grant.verbs.iter().copied().collect();
        for role in &grant.roles {
            verbs.extend(role.verbs());
        }
        for device in fleet {
            let is_there = match &grant.scope {
                Scope::All => true,
                Scope::Part { tags, devices } => {
                    let shared = device.tags.iter().filter(|tag| tags.contains(tag));
                    shared.count() + usize::from(devices.contains(&device.id)) > 0
                }
                Scope::Unknown => false,
            };
            if is_there {
                allowed.extend(verbs.iter().map(|verb| (*verb, device.id)));
            }
        }
    }
    allowed.retain(|(verb, _)| ![Verb::Ssh, Verb::SignIn, Verb::Tokens].contains(verb));
    allowed
}

fn allowed(caller: &Caller, fleet: &[Thing]) -> BTreeSet<(Verb, DeviceId)> {
    let mut allowed = BTreeSet::new();
    for device in fleet {
        for verb in Verb::ALL {
            if caller.may(*verb, device.id, &device.tags) == Decision::Allowed {
                allowed.insert((*verb, device.id));
            }
        }
    }
    allowed
}

proptest! {
    #[test]
    fn a_caller_may_what_its_grants_list_and_sees_what_it_may_view(grants in grants(), fleet in fleet()) {
        let (listed, caller) = (listed(&grants, &fleet), caller(grants));
        for device in &fleet {
            let sees = listed.contains(&(Verb::View, device.id));
            for verb in Verb::ALL {
                let expected = match (listed.contains(&(*verb, device.id)), sees) {
                    (true, _) => Decision::Allowed,
                    (false, true) => Decision::Forbidden,
                    (false, false) => Decision::Hidden,
                };
                prop_assert_eq!(caller.may(*verb, device.id, &device.tags), expected, "{} {:?}", verb, device);
                let is_covered = caller.scope(*verb).covers(device.id, &device.tags);
                prop_assert_eq!(is_covered, expected == Decision::Allowed, "lists and single devices agree");
            }
        }
    }

    #[test]
    fn one_more_grant_takes_nothing_away(grants in grants(), more in grant(), fleet in fleet()) {
        let before = caller(grants.clone());
        let after = caller(grants.into_iter().chain([more]).collect());
        prop_assert!(allowed(&before, &fleet).is_subset(&allowed(&after, &fleet)));
        for verb in Verb::ALL {
            prop_assert!(!before.may_everywhere(*verb) || after.may_everywhere(*verb));
            prop_assert!(!before.may_somewhere(*verb) || after.may_somewhere(*verb));
        }
    }

    #[test]
    fn the_order_of_grants_means_nothing(grants in grants(), fleet in fleet()) {
        let reversed = caller(grants.iter().rev().cloned().collect());
        prop_assert_eq!(allowed(&caller(grants), &fleet), allowed(&reversed, &fleet));
    }

    #[test]
    fn what_only_the_owner_may_no_grant_gives(grants in grants(), fleet in fleet()) {
        let (caller, owner) = (caller(grants), Caller::owner());
        for verb in Verb::ALL.iter().filter(|verb| verb.is_owners()) {
            prop_assert!(!caller.may_somewhere(*verb) && !caller.may_everywhere(*verb));
        }
        prop_assert_eq!(allowed(&owner, &fleet).len(), Verb::ALL.len() * fleet.len());
    }

    #[test]
    fn a_part_of_the_fleet_is_never_the_whole(grants in grants()) {
        for verb in Verb::ALL.iter().filter(|verb| !verb.is_owners()) {
            let whole = grants.iter().any(|grant| grant.scope == Scope::All && grant.allows(*verb));
            prop_assert_eq!(caller(grants.clone()).may_everywhere(*verb), whole);
        }
    }

    #[test]
    fn nobody_tags_a_device_into_or_out_of_what_is_not_theirs(
        grants in grants(), fleet in fleet(), changed in subsequence(TAGS.to_vec(), 1..=TAGS.len()),
    ) {
        let changed: Vec<_> = changed.into_iter().map(tag).collect();
        let may_tag = grants.iter().any(|grant| grant.allows(Verb::Tags));
        let caller = caller(grants);
        for device in &fleet {
            if !caller.may_retag(device.id, &device.tags, &changed) {
                continue;
            }
            prop_assert!(may_tag, "to see or to manage a device is not to tag it");
            prop_assert_eq!(caller.may(Verb::Tags, device.id, &device.tags), Decision::Allowed);
            for tag in &changed {
                let stranger = id(99);
                prop_assert!(caller.scope(Verb::Tags).covers(stranger, std::slice::from_ref(tag)));
            }
        }
    }

    #[test]
    fn a_device_that_was_added_is_in_the_scope_of_who_added_it(grants in grants(), tags in subsequence(TAGS.to_vec(), 0..=3)) {
        let (caller, tags) = (caller(grants), tags.into_iter().map(tag).collect::<Vec<_>>());
        if caller.may_add(&tags) {
            prop_assert_eq!(caller.may(Verb::Enroll, id(99), &tags), Decision::Allowed);
            for tag in tags {
                prop_assert_eq!(caller.may(Verb::Enroll, id(99), &[tag]), Decision::Allowed);
            }
        }
    }
}

#[test]
fn a_viewer_of_a_tag_sees_its_devices_and_changes_nothing() {
    let scope = Scope::Part {
        tags: BTreeSet::from([tag("prod")]),
        devices: BTreeSet::new(),
    };
    let roles = BTreeSet::from([Role::Viewer]);
    let caller = caller(vec![Grant {
        roles,
        verbs: BTreeSet::new(),
        scope,
    }]);
    let (ours, theirs) = ([tag("prod"), tag("edge")], [tag("lab")]);
    assert_eq!(caller.may(Verb::View, id(1), &ours), Decision::Allowed);
    assert_eq!(caller.may(Verb::Operate, id(1), &ours), Decision::Forbidden);
    assert_eq!(caller.may(Verb::View, id(2), &theirs), Decision::Hidden);
    assert!(!caller.may_everywhere(Verb::View) && caller.may_somewhere(Verb::View));
    assert!(!caller.may_retag(id(1), &ours, &[tag("prod")]));
    assert_eq!(caller.actor(), Actor::Token { name: "ci".into() });
    assert_eq!(caller.who().to_string(), "token ci");
}
