//! The one writer: every change of the fleet, by subject.
//!
//! A change takes the write lock, is decided on what is known, and is written to the store and to the cache. It makes
//! no call to a device and writes no activity: it answers these as its [`Effects`], which its caller has carried out
//! ([`crate::effects`]) when the lock is free again.

pub(crate) mod devices;
pub(crate) mod fleet;
pub(crate) mod policy;
pub(crate) mod relays;
pub(crate) mod tickets;
pub(crate) mod tokens;
pub(crate) mod tunnels;

use crate::{refusal::Refusal, store::NewActivity};
use flotilla_protocol::id::DeviceId;

/// A change that was made: what it answers, and what follows from it.
pub(crate) type Change<T> = Result<(T, Effects), Refusal>;

/// What follows from a change, in order.
#[must_use = "a change is whole when its effects are carried out"]
#[derive(Debug, Default)]
pub(crate) struct Effects(pub(crate) Vec<Effect>);

/// Something to do outside of store and cache, after a change.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Send the device its settings.
    SendSettings(DeviceId),
    /// Send every device its settings.
    SendAllSettings,
    /// Send all relays the keys that they must refuse.
    SendEndedKeys,
    /// End the device's link.
    EndLink(DeviceId),
    /// Tell the device that it is revoked, and end its link.
    Dismiss(DeviceId),
    /// End the jobs of the device, and the tunnel that SSH keeps for it.
    EndJobs(DeviceId),
    /// Write an entry of the activity log.
    Record(NewActivity),
}
