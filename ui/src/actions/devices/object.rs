//! A device as the object of actions.

use crate::{
    actions::{Action, Kind, Object, Place},
    store::Store,
};
use flotilla_protocol::{
    device::{Device, DeviceStatus},
    id::DeviceId,
};
use leptos::prelude::*;
use std::sync::Arc;

/// A device, and what decides what can be done to it.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceObject {
    pub device: Arc<Device>,
    /// Its link goes through an SSH tunnel of the controller.
    pub tunneled: bool,
}

impl Object for DeviceObject {
    const KIND: Kind = Kind::Device;
    const NOWHERE: &'static [(Place, &'static str)] = &[(Place::Drawer, "its page shows it")];

    fn actions() -> &'static [Action<Self>] {
        super::ACTIONS
    }

    fn of_key(store: Store, key: &str) -> Option<Self> {
        let id: DeviceId = key.parse().ok()?;
        let device = store.devices.with(|devices| devices.rows().get(&id).cloned())?;
        Some(Self::of(store, device))
    }

    fn all(store: Store) -> Vec<Self> {
        let devices: Vec<_> = store
            .devices
            .with(|devices| devices.rows().values().cloned().collect());
        devices
            .into_iter()
            .map(|device| Self::of(store, device))
            .collect()
    }

    fn key(&self) -> String {
        self.device.id.to_string()
    }

    fn name(&self) -> String {
        self.device.name.to_string()
    }

    fn detail(&self) -> String {
        self.device.mesh_ip.to_string()
    }

    fn address(&self) -> String {
        format!("/devices/{}", self.device.id)
    }

    fn device(&self) -> Option<&Device> {
        Some(&self.device)
    }

    fn device_name(&self) -> String {
        self.name()
    }
}

impl DeviceObject {
    fn of(store: Store, device: Arc<Device>) -> Self {
        let pushed = store
            .pushes
            .with(|known| known.get(&device.id).is_some_and(|push| push.tunneled));
        Self {
            tunneled: pushed || device.link.tunneled,
            device,
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        self.device.status == DeviceStatus::Pending
    }

    /// Whether the device has trust that can be ended.
    pub(super) fn is_trusted(&self) -> bool {
        !matches!(self.device.status, DeviceStatus::Pending | DeviceStatus::Revoked)
    }
}
