//! A container as a row of the table, and its facts in the panel.

use super::{
    actions::ContainerActions,
    pod::addresses,
    ports::{open_ports, ports_cell, published},
};
use crate::{
    clock::use_clock,
    components::{
        badge::{Status, Tone, status_badge},
        facts::{Fact, Value},
        icon::lucide,
        table::{Column, Dash, Facet, Narrow, SortBy, SortKey, TableRow, TableSpec, Unit},
    },
    copy::{containers as copy, pods},
    format,
    pages::inventory_table::{
        Details, date, device_link,
        rows::{ItemOnDevice, date_cell, mono_cell, name_cell, text_cell},
    },
    query::{Key, Subject},
    store::use_store,
    urgency,
};
use flotilla_protocol::{
    Timestamp,
    api::Row,
    inventory::{Container, ContainerState, Health, PodRole, numbers},
};
use leptos::prelude::*;

pub const SPEC: TableSpec = TableSpec {
    id: "containers",
    label: crate::copy::frame::CONTAINERS,
    filter: copy::FILTER,
    one: "container",
    many: "containers",
    columns: &[
        Column::text("name", copy::NAME, 10.0),
        Column::text("state", copy::STATE, 8.5).fixed(),
        Column::text("device", copy::DEVICE, 7.5),
        Column::text("stack", copy::STACK, 7.0),
        Column::text("image", copy::IMAGE, 11.0),
        Column::text("ports", copy::PORTS, 8.5),
        Column::figures("uptime", copy::UPTIME, 5.0),
        Column::figures("created", copy::CREATED, 6.5).hidden(),
        Column::figures("restarts", copy::RESTARTS, 5.0).hidden(),
        Column::text("id", copy::ID, 8.0).fixed().hidden(),
    ],
    keys: &[
        Key::Status,
        Key::Device,
        Key::Tag,
        Key::Stack,
        Key::Image,
        Key::Port,
    ],
    facets: &[
        Facet {
            key: Key::Status,
            title: copy::STATE,
            values: copy::STATES,
        },
        Facet {
            key: Key::Stack,
            title: copy::STACK,
            values: &[],
        },
    ],
    sort: &[SortBy::up("state"), SortBy::up("name")],
    sort_words: copy::TROUBLE_FIRST,
    leaving: &["stack", "uptime", "ports", "image", "device"],
    narrow: Narrow {
        title: "name",
        status: Some("state"),
        below: "device",
        figure: Some("ports"),
    },
    age: "ports",
    selectable: true,
};

/// A row of the table of containers.
#[derive(Debug)]
pub struct ContainerRow {
    item: ItemOnDevice<Container>,
    status: Status,
    subject: Subject,
}

impl ContainerRow {
    #[must_use]
    pub fn new(item: ItemOnDevice<Container>) -> Self {
        let container = &item.row.item;
        let status = Status::of_container(container);
        let stack = container.stack.as_deref().unwrap_or_default();
        let pod = container
            .pod
            .map(|_| pods::at(item.device.mesh_ip))
            .unwrap_or_default();
        let texts = [
            container.name.as_str(),
            &container.image,
            stack,
            &status.word,
            &pod,
        ];
        let mut subject = item.subject(texts);
        for word in status_words(container) {
            subject = subject.with(Key::Status, word);
        }
        if !stack.is_empty() {
            subject = subject.with(Key::Stack, stack);
        }
        subject = subject.with(Key::Image, &container.image);
        for ports in open_ports(container) {
            subject = subject.with(Key::Port, &numbers(&ports));
        }
        Self {
            item,
            status,
            subject,
        }
    }

    fn container(&self) -> &Container {
        &self.item.row.item
    }
}

/// The status words by which filters find a container: its state, its health while it runs, and whether it could not be
/// read.
fn status_words(container: &Container) -> Vec<&'static str> {
    let state = match container.state {
        ContainerState::Created | ContainerState::Exited if container.failure.is_some() => "failed",
        ContainerState::Created => "created",
        ContainerState::Running => "running",
        ContainerState::Paused => "paused",
        ContainerState::Restarting => "restarting",
        ContainerState::Removing => "removing",
        ContainerState::Exited => "exited",
        ContainerState::Dead => "dead",
        ContainerState::Unknown => "unknown",
    };
    let health = match container.health {
        _ if container.state != ContainerState::Running => None,
        Health::Starting => Some("starting"),
        Health::Healthy => Some("healthy"),
        Health::Unhealthy => Some("unhealthy"),
        Health::None | Health::Unknown => None,
    };
    let unread = container.unread.as_ref().map(|_| "unread");
    [Some(state), health, unread].into_iter().flatten().collect()
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
fn moment(moment: Option<Timestamp>) -> SortKey<'static> {
    moment.map_or(SortKey::Nothing, |moment| {
        SortKey::Number(-(moment.as_second() as f64))
    })
}

impl TableRow for ContainerRow {
    fn key(&self) -> &str {
        &self.item.key
    }

    fn label(&self) -> String {
        let (container, device) = (self.container(), &self.item.device);
        let mut label = format!("{}, {}, {}", container.name, self.status.word, device.name);
        if container.pod.is_some() {
            label += ", ";
            label += &pods::spoken(device.mesh_ip);
        }
        label
    }

    fn name(&self) -> &str {
        &self.container().name
    }

    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn stale_since(&self) -> Option<Timestamp> {
        self.item.stale_since()
    }

