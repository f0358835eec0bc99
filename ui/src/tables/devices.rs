//! Devices as rows, each with the path to it from this computer.

use crate::{
    actions::use_acting,
    address::enrollment,
    components::{
        anchor::Anchor,
        badge::{Status, status_badge},
        icon::{Icon, lucide},
        path_badge,
        table::{
            self, About, Dash, Narrow, Same, SortKey, Table, TableRow, TableRows, age_cell, rows_of,
            text_cell,
        },
    },
    copy::{containers::TROUBLE_FIRST, devices as copy, frame, mesh},
    format,
    query::Key,
    store::use_store,
    urgency,
    usage::{self, Measure},
};
use flotilla_protocol::{
    Timestamp,
    device::{Device, DeviceStatus},
    id::DeviceId,
    path::Path,
};
use leptos::{ev::MouseEvent, prelude::*};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::Element;

type Column = table::Column<DeviceRow>;

pub static DEVICES: Table<DeviceRow> = Table::new(
    About {
        word: "devices",
        label: frame::DEVICES,
        filter: copy::FILTER,
        one: "device",
        many: "devices",
        sort_words: TROUBLE_FIRST,
        scope: &[],
    },
    &[
        Column::text("name", copy::NAME, 9.0, |row| row.device.name.as_str())
            .mark(|row| row.device.this_computer.then(this_computer))
            .fact(Key::Device, |row, fact| fact(row.device.name.as_str()))
            .ordered(2),
        Column::view("status", copy::STATUS, 12.5, status_cell, |row| {
            urgency::of_device(&row.device).into()
        })
        .words(|row| &row.status.word)
        .facet(Key::Status, copy::STATUS, copy::STATUSES, statuses)
        .fixed()
        .narrow(Narrow::Status)
        .ages()
        .ordered(1),
        Column::text("tags", copy::TAGS, 6.5, |row| &row.tags)
            .cell(tags_cell)
            .facet(Key::Tag, copy::TAG, &[], |row, fact| {
                row.device.tags.iter().for_each(|tag| fact(tag.as_str()));
            })
            .priority(3),
        Column::view("mesh", copy::MESH_ADDRESS, 8.5, mesh_cell, |row| {
            u32::from(row.device.mesh_ip).into()
        })
        .words(|row| &row.mesh)
        .fixed()
        .narrow(Narrow::Below)
        .priority(8),
        Column::text("mode", copy::MODE, 6.0, |row| copy::mode(row.device.mode))
            .facet(Key::Mode, copy::MODE, copy::MODES, |row, fact| {
                fact(row.device.mode.as_str());
            })
            .fixed()
            .priority(2),
        Column::view("path", copy::PATH, 6.5, path_cell, |row| path_kind(row).into())
            .facet(Key::Path, copy::PATH, mesh::KINDS, |row, fact| {
                fact(path_kind(row))
            })
            .fixed()
            .priority(9),
        Column::view("containers", copy::CONTAINERS, 5.5, containers_cell, |row| {
            containers(row).into()
        })
        .figures()
        .narrow(Narrow::Figure)
        .priority(5),
        Column::view(
            "cpu",
            copy::CPU,
            3.5,
            |row| share_cell(row, Measure::Cpu),
            |row| share_key(row, Measure::Cpu),
        )
        .figures()
        .live()
        .priority(7),
        Column::view(
            "memory",
            copy::MEMORY,
            4.5,
            |row| share_cell(row, Measure::Memory),
            |row| share_key(row, Measure::Memory),
        )
        .figures()
        .live()
        .priority(6),
        Column::view(
            "disk",
            copy::DISK,
            3.5,
            |row| share_cell(row, Measure::Disk),
            |row| share_key(row, Measure::Disk),
        )
        .figures()
        .live()
        .priority(4),
        Column::age("seen", copy::LAST_SEEN, 5.0, |row| row.device.last_seen)
            .cell(seen_cell)
            .priority(1),
        Column::text("agent", copy::AGENT, 6.0, |row| {
            row.device.agent_version.as_deref().unwrap_or_default()
        })
        .fixed()
        .hidden(),
        Column::text("os", copy::OS, 13.0, |row| {
            row.device.facts.as_ref().map_or("", |facts| &facts.os)
        })
        .hidden(),
        Column::view("certificate", copy::CERTIFICATE, 7.0, certificate_cell, |row| {
            expires(row).map_or(SortKey::Nothing, SortKey::Moment)
        })
        .figures()
        .hidden(),
        Column::age("enrolled", copy::ENROLLED, 6.5, |row| row.device.enrolled).hidden(),
    ],
);

