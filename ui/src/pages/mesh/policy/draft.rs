//! The draft of the policy, and the policy in force that it is based on.
//!
//! Life cycle: empty → loaded → changed → saved, which is loaded again. An unchanged draft follows every save by
//! another person; for a changed one such a save is a conflict: nothing is saved until the person has compared both.

use super::{compare::Edits, conflict::Compared};
use crate::{
    api::send,
    components::toast::{Toaster, use_toaster},
    copy::policy as copy,
    store::{Store, use_store},
};
use flotilla_policy::{Subject, check, run_tests, selects};
use flotilla_protocol::{
    api::{PolicyInForce, SetPolicy},
    device::DeviceStatus,
    policy::{Policy, PolicyTest, Rule, Selector},
};
use leptos::{prelude::*, task::spawn_local};

/// The draft. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub(in crate::pages::mesh) struct PolicyDraft {
    pub(super) policy: RwSignal<Policy>,
    /// The policy in force when editing began.
    base: RwSignal<Option<PolicyInForce>>,
    /// Why the policy could not be loaded.
    pub(super) failure: RwSignal<Option<String>>,
    /// Why the draft was not saved.
    pub(super) refused: RwSignal<Option<String>>,
    pub(super) busy: RwSignal<bool>,
    store: Store,
    toaster: Toaster,
}

impl PolicyDraft {
    pub(in crate::pages::mesh) fn new() -> Self {
        let store = use_store();
        let draft = Self {
            policy: RwSignal::default(),
            base: RwSignal::new(None),
            failure: RwSignal::new(None),
            refused: RwSignal::new(None),
            busy: RwSignal::new(false),
            store,
            toaster: use_toaster(),
        };
        Effect::new(move || {
            if let Some(newer) = store.policy.get()
                && !untrack(|| draft.is_changed())
            {
                draft.take(newer);
            }
        });
        draft
    }

    /// Loads the policy in force, unless it is loaded.
    pub(super) fn load(self) {
        if self.store.policy.with_untracked(Option::is_some) {
            return;
        }
        self.failure.set(None);
        spawn_local(async move {
            if let Err(failure) = self.store.load_policy().await {
                self.failure.try_set(Some(failure.to_string()));
            }
        });
    }

    fn take(self, newer: PolicyInForce) {
        self.policy.set(newer.policy.clone());
        self.base.set(Some(newer));
    }

    pub(super) fn is_loaded(self) -> bool {
        self.base.with(Option::is_some)
    }

    pub(super) fn is_changed(self) -> bool {
        self.base.with(|base| {
            base.as_ref()
                .is_some_and(|base| self.policy.with(|policy| *policy != base.policy))
        })
    }

    pub(super) fn caption(self) -> String {
        self.base.with(|base| {
            base.as_ref()
                .map(|base| copy::in_force(base.revision, &base.by))
                .unwrap_or_default()
        })
    }

    /// The policy that was saved elsewhere since editing began, if the draft is changed.
    fn newer(self) -> Option<PolicyInForce> {
        let known = self.base.with(|base| base.as_ref().map(|base| base.revision))?;
        let newer = self.store.policy.get()?;
        (newer.revision > known && self.is_changed()).then_some(newer)
    }

    /// Why the draft can't be saved: another policy was saved elsewhere.
    pub(super) fn conflict(self) -> Option<String> {
        let newer = self.newer()?;
        Some(copy::edited_elsewhere(&newer.by, newer.revision))
    }

    /// The edits of the draft beside those that were saved elsewhere, if there is a conflict.
    pub(super) fn compared(self) -> Option<Compared> {
        let newer = self.newer()?;
        let base = self.base.get()?.policy;
        Some(Compared {
            own: self.policy.with(|policy| Edits::between(&base, policy)),
            theirs: Edits::between(&base, &newer.policy),
            by: newer.by,
            revision: newer.revision,
        })
    }

    /// Puts the edits of the draft on top of the policy that was saved elsewhere.
    pub(super) fn put_on_top(self) {
        let (compared, newer) = untrack(|| (self.compared(), self.newer()));
        if let (Some(compared), Some(newer)) = (compared, newer) {
            self.refused.set(None);
            self.policy.set(compared.own.on_top_of(&newer.policy));
            self.base.set(Some(newer));
        }
    }

    pub(super) fn discard(self) {
        self.refused.set(None);
        if let Some(newer) = self.store.policy.get_untracked() {
            self.take(newer);
        }
    }

    /// The tests that the draft fails.
    pub(super) fn failing(self) -> Vec<PolicyTest> {
        let subjects = subjects();
        let failed = self.policy.with(|policy| run_tests(policy, &subjects));
        failed.into_iter().map(|failed| failed.test).collect()
    }

    /// Saves the draft in place of the revision that it is based on. The controller refuses it if another one is in
    /// force; that is then shown as a conflict.
    pub(super) fn save(self, after: Callback<()>) {
        let policy = self.policy.get_untracked();
        if let Err(flaw) = check(&policy) {
            self.refused.set(Some(copy::not_saved(&flaw.to_string())));
            return;
        }
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.refused.set(None);
        let revision = self
            .base
            .with_untracked(|base| base.as_ref().map(|base| base.revision));
        spawn_local(async move {
            match send(&SetPolicy { policy, revision }).await {
                Ok(saved) => {
                    self.toaster.confirm(copy::saved(saved.revision));
                    self.store.take_policy(saved.clone());
                    self.base.try_set(Some(saved));
                    after.try_run(());
                }
                Err(failure) => {
                    self.refused.try_set(Some(copy::not_saved(&failure.to_string())));
                    _ = self.store.load_policy().await;
                }
            }
            self.busy.try_set(false);
        });
    }
}

/// The devices that rules can select.
pub(super) fn subjects() -> Vec<Subject> {
    use_store().devices.with(|devices| {
        let trusted = devices
            .rows()
            .values()
            .filter(|device| device.status != DeviceStatus::Revoked);
        trusted.map(|device| Subject::of(device)).collect()
    })
}

/// The devices that these selectors select now, in words.
pub(super) fn devices_text(selectors: &[Selector]) -> String {
    let subjects = subjects();
    let is_selected = |subject: &&Subject| selectors.iter().any(|selector| selects(selector, subject));
    let names: Vec<_> = subjects
        .iter()
        .filter(is_selected)
        .map(|subject| subject.name.as_str())
        .collect();
    copy::means(&names)
}

/// The devices that a rule allows to reach but cannot be reached, since they are in bridge networking; in words.
pub(super) fn unreachable_devices_of(rule: &Rule) -> Option<String> {
    let subjects = subjects();
    let unreachable = subjects.iter().filter(|subject| {
        !subject.is_reachable() && rule.to.iter().any(|selector| selects(selector, subject))
    });
    let names: Vec<_> = unreachable.map(|subject| subject.name.as_str()).collect();
    (!names.is_empty()).then(|| copy::unreachable(&names))
}

/// The selectors that From and To suggest.
pub(super) fn known_selectors() -> Vec<String> {
    let subjects = subjects();
    let mut tags: Vec<_> = subjects
        .iter()
        .flat_map(|s| &s.tags)
        .map(|tag| format!("tag:{tag}"))
        .collect();
    tags.sort();
    tags.dedup();
    let devices = subjects.iter().map(|subject| format!("device:{}", subject.name));
    std::iter::once("any".to_owned())
        .chain(tags)
        .chain(devices)
        .collect()
}

/// The name of the device with this id.
pub(super) fn name_of(id: &str) -> Option<String> {
    untrack(|| use_store().lookup_device(id)).map(|device| device.name.to_string())
}
