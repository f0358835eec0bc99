//! What can be done to a device.

pub mod dialogs;
mod object;
mod rename;
mod tags;

use super::action::{Action, Asked, Does, Object, Place, Tier, Words, always, nothing};
use crate::{
    address::{enrollment, filtered},
    api::Call,
    components::{confirm::Stakes, icon::lucide},
    copy::{
        actions::{object, plainly},
        attention, device as copy, devices, link, mesh, mode, palette,
    },
    query::Key,
    tables::on_device::ListedItem,
};
use dialogs::DeviceDialog;
use flotilla_protocol::{
    api::{DeviceChange, EndPush, RemoveDevice, RevokeDevice, UpdateDevice, Verb},
    device::{Attention, Device, DeviceStatus},
    inventory::Container,
};
use leptos::prelude::*;
pub use object::DeviceObject;

static ACTIONS: &[Action<DeviceObject>] = &[
    Action {
        absent: &[
            (Place::Page, "it is open"),
            (Place::Bulk, ONE_PAGE),
            (Place::Palette, "choosing the device opens it"),
        ],
        ..Action::showing(
            "open",
            devices::OPEN,
            lucide::SERVER,
            Does::Goes(DeviceObject::address),
        )
    },
    Action {
        offered: |it| it.is_pending() || it.device.token_expires.is_some(),
        absent: &[(Place::Page, "a notice has its button"), (Place::Bulk, ONE_PAGE)],
        ..Action::showing(
            "enrollment",
            devices::ENROLLMENT,
            lucide::HOURGLASS,
            Does::Goes(|it| enrollment(it.device.id)),
        )
    },
    Action {
        offered: |it| !it.is_pending(),
        absent: TAB_OF_PAGE,
        ..Action::showing(
            "containers",
            devices::CONTAINERS,
            lucide::BOX,
            Does::Goes(|it| filtered(Container::PAGE, &[(Key::Device, it.device.name.as_str())])),
        )
    },
    Action {
        offered: |it| !it.is_pending(),
        absent: TAB_OF_PAGE,
        ..Action::showing(
            "trust",
            devices::TRUST,
            lucide::SHIELD_CHECK,
            Does::Goes(|it| format!("/devices/{}/trust", it.device.id)),
        )
    },
    Action {
        needs: Verb::Operate,
        online: true,
        offered: DeviceObject::is_trusted,
        absent: &[(Place::Page, A_TAB), (Place::Bulk, ONE_PAGE)],
        ..Action::showing(
            "test-paths",
            mesh::TEST_ALL,
            lucide::WAYPOINTS,
            Does::Goes(|it| format!("/devices/{}/paths", it.device.id)),
        )
    },
    Action {
        absent: &[
            (Place::Page, "the address has a button beside it"),
            (Place::Bulk, "the clipboard holds one address"),
        ],
        ..Action::showing(
            "copy-address",
            devices::COPY_ADDRESS,
            lucide::COPY,
            Does::Copies(|it| it.device.mesh_ip.to_string()),
        )
    },
    Action {
        absent: &[(Place::Bulk, "a name belongs to one device")],
        ..Action::opening(
            "rename",
            palette::RENAME,
            lucide::PENCIL,
            Verb::Manage,
            |devices, end| DeviceDialog::Rename.view(devices, end),
        )
    },
    Action {
        absent: &[(Place::Page, A_TAB)],
        ..Action::opening(
            "tags",
            devices::EDIT_TAGS,
            lucide::TAG,
            Verb::Tags,
            |devices, end| DeviceDialog::Tags.view(devices, end),
        )
    },
    Action {
        tier: Tier::Interrupts,
        against: |it| (!it.is_trusted()).then(|| copy::NOT_IN_FLEET.to_owned()),
        absent: &[(Place::Bulk, "what stops being reachable differs")],
        ..Action::opening(
            "mode",
            mode::CHANGE,
            lucide::NETWORK,
            Verb::Manage,
            |devices, end| DeviceDialog::Mode.view(devices, end),
        )
    },
    confirming(
        "keep-host",
        mode::KEEP_HOST,
        |it| needs_choice(&it.device),
        keep_host,
        Words {
            doing: mode::KEEPING,
            past: mode::WAS_KEPT,
            done: |devices| mode::host_kept(&object(devices)),
            asked: |devices| plainly(mode::KEEP_HOST, "", devices),
        },
    ),
    confirming(
        "vouch",
        attention::VOUCH,
        |it| has(&it.device, |about| matches!(about, Attention::Cloned { .. })),
        vouch,
        Words {
            doing: attention::VOUCHING,
            past: attention::WAS_VOUCHED,
            done: |devices| attention::vouched(&object(devices)),
            asked: |devices| plainly(attention::VOUCH, "", devices),
        },
    ),
    Action {
        slug: "end-tunnel",
        verb: link::END_TUNNEL,
        glyph: lucide::UNPLUG,
        tier: Tier::Recreatable,
        needs: Verb::Ssh,
        online: false,
        offered: |it| it.tunneled,
        against: nothing,
        does: Does::calls_then(
            |it| Call::of(&EndPush { device: it.key() }),
            Words {
                doing: link::ENDING,
                past: link::WAS_ENDED,
                done: |devices| link::tunnel_ended(&object(devices)),
                asked: |devices| {
                    asked(
                        devices,
                        link::end_title,
                        link::end_stakes,
                        |_| link::END_TUNNEL.to_owned(),
                        link::keep_tunnel,
                    )
                },
            },
            |acting, devices| {
                acting.store.pushes.update(|known| {
                    for it in devices {
                        known.remove(&it.device.id);
                    }
                });
            },
        ),
        absent: &[(Place::Bulk, "each tunnel is the only way to its device")],
    },
    Action {
        offered: DeviceObject::is_trusted,
        absent: &[(Place::Bulk, ONE_COMMAND)],
        ..Action::opening(
            "rotate",
            copy::ROTATE,
            lucide::REFRESH_CW,
            Verb::Enroll,
            |devices, end| DeviceDialog::Reenroll.view(devices, end),
        )
    },
    Action {
        absent: &[(Place::Bulk, ONE_COMMAND)],
        ..Action::opening(
            "reenroll",
            copy::REENROLL,
            lucide::SHIELD_CHECK,
            Verb::Enroll,
            |devices, end| DeviceDialog::Reenroll.view(devices, end),
        )
    },
    Action {
        slug: "revoke",
        verb: copy::REVOKE,
        glyph: lucide::BAN,
        tier: Tier::Lasting,
        needs: Verb::Manage,
        online: false,
        offered: always,
        against: |it| match it.device.status {
            DeviceStatus::Revoked => Some(copy::ALREADY_REVOKED.to_owned()),
            DeviceStatus::Pending => Some(copy::NOT_ENROLLED.to_owned()),
            _ => None,
        },
        does: Does::calls(
            |it| Call::of(&RevokeDevice { device: it.key() }),
            Words {
                doing: copy::REVOKING,
                past: copy::WAS_REVOKED,
                done: |devices| copy::revoked(&names(devices)),
                asked: |devices| Asked {
                    stakes: copy::revoke_stakes(&names(devices)),
                    ..asked(
                        devices,
                        copy::revoke_title,
                        |_| Default::default(),
                        copy::revoke,
                        copy::keep,
                    )
                },
            },
        ),
        absent: &[],
    },
    Action {
        slug: "remove",
        verb: copy::REMOVE,
        glyph: lucide::TRASH_2,
        tier: Tier::Recreatable,
        needs: Verb::Manage,
        online: false,
        offered: |it| !it.is_trusted(),
        against: nothing,
        does: Does::calls_then(
            |it| Call::of(&RemoveDevice { device: it.key() }),
            Words {
                doing: copy::REMOVING,
                past: copy::WAS_REMOVED,
                done: |devices| copy::removed(&names(devices)),
                asked: |devices| {
                    asked(
                        devices,
                        copy::remove_title,
                        copy::remove_stakes,
                        copy::remove,
                        copy::keep,
                    )
                },
            },
            |acting, devices| acting.leave(devices, "/devices"),
        ),
        absent: &[],
    },
];

