//! Pages list the actions of the objects that they show, wherever those have a place.

use super::{Action, ContainerObject, DeviceObject, ImageObject, Object, Place, StackObject};
use std::{fs, path::Path};

/// All code of the pages as one text.
fn pages() -> String {
    fn read(folder: &Path, all: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, all);
            } else {
                *all += &fs::read_to_string(path).unwrap();
            }
        }
    }
    let mut all = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages"), &mut all);
    all
}

fn is_wired<O: Object>(pages: &str, name: &str) {
    for place in Place::ALL {
        let seam = match place {
            Place::RowMenu => "row_menu",
            Place::Drawer => "buttons",
            Place::Page => "more",
            Place::Bulk => "bulk_bar",
            Place::Palette => continue,
        };
        let found = pages.contains(&format!("{seam}::<{name}>"))
            || matches!(place, Place::RowMenu | Place::Drawer | Place::Bulk)
                && pages.contains(&format!("ItemActions::of::<{name}>"));
        let excused = O::NOWHERE.iter().any(|(other, _)| *other == place);
        assert!(
            found || excused,
            "no page lists the actions of {name} in its {place:?}"
        );
    }
}

#[test]
fn each_kind_of_object_has_its_places_on_pages() {
    let pages = pages();
    is_wired::<DeviceObject>(&pages, "DeviceObject");
    is_wired::<ContainerObject>(&pages, "ContainerObject");
    is_wired::<StackObject>(&pages, "StackObject");
    is_wired::<ImageObject>(&pages, "ImageObject");
    for used in pages.split("button::<DeviceObject>(\"").skip(1) {
        let slug = used.split('"').next().unwrap();
        assert!(
            Action::<DeviceObject>::of_slug(slug).is_some(),
            "no action is called {slug}"
        );
    }
}

#[test]
fn pages_add_a_device_by_the_declaration_alone() {
    let pages = pages();
    let code = pages.lines().filter(|line| !line.trim_start().starts_with("//"));
    let own: Vec<_> = code
        .filter(|line| line.contains("/devices/add") || line.contains("registry::ADD_DEVICE"))
        .collect();
    assert!(own.is_empty(), "these have the address themselves: {own:?}");
    assert!(pages.contains("ADD_DEVICE.button()"));
}
