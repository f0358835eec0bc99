//! What can be done to stacks: to all of their containers, as one job.

use super::{
    action::{Action, Does, Kind, Place, Tier},
    containers::{job_on, restart, restarting, runs, start, starting, stop, stopping},
    items::{ActedOn, ItemObject},
};
use crate::{
    address::filtered,
    api::Call,
    components::icon::lucide,
    copy::{containers as copy, items},
    query::Key,
    store::{Collection, Keyed, Store},
    tables::on_device::ListedItem,
};
use flotilla_protocol::{
    api::Row,
    inventory::{Container, ContainerAction, Stack},
};
use leptos::prelude::*;
use std::sync::Arc;

/// A stack on a device.
pub type StackObject = ItemObject<Stack>;

impl ActedOn for Stack {
    const OBJECT: Kind = Kind::Stack;
    const NOWHERE: &'static [(Place, &'static str)] = &[(Place::Page, "its drawer is all that shows it")];

    fn actions() -> &'static [Action<StackObject>] {
        ACTIONS
    }

    fn collection(store: Store) -> RwSignal<Collection<Row<Self>>> {
        store.stacks
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn parts(stack: &StackObject) -> Vec<String> {
        containers(stack)
            .iter()
            .map(|row| row.key().to_string())
            .collect()
    }
}

/// The containers of a stack, without Flotilla's own agent.
fn containers(stack: &StackObject) -> Vec<Arc<Row<Container>>> {
    let name = stack.item().name.as_str();
    let belongs = |row: &&Arc<Row<Container>>| row.item.stack.as_deref() == Some(name) && !row.item.is_agent;
    let all = stack.store.containers;
    all.with(|all| {
        all.of_device(stack.row.device_id)
            .filter(belongs)
            .cloned()
            .collect()
    })
}

static ACTIONS: &[Action<StackObject>] = &[
    start(
        |stack| {
            let all_run = containers(stack).iter().all(|row| runs(row));
            all_run.then(|| copy::RUNS_ALREADY.to_owned())
        },
        Does::begins(|stacks| act(stacks, ContainerAction::Start), starting()),
    ),
    stop(
        |stack| {
            let any_runs = containers(stack).iter().any(|row| runs(row));
            (!any_runs).then(|| copy::RESTS_ALREADY.to_owned())
        },
        Does::begins(|stacks| act(stacks, ContainerAction::Stop), stopping()),
    ),
    restart(
        Tier::Interrupts,
        |stack| {
            let is_empty = containers(stack).is_empty();
            is_empty.then(|| items::NO_CONTAINERS.to_owned())
        },
        Does::begins(|stacks| act(stacks, ContainerAction::Restart), restarting()),
    ),
    Action {
        absent: &[(Place::Bulk, "the table shows those of one stack")],
        ..Action::showing(
            "containers",
            items::SHOW_CONTAINERS,
            lucide::BOX,
            Does::Goes(|stack| containers_address(&stack.row)),
        )
    },
];

/// The address of the containers of a stack, in the table of all.
#[must_use]
pub fn containers_address(stack: &Row<Stack>) -> String {
    let facts = [
        (Key::Stack, stack.item.name.as_str()),
        (Key::Device, stack.device.as_str()),
    ];
    filtered(Container::PAGE, &facts)
}

fn act(stacks: &[StackObject], action: ContainerAction) -> Call {
    let rows: Vec<_> = stacks.iter().flat_map(containers).collect();
    job_on(rows.iter().map(AsRef::as_ref), action)
}
