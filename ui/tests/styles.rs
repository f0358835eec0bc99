//! The style sheets: each class is used, and has its own look in one place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("a folder of style sheets").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|known| known == extension) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "nothing in {folder}");
    found
}

/// The selectors of a sheet, with lists taken apart at their commas.
fn selectors(sheet: &str) -> Vec<String> {
    let without_comments: String = sheet
        .split("/*")
        .enumerate()
        .map(|(at, part)| {
            if at == 0 {
                part
            } else {
                part.split_once("*/").map_or("", |(_, rest)| rest)
            }
        })
        .collect();
    let before_blocks = without_comments.rsplit('}').flat_map(|part| {
        let mut opened: Vec<_> = part.split('{').collect();
        opened.pop(); // what follows the last brace is inside of its block
        opened
    });
    before_blocks
        .map(|text| text.rsplit(';').next().unwrap_or_default().trim())
        .filter(|text| !text.starts_with('@'))
        .flat_map(|text| text.split(',').map(|one| one.trim().to_owned()))
        .collect()
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}

fn classes(selector: &str) -> impl Iterator<Item = &str> {
    let after_dots = selector.split('.').skip(1);
    after_dots.filter_map(|text| text.split(|letter| !is_of_name(letter)).next())
}

/// The class whose own look a selector sets: one without a place, a state or a second class.
fn own_class(selector: &str) -> Option<&str> {
    selector
        .strip_prefix('.')
        .filter(|class| class.chars().all(is_of_name))
}

#[test]
fn selectors_are_read_from_a_sheet() {
    let sheet =
        "/* .no { */ .a, .b:hover > i { color: red; }\n@media (width < 39.99rem) {\n .c.d { top: 0 } }";
    let mut found = selectors(sheet);
    found.sort();
    assert_eq!(found, [".a", ".b:hover > i", ".c.d"]);
    assert_eq!(classes(".c.d:not(.e) f").collect::<Vec<_>>(), ["c", "d", "e"]);
    assert_eq!((own_class(".a"), own_class(".b:hover")), (Some("a"), None));
}

#[test]
fn every_class_of_the_sheets_is_used() {
    let sources = files("src", "rs").into_iter().chain(files("js", "js"));
    let sources: Vec<_> = sources.map(|file| fs::read_to_string(file).unwrap()).collect();
    let code = sources.iter().flat_map(|source| source.lines());
    let code = code.filter(|line| !line.trim_start().starts_with("//"));
    let used: BTreeSet<_> = code
        .flat_map(|line| line.split(|letter| !is_of_name(letter)))
        .collect();
    let mut unused = Vec::new();
    for file in files("style", "css") {
        let sheet = fs::read_to_string(&file).unwrap();
        for selector in selectors(&sheet) {
            let dead = classes(&selector).filter(|class| !used.contains(class));
            unused.extend(dead.map(|class| format!("{}: .{class}", file.display())));
        }
    }
    assert!(unused.is_empty(), "{}", unused.join("\n"));
}

#[test]
fn the_own_look_of_a_class_is_in_one_file() {
    let mut places: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    for file in files("style", "css") {
        let sheet = fs::read_to_string(&file).unwrap();
        for class in selectors(&sheet)
            .iter()
            .filter_map(|selector| own_class(selector))
        {
            places.entry(class.to_owned()).or_default().insert(file.clone());
        }
    }
    places.retain(|_, files| files.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}
