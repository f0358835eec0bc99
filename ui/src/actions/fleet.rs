//! What can be done to the fleet, which is no object of a list. The head of a page, an empty list, a key and the
//! palette offer it, each from the one declaration here.

use super::{Acting, use_acting};
use crate::{
    components::{
        button::{Button, ButtonKind},
        icon::{Glyph, lucide},
    },
    copy::devices as copy,
    registry,
    store::Store,
};
use flotilla_protocol::api::Verb;
use leptos::prelude::*;

/// An action on the fleet, which has an address where it is done.
#[derive(Debug, PartialEq, Eq)]
pub struct FleetAction {
    /// What it is called, wherever it is offered.
    pub verb: &'static str,
    pub glyph: Glyph,
    /// What a caller has to be allowed, if only for some devices.
    pub needs: Verb,
    pub address: &'static str,
    /// The single key that begins it on every page.
    pub key: &'static str,
}

pub static ADD_DEVICE: FleetAction = FleetAction {
    verb: copy::ADD,
    glyph: lucide::PLUS,
    needs: Verb::Enroll,
    address: registry::ADD_DEVICE,
    key: "a",
};

pub static FLEET_ACTIONS: [&FleetAction; 1] = [&ADD_DEVICE];

impl FleetAction {
    /// Why it cannot be done; follows the store.
    #[must_use]
    pub fn reason(&self, store: Store) -> Option<String> {
        store.why_nowhere(self.needs)
    }

    /// Opens the place where it is done, or says why it cannot be.
    pub fn begin(&self, acting: Acting) {
        match untrack(|| self.reason(acting.store)) {
            Some(reason) => acting.toaster.fail(reason),
            None => acting.go(self.address),
        }
    }

    /// The primary button of a view.
    #[must_use]
    pub fn button(&'static self) -> AnyView {
        let acting = use_acting();
        let reason = Signal::derive(move || self.reason(acting.store));
        view! {
            <Button label=self.verb kind=ButtonKind::Primary glyph=self.glyph reason on_press=move || self.begin(acting)/>
        }
        .into_any()
    }
}
