//! What can be done about a path between two devices.

use super::action::{Action, Does, Kind, Object, Place};
use crate::{
    components::icon::lucide, copy::mesh as copy, pages::mesh::PathDialog, store::Store,
    tables::paths::ends_of,
};
use flotilla_protocol::{api::Verb, device::Device, path::Path};
use leptos::prelude::*;
use std::sync::Arc;

/// A path, and the device at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct PathObject {
    pub path: Arc<Path>,
    pub from: Option<Arc<Device>>,
}

impl Object for PathObject {
    const KIND: Kind = Kind::Path;
    const NOWHERE: &'static [(Place, &'static str)] = &[
        (Place::Drawer, "a dialog shows it"),
        (Place::Page, "a dialog shows it"),
        (Place::Bulk, "rows of this table cannot be selected"),
        (Place::Palette, "the palette finds no paths"),
    ];

    fn actions() -> &'static [Action<Self>] {
        ACTIONS
    }

    fn of_key(store: Store, key: &str) -> Option<Self> {
        let ends = ends_of(key)?;
        let path = store.paths.with(|paths| paths.rows().get(&ends).cloned())?;
        Some(Self::of(store, path))
    }

    fn all(store: Store) -> Vec<Self> {
        let paths: Vec<_> = store.paths.with(|paths| paths.rows().values().cloned().collect());
        paths.into_iter().map(|path| Self::of(store, path)).collect()
    }

    fn key(&self) -> String {
        format!("{}/{}", self.path.from_id, self.path.to_id)
    }

    fn name(&self) -> String {
        copy::between(self.path.from.as_str(), self.path.to.as_str())
    }

    fn detail(&self) -> String {
        String::new()
    }

    fn address(&self) -> String {
        "/mesh/paths".to_owned()
    }

    fn device(&self) -> Option<&Device> {
        self.from.as_deref()
    }

    fn device_name(&self) -> String {
        self.path.from.to_string()
    }
}

impl PathObject {
    fn of(store: Store, path: Arc<Path>) -> Self {
        let from = path.from_id;
        Self {
            from: store.devices.with(|devices| devices.rows().get(&from).cloned()),
            path,
        }
    }
}

static ACTIONS: &[Action<PathObject>] = &[
    Action::opening(
        "test",
        copy::TEST,
        lucide::RADAR,
        Verb::Operate,
        |paths, dialog| {
            let ends = paths.first().map(|it| (it.path.from_id, it.path.to_id));
            ends.map(|ends| view! { <PathDialog ends on_close=dialog.close/> })
                .into_any()
        },
    ),
    Action::showing(
        "explain",
        copy::EXPLAIN,
        lucide::SHIELD_CHECK,
        Does::Goes(|it| {
            format!(
                "/mesh/policy/explain?from={}&to={}",
                it.path.from_id, it.path.to_id
            )
        }),
    ),
];
