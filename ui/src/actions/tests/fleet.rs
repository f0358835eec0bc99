//! Actions on the fleet: begun only by those who may.

use super::super::{Acting, fleet::ADD_DEVICE};
use crate::{components::toast::Toaster, session::Session, store::Store};
use flotilla_protocol::{
    activity::Actor,
    api::{Allowed, CallerFacts, Scope, Verb},
};
use leptos::prelude::*;
use std::sync::{Arc, Mutex};

/// A session that may view everything, and enroll devices where `scope` is.
fn session(scope: Option<Scope>) -> Session {
    let view = Allowed {
        verb: Verb::View,
        scope: Scope::All,
    };
    let enroll = scope.map(|scope| Allowed {
        verb: Verb::Enroll,
        scope,
    });
    Session::Open(Arc::new(CallerFacts {
        who: Actor::Token { name: "ci".into() },
        may: [view].into_iter().chain(enroll).collect(),
    }))
}

#[test]
fn a_device_is_added_by_who_may_enroll_some_device_and_others_are_told_why_not() {
    let owner = Owner::new();
    owner.set();
    let store = Store::provide();
    let opened = Arc::new(Mutex::new(Vec::new()));
    let go = {
        let opened = opened.clone();
        Arc::new(move |path: &str| opened.lock().unwrap().push(path.to_owned()))
    };
    let acting = Acting::new(store, Toaster::provide(), Signal::derive(String::new), go);
    let edge = Scope::Part {
        tags: ["edge".parse().unwrap()].into(),
        devices: [].into(),
    };
    for (scope, may) in [
        (None, false),
        (Some(Scope::none()), false),
        (Some(edge), true),
        (Some(Scope::All), true),
    ] {
        opened.lock().unwrap().clear();
        store.session.set(session(scope.clone()));
        let reason = untrack(|| ADD_DEVICE.reason(store));
        assert_eq!(reason.is_none(), may, "{scope:?}: {reason:?}");
        ADD_DEVICE.begin(acting);
        let expected: &[&str] = if may { &["/devices/add"] } else { &[] };
        assert_eq!(*opened.lock().unwrap(), expected, "{scope:?}");
    }
}
