//! Containers as rows. The members of a pod stay together.

pub mod ports;

use super::on_device::{DEVICE_SCOPE, DeviceSummary, ItemRow, ListedItem, device_column, id_column, page_of};
use crate::{
    actions::use_acting,
    clock::use_clock,
    components::{
        badge::{Status, Tone, status_badge},
        icon::lucide,
        table::{self, About, Dash, Narrow, SortKey, Table, TableRow, Unit, date_cell, mono_cell},
    },
    copy::{containers as copy, frame, pods},
    format,
    query::Key,
    urgency,
};
use flotilla_protocol::{
    Timestamp,
    inventory::{Container, ContainerState, Health, PodRole, numbers},
};
use leptos::prelude::*;
use ports::{open_ports, ports_cell};

pub type ContainerRow = ItemRow<Container>;
type Column = table::Column<ContainerRow>;

pub static CONTAINERS: Table<ContainerRow> = Table::new(
    About {
        word: "containers",
        label: frame::CONTAINERS,
        filter: copy::FILTER,
        one: "container",
        many: "containers",
        sort_words: copy::TROUBLE_FIRST,
        scope: DEVICE_SCOPE,
    },
    &[
        Column::text("name", copy::NAME, 10.0, |row| &row.item().name)
            .cell(name_link)
            .mark(|row| mark(row.item()))
            .ordered(2),
        Column::view("state", copy::STATE, 8.5, state_cell, |row| urgency(row).into())
            .words(|row| &row.derived.status.word)
            .facet(Key::Status, copy::STATE, copy::STATES, |row, fact| {
                status_words(row.item()).into_iter().for_each(fact);
            })
            .fixed()
            .narrow(Narrow::Status)
            .ordered(1),
        device_column::<Container>(copy::DEVICE, 7.5).priority(5),
        Column::text("stack", copy::STACK, 7.0, stack)
            .facet(Key::Stack, copy::STACK, &[], |row, fact| fact(stack(row)))
            .priority(1),
        Column::text("image", copy::IMAGE, 11.0, |row| &row.item().image)
            .fact(Key::Image, |row, fact| fact(&row.item().image))
            .priority(4),
        Column::view("ports", copy::PORTS, 8.5, place_cell, lowest_port)
            .words(|row| &row.derived.pod)
            .fact(Key::Port, |row, fact| {
                open_ports(row.item())
                    .iter()
                    .for_each(|ports| fact(&numbers(ports)));
            })
            .narrow(Narrow::Figure)
            .ages()
            .priority(3),
        Column::age("uptime", copy::UPTIME, 5.0, |row| running_since(row.item()))
            .cell(uptime_cell)
            .priority(2),
        Column::age("created", copy::CREATED, 6.5, |row| row.item().created)
            .cell(|row| date_cell(row.item().created))
            .hidden(),
        Column::view(
            "restarts",
            copy::RESTARTS,
            5.0,
            |row| row.item().restarts.to_string().into_any(),
            |row| row.item().restarts.into(),
        )
        .figures()
        .descends()
        .hidden(),
        id_column::<Container>(),
    ],
);

#[derive(Debug)]
pub struct ContainerTexts {
    status: Status,
    /// The pod of the container, in words.
    pod: String,
}

impl ListedItem for Container {
    type Derived = ContainerTexts;
    const PAGE: &'static str = "/containers";
    const TAB: Option<&'static str> = Some("logs");

    fn table() -> &'static Table<ContainerRow> {
        &CONTAINERS
    }
    fn derive(container: &Self, device: &DeviceSummary) -> ContainerTexts {
        let pod = container.pod.map(|_| pods::at(device.mesh_ip));
        ContainerTexts {
            status: Status::of_container(container),
            pod: pod.unwrap_or_default(),
        }
    }
    fn name(row: &ContainerRow) -> &str {
        &row.item().name
    }
    fn place(&self) -> &str {
        &self.name
    }
    fn is_at(&self, place: &str) -> bool {
        self.name == place || self.id == place
    }
    fn state(row: &ContainerRow) -> String {
        row.derived.status.word.clone()
    }
    fn remark(row: &ContainerRow) -> Option<String> {
        row.item().pod.map(|_| pods::spoken(row.device.mesh_ip))
    }
    fn unit(row: &ContainerRow) -> Option<Unit<'_>> {
        let role = row.item().pod?;
        Some(Unit {
            key: &row.device.name,
            heads: role == PodRole::Pause,
        })
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

/// The rank in the order by trouble. What an old report says is no trouble.
fn urgency(row: &ContainerRow) -> u8 {
    if row.stale_since().is_some() {
        urgency::without_trouble(row.item())
    } else {
        urgency::of_container(row.item())
    }
}

fn stack(row: &ContainerRow) -> &str {
    row.item().stack.as_deref().unwrap_or_default()
}

/// The name, which opens the page of the container.
fn name_link(row: &ContainerRow) -> AnyView {
    let address = page_of(&row.row);
    view! { <a class="plain name" tabindex="-1" href=address>{row.item().name.clone()}</a> }.into_any()
}

/// The mark of the pause container, of the agent, or of a container that could not be read.
fn mark(container: &Container) -> Option<AnyView> {
    let (words, title) = match container.pod {
        _ if container.unread.is_some() => (copy::NOT_READ_MARK, copy::NOT_READ_TEXT),
        Some(PodRole::Pause) => (pods::POD, pods::HOLDS),
        _ if container.is_agent => (pods::AGENT, pods::IS_AGENT),
        _ => return None,
    };
    Some(view! { <span class="tag" title=title>{words}</span> }.into_any())
}

/// The state, or the action that is running on the container.
fn state_cell(row: &ContainerRow) -> AnyView {
    let (acting, key) = (use_acting(), row.key().to_owned());
    let doing = Memo::new(move |_| acting.doing(&key).map(|doing| doing.words));
    let (status, is_stale) = (row.derived.status.clone(), row.stale_since().is_some());
    let shown = move || {
        let goes_on = doing.get().map(|words| Status {
            tone: Tone::Warn,
            glyph: lucide::HOURGLASS,
            word: words.to_owned(),
        });
        status_badge(goes_on.as_ref().unwrap_or(&status), false, is_stale)
    };
    shown.into_any()
}

/// The ports. The pause container shows the address of the pod; the rows of its members show their ports.
fn place_cell(row: &ContainerRow) -> AnyView {
    match row.device.mesh_ip {
        Some(ip) if row.item().pod == Some(PodRole::Pause) => mono_cell(Some(&ip.to_string())),
        _ => ports_cell(row.item()),
    }
}

fn lowest_port(row: &ContainerRow) -> SortKey<'_> {
    let open = open_ports(row.item());
    open.first().map(|ports| u32::from(*ports.start())).into()
}

fn running_since(container: &Container) -> Option<Timestamp> {
    container
        .started
        .filter(|_| container.state == ContainerState::Running)
}

/// How long the container has been running.
fn uptime_cell(row: &ContainerRow) -> AnyView {
    let since = running_since(row.item()).filter(|_| row.stale_since().is_none());
    let Some(since) = since else {
        return view! { <Dash/> }.into_any();
    };
    let clock = use_clock();
    let span = move || format::span(clock.now_for(since).as_second() - since.as_second());
    view! { <span class="num">{span}</span> }.into_any()
}
