//! The images of the fleet.

use super::inventory_table::{
    Details, EmptyText, ItemPage, date, device_link,
    rows::{self, ItemOnDevice, date_cell, mono_cell, name_cell, text_cell},
};
use crate::{
    components::{
        facts::{Fact, Value},
        icon::lucide,
        table::{Column, Facet, Narrow, SortBy, SortKey, TableRow, TableSpec},
    },
    copy::{frame, inventory_table as copy, items as words},
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
    item: ItemOnDevice<Image>,
    name: String,
    repository: String,
    tag: String,
    subject: Subject,
}

impl ImageRow {
    fn new(item: ItemOnDevice<Image>) -> Self {
        let image = &item.row.item;
        let name = image.tags.first().cloned();
        let (repository, tag) = named(image);
        let mut subject = item.subject(image.tags.iter().map(String::as_str).chain([image.id.as_str()]));
        let used = match image.used_by {
            None => "unknown",
            Some(0) => "unused",
            Some(_) => "used",
        };
        subject = subject.with(Key::Status, used);
        if image.tags.is_empty() {
            subject = subject.with(Key::Status, "dangling");
        }
        for known in image.tags.iter().chain(&image.digests) {
            subject = subject.with(Key::Image, known);
        }
        let name = name.unwrap_or_else(|| match repository.as_str() {
            words::UNTAGGED => format::short_id(&image.id).to_owned(),
            _ => format!("{repository}@{tag}"),
        });
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

/// Repository and tag of an image. Without a tag, they are the repository and the beginning of a digest, if it has one.
fn named(image: &Image) -> (String, String) {
    let (repository, tag) = match image.tags.first() {
        Some(tag) => split(tag),
        None => {
            let mut digests = image.digests.iter();
            let known = digests.find_map(|digest| digest.split_once('@'));
            known.map_or((words::UNTAGGED, ""), |(repository, digest)| {
                (repository, format::short_id(digest))
            })
        }
    };
    (repository.to_owned(), tag.to_owned())
}

/// Splits a name into repository and tag, at the last colon unless that belongs to the port of a registry.
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
            words::image_use(self.image().used_by),
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
            "created" => {
                let created = self.image().created.map(|at| -(at.as_second() as f64));
                created.map_or(SortKey::Nothing, SortKey::Number)
            }
            "used" => self
                .image()
                .used_by
                .map_or(SortKey::Nothing, |users| SortKey::Number(f64::from(users))),
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
            "created" => date_cell(self.image().created),
            "used" => words::image_use(self.image().used_by).into_any(),
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
        collection: store.images,
        empty_text: EmptyText {
            glyph: lucide::IMAGE,
            title: copy::NO_IMAGES,
            text: copy::NO_IMAGES_TEXT,
        },
        row: ImageRow::new,
        key: |image| &image.id,
        details,
        actions: |row| {
            vec![rows::clipboard_action(
                words::COPY_ID.to_owned(),
                row.item.id.clone(),
            )]
        },
    }
    .view()
}

fn details(row: &Row<Image>) -> Details {
    let image = &row.item;
    Details {
        name: image.tags.first().cloned().unwrap_or_else(|| named(image).0),
        facts: vec![
            Fact::new(words::DEVICE, device_link(&row.device)),
            Fact::new(words::TAGS, image.tags.clone()),
            Fact::new(words::SIZE, format::disk(image.size_bytes)),
            Fact::new(words::CREATED, date(image.created)),
            Fact::new(words::USED_BY, words::image_use(image.used_by)),
            Fact::new(words::DIGESTS, Value::MonoList(image.digests.clone())),
            Fact::new(words::ID, Value::mono(&image.id)),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_without_a_tag_is_known_by_its_digest() {
        let known = |digests: &str| {
            let json = format!(r#"{{"id":"sha256:01","tags":[],"digests":{digests},"size_bytes":1}}"#);
            named(&serde_json::from_str(&json).unwrap())
        };
        let (repository, tag) = known(r#"["10.77.0.1:5000/team/app@sha256:0123456789abcdef"]"#);
        assert_eq!(
            (repository.as_str(), tag.as_str()),
            ("10.77.0.1:5000/team/app", "0123456789ab")
        );
        assert_eq!(known("[]").0, words::UNTAGGED);
    }

    #[test]
    fn a_registrys_port_is_no_tag() {
        assert_eq!(split("postgres:17"), ("postgres", "17"));
        assert_eq!(split("localhost:5000/app"), ("localhost:5000/app", ""));
        assert_eq!(split("localhost:5000/app:2"), ("localhost:5000/app", "2"));
    }
}