    fn sort_key(&self, column: &str) -> SortKey<'_> {
        let container = self.container();
        match column {
            "state" => SortKey::Number(f64::from(urgency::of_container(container))),
            "device" => SortKey::Text(&self.item.device.name),
            "stack" => container.stack.as_deref().map_or(SortKey::Nothing, SortKey::Text),
            "image" => SortKey::Text(&container.image),
            "ports" => {
                let open = open_ports(container);
                let lowest = open.first().map(|ports| f64::from(*ports.start()));
                lowest.map_or(SortKey::Nothing, SortKey::Number)
            }
            "uptime" => moment(running_since(container)),
            "created" => moment(container.created),
            "restarts" => SortKey::Number(-f64::from(container.restarts)),
            "id" => SortKey::Text(&container.id),
            _ => SortKey::Text(&container.name),
        }
    }

    fn cell(&self, column: &str) -> AnyView {
        let container = self.container();
        match column {
            "name" => own_name(container),
            "state" => state_cell(self),
            "device" => self.item.device_cell(),
            "stack" => text_cell(container.stack.as_deref()),
            "image" => text_cell(Some(&container.image)),
            "ports" => match self.item.device.mesh_ip {
                // The pause container shows the address of the pod; the rows of its members show their ports.
                Some(ip) if container.pod == Some(PodRole::Pause) => mono_cell(Some(&ip.to_string())),
                _ => ports_cell(container),
            },
            "uptime" => uptime_cell(running_since(container).filter(|_| self.stale_since().is_none())),
            "created" => date_cell(container.created),
            "restarts" => container.restarts.to_string().into_any(),
            "id" => mono_cell(Some(format::short_id(&container.id))),
            _ => ().into_any(),
        }
    }

    fn unit(&self) -> Option<Unit<'_>> {
        let role = self.container().pod?;
        Some(Unit {
            key: &self.item.device.name,
            heads: role == PodRole::Pause,
        })
    }
}

/// The name with a mark for the pause container, the agent, or a container that could not be read.
fn own_name(container: &Container) -> AnyView {
    let mark = |words: &'static str, title: &'static str| {
        view! { {name_cell(&container.name)}<span class="tag" title=title>{words}</span> }.into_any()
    };
    match container.pod {
        _ if container.unread.is_some() => mark(copy::NOT_READ_MARK, copy::NOT_READ_TEXT),
        Some(PodRole::Pause) => mark(pods::POD, pods::HOLDS),
        _ if container.is_agent => mark(pods::AGENT, pods::IS_AGENT),
        _ => name_cell(&container.name),
    }
}

fn running_since(container: &Container) -> Option<Timestamp> {
    container
        .started
        .filter(|_| container.state == ContainerState::Running)
}

/// The state, or the action that is running on the container.
fn state_cell(row: &ContainerRow) -> AnyView {
    let action = use_context::<ContainerActions>()
        .and_then(|container_actions| container_actions.running(&row.item.key));
    let doing = action.map(|action| Status {
        tone: Tone::Warn,
        glyph: lucide::HOURGLASS,
        word: copy::doing(action).to_owned(),
    });
    status_badge(
        doing.as_ref().unwrap_or(&row.status),
        false,
        row.stale_since().is_some(),
    )
}

/// How long the container has been running.
fn uptime_cell(since: Option<Timestamp>) -> AnyView {
    let Some(since) = since else {
        return view! { <Dash/> }.into_any();
    };
    let clock = use_clock();
    let span = move || format::span(clock.now_for(since).as_second() - since.as_second());
    view! { <span class="num">{span}</span> }.into_any()
}

/// What the panel says of a container.
pub(super) fn details(row: &Row<Container>) -> Details {
    let container = &row.item;
    Details {
        name: container.name.clone(),
        facts: vec![
            Fact::new(copy::STATE, Status::of_container(container)),
            Fact::new(copy::DEVICE, device_link(&row.device)),
            Fact::new(copy::STACK, container.stack.clone()),
            Fact::new(copy::SERVICE, container.service.clone()),
            Fact::new(copy::IMAGE, Value::mono(&container.image)),
            Fact::new(copy::PORTS, published(container, false)),
            Fact::new(pods::POD, pod(row)),
            Fact::new(copy::NOT_STARTED, container.failure.clone()),
            Fact::new(copy::NOT_READ, container.unread.clone()),
            Fact::new(copy::STARTED, container.started),
            Fact::new(copy::FINISHED, container.finished),
            Fact::new(copy::CREATED, date(container.created)),
            Fact::new(copy::RESTARTS, container.restarts.to_string()),
            Fact::new(copy::NETWORKS, container.networks.clone()),
            Fact::new(copy::VOLUMES, container.volumes.clone()),
            Fact::new(copy::ID, Value::mono(format::short_id(&container.id))),
        ],
    }
}

/// The role of the container in its device's pod, and its addresses there.
fn pod(row: &Row<Container>) -> Vec<String> {
    let Some(role) = row.item.pod else {
        return Vec::new();
    };
    let device = use_store().lookup_device(row.device.as_str());
    let ip = device.map(|device| device.mesh_ip);
    let what = match role {
        PodRole::Pause => pods::HOLDS,
        _ if row.item.is_agent => pods::IS_AGENT,
        _ => "",
    };
    let own = ip.map(|ip| addresses(ip, &row.item)).unwrap_or_default();
    let own = own.iter().map(super::pod::Address::words);
    [pods::at(ip), what.to_owned()]
        .into_iter()
        .filter(|line| !line.is_empty())
        .chain(own)
        .collect()
}
