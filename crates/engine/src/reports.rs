//! From one view of the engine to the next, as reports: a state machine per watch.
//!
//! Life cycle: nothing reported yet → the engine's state → its whole inventory → differences only. When the engine goes
//! away and returns, its whole inventory is reported again: it may be another engine.

use crate::pod::Pod;
use flotilla_protocol::{
    agent::{ItemRef, Report},
    inventory::{EngineState, Inventory, Item},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// All that is known of an engine at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    pub(crate) state: EngineState,
    /// Absent until it has been read, and while the engine does not run.
    pub(crate) inventory: Option<Arc<Inventory>>,
    /// Id of the agent's own container.
    pub(crate) own: Option<String>,
    /// The pod of the agent's own container.
    pub(crate) pod: Option<Arc<Pod>>,
}

impl View {
    pub(crate) fn without_inventory(state: EngineState) -> Self {
        Self {
            state,
            inventory: None,
            own: None,
            pod: None,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Reports {
    state: Option<EngineState>,
    inventory: Option<Arc<Inventory>>,
    due: VecDeque<Report>,
}

impl Reports {
    pub(crate) fn handle_view(&mut self, view: &View) {
        if self.state.as_ref() != Some(&view.state) {
            self.due.push_back(Report::Engine(view.state.clone()));
            self.state = Some(view.state.clone());
        }
        match (&self.inventory, &view.inventory) {
            (Some(old), Some(new)) => self.due.extend(difference(old, new)),
            (None, Some(new)) => self.due.push_back(Report::Inventory(Inventory::clone(new))),
            (_, None) => {}
        }
        self.inventory.clone_from(&view.inventory);
    }

    pub(crate) fn poll_report(&mut self) -> Option<Report> {
        self.due.pop_front()
    }
}

/// What turns `old` into `new`. Removals come first, so that a recreated container never stands beside the one whose
/// name it took.
fn difference(old: &Inventory, new: &Inventory) -> impl Iterator<Item = Report> {
    let mut gone = Vec::new();
    let mut changed = Vec::new();
    macro_rules! compare {
        ($($list:ident $kind:ident),*) => {$(
            compare(&old.$list, &new.$list, Item::$kind, &mut gone, &mut changed);
        )*};
    }
    compare!(containers Container, images Image, volumes Volume, networks Network, stacks Stack);
    let gone = (!gone.is_empty()).then_some(Report::Remove { items: gone });
    let changed = (!changed.is_empty()).then_some(Report::Upsert { items: changed });
    gone.into_iter().chain(changed)
}

fn compare<T: Clone + PartialEq>(
    old: &[T],
    new: &[T],
    wrap: fn(T) -> Item,
    gone: &mut Vec<ItemRef>,
    changed: &mut Vec<Item>,
) {
    // Almost always a kind is unchanged, and then it costs one comparison and no allocation.
    if old == new {
        return;
    }
    let index = |list: &[T]| -> BTreeMap<String, Item> {
        list.iter()
            .map(|item| wrap(item.clone()))
            .map(|item| (item.key().to_owned(), item))
            .collect()
    };
    let (mut before, after) = (index(old), index(new));
    for (key, item) in after {
        if before.remove(&key).as_ref() != Some(&item) {
            changed.push(item);
        }
    }
    gone.extend(before.into_iter().map(|(key, item)| ItemRef {
        kind: item.kind(),
        key,
    }));
}

#[cfg(test)]
mod tests;
