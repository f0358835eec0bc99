//! What can be done to a stack: to its containers, as one job.

use super::{
    action::{Action, Does, Kind, Place, Tier, always},
    containers::{job_on, restarting, runs, starting, stopping},
    items::{ActedOn, ItemObject},
};
use crate::{
    api::Call,
    components::icon::lucide,
    copy::{containers as copy, items},
    pages::containers::pod::containers_of,
    store::{Collection, Store},
};
use flotilla_protocol::{
    api::{Row, Verb},
    inventory::{Container, ContainerAction, Stack},
};
use leptos::prelude::*;
use std::sync::Arc;

/// A stack on a device.
pub type StackObject = ItemObject<Stack>;

impl ActedOn for Stack {
    const OBJECT: Kind = Kind::Stack;
    const NOWHERE: &'static [(Place, &'static str)] = &[
        (Place::Page, "its drawer is all that shows it"),
        (Place::Bulk, "rows of this table cannot be selected"),
    ];

    fn actions() -> &'static [Action<StackObject>] {
        ACTIONS
    }

    fn collection(store: Store) -> RwSignal<Collection<Row<Self>>> {
        store.stacks
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// The containers of a stack, without Flotilla's own agent.
fn containers(stack: &StackObject) -> Vec<Arc<Row<Container>>> {
    let name = stack.item().name.as_str();
    let belongs = |row: &&Arc<Row<Container>>| row.item.stack.as_deref() == Some(name) && !row.item.is_agent;
    let all = stack.store.containers;
    all.with(|all| {
        containers_of(all, stack.row.device_id)
            .filter(belongs)
            .cloned()
            .collect()
    })
}

static ACTIONS: &[Action<StackObject>] = &[
    Action {
        slug: "start",
        verb: copy::START,
        glyph: lucide::PLAY,
        tier: Tier::Reversible,
        needs: Verb::Operate,
        online: true,
        offered: always,
        against: |stack| {
            containers(stack)
                .iter()
                .all(|row| runs(row))
                .then(|| copy::RUNS_ALREADY.to_owned())
        },
        does: Does::begins(|stacks| act(stacks, ContainerAction::Start), starting()),
        absent: &[],
    },
    Action {
        slug: "stop",
        verb: copy::STOP,
        glyph: lucide::SQUARE,
        tier: Tier::Interrupts,
        needs: Verb::Operate,
        online: true,
        offered: always,
        against: |stack| {
            (!containers(stack).iter().any(|row| runs(row))).then(|| copy::RESTS_ALREADY.to_owned())
        },
        does: Does::begins(|stacks| act(stacks, ContainerAction::Stop), stopping()),
        absent: &[],
    },
    Action {
        slug: "restart",
        verb: copy::RESTART,
        glyph: lucide::ROTATE_CW,
        tier: Tier::Interrupts,
        needs: Verb::Operate,
        online: true,
        offered: always,
        against: |stack| {
            containers(stack)
                .is_empty()
                .then(|| items::NO_CONTAINERS.to_owned())
        },
        does: Does::begins(|stacks| act(stacks, ContainerAction::Restart), restarting()),
        absent: &[],
    },
    Action::showing(
        "containers",
        items::SHOW_CONTAINERS,
        lucide::BOX,
        Does::Goes(|stack| {
            format!(
                "/containers?q=stack:{} device:{}",
                stack.row.item.name, stack.row.device
            )
        }),
    ),
];

fn act(stacks: &[StackObject], action: ContainerAction) -> Call {
    let rows: Vec<_> = stacks.iter().flat_map(containers).collect();
    job_on(rows.iter().map(AsRef::as_ref), action)
}
