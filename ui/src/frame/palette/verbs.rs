//! Verbs of the palette. Choosing a verb lists the objects that it can be applied to; choosing an object applies it, or
//! opens the question before it.

use super::items::{EntryAction, Group, PaletteEntry};
use crate::{
    components::icon::{Glyph, lucide},
    copy::{containers, device, devices, mesh, mode, palette as copy},
    pages::containers::{ContainerActions, actions},
    store::{Keyed, use_store},
};
use flotilla_protocol::{
    device::{Device, DeviceStatus},
    inventory::ContainerAction,
};
use leptos::prelude::*;
use std::sync::Arc;

/// A verb of devices.
struct Verb {
    word: &'static str,
    glyph: Glyph,
    /// The address of the verb, after that of the device.
    address_suffix: &'static str,
    applies_to: fn(&Device) -> bool,
}

const DEVICE_VERBS: [Verb; 8] = [
    Verb {
        word: copy::RENAME,
        glyph: lucide::PENCIL,
        address_suffix: "?ask=rename",
        applies_to: |_| true,
    },
    Verb {
        word: devices::EDIT_TAGS,
        glyph: lucide::TAG,
        address_suffix: "/tags",
        applies_to: |_| true,
    },
    Verb {
        word: mode::CHANGE,
        glyph: lucide::NETWORK,
        address_suffix: "?ask=mode",
        applies_to: is_trusted,
    },
    Verb {
        word: mesh::TEST_ALL,
        glyph: lucide::WAYPOINTS,
        address_suffix: "/paths",
        applies_to: is_online,
    },
    Verb {
        word: device::ROTATE,
        glyph: lucide::REFRESH_CW,
        address_suffix: "?ask=reenroll",
        applies_to: is_trusted,
    },
    Verb {
        word: device::REENROLL,
        glyph: lucide::SHIELD_CHECK,
        address_suffix: "?ask=reenroll",
        applies_to: |_| true,
    },
    Verb {
        word: device::REVOKE,
        glyph: lucide::BAN,
        address_suffix: "?ask=revoke",
        applies_to: is_trusted,
    },
    Verb {
        word: device::REMOVE,
        glyph: lucide::TRASH_2,
        address_suffix: "?ask=remove",
        applies_to: |device| !is_trusted(device),
    },
];

fn is_trusted(device: &Device) -> bool {
    !matches!(device.status, DeviceStatus::Pending | DeviceStatus::Revoked)
}

fn is_online(device: &Device) -> bool {
    device.status == DeviceStatus::Online
}

/// All verbs, those of containers first.
pub(super) fn verbs() -> Vec<PaletteEntry> {
    let of_containers = ContainerAction::ALL.iter().map(|action| on_containers(*action));
    of_containers.chain(DEVICE_VERBS.iter().map(on_devices)).collect()
}

fn verb(
    glyph: Glyph,
    word: &str,
    objects: impl Fn() -> Vec<PaletteEntry> + Send + Sync + 'static,
) -> PaletteEntry {
    PaletteEntry::new(
        Group::Actions,
        glyph,
        &copy::verb(word),
        "",
        EntryAction::Choose(Arc::new(objects)),
    )
}

fn on_containers(action: ContainerAction) -> PaletteEntry {
    let (store, container_actions) = (use_store(), expect_context::<ContainerActions>());
    let objects = move || {
        store.containers.with_untracked(|collection| {
            let possible = collection
                .rows()
                .values()
                .filter(|row| container_actions.allows(row, action));
            let object = possible.map(|row| {
                let key = row.key().to_string();
                let run = Arc::new(move || container_actions.ask(vec![key.clone()], action, None));
                let place = containers::on(row.device.as_str());
                PaletteEntry::new(
                    Group::Containers,
                    lucide::BOX,
                    &row.item.name,
                    &place,
                    EntryAction::Run(run),
                )
                .into_object()
            });
            object.collect()
        })
    };
    verb(actions::glyph(action), containers::verb(action), objects)
}

fn on_devices(verb_of_device: &'static Verb) -> PaletteEntry {
    let store = use_store();
    let objects = move || {
        store.devices.with_untracked(|collection| {
            let possible = collection
                .rows()
                .values()
                .filter(|device| (verb_of_device.applies_to)(device));
            let object = possible.map(|device| {
                let go = EntryAction::Go(format!("/devices/{}{}", device.id, verb_of_device.address_suffix));
                let (name, address) = (device.name.as_str(), device.mesh_ip.to_string());
                PaletteEntry::new(Group::Devices, lucide::SERVER, name, &address, go).into_object()
            });
            object.collect()
        })
    };
    verb(verb_of_device.glyph, verb_of_device.word, objects)
}
