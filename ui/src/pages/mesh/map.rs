//! The map: a button for each device, lines for paths, and a panel for the selected device.

use super::{
    explain::{AccessQuestion, Explain},
    graph::{self, Edge, MapNode, Node},
    layout::{self, Corner, HEIGHT, Plan, WIDTH},
    paths_panel::PathsPanel,
};
use crate::{
    components::{
        button::Button,
        field::Field,
        icon::{Icon, lucide},
    },
    copy::{mesh as copy, policy},
    store::use_store,
};
use flotilla_protocol::{device::Device, path::PathKind};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use std::{collections::BTreeMap, fmt::Write, sync::Arc};

/// The state of the map. A handle: copies share the same signals.
#[derive(Clone, Copy)]
struct Map {
    shown: Memo<Vec<MapNode>>,
    relays: Memo<Vec<String>>,
    plan: Memo<Plan>,
    drawing: Memo<String>,
    selected: RwSignal<Option<Node>>,
    unfolded: RwSignal<Option<String>>,
}

impl Map {
    fn new(filter: RwSignal<String>) -> Self {
        let store = use_store();
        let (selected, unfolded) = (RwSignal::new(None), RwSignal::new(None::<String>));
        let shown = Memo::new(move |_| {
            let devices: Vec<Arc<Device>> = store
                .devices
                .with(|devices| devices.rows().values().cloned().collect());
            filter.with(|filter| graph::map_nodes(&devices, filter, unfolded.get().as_deref()))
        });
        let relays = Memo::new(move |_| {
            store.relays.with(|relays| {
                relays
                    .rows()
                    .values()
                    .map(|relay| relay.name.clone())
                    .collect::<Vec<_>>()
            })
        });
        let plan = Memo::new(move |_| {
            let spots: Vec<_> = shown.with(|shown| shown.iter().map(|shown| shown.spot.clone()).collect());
            layout::plan(&spots, relays.with(Vec::len))
        });
        let edges = Memo::new(move |_| {
            let selected = selected.get();
            shown.with(|shown| {
                let devices = store.devices.read();
                let node_of = |id| {
                    let group = |device: &Arc<Device>| Node::Group(graph::spot_of(device).group);
                    let has = |node: &Node| shown.iter().any(|shown| shown.node == *node);
                    Some(Node::Device(id))
                        .filter(has)
                        .or_else(|| devices.rows().get(&id).map(group).filter(has))
                };
                let paths = store.paths.read();
                graph::edges(
                    paths.rows().values().map(AsRef::as_ref),
                    node_of,
                    selected.as_ref(),
                    shown.len(),
                )
            })
        });
        let drawing = Memo::new(move |_| {
            let (shown, plan, relays) = (shown.read(), plan.read(), relays.read());
            let selected = selected.get();
            edges.with(|edges| draw(&shown, &plan, &relays, edges, selected.as_ref()))
        });
        Self {
            shown,
            relays,
            plan,
            drawing,
            selected,
            unfolded,
        }
    }

    fn press(self, node: &Node) {
        match node {
            Node::Group(group) => self.unfolded.set(Some(group.clone())),
            Node::Device(_) => self.selected.update(|selected| {
                *selected = (selected.as_ref() != Some(node)).then(|| node.clone());
            }),
        }
    }
}

/// The content of the SVG: lines, and labels of the lines of the selected device. It has no text from devices, only
/// numbers and fixed words, so it needs no escaping.
fn draw(
    shown: &[MapNode],
    plan: &Plan,
    relays: &[String],
    edges: &[Edge],
    selected: Option<&Node>,
) -> String {
    let places: BTreeMap<&Node, Corner> = shown
        .iter()
        .map(|shown| &shown.node)
        .zip(plan.places.iter().copied())
        .collect();
    let (mut relayed, mut others, mut names) = (String::new(), String::new(), String::new());
    for edge in edges {
        let Some((from, to)) = places.get(&edge.ends.0).zip(places.get(&edge.ends.1)) else {
            continue;
        };
        let relay = relays.iter().position(|name| Some(name) == edge.relay.as_ref());
        let relay = relay.and_then(|index| plan.relays.get(index));
        match (edge.kind, relay) {
            (PathKind::Relayed, Some(relay)) => {
                draw_relayed(&mut relayed, *from, *relay);
                draw_relayed(&mut relayed, *to, *relay);
            }
            (PathKind::Relayed, None) => draw_relayed(&mut relayed, *from, *to),
            _ => draw_edge(&mut others, edge, *from, *to),
        }
        if let Some(selected) = selected {
            let (near, far) = if edge.ends.0 == *selected {
                (from, to)
            } else {
                (to, from)
            };
            name(&mut names, edge.kind, *relay.unwrap_or(near), *far);
        }
    }
    relayed + &others + &names
}

fn draw_relayed(svg: &mut String, from: Corner, to: Corner) {
    let (path, _) = layout::line(from, to);
    _ = write!(
        svg,
        r#"<path class="relayed" d="{path}"/><path class="core" d="{path}"/>"#
    );
}