/// A device with the path to it from this computer, if that is a device, too.
#[derive(Debug)]
pub struct DeviceRow {
    device: Arc<Device>,
    path: Option<Arc<Path>>,
    key: String,
    status: Status,
    tags: String,
    mesh: String,
}

impl DeviceRow {
    fn new(device: Arc<Device>, path: Option<Arc<Path>>) -> Self {
        let tags: Vec<&str> = device.tags.iter().map(|tag| tag.as_str()).collect();
        Self {
            key: device.id.to_string(),
            status: Status::of_device(&device),
            tags: tags.join(", "),
            mesh: device.mesh_ip.to_string(),
            device,
            path,
        }
    }

    fn is_online(&self) -> bool {
        self.device.status == DeviceStatus::Online
    }

    /// The used and the whole amount, of an online device that reports it.
    fn share(&self, measure: Measure) -> Option<(f64, f64)> {
        usage::share(&self.device, measure).filter(|_| self.is_online())
    }
}

impl TableRow for DeviceRow {
    fn table() -> &'static Table<Self> {
        &DEVICES
    }
    fn key(&self) -> &str {
        &self.key
    }
    fn label(&self) -> String {
        format!("{}, {}", self.device.name, self.status.word)
    }
    fn name(&self) -> &str {
        self.device.name.as_str()
    }
    fn address(&self) -> Option<String> {
        Some(address(&self.device))
    }
    fn stale_since(&self) -> Option<Timestamp> {
        let is_asked = self.is_online() || self.device.status == DeviceStatus::Pending;
        (!is_asked).then_some(self.device.as_of)
    }
}

/// The address of a device: the enrollment of a pending one, the page of another.
#[must_use]
pub fn address(device: &Device) -> String {
    if device.status == DeviceStatus::Pending {
        enrollment(device.id)
    } else {
        format!("/devices/{}", device.id)
    }
}

/// The rows of all devices.
#[must_use]
pub fn device_rows() -> TableRows<DeviceRow> {
    let store = use_store();
    store.ensure_paths();
    let sources = move || {
        let here = store
            .fleet
            .with(|fleet| fleet.as_ref().and_then(|fleet| fleet.this_computer));
        let paths = store.paths.read();
        let source = |(id, device): (&DeviceId, &Arc<Device>)| {
            let path = here.and_then(|here| paths.rows().get(&(here, *id)));
            (*id, (Same(device.clone()), path.cloned().map(Same)))
        };
        store
            .devices
            .with(|devices| devices.rows().iter().map(source).collect())
    };
    rows_of(
        sources,
        |(Same(device), path): &(Same<Device>, Option<Same<Path>>)| {
            DeviceRow::new(device.clone(), path.clone().map(|Same(path)| path))
        },
    )
}

fn this_computer() -> AnyView {
    view! { <span class="tag">{copy::THIS_COMPUTER}</span> }.into_any()
}

/// The words by which filters find the status. Like its badge, a device needs attention only while it is online.
fn statuses(row: &DeviceRow, fact: &mut dyn FnMut(&str)) {
    fact(row.device.status.as_str());
    if row.is_online() && row.device.needs_attention() {
        fact("attention");
    }
}

fn status_cell(row: &DeviceRow) -> AnyView {
    status_badge(&row.status, false, row.device.status == DeviceStatus::Offline)
}

