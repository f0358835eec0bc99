//! The addresses of the controller, tested by itself and tried by devices.

mod add_address;
mod address;
mod list;
mod removal;

pub use add_address::AddAddress;
pub use address::{Address, addresses};
pub use list::AddressList;

use crate::{
    api::{Failure, send},
    store::{Known, Store, ask},
};
use flotilla_protocol::{
    api::{ReachableAt, TestAddresses, UpdateFleet},
    endpoint::Endpoint,
};
use leptos::prelude::*;

/// The controller's own test of its addresses. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub struct SelfTest {
    outcome: RwSignal<Known<Vec<ReachableAt>>>,
    pub busy: Memo<bool>,
}

impl SelfTest {
    /// A test that runs now and whenever the addresses change.
    #[must_use]
    pub fn following(store: Store) -> Self {
        let outcome = RwSignal::new(Known::default());
        let busy = Memo::new(move |_| outcome.with(|outcome: &Known<_>| outcome.load().is_going()));
        let test = Self { outcome, busy };
        let endpoints = Memo::new(move |_| {
            store
                .fleet
                .with(|fleet| fleet.as_ref().map(|fleet| fleet.endpoints.clone()))
        });
        Effect::new(move || {
            if endpoints.with(Option::is_some) {
                test.run();
            }
        });
        test
    }

    pub fn run(self) {
        ask(self.outcome, TestAddresses);
    }

    /// The result of the last test per address; empty before the first one.
    #[must_use]
    pub fn answers(self) -> Vec<ReachableAt> {
        self.outcome
            .with(|outcome| outcome.value().cloned().unwrap_or_default())
    }

    /// Whether any address answered; `None` before the first result.
    #[must_use]
    pub fn is_any_reachable(self) -> Option<bool> {
        self.outcome
            .with(|outcome| Some(outcome.value()?.iter().any(|answer| answer.reachable)))
    }

    /// Why the last test failed.
    #[must_use]
    pub fn failure(self) -> Option<Failure> {
        self.outcome.with(|outcome| outcome.load().failure().cloned())
    }
}

/// Whether a device outside of the local network can reach the controller. An address that a person added counts as
/// reachable, even if it looks like a local one.
#[must_use]
pub fn is_reachable_from_outside(store: Store) -> bool {
    store.fleet.with(|fleet| {
        fleet
            .as_ref()
            .is_none_or(|fleet| fleet.reachable_from_outside || !fleet.added_endpoints.is_empty())
    })
}

/// Replaces the addresses that people added.
///
/// # Errors
/// The controller refused or did not answer.
async fn set_added(store: Store, added: Vec<Endpoint>) -> Result<(), Failure> {
    let request = UpdateFleet {
        added_endpoints: Some(added),
        ..UpdateFleet::default()
    };
    let fleet = send(&request).await?;
    store.take_fleet(fleet);
    Ok(())
}
