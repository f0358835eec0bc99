//! What this page's caller may do. Until that is known, everything: the controller decides in any case.

use super::Store;
use crate::{copy::session as copy, session::Session};
use flotilla_protocol::{
    activity::Actor,
    api::{Scope, Verb},
    device::Device,
};
use leptos::prelude::*;

impl Store {
    /// Who this page's caller is, once that is known.
    #[must_use]
    pub fn who(self) -> Option<Actor> {
        match self.session.get() {
            Session::Open(caller) => Some(caller.who.clone()),
            Session::Opening | Session::Missing => None,
        }
    }

    /// Whether it may do this on the device.
    #[must_use]
    pub fn may(self, verb: Verb, device: &Device) -> bool {
        self.in_scope(verb, |scope| scope.covers(device.id, &device.tags))
    }

    /// Whether it may do this to what belongs to the fleet as a whole.
    #[must_use]
    pub fn may_everywhere(self, verb: Verb) -> bool {
        self.in_scope(verb, Scope::is_all)
    }

    /// Why it may not do this on the device, or, without one, to the fleet as a whole; `None` if it may.
    #[must_use]
    pub fn why_not(self, verb: Verb, device: Option<&Device>) -> Option<String> {
        let may = device.map_or_else(|| self.may_everywhere(verb), |device| self.may(verb, device));
        (!may).then(|| copy::why_not(verb, device.map(|device| device.name.as_str())))
    }

    /// The reason for controls that do this to the fleet as a whole.
    #[must_use]
    pub fn reason(self, verb: Verb) -> Signal<Option<String>> {
        Signal::derive(move || self.why_not(verb, None))
    }

    /// Why there is no device on which it may do this; `None` if there can be one.
    #[must_use]
    pub fn why_nowhere(self, verb: Verb) -> Option<String> {
        let may = self.in_scope(verb, |scope| !scope.is_none());
        (!may).then(|| copy::why_nowhere(verb))
    }

    fn in_scope(self, verb: Verb, holds: impl FnOnce(&Scope) -> bool) -> bool {
        self.session.with(|session| match session {
            Session::Open(caller) => caller.scope(verb).is_some_and(holds),
            Session::Opening | Session::Missing => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::dashboard::tests::device;
    use flotilla_protocol::{
        api::{Allowed, CallerFacts},
        device::DeviceStatus,
    };
    use std::sync::Arc;

    #[test]
    fn a_caller_may_do_what_its_scopes_cover_and_is_told_why_not_elsewhere() {
        let owner = Owner::new();
        owner.set();
        let store = Store::provide();
        let (mut web, lab) = (
            device("web", DeviceStatus::Online),
            device("lab", DeviceStatus::Online),
        );
        web.tags = vec!["prod".parse().unwrap()];
        assert!(store.may(Verb::Manage, &lab) && store.why_not(Verb::Manage, None).is_none());
        let prod = Scope::Part {
            tags: web.tags.iter().cloned().collect(),
            devices: [].into(),
        };
        let may = [(Verb::View, Scope::All), (Verb::Operate, prod)];
        let may = may.map(|(verb, scope)| Allowed { verb, scope }).into();
        let who = Actor::Token { name: "ci".into() };
        store.session.set(Session::Open(Arc::new(CallerFacts {
            who: who.clone(),
            may,
        })));
        assert_eq!(store.who(), Some(who));
        assert!(store.may(Verb::Operate, &web) && !store.may(Verb::Operate, &lab));
        assert!(store.may_everywhere(Verb::View) && !store.may_everywhere(Verb::Operate));
        assert!(!store.may_everywhere(Verb::Manage) && !store.may(Verb::Manage, &web));
        let why = store.why_not(Verb::Operate, Some(&lab)).unwrap();
        assert!(why.contains("lab") && why.contains("operate"), "{why}");
        assert!(store.why_nowhere(Verb::Operate).is_none());
        let why = store.why_nowhere(Verb::Enroll).unwrap();
        assert!(why.contains("any device") && why.contains("enroll"), "{why}");
        let why = store.why_not(Verb::Tokens, None).unwrap();
        assert!(why.contains("owner"), "{why}");
    }
}