fn tags_cell(row: &DeviceRow) -> AnyView {
    if row.tags.is_empty() {
        return view! { <Dash/> }.into_any();
    }
    let tag = |tag: &flotilla_protocol::name::Tag| view! { <span class="tag">{tag.to_string()}</span> };
    view! { <span class="tags">{row.device.tags.iter().map(tag).collect_view()}</span> }.into_any()
}

/// The mesh address with a button that copies it.
fn mesh_cell(row: &DeviceRow) -> AnyView {
    let name = copy::copy_address_of(row.device.name.as_str());
    let address = row.mesh.clone();
    let acting = use_acting();
    let press = move |_: MouseEvent| acting.copy(&address);
    view! {
        <span class="mono">{row.mesh.clone()}</span>
        <button type="button" class="icon-button copy-cell" tabindex="-1" aria-label=name.clone() title=name on:click=press>
            <Icon glyph=lucide::COPY/>
        </button>
    }
    .into_any()
}

/// Shows the facts of the path to a device at the button that asked for them.
#[derive(Debug, Clone, Copy)]
pub struct PathPeek(pub RwSignal<Option<(DeviceId, Anchor)>>);

fn path_cell(row: &DeviceRow) -> AnyView {
    let Some(path) = row.path.as_ref().filter(|_| !row.device.this_computer) else {
        let words = row.device.this_computer.then_some(copy::THIS_ONE);
        return text_cell(words);
    };
    let badge = status_badge(&Status::of_path(path.kind), false, false);
    let (device, peek) = (row.device.id, use_context::<PathPeek>());
    let press = move |event: MouseEvent| {
        let button = event
            .current_target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        if let (Some(PathPeek(peek)), Some(button)) = (peek, button) {
            peek.set(Some((device, Anchor::of(&button))));
        }
    };
    view! {
        <button type="button" class="path-cell" tabindex="-1" aria-haspopup="dialog" aria-label=path_badge::spoken(path)
            title=path.why.clone() on:click=press>{badge}</button>
    }
    .into_any()
}

fn path_kind(row: &DeviceRow) -> &'static str {
    row.path.as_ref().map_or("", |path| mesh::kind(path.kind))
}

/// The number of containers, once the engine is reported.
fn containers(row: &DeviceRow) -> Option<u32> {
    row.device.engine.is_some().then_some(row.device.containers.total)
}

fn containers_cell(row: &DeviceRow) -> AnyView {
    text_cell(containers(row).map(|total| total.to_string()).as_deref())
}

fn share_cell(row: &DeviceRow, measure: Measure) -> AnyView {
    let percent = row.share(measure).map(|(used, all)| format::percent(used, all));
    text_cell(percent.as_deref())
}

fn share_key(row: &DeviceRow, measure: Measure) -> SortKey<'static> {
    row.share(measure).map(|(used, all)| used / all).into()
}

fn seen_cell(row: &DeviceRow) -> AnyView {
    if row.is_online() {
        copy::NOW.into_any()
    } else {
        age_cell(row.device.last_seen)
    }
}

fn expires(row: &DeviceRow) -> Option<Timestamp> {
    row.device
        .certificate
        .as_ref()
        .map(|certificate| certificate.expires)
}

fn certificate_cell(row: &DeviceRow) -> AnyView {
    text_cell(expires(row).map(format::date).as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::dashboard::tests::device;

    fn words(device: Device) -> Vec<String> {
        let mut words = Vec::new();
        let row = DeviceRow::new(Arc::new(device), None);
        statuses(&row, &mut |word| words.push(word.to_owned()));
        words
    }

    #[test]
    fn only_a_device_whose_badge_says_so_counts_as_needing_attention() {
        let sick = |status| {
            let mut device = device("sick", status);
            device.containers.troubled = 2;
            words(device)
        };
        assert_eq!(sick(DeviceStatus::Online), ["online", "attention"]);
        assert_eq!(sick(DeviceStatus::Offline), ["offline"]);
    }
}
