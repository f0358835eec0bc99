//! The images of the fleet: the table and the page.

use super::inventory_table::{Details, EmptyText, ItemActions, ItemPage, date, device_link};
use crate::{
    actions::ImageObject,
    components::{
        facts::{Fact, Value},
        icon::lucide,
        table::{self, About, Narrow, Table, date_cell},
    },
    copy::{frame, inventory_table as copy, items as words},
    format,
    query::Key,
    store::use_store,
    tables::on_device::{DEVICE_SCOPE, DeviceSummary, ItemRow, ListedItem, device_column, id_column},
};
use flotilla_protocol::{api::Row, inventory::Image};
use leptos::prelude::*;

pub type ImageRow = ItemRow<Image>;
type Column = table::Column<ImageRow>;

pub static IMAGES: Table<ImageRow> = Table::new(
    About {
        word: "images",
        label: frame::IMAGES,
        filter: words::FILTER_IMAGES,
        one: "image",
        many: "images",
        sort_words: words::BY_NAME,
        scope: DEVICE_SCOPE,
    },
    &[
        Column::text("repository", words::REPOSITORY, 12.0, |row| {
            &row.derived.repository
        })
        .words(|row| &row.derived.names)
        .fact(Key::Image, |row, fact| {
            let known = row.item().tags.iter().chain(&row.item().digests);
            known.for_each(|name| fact(name));
        })
        .ordered(1),
        Column::text("tag", words::TAG, 8.0, |row| &row.derived.tag)
            .narrow(Narrow::Status)
            .priority(4)
            .ordered(2),
        device_column::<Image>(words::DEVICE, 9.0).ordered(3),
        Column::view(
            "size",
            words::SIZE,
            6.0,
            |row| format::disk(row.item().size_bytes).into_any(),
            |row| row.item().size_bytes.into(),
        )
        .figures()
        .narrow(Narrow::Figure)
        .priority(3),
        Column::age("created", words::CREATED, 6.5, |row| row.item().created)
            .cell(|row| date_cell(row.item().created))
            .priority(1),
        Column::view(
            "used",
            words::USED_BY,
            11.0,
            |row| words::image_use(row.item().used_by).into_any(),
            |row| row.item().used_by.into(),
        )
        .facet(Key::Status, words::USE, words::IMAGE_USES, uses)
        .fixed()
        .ages()
        .priority(2),
        id_column::<Image>().words(|row| &row.item().id),
    ],
);

#[derive(Debug)]
pub struct ImageTexts {
    name: String,
    /// All names, one per line.
    names: String,
    repository: String,
    tag: String,
}

impl ListedItem for Image {
    type Derived = ImageTexts;
    const PAGE: &'static str = "/images";

    fn table() -> &'static Table<ImageRow> {
        &IMAGES
    }
    fn derive(image: &Self, _: &DeviceSummary) -> ImageTexts {
        let (repository, tag) = named(image);
        let name = image
            .tags
            .first()
            .cloned()
            .unwrap_or_else(|| match repository.as_str() {
                words::UNTAGGED => format::short_id(&image.id).to_owned(),
                _ => format!("{repository}@{tag}"),
            });
        ImageTexts {
            names: format!("{name}\n{}", image.tags.join("\n")),
            name,
            repository,
            tag,
        }
    }
    fn name(row: &ImageRow) -> &str {
        &row.derived.name
    }
    fn place(&self) -> &str {
        &self.id
    }
    fn state(row: &ImageRow) -> String {
        words::image_use(row.item().used_by)
    }
}

fn uses(row: &ImageRow, fact: &mut dyn FnMut(&str)) {
    fact(match row.item().used_by {
        None => "unknown",
        Some(0) => "unused",
        Some(_) => "used",
    });
    if row.item().tags.is_empty() {
        fact("dangling");
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

#[component]
pub fn ImagesPage() -> impl IntoView {
    let store = use_store();
    store.ensure_images();
    ItemPage {
        collection: store.images,
        only: Signal::derive(|| None),
        empty_text: EmptyText {
            glyph: lucide::IMAGE,
            title: copy::NO_IMAGES,
            text: copy::NO_IMAGES_TEXT,
        },
        details,
        actions: Some(ItemActions::of::<ImageObject>()),
        below: None,
    }
    .view()
}

fn details(row: &Row<Image>) -> Details {
    let image = &row.item;
    Details {
        name: image.tags.first().cloned().unwrap_or_else(|| named(image).0),
        facts: vec![
            Fact::new(words::DEVICE, device_link(row)),
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