const ONE_PAGE: &str = "a page shows one device";
const ITS_PAGE: &str = "the palette opens the device, which leads there";
const ONE_COMMAND: &str = "each device has a command of its own";
const A_TAB: &str = "the page has a tab for it";

/// What leads to a tab of the device's page.
const TAB_OF_PAGE: &[(Place, &str)] = &[
    (Place::Page, A_TAB),
    (Place::Bulk, ONE_PAGE),
    (Place::Palette, ITS_PAGE),
];

/// Confirms something about a device that only a person knows.
const fn confirming(
    slug: &'static str,
    verb: &'static str,
    offered: fn(&DeviceObject) -> bool,
    call: fn(&DeviceObject) -> Call,
    words: Words<DeviceObject>,
) -> Action<DeviceObject> {
    Action {
        needs: Verb::Manage,
        offered,
        absent: &[(Place::Bulk, "each of them is a decision of its own")],
        ..Action::showing(slug, verb, lucide::CIRCLE_CHECK, Does::calls(call, words))
    }
}

fn names(devices: &[DeviceObject]) -> Vec<&str> {
    devices.iter().map(|it| it.device.name.as_str()).collect()
}

/// A question in words that take the devices as one object.
fn asked(
    devices: &[DeviceObject],
    title: fn(&str) -> String,
    stakes: fn(&str) -> Stakes,
    confirm: fn(&str) -> String,
    keep: fn(&str) -> String,
) -> Asked {
    let object = object(devices);
    Asked {
        title: title(&object),
        stakes: stakes(&object),
        confirm: confirm(&object),
        keep: keep(&object),
        typed: object,
    }
}

fn change(it: &DeviceObject, change: DeviceChange) -> Call {
    let device = it.key();
    Call::of(&UpdateDevice { device, change })
}

/// Confirms Host networking, although the host is Docker Desktop's virtual machine.
fn keep_host(it: &DeviceObject) -> Call {
    let host_kept = Some(true);
    change(
        it,
        DeviceChange {
            host_kept,
            ..DeviceChange::default()
        },
    )
}

/// Confirms that what looks like a second machine is this device.
fn vouch(it: &DeviceObject) -> Call {
    let vouched = Some(true);
    change(
        it,
        DeviceChange {
            vouched,
            ..DeviceChange::default()
        },
    )
}

fn has(device: &Device, wanted: fn(&Attention) -> bool) -> bool {
    device.attention.iter().any(wanted)
}

/// Whether the person has to confirm Host networking or choose another mode, since the host is Docker Desktop's virtual
/// machine.
#[must_use]
pub fn needs_choice(device: &Device) -> bool {
    has(device, |about| {
        matches!(about, Attention::DockerDesktopHost | Attention::DockerDesktop)
    })
}

/// Whether the agent is not in the network of its mode. The same mode can then be chosen again.
#[must_use]
pub fn has_mode_mismatch(device: &Device) -> bool {
    has(device, |about| matches!(about, Attention::Strayed { .. }))
}
