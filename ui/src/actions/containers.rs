//! What can be done to a container.

mod words;

use super::{
    action::{Action, Asked, Does, Kind, Object, Place, Tier, Words, nothing},
    items::{ActedOn, ItemObject},
};
use crate::{
    api::Call,
    components::icon::{Glyph, lucide},
    copy::{containers as copy, logs, pods},
    pages::containers::pod::{Address, Pod, addresses},
    store::{Collection, Store},
    tables::containers::ports::published,
};
use flotilla_protocol::{
    api::{
        ActOnContainer, ActOnContainers, BeginPlacement, ContainerRef, RecreateContainer, RemoveContainers,
        Row, Verb,
    },
    device::NetworkMode,
    inventory::{Container, ContainerAction, ContainerState, PodRole},
};
use leptos::prelude::*;
use words::{killing, pausing, recreating, removing, unpausing};
pub(super) use words::{restarting, starting, stopping};

/// A container.
pub type ContainerObject = ItemObject<Container>;

impl ActedOn for Container {
    const OBJECT: Kind = Kind::Container;
    const NOWHERE: &'static [(Place, &'static str)] = &[];

    fn actions() -> &'static [Action<ContainerObject>] {
        ACTIONS
    }

    fn collection(store: Store) -> RwSignal<Collection<Row<Self>>> {
        store.containers
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Whether a container belongs to Flotilla: the agent, or the one that holds the pod's network.
fn is_ours(container: &Container) -> bool {
    container.is_agent || container.pod == Some(PodRole::Pause)
}

/// Whether the device of a container has a pod that it can be put into.
fn has_pod(container: &ContainerObject) -> bool {
    let device = container.row.device_id;
    let pod = container.store.containers.with(|all| Pod::of(all, device));
    pod.is_some_and(|pod| pod.pause.is_some())
}

static ACTIONS: &[Action<ContainerObject>] = &[
    start(
        |container| runs(&container.row).then(|| copy::RUNS_ALREADY.to_owned()),
        Does::calls_or_begins(
            |container| act(container, ContainerAction::Start),
            |containers| act_on_all(containers, ContainerAction::Start),
            starting(),
        ),
    ),
    stop(
        |container| kept(container).or_else(|| rests(container)),
        Does::calls_or_begins(
            |container| act(container, ContainerAction::Stop),
            |containers| act_on_all(containers, ContainerAction::Stop),
            stopping(),
        ),
    ),
    restart(
        Tier::Reversible,
        kept,
        Does::calls_or_begins(
            |container| act(container, ContainerAction::Restart),
            |containers| act_on_all(containers, ContainerAction::Restart),
            restarting(),
        ),
    ),
    Action {
        offered: |container| container.item().state == ContainerState::Running,
        against: kept,
        ..operating(
            "pause",
            copy::PAUSE,
            lucide::PAUSE,
            Tier::Interrupts,
            Does::calls_or_begins(
                |container| act(container, ContainerAction::Pause),
                |containers| act_on_all(containers, ContainerAction::Pause),
                pausing(),
            ),
        )
    },
    Action {
        offered: |container| container.item().state == ContainerState::Paused,
        ..operating(
            "unpause",
            copy::UNPAUSE,
            lucide::PLAY,
            Tier::Reversible,
            Does::calls_or_begins(
                |container| act(container, ContainerAction::Unpause),
                |containers| act_on_all(containers, ContainerAction::Unpause),
                unpausing(),
            ),
        )
    },
    Action {
        offered: |container| runs(&container.row),
        against: kept,
        ..operating(
            "kill",
            copy::KILL,
            lucide::SKULL,
            Tier::Recreatable,
            Does::calls_or_begins(
                |container| act(container, ContainerAction::Kill),
                |containers| act_on_all(containers, ContainerAction::Kill),
                killing(),
            ),
        )
    },
    Action {
        needs: Verb::Deploy,
        against: kept,
        absent: &[(Place::Bulk, copy::ONE_AT_A_TIME)],
        ..operating(
            "recreate",
            copy::RECREATE,
            lucide::REFRESH_CW,
            Tier::Recreatable,
            Does::begins(recreate, recreating()),
        )
    },
    Action {
        needs: Verb::Deploy,
        against: |container| kept(container).or_else(|| must_rest(container)),
        ..operating(
            "remove",
            copy::REMOVE,
            lucide::TRASH_2,
            Tier::Recreatable,
            Does::begins(remove, removing()),
        )
    },
    Action {
        slug: "put",
        verb: pods::PUT,
        glyph: lucide::LOG_IN,
        tier: Tier::Recreatable,
        needs: Verb::Deploy,
        online: true,
        offered: |container| {
            let device = container.device.as_ref();
            let pauses = device.is_some_and(|device| device.mode == NetworkMode::Pause);
            pauses && container.item().pod.is_none() && !is_ours(container.item())
        },
        against: |container| (!has_pod(container)).then(|| pods::NO_POD.to_owned()),
        does: Does::begins(
            |containers| place(containers, true),
            Words {
                doing: pods::PUTTING,
                past: pods::WAS_PUT,
                done: |containers| each(containers, pods::was_put),
                asked: |containers| asked_to_place(containers, true),
            },
        ),
        absent: &[(Place::Bulk, ONE_QUESTION)],
    },
    Action {
        slug: "take",
        verb: pods::TAKE,
        glyph: lucide::ARROW_RIGHT_FROM_LINE,
        tier: Tier::Recreatable,
        needs: Verb::Deploy,
        online: true,
        offered: |container| container.item().pod.is_some() && !is_ours(container.item()),
        against: nothing,
        does: Does::begins(
            |containers| place(containers, false),
            Words {
                doing: pods::TAKING,
                past: pods::WAS_TAKEN,
                done: |containers| each(containers, pods::was_taken),
                asked: |containers| asked_to_place(containers, false),
            },
        ),
        absent: &[(Place::Bulk, ONE_QUESTION)],
    },
    Action {
        absent: &[
            (Place::Page, "it is the page"),
            (Place::Bulk, "a page shows the log of one"),
        ],
        ..Action::showing(
            "logs",
            logs::VIEW,
            lucide::SCROLL_TEXT,
            Does::Goes(ContainerObject::address),
        )
    },
    Action {
        absent: &[(Place::Bulk, "the clipboard holds one id")],
        ..Action::showing(
            "copy-id",
            copy::COPY_ID,
            lucide::COPY,
            Does::Copies(|container| container.item().id.clone()),
        )
    },
];

/// Starting something that consists of containers.
pub(super) const fn start<O: Object>(against: Against<O>, does: Does<O>) -> Action<O> {
    Action {
        against,
        ..operating("start", copy::START, lucide::PLAY, Tier::Reversible, does)
    }
}

/// Stopping something that consists of containers.
pub(super) const fn stop<O: Object>(against: Against<O>, does: Does<O>) -> Action<O> {
    Action {
        against,
        ..operating("stop", copy::STOP, lucide::SQUARE, Tier::Interrupts, does)
    }
}

/// Restarting something that consists of containers.
pub(super) const fn restart<O: Object>(tier: Tier, against: Against<O>, does: Does<O>) -> Action<O> {
    Action {
        against,
        ..operating("restart", copy::RESTART, lucide::ROTATE_CW, tier, does)
    }
}

type Against<O> = fn(&O) -> Option<String>;

const fn operating<O: Object>(
    slug: &'static str,
    verb: &'static str,
    glyph: Glyph,
    tier: Tier,
    does: Does<O>,
) -> Action<O> {
    Action {
        tier,
        needs: Verb::Operate,
        online: true,
        ..Action::showing(slug, verb, glyph, does)
    }
}

const ONE_QUESTION: &str = "what is lost differs, so each is asked about by itself";

pub(super) fn runs(row: &Row<Container>) -> bool {
    matches!(
        row.item.state,
        ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
    )
}

/// Why a container is left alone: its device or its pod needs it.
fn kept(container: &ContainerObject) -> Option<String> {
    let reason = match container.item().pod {
        _ if container.item().is_agent => copy::IS_AGENT,
        Some(PodRole::Pause) => pods::IS_PAUSE,
        _ => return None,
    };
    Some(reason.to_owned())
}

fn must_rest(container: &ContainerObject) -> Option<String> {
    runs(&container.row).then(|| copy::STOP_FIRST.to_owned())
}

fn rests(container: &ContainerObject) -> Option<String> {
    (!runs(&container.row)).then(|| copy::RESTS_ALREADY.to_owned())
}

fn act(container: &ContainerObject, action: ContainerAction) -> Call {
    Call::of(&ActOnContainer {
        device: container.row.device_id.to_string(),
        container: container.item().id.clone(),
        action,
    })
}

fn act_on_all(containers: &[ContainerObject], action: ContainerAction) -> Call {
    job_on(containers.iter().map(|container| &*container.row), action)
}

fn recreate(containers: &[ContainerObject]) -> Call {
    let ContainerRef { device, container } = reference(&containers[0].row);
    Call::of(&RecreateContainer { device, container })
}

fn remove(containers: &[ContainerObject]) -> Call {
    Call::of(&RemoveContainers {
        containers: containers
            .iter()
            .map(|container| reference(&container.row))
            .collect(),
        volumes: false,
    })
}

fn reference(row: &Row<Container>) -> ContainerRef {
    ContainerRef {
        device: row.device_id.to_string(),
        container: row.item.id.clone(),
    }
}

/// The call that begins a job on these containers.
pub(super) fn job_on<'a>(
    containers: impl Iterator<Item = &'a Row<Container>>,
    action: ContainerAction,
) -> Call {
    Call::of(&ActOnContainers {
        action,
        containers: containers.map(reference).collect(),
    })
}

