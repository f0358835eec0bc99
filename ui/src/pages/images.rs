//! Images of the whole fleet.

use super::fan_out::{
    Details, ItemPage, Nothing, listed,
    rows::{self, Item, age_cell, mono_cell, name_cell, text_cell},
};
use crate::{
    components::{
        icon::lucide,
        table::{Column, Facet, Narrow, SortBy, SortKey, TableRow, TableSpec},
    },
    copy::{fan_out as copy, frame, items as words},
    format,
    query::{Key, Subject},
    store::use_store,
};
use flotilla_protocol::{Timestamp, api::Row, inventory::Image};
use leptos::prelude::*;

const SPEC: TableSpec = TableSpec {
    id: "images",
    label: frame::IMAGES,
    filter: words::FILTER_IMAGES,
    one: "image",
    many: "images",
    columns: &[
        Column::text("repository", words::REPOSITORY, 12.0),
        Column::text("tag", words::TAG, 8.0),
        Column::text("device", words::DEVICE, 9.0),
        Column::figures("size", words::SIZE, 6.0),
        Column::figures("created", words::CREATED, 6.5),
        Column::text("used", words::USED_BY, 11.0).fixed(),
        Column::text("id", words::ID, 8.0).fixed().hidden(),
    ],
    keys: &[Key::Status, Key::Device, Key::Tag, Key::Image],
    facets: &[Facet {
        key: Key::Status,
        title: words::USE,
        values: words::IMAGE_USES,
    }],
    sort: &[SortBy::up("repository"), SortBy::up("tag"), SortBy::up("device")],
    sort_words: words::BY_NAME,
    leaving: &["created", "used", "size", "tag"],
    narrow: Narrow {
        title: "repository",
        status: Some("tag"),
        below: "device",
        figure: Some("size"),
    },
    age: "used",
    selectable: false,
};

#[derive(Debug)]
struct ImageRow {
    item: Item<Image>,
    name: String,
    repository: String,
    tag: String,
    subject: Subject,
}

impl ImageRow {
    fn new(item: Item<Image>) -> Self {
        let image = &item.row.item;
        let name = image.tags.first().cloned();
        let (repository, tag) = name.as_deref().map_or((words::UNTAGGED, ""), split);
        let (repository, tag) = (repository.to_owned(), tag.to_owned());
        let mut subject = item.subject(image.tags.iter().map(String::as_str).chain([image.id.as_str()]));
        subject = subject.with(Key::Status, if image.used_by > 0 { "used" } else { "unused" });
        if image.tags.is_empty() {
            subject = subject.with(Key::Status, "dangling");
        }
        for tag in &image.tags {
            subject = subject.with(Key::Image, tag);
        }
        let name = name.unwrap_or_else(|| format::short_id(&image.id).to_owned());
        Self {
            name,
            repository,
            tag,
            subject,
            item,
        }
    }

    fn image(&self) -> &Image {
        &self.item.row.item
    }
}

/// Repository and tag: the last colon parts them, unless it belongs to a registry's port.
fn split(name: &str) -> (&str, &str) {
    name.rsplit_once(':')
        .filter(|(_, tag)| !tag.contains('/'))
        .unwrap_or((name, ""))
}

impl TableRow for ImageRow {
    fn key(&self) -> &str {
        &self.item.key
    }
    fn label(&self) -> String {
        format!(
            "{}, {}, {}",
            self.name,
            words::used_by(self.image().used_by as usize),
            self.item.device.name
        )
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn stale_since(&self) -> Option<Timestamp> {
        self.item.stale_since()
    }
    #[expect(clippy::cast_precision_loss, reason = "an order needs no last digit")]
    fn sort_key(&self, column: &str) -> SortKey<'_> {
        match column {
            "tag" => SortKey::Text(&self.tag),
            "device" => SortKey::Text(&self.item.device.name),
            "size" => SortKey::Number(self.image().size_bytes as f64),
            "created" => SortKey::Number(-(self.image().created.as_second() as f64)),
            "used" => SortKey::Number(f64::from(self.image().used_by)),
            "id" => SortKey::Text(&self.image().id),
            _ => SortKey::Text(&self.repository),
        }
    }
    fn cell(&self, column: &str) -> AnyView {
        match column {
            "repository" => name_cell(&self.repository),
            "tag" => text_cell(Some(&self.tag)),
            "device" => self.item.device_cell(),
            "size" => format::disk(self.image().size_bytes).into_any(),
            "created" => age_cell(Some(self.image().created)),
            "used" => words::used_by(self.image().used_by as usize).into_any(),
            "id" => mono_cell(Some(format::short_id(&self.image().id))),
            _ => ().into_any(),
        }
    }
}

#[component]
pub fn ImagesPage() -> impl IntoView {
    let store = use_store();
    store.ensure_images();
    ItemPage {
        spec: &SPEC,
        address: "/images",
        shelf: store.images,
        nothing: Nothing {
            glyph: lucide::IMAGE,
            title: copy::NO_IMAGES,
            text: copy::NO_IMAGES_TEXT,
        },
        row: ImageRow::new,
        key: |image| &image.id,
        details,
    }
    .view()
}

fn details(row: &Row<Image>) -> Details {
    let image = &row.item;
    let digests = view! { <div class="mono">{listed(&image.digests)}</div> };
    Details {
        name: image
            .tags
            .first()
            .map_or(words::UNTAGGED, String::as_str)
            .to_owned(),
        facts: vec![
            (words::DEVICE, rows::device_link(&row.device)),
            (words::TAGS, listed(&image.tags)),
            (words::SIZE, format::disk(image.size_bytes).into_any()),
            (words::CREATED, age_cell(Some(image.created))),
            (words::USED_BY, words::used_by(image.used_by as usize).into_any()),
            (words::DIGESTS, digests.into_any()),
            (words::ID, mono_cell(Some(&image.id))),
        ],
        actions: vec![rows::copy_action(words::COPY_ID.to_owned(), image.id.clone())],
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_registrys_port_is_no_tag() {
        assert_eq!(split("postgres:17"), ("postgres", "17"));
        assert_eq!(split("localhost:5000/app"), ("localhost:5000/app", ""));
        assert_eq!(split("localhost:5000/app:2"), ("localhost:5000/app", "2"));
    }
}
