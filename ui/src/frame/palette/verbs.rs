//! Verbs: each leads to the things that it can be done to now, and choosing one of those does it, or asks first.

use super::items::{Does, Entry, Group};
use crate::{
    components::icon::{Glyph, lucide},
    copy::{containers, device, devices, mesh, mode, palette as copy},
    pages::containers::{Acts, act},
    store::{Keyed, use_store},
};
use flotilla_protocol::{
    device::{Device, DeviceStatus},
    inventory::ContainerAction,
};
use leptos::prelude::*;
use std::sync::Arc;

/// A verb of devices: what it is called, where it is done, and to which devices.
struct Verb {
    word: &'static str,
    glyph: Glyph,
    /// Follows the device's own address.
    at: &'static str,
    fits: fn(&Device) -> bool,
}

const DEVICE_VERBS: [Verb; 8] = [
    Verb {
        word: copy::RENAME,
        glyph: lucide::PENCIL,
        at: "?ask=rename",
        fits: |_| true,
    },
    Verb {
        word: devices::EDIT_TAGS,
        glyph: lucide::TAG,
        at: "/tags",
        fits: |_| true,
    },
    Verb {
        word: mode::CHANGE,
        glyph: lucide::NETWORK,
        at: "?ask=mode",
        fits: is_trusted,
    },
    Verb {
        word: mesh::TEST_ALL,
        glyph: lucide::WAYPOINTS,
        at: "/paths",
        fits: is_online,
    },
    Verb {
        word: device::ROTATE,
        glyph: lucide::REFRESH_CW,
        at: "?ask=reenroll",
        fits: is_trusted,
    },
    Verb {
        word: device::REENROLL,
        glyph: lucide::SHIELD_CHECK,
        at: "?ask=reenroll",
        fits: |_| true,
    },
    Verb {
        word: device::REVOKE,
        glyph: lucide::BAN,
        at: "?ask=revoke",
        fits: is_trusted,
    },
    Verb {
        word: device::REMOVE,
        glyph: lucide::TRASH_2,
        at: "?ask=remove",
        fits: |device| !is_trusted(device),
    },
];

fn is_trusted(device: &Device) -> bool {
    !matches!(device.status, DeviceStatus::Pending | DeviceStatus::Revoked)
}

fn is_online(device: &Device) -> bool {
    device.status == DeviceStatus::Online
}

/// All of them, those of containers first.
pub(super) fn verbs() -> Vec<Entry> {
    let of_containers = ContainerAction::ALL.iter().map(|action| on_containers(*action));
    of_containers.chain(DEVICE_VERBS.iter().map(on_devices)).collect()
}

fn verb(glyph: Glyph, word: &str, objects: impl Fn() -> Vec<Entry> + Send + Sync + 'static) -> Entry {
    Entry::new(
        Group::Actions,
        glyph,
        &copy::verb(word),
        "",
        Does::Choose(Arc::new(objects)),
    )
}

fn on_containers(action: ContainerAction) -> Entry {
    let (store, acts) = (use_store(), expect_context::<Acts>());
    let objects = move || {
        store.containers.with_untracked(|collection| {
            let possible = collection.rows().values().filter(|row| acts.allows(row, action));
            let object = possible.map(|row| {
                let key = row.key().to_string();
                let run = Arc::new(move || acts.ask(vec![key.clone()], action, None));
                let place = containers::on(row.device.as_str());
                Entry::new(
                    Group::Containers,
                    lucide::BOX,
                    &row.item.name,
                    &place,
                    Does::Run(run),
                )
                .into_object()
            });
            object.collect()
        })
    };
    verb(act::glyph(action), containers::verb(action), objects)
}

fn on_devices(known: &'static Verb) -> Entry {
    let store = use_store();
    let objects = move || {
        store.devices.with_untracked(|collection| {
            let possible = collection.rows().values().filter(|device| (known.fits)(device));
            let object = possible.map(|device| {
                let go = Does::Go(format!("/devices/{}{}", device.id, known.at));
                let (name, address) = (device.name.as_str(), device.mesh_ip.to_string());
                Entry::new(Group::Devices, lucide::SERVER, name, &address, go).into_object()
            });
            object.collect()
        })
    };
    verb(known.glyph, known.word, objects)
}
