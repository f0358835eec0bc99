//! What can be done to an image.

use super::{
    action::{Action, Does, Kind, Place},
    items::{ActedOn, ItemObject},
};
use crate::{
    components::icon::lucide,
    copy::items as copy,
    store::{Collection, Store},
};
use flotilla_protocol::{api::Row, inventory::Image};
use leptos::prelude::*;

/// An image on a device.
pub type ImageObject = ItemObject<Image>;

impl ActedOn for Image {
    const OBJECT: Kind = Kind::Image;
    const NOWHERE: &'static [(Place, &'static str)] = &[
        (Place::Page, "its drawer is all that shows it"),
        (Place::Bulk, "rows of this table cannot be selected"),
        (Place::Palette, "the palette finds no images"),
    ];

    fn actions() -> &'static [Action<ImageObject>] {
        ACTIONS
    }

    fn collection(store: Store) -> RwSignal<Collection<Row<Self>>> {
        store.images
    }

    fn name(&self) -> &str {
        self.tags.first().unwrap_or(&self.id)
    }
}

static ACTIONS: &[Action<ImageObject>] = &[Action::showing(
    "copy-id",
    copy::COPY_ID,
    lucide::COPY,
    Does::Copies(|image| image.row.item.id.clone()),
)];