fn draw_edge(svg: &mut String, edge: &Edge, from: Corner, to: Corner) {
    let (path, Corner { x, y }) = layout::line(from, to);
    let class = copy::kind(edge.kind);
    let quiet = if edge.quiet { " quiet" } else { "" };
    _ = write!(svg, r#"<path class="{class}{quiet}" d="{path}"/>"#);
    if edge.kind == PathKind::None && !edge.quiet {
        let (left, right, top, low) = (x - 0.35, x + 0.35, y - 0.35, y + 0.35);
        _ = write!(
            svg,
            r#"<path class="cross" d="M{left} {top}L{right} {low}M{right} {top}L{left} {low}"/>"#
        );
    }
}

/// The label of a line, at the other device.
fn name(svg: &mut String, kind: PathKind, from: Corner, to: Corner) {
    let (x, y, anchor) = layout::label_anchor(from, to);
    let (class, word) = (copy::kind(kind), copy::kind_word(kind));
    _ = write!(
        svg,
        r#"<text class="name {class}" x="{x}" y="{y}" text-anchor="{anchor}">{word}</text>"#
    );
}

#[component]
pub(super) fn MapView() -> impl IntoView {
    let store = use_store();
    let navigate = use_navigate();
    let filter = RwSignal::new(String::new());
    let map = Map::new(filter);
    let question = AccessQuestion::new(Signal::derive(|| None), String::new(), String::new());
    let summary = move || {
        let (direct, relayed, none) = store
            .paths
            .with(|paths| graph::tally(paths.rows().values().map(AsRef::as_ref)));
        let devices = store.devices.with(|devices| devices.rows().len());
        if store.paths.with(|paths| paths.rows().is_empty()) {
            copy::no_paths(devices)
        } else {
            copy::summary(devices, direct, relayed, none)
        }
    };
    let chosen = Memo::new(move |_| match map.selected.get() {
        Some(Node::Device(id)) => Some(id),
        _ => None,
    });
    let beside = move || {
        match chosen.get() {
        Some(device) => view! { <PathsPanel device question/> }.into_any(),
        None => view! { <aside class="beside" aria-label=copy::PATHS><p class="muted">{copy::PRESS_ONE}</p></aside> }.into_any(),
    }
    };
    view! {
        <div class="mesh-tools">
            <Field label=copy::FILTER_MAP value=filter verbatim=true on_input=move |text| filter.set(text)/>
            <div class="can"><Explain question submit=policy::CHECK/></div>
        </div>
        <div class="mesh-map">
            <div class="field-of-map">
                <Drawing map/>
                <p class="map-foot">
                    <span class="caption muted">{summary}</span>
                    <Button label=copy::VIEW_TABLE on_press=move || navigate("/mesh/paths", Default::default())/>
                </p>
            </div>
            {beside}
        </div>
    }
}

#[component]
fn Drawing(map: Map) -> impl IntoView {
    let size = move || {
        map.plan
            .with(|plan| format!("width:{}rem;height:{}rem", plan.width, plan.height))
    };
    let view_box = move || {
        map.plan
            .with(|plan| format!("0 0 {} {}", plan.width, plan.height))
    };
    let empty = move || {
        map.shown
            .with(Vec::is_empty)
            .then(|| view! { <p class="muted">{copy::NO_MATCH}</p> })
    };
    view! {
        <div class="canvas" role="group" aria-label=copy::MAP>
            {empty}
            <div class="plane" style=size>
                <svg viewBox=view_box aria-hidden="true" focusable="false" inner_html=move || map.drawing.get()></svg>
                {move || labels(&map.plan.read())}
                {move || nodes(map)}
                {move || relays(map)}
            </div>
        </div>
    }
}

fn at(place: Corner) -> String {
    format!("left:{}rem;top:{}rem", place.x, place.y)
}

fn labels(plan: &Plan) -> impl IntoView + use<> {
    let label = |(text, place): &(String, Corner)| view! { <span class="group" style=at(*place)>{text.clone()}</span> };
    plan.labels.iter().map(label).collect_view()
}

fn nodes(map: Map) -> impl IntoView {
    let node = |(shown, place): (&MapNode, &Corner)| {
        let own = shown.node.clone();
        let pressed = {
            let own = own.clone();
            move || {
                map.selected
                    .with(|selected| selected.as_ref() == Some(&own))
                    .to_string()
            }
        };
        let look = if shown.online { "node" } else { "node stale" };
        view! {
            <button type="button" class=look style=format!("{};width:{WIDTH}rem;height:{HEIGHT}rem", at(*place))
                aria-pressed=pressed on:click=move |_| map.press(&own)>
                <Icon glyph=if shown.online { lucide::SERVER } else { lucide::CLOCK }/>
                <span>{shown.spot.name.clone()}</span>
            </button>
        }
    };
    map.shown.with(|shown| {
        map.plan
            .with(|plan| shown.iter().zip(&plan.places).map(node).collect_view())
    })
}

fn relays(map: Map) -> impl IntoView {
    let relay = |(name, place): (&String, &Corner)| {
        view! {
            <span class="node relay" style=format!("{};width:{WIDTH}rem;height:{HEIGHT}rem", at(*place))>
                <Icon glyph=lucide::WAYPOINTS/><span>{name.clone()}</span>
            </span>
        }
    };
    map.relays.with(|relays| {
        map.plan
            .with(|plan| relays.iter().zip(&plan.relays).map(relay).collect_view())
    })
}
