//! Removing an address, after a dialog if a device has no other one.

use super::{Address, set_added};
use crate::{
    api::Failure,
    components::{
        confirm::{ConfirmDanger, Stakes},
        toast::{Toaster, use_toaster},
    },
    copy::addresses as copy,
    store::{Store, use_store},
};
use flotilla_protocol::{api::Verb, endpoint::Endpoint};
use leptos::{prelude::*, task::spawn_local};

/// The removal of addresses. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Removal {
    store: Store,
    toaster: Toaster,
    /// The address whose removal has to be confirmed.
    to_confirm: RwSignal<Option<Address>>,
    busy: RwSignal<bool>,
    failure: RwSignal<Option<Failure>>,
}

impl Removal {
    pub(super) fn new() -> Self {
        Self {
            store: use_store(),
            toaster: use_toaster(),
            to_confirm: RwSignal::new(None),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
        }
    }

    /// Why no address can be removed.
    pub(super) fn reason(self) -> Signal<Option<String>> {
        self.store.reason(Verb::Manage)
    }

    /// Removes an address, or opens the dialog first.
    pub(super) fn press(self, address: &Address) {
        self.failure.set(None);
        if address.depending().is_empty() {
            self.remove(address.endpoint.clone());
        } else {
            self.to_confirm.set(Some(address.clone()));
        }
    }

    fn remove(self, endpoint: Endpoint) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        let mut rest = self.added();
        let place = rest.iter().position(|known| *known == endpoint);
        rest.retain(|kept| *kept != endpoint);
        spawn_local(async move {
            let outcome = set_added(self.store, rest).await;
            let left = self.busy.try_set(false).is_some();
            match outcome {
                Ok(()) => {
                    self.to_confirm.try_set(None);
                    let text = copy::removed(&endpoint.to_string());
                    let back = Callback::new(move |()| self.put_back(&endpoint, place));
                    self.toaster.offer(text, copy::UNDO, back);
                }
                Err(failure) if left || self.to_confirm.with_untracked(Option::is_none) => {
                    self.toaster.fail(failure.to_string());
                }
                Err(failure) => self.failure.set(Some(failure)),
            }
        });
    }

    /// Adds a removed address again, to the list as it is by then.
    fn put_back(self, endpoint: &Endpoint, place: Option<usize>) {
        let added = with_back(self.added(), endpoint, place);
        spawn_local(async move {
            if let Err(failure) = set_added(self.store, added).await {
                self.toaster.fail(failure.to_string());
            }
        });
    }

    fn added(self) -> Vec<Endpoint> {
        self.store.fleet.with_untracked(|fleet| {
            fleet
                .as_ref()
                .map(|fleet| fleet.added_endpoints.clone())
                .unwrap_or_default()
        })
    }

    /// The dialog, while it is open.
    pub(super) fn question(self) -> impl IntoView {
        move || {
            let address = self.to_confirm.get()?;
            let name = address.endpoint.to_string();
            let error = Signal::derive(move || self.failure.get().map(|failure| failure.to_string()));
            let stakes = Stakes::of(copy::remove_text(&address.depending()));
            let confirm = move || self.remove(address.endpoint.clone());
            Some(view! {
                <ConfirmDanger title=copy::remove_title(&name) stakes action=copy::remove(&name)
                    keep=copy::keep(&name) busy=self.busy error on_confirm=confirm
                    on_keep=move || self.to_confirm.set(None)/>
            })
        }
    }
}

/// The list with an address at its former place, or at the end if the list is shorter by now.
fn with_back(mut list: Vec<Endpoint>, endpoint: &Endpoint, place: Option<usize>) -> Vec<Endpoint> {
    if !list.contains(endpoint) {
        let place = place.unwrap_or(list.len()).min(list.len());
        list.insert(place, endpoint.clone());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<Endpoint> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn undo_puts_back_the_one_address_and_keeps_what_changed_meanwhile() {
        let b: Endpoint = "b.example:7443".parse().unwrap();
        // A colleague removed "a" and added "d" after "b" was removed.
        let now = list(&["c.example:7443", "d.example:7443"]);
        assert_eq!(
            with_back(now, &b, Some(1)),
            list(&["c.example:7443", "b.example:7443", "d.example:7443"])
        );
        assert_eq!(with_back(Vec::new(), &b, Some(1)), list(&["b.example:7443"]));
        let there = list(&["b.example:7443"]);
        assert_eq!(with_back(there.clone(), &b, Some(0)), there);
    }
}