fn place(containers: &[ContainerObject], member: bool) -> Call {
    let first = &containers[0].row;
    Call::of(&BeginPlacement {
        device: first.device_id.to_string(),
        container: first.item.id.clone(),
        member,
    })
}

/// The names and devices of these containers in a sentence each.
fn each(containers: &[ContainerObject], sentence: fn(&str, &str) -> String) -> String {
    let sentences: Vec<_> = containers
        .iter()
        .map(|container| sentence(&container.name(), &container.device_name()))
        .collect();
    sentences.join(" ")
}

fn asked_to_place(containers: &[ContainerObject], member: bool) -> Asked {
    let container = &containers[0];
    let (name, device) = (container.name(), container.device_name());
    let ip = container.device.as_ref().map(|device| device.mesh_ip);
    let own = ip.map(|ip| addresses(ip, container.item())).unwrap_or_default();
    let facts = pods::PodMoveFacts {
        container: &name,
        device: &device,
        networks: &container.item().networks,
        published: &published(container.item(), true),
        addresses: &own.iter().map(Address::words).collect::<Vec<_>>(),
        found_as: &container.item().found_as,
    };
    let (title, stakes, confirm, keep) = if member {
        (
            pods::put_title(&name, &device),
            pods::put_stakes(&facts),
            pods::put(&name),
            pods::leave(&name),
        )
    } else {
        (
            pods::take_title(&name, &device),
            pods::take_stakes(&facts),
            pods::take(&name),
            pods::keep(&name),
        )
    };
    Asked {
        title,
        stakes,
        confirm,
        keep,
        typed: name,
    }
}
