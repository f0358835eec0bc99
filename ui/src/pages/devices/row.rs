//! A device as a row of the table.

use crate::{
    components::{
        badge::{Status, status_badge},
        table::{Column, Dash, Facet, Narrow, Rows, SortBy, SortKey, TableRow, TableSpec},
    },
    copy::{devices as copy, mesh},
    format,
    pages::inventory_table::rows::{age_cell, name_cell, text_cell},
    query::{Key, Subject},
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
use leptos::prelude::*;
use std::sync::Arc;

pub(super) const SPEC: TableSpec = TableSpec {
    id: "devices",
    label: crate::copy::frame::DEVICES,
    filter: copy::FILTER,
    one: "device",
    many: "devices",
    columns: &[
        Column::text("name", copy::NAME, 9.0),
        Column::text("status", copy::STATUS, 12.5).fixed(),
        Column::text("tags", copy::TAGS, 6.5),
        Column::text("mesh", copy::MESH_ADDRESS, 7.5).fixed(),
        Column::text("mode", copy::MODE, 6.0).fixed(),
        Column::text("path", copy::PATH, 6.0).fixed(),
        Column::figures("containers", copy::CONTAINERS, 5.5),
        Column::figures("cpu", copy::CPU, 3.5).live(),
        Column::figures("memory", copy::MEMORY, 4.5).live(),
        Column::figures("disk", copy::DISK, 3.5).live(),
        Column::figures("seen", copy::LAST_SEEN, 5.0),
        Column::text("agent", copy::AGENT, 6.0).fixed().hidden(),
        Column::text("os", copy::OS, 13.0).hidden(),
        Column::figures("certificate", copy::CERTIFICATE, 7.0).hidden(),
        Column::figures("enrolled", copy::ENROLLED, 6.5).hidden(),
    ],
    keys: &[Key::Status, Key::Tag, Key::Mode, Key::Path],
    facets: &[
        Facet {
            key: Key::Status,
            title: copy::STATUS,
            values: copy::STATUSES,
        },
        Facet {
            key: Key::Tag,
            title: copy::TAG,
            values: &[],
        },
        Facet {
            key: Key::Mode,
            title: copy::MODE,
            values: copy::MODES,
        },
        Facet {
            key: Key::Path,
            title: copy::PATH,
            values: crate::copy::mesh::KINDS,
        },
    ],
    sort: &[SortBy::up("status"), SortBy::up("name")],
    sort_words: crate::copy::containers::TROUBLE_FIRST,
    leaving: &[
        "seen",
        "mode",
        "tags",
        "disk",
        "containers",
        "memory",
        "cpu",
        "mesh",
        "path",
    ],
    narrow: Narrow {
        title: "name",
        status: Some("status"),
        below: "mesh",
        figure: Some("containers"),
    },
    age: "status",
    selectable: true,
};

/// The rows of all devices. A row is made again only if its device or path changed.
pub(super) fn device_rows() -> Memo<Rows> {
    let store = use_store();
    store.ensure_paths();
    type CachedRows = Vec<(DeviceId, Arc<Device>, Option<Arc<Path>>, Arc<dyn TableRow>)>;
    let cache: StoredValue<CachedRows> = StoredValue::new(Vec::new());
    Memo::new(move |_| {
        let known = cache.try_update_value(std::mem::take).unwrap_or_default();
        let here = store
            .fleet
            .with(|fleet| fleet.as_ref().and_then(|fleet| fleet.this_computer));
        let paths = store.paths.read();
        let now: CachedRows = store.devices.with(|devices| {
            let row = |(id, device): (&DeviceId, &Arc<Device>)| {
                let path = here.and_then(|here| paths.rows().get(&(here, *id)));
                let same = known.iter().find(|(old, thing, way, _)| {
                    old == id
                        && Arc::ptr_eq(thing, device)
                        && way.as_ref().map(Arc::as_ptr) == path.map(Arc::as_ptr)
                });
                let make = || {
                    (
                        *id,
                        device.clone(),
                        path.cloned(),
                        Arc::new(DeviceRow::new(device.clone(), path.cloned())) as Arc<dyn TableRow>,
                    )
                };
                same.cloned().unwrap_or_else(make)
            };
            devices.rows().iter().map(row).collect()
        });
        let rows = Rows(Arc::new(now.iter().map(|(_, _, _, row)| row.clone()).collect()));
        cache.try_update_value(|cache| *cache = now);
        rows
    })
}

#[derive(Debug)]
struct DeviceRow {
    device: Arc<Device>,
    /// The path from this computer to the device.
    path: Option<Arc<Path>>,
    key: String,
    status: Status,
    tags: String,
    mesh: String,
    subject: Subject,
}

impl DeviceRow {
    fn new(device: Arc<Device>, path: Option<Arc<Path>>) -> Self {
        let status = Status::of_device(&device);
        let tags: Vec<&str> = device.tags.iter().map(|tag| tag.as_str()).collect();
        let joined = tags.join(", ");
        let mesh = device.mesh_ip.to_string();
        let os = device.facts.as_ref().map_or("", |facts| facts.os.as_str());
        let mut subject = Subject::new([device.name.as_str(), &joined, &mesh, os, &status.word]);
        subject = subject
            .with(Key::Status, device.status.as_str())
            .with(Key::Mode, device.mode.as_str());
        subject = subject.with(Key::Device, device.name.as_str());
        if device.needs_attention() {
            subject = subject.with(Key::Status, "attention");
        }
        if let Some(path) = &path {
            subject = subject.with(Key::Path, mesh::kind(path.kind));
        }
        for tag in &tags {
            subject = subject.with(Key::Tag, tag);
        }
        Self {
            key: device.id.to_string(),
            status,
            tags: joined,
            mesh,
            subject,
            device,
            path,
        }
    }

    fn is_asked(&self) -> bool {
        matches!(self.device.status, DeviceStatus::Online | DeviceStatus::Pending)
    }

    /// The used and the whole amount for a column, of an online device that reports it.
    fn share(&self, column: &str) -> Option<(f64, f64)> {
        let measure = match column {
            "cpu" => Measure::Cpu,
            "memory" => Measure::Memory,
            _ => Measure::Disk,
        };
        let reports = self.device.status == DeviceStatus::Online;
        usage::share(&self.device, measure).filter(|_| reports)
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
fn moment(moment: Option<Timestamp>) -> SortKey<'static> {
    moment.map_or(SortKey::Nothing, |moment| {
        SortKey::Number(-(moment.as_second() as f64))
    })
}

impl TableRow for DeviceRow {
    fn key(&self) -> &str {
        &self.key
    }

    fn label(&self) -> String {
        format!("{}, {}", self.device.name, self.status.word)
    }

    fn name(&self) -> &str {
        self.device.name.as_str()
    }

    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn stale_since(&self) -> Option<Timestamp> {
        (!self.is_asked()).then_some(self.device.as_of)
    }

    fn sort_key(&self, column: &str) -> SortKey<'_> {
        let device = &self.device;
        match column {
            "status" => SortKey::Number(f64::from(urgency::of_device(device))),
            "tags" if self.tags.is_empty() => SortKey::Nothing,
            "tags" => SortKey::Text(&self.tags),
            "mesh" => SortKey::Number(f64::from(u32::from(device.mesh_ip))),
            "mode" => SortKey::Text(device.mode.as_str()),
            "path" => self
                .path
                .as_ref()
                .map_or(SortKey::Nothing, |path| SortKey::Text(mesh::kind(path.kind))),
            "containers" if device.engine.is_none() => SortKey::Nothing,
            "containers" => SortKey::Number(f64::from(device.containers.total)),
            "cpu" | "memory" | "disk" => self
                .share(column)
                .map_or(SortKey::Nothing, |(used, all)| SortKey::Number(used / all)),
            "seen" => moment(device.last_seen),
            "agent" => device
                .agent_version
                .as_deref()
                .map_or(SortKey::Nothing, SortKey::Text),
            "os" => device
                .facts
                .as_ref()
                .map_or(SortKey::Nothing, |facts| SortKey::Text(&facts.os)),
            "certificate" => moment(device.certificate.as_ref().map(|certificate| certificate.expires)),
            "enrolled" => moment(device.enrolled),
            _ => SortKey::Text(device.name.as_str()),
        }
    }

    fn cell(&self, column: &str) -> AnyView {
        let device = &self.device;
        match column {
            "name" => view! {
                {name_cell(device.name.as_str())}
                {device.this_computer.then(|| view! { <span class="tag">{copy::THIS_COMPUTER}</span> })}
            }
            .into_any(),
            "status" => status_badge(&self.status, false, device.status == DeviceStatus::Offline),
            "tags" => tags_cell(device),
            "mesh" => view! { <span class="mono">{self.mesh.clone()}</span> }.into_any(),
            "mode" => copy::mode(device.mode).into_any(),
            "path" if device.this_computer => copy::THIS_ONE.into_any(),
            "path" => match &self.path {
                Some(path) => {
                    let badge = status_badge(&Status::of_path(path.kind), false, false);
                    view! { <span title=path.why.clone()>{badge}</span> }.into_any()
                }
                None => view! { <Dash/> }.into_any(),
            },
            // The count is unknown until the engine is reported.
            "containers" if device.engine.is_none() => view! { <Dash/> }.into_any(),
            "containers" => device.containers.total.to_string().into_any(),
            "cpu" | "memory" | "disk" => match self.share(column) {
                Some((used, all)) => format::percent(used, all).into_any(),
                None => view! { <Dash/> }.into_any(),
            },
            "seen" if device.status == DeviceStatus::Online => copy::NOW.into_any(),
            "seen" => age_cell(device.last_seen),
            "agent" => text_cell(device.agent_version.as_deref()),
            "os" => text_cell(device.facts.as_ref().map(|facts| facts.os.as_str())),
            "certificate" => {
                let expires = device
                    .certificate
                    .as_ref()
                    .map(|certificate| format::date(certificate.expires));
                text_cell(expires.as_deref())
            }
            "enrolled" => age_cell(device.enrolled),
            _ => ().into_any(),
        }
    }
}

fn tags_cell(device: &Device) -> AnyView {
    if device.tags.is_empty() {
        return view! { <Dash/> }.into_any();
    }
    let tag = |tag: &flotilla_protocol::name::Tag| view! { <span class="tag">{tag.to_string()}</span> };
    view! { <span class="tags">{device.tags.iter().map(tag).collect_view()}</span> }.into_any()
}
