//! What is no list: the policy in force, and of each device the newest enrollment and the newest installation over SSH.
//!
//! As with lists, live frames change only what a page has needed. So the code that reads it is fetched with the first page
//! that needs it.

use super::Store;
use crate::data::api::{Failure, send};
use flotilla_protocol::{
    api::{Enrollment, GetEnrollment, GetPolicy, PolicyInForce, Push},
    id::DeviceId,
};
use leptos::{prelude::*, task::spawn_local};
use serde_json::value::RawValue;

/// Something that a page needed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Single {
    /// What live frames call it.
    pub name: &'static str,
    /// Takes it from a live frame.
    pub read: fn(Store, &RawValue) -> serde_json::Result<()>,
    /// Loads again what was loaded before.
    pub reload: fn(Store),
    /// The device is gone.
    pub forget: fn(Store, DeviceId),
}

impl Store {
    /// Loads the policy in force, and follows it.
    ///
    /// # Errors
    /// The controller refused or did not answer.
    pub async fn load_policy(self) -> Result<(), Failure> {
        self.follow(Single {
            name: "policy",
            read: |store, value| serde_json::from_str(value.get()).map(|policy| store.take_policy(policy)),
            reload: |store| spawn_local(async move { _ = store.load_policy().await }),
            forget: |_, _| {},
        });
        self.take_policy(send(&GetPolicy).await?);
        Ok(())
    }

    /// Stores a policy unless a newer one is known: a response may arrive after the frame of a newer save.
    pub fn take_policy(self, policy: PolicyInForce) {
        let known = self
            .policy
            .with_untracked(|known| known.as_ref().map(|known| known.revision));
        if known.is_none_or(|known| known < policy.revision) {
            self.policy.set(Some(policy));
        }
    }

    /// Loads the state of a device's newest enrollment, and follows enrollments.
    pub fn load_enrollment(self, device: String) {
        self.follow(Single {
            name: "enrollment",
            read: |store, value| serde_json::from_str(value.get()).map(|found| store.take_enrollment(found)),
            reload: Self::reload_enrollments,
            forget: |store, device| {
                store
                    .enrollments
                    .maybe_update(|known| known.remove(&device).is_some());
            },
        });
        spawn_local(async move {
            if let Ok(enrollment) = send(&GetEnrollment { device }).await {
                self.take_enrollment(enrollment);
            }
        });
    }

    fn take_enrollment(self, enrollment: Enrollment) {
        self.enrollments
            .update(|known| _ = known.insert(enrollment.device_id, enrollment));
    }

    fn reload_enrollments(self) {
        let devices: Vec<_> = self
            .enrollments
            .with_untracked(|known| known.keys().copied().collect());
        for device in devices {
            self.load_enrollment(device.to_string());
        }
    }

    /// Follows installations over SSH. What is known of one before is a call's answer.
    pub fn follow_pushes(self) {
        self.follow(Single {
            name: "push",
            read: |store, value| serde_json::from_str(value.get()).map(|push| store.take_push(push)),
            reload: |_| {},
            forget: |store, device| {
                store.pushes.maybe_update(|known| known.remove(&device).is_some());
            },
        });
    }

    /// Stores an installation over SSH in place of the one of its device.
    pub fn take_push(self, push: Push) {
        self.pushes.update(|known| _ = known.insert(push.device_id, push));
    }

    fn follow(self, single: Single) {
        self.singles.update_value(|known| {
            if known.iter().all(|known| known.name != single.name) {
                known.push(single);
            }
        });
    }
}
