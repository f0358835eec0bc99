//! The rules of the house: which package may import which, what stays pure, how long a file may be, and which names and
//! constructs are not allowed.

#![expect(clippy::unwrap_used, reason = "a test says so by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[path = "house/arrows.rs"]
mod arrows;
#[path = "house/modules.rs"]
mod modules;
#[path = "house/source_tree.rs"]
mod source_tree;

use cargo_metadata::{Metadata, MetadataCommand, PackageId};

/// For each package, which of our packages it may import. Every package but xtask may also import the vocabulary.
const ARROWS: &[(&str, &[&str])] = &[
    (VOCABULARY, &[]),
    ("flotilla-policy", &[]),
    ("flotilla-compose", &[]),
    ("flotilla-identity", &[]),
    ("flotilla-wire", &[]),
    ("flotilla-pace", &[]),
    (
        "flotilla-mesh",
        &["flotilla-policy", "flotilla-wire", "flotilla-pace"],
    ),
    (
        "flotilla-fleet",
        &["flotilla-policy", "flotilla-identity", "flotilla-pace"],
    ),
    ("flotilla-link", &["flotilla-identity"]),
    ("flotilla-udp", &[]),
    ("flotilla-disk", &[]),
    (
        "flotilla-tunnel",
        &["flotilla-mesh", "flotilla-wire", "flotilla-udp"],
    ),
    (
        "flotilla-relay",
        &[
            "flotilla-wire",
            "flotilla-identity",
            "flotilla-udp",
            "flotilla-pace",
        ],
    ),
    ("flotilla-engine", &["flotilla-compose"]),
    (
        "flotilla-agent",
        &[
            "flotilla-disk",
            "flotilla-identity",
            "flotilla-link",
            "flotilla-tunnel",
            "flotilla-mesh",
            "flotilla-engine",
            "flotilla-relay",
            "flotilla-policy",
        ],
    ),
    (
        "flotilla-control",
        &[
            "flotilla-disk",
            "flotilla-identity",
            "flotilla-link",
            "flotilla-relay",
            "flotilla-fleet",
            "flotilla-pace",
            "flotilla-policy",
            "flotilla-compose",
        ],
    ),
    ("flotilla-client", &["flotilla-identity"]),
    (
        "flotilla",
        &[
            "flotilla-client",
            "flotilla-control",
            "flotilla-agent",
            "flotilla-disk",
        ],
    ),
    (
        "flotilla-desktop",
        &[
            "flotilla-client",
            "flotilla-control",
            "flotilla-agent",
            "flotilla-disk",
        ],
    ),
    ("flotilla-ui", &["flotilla-policy", "flotilla-compose"]),
    (
        "flotilla-tests",
        &[
            "flotilla-client",
            "flotilla-identity",
            "flotilla-link",
            "flotilla-engine",
        ],
    ),
    ("xtask", &[]),
];

const VOCABULARY: &str = "flotilla-protocol";

/// Packages that may use neither a runtime nor sockets, files or a database.
const PURE: [&str; 8] = [
    VOCABULARY,
    "flotilla-policy",
    "flotilla-compose",
    "flotilla-identity",
    "flotilla-wire",
    "flotilla-pace",
    "flotilla-mesh",
    "flotilla-fleet",
];
const IMPURE_CRATES: [&str; 8] = [
    "async-std",
    "axum",
    "hyper",
    "mio",
    "reqwest",
    "socket2",
    "sqlx",
    "tokio",
];

const LONGEST_FILE: usize = 400;
const TOP_LEVEL: [&str; 13] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "crates",
    "deny.toml",
    "icons",
    "rustfmt.toml",
    "src-tauri",
    "tests",
    "ui",
];
/// Module names that say nothing about what is inside.
const EMPTY_MODULE_NAMES: [&str; 11] = [
    "common", "handler", "handlers", "helper", "helpers", "manager", "misc", "service", "types", "util",
    "utils",
];
const EMPTY_TYPE_SUFFIXES: [&str; 3] = ["Handler", "Manager", "Service"];
/// Marks of unfinished code. Spelled in pieces, so that this file does not break its own rule.
const UNFINISHED: [&str; 3] = [
    concat!("#[ign", "ore"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];
const UNSAFE: [&str; 5] = [
    concat!("uns", "afe {"),
    concat!("uns", "afe fn"),
    concat!("uns", "afe impl"),
    concat!("uns", "afe trait"),
    concat!("uns", "afe extern"),
];

#[test]
fn rooms_import_only_what_the_plan_allows() {
    let metadata = metadata();
    let allowed: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let ours: BTreeSet<_> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let mut broken = Vec::new();
    for package in metadata.workspace_packages() {
        let Some(arrows) = allowed.get(package.name.as_str()) else {
            broken.push(format!("{} is not in the plan", package.name));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| ours.contains(&dependency.name))
        {
            let name = dependency.name.as_str();
            let itself = name == package.name.as_str();
            if name != VOCABULARY && !itself && !arrows.contains(&name) {
                broken.push(format!("{} may not import {name}", package.name));
            }
        }
        if package.name.as_str() == "xtask" && package.dependencies.iter().any(|to| ours.contains(&to.name)) {
            broken.push("xtask imports none of ours, not even the vocabulary".to_owned());
        }
    }
    assert_none(broken);
}

#[test]
fn pure_rooms_reach_no_runtime_and_no_socket() {
    let metadata = metadata();
    let names: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package.name.to_string()))
        .collect();
    let mut broken = Vec::new();
    for package in metadata.workspace_packages() {
        if !PURE.contains(&package.name.as_str()) {
            continue;
        }
        for reached in reached_by(&metadata, &package.id) {
            let name = names[&reached].as_str();
            if IMPURE_CRATES.contains(&name) {
                broken.push(format!("{} reaches {name}", package.name));
            }
        }
    }
    assert_none(broken);
}

#[test]
fn every_manifest_takes_the_lints_of_the_workspace() {
    let mut broken = Vec::new();
    for package in metadata().workspace_packages() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        // The device file of the tunnel needs `unsafe`, which the workspace forbids, so that package has lints of its
        // own.
        if package.name.as_str() != "flotilla-tunnel" && !manifest.contains("[lints]\nworkspace = true") {
            broken.push(format!("{} has lints of its own", package.name));
        }
    }
    assert_none(broken);
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            broken.push(format!("{path}: {lines} lines, at most {LONGEST_FILE}"));
        }
        if !text.starts_with("//!") {
            broken.push(format!("{path}: begins without //!"));
        }
    }
    assert_none(broken);
}

#[test]
fn modules_and_types_have_names_that_say_something() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let names = Path::new(&path).with_extension("");
        for name in names.iter().map(|name| name.to_string_lossy()) {
            if name == "mod" || EMPTY_MODULE_NAMES.contains(&name.as_ref()) {
                broken.push(format!("{path}: the name `{name}` says nothing"));
            }
        }
        for name in text.lines().filter_map(declared_type) {
            if EMPTY_TYPE_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
                broken.push(format!("{path}: the name `{name}` says nothing"));
            }
        }
    }
    assert_none(broken);
}

#[test]
fn nothing_is_left_unfinished_or_unchecked() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let may_be_unsafe = path.starts_with("crates/tunnel/src/device");
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            let unsafe_code = UNSAFE.iter().any(|mark| line.contains(mark)) && !may_be_unsafe;
            if unsafe_code || UNFINISHED.iter().any(|mark| line.contains(mark)) {
                broken.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert_none(broken);
}

#[test]
fn the_top_level_holds_the_house_and_nothing_else() {
    let entries = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let names = entries.map(|name| name.to_string_lossy().into_owned());
    // Build output is not part of the house.
    let stray = names
        .filter(|name| !name.starts_with('.') && name != "target" && !TOP_LEVEL.contains(&name.as_str()));
    assert_none(stray.collect());
}

fn assert_none(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata() -> Metadata {
    // For this machine only, else cargo fetches what other systems need.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let options = ["--filter-platform".to_owned(), platform];
    MetadataCommand::new()
        .current_dir(root())
        .other_options(options)
        .exec()
        .unwrap()
}

/// All packages that a package is built from, directly or not; dependencies of tests and build scripts do not count.
fn reached_by(metadata: &Metadata, package: &PackageId) -> BTreeSet<PackageId> {
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let nodes: BTreeMap<_, _> = nodes.iter().map(|node| (&node.id, node)).collect();
    let mut reached = BTreeSet::new();
    let mut ahead = vec![package.clone()];
    while let Some(id) = ahead.pop() {
        for dependency in &nodes[&id].deps {
            let built_in = dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == cargo_metadata::DependencyKind::Normal);
            if built_in && reached.insert(dependency.pkg.clone()) {
                ahead.push(dependency.pkg.clone());
            }
        }
    }
    reached
}

/// Path from the root and text of all our Rust files.
fn sources() -> Vec<(String, String)> {
    let mut sources = Vec::new();
    let mut folders: Vec<_> = ["crates", "src-tauri", "tests", "ui"]
        .map(|name| root().join(name))
        .into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() && !["dist", "gen", "node_modules", "target"].contains(&name.as_ref()) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let shown = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                sources.push((shown, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!sources.is_empty(), "no sources below {}", root().display());
    sources.sort();
    sources
}

/// The name of the type that a line declares.
fn declared_type(line: &str) -> Option<&str> {
    let words = line
        .trim_start()
        .strip_prefix("pub(crate) ")
        .unwrap_or(line.trim_start());
    let words = words.strip_prefix("pub ").unwrap_or(words);
    let rest = ["struct ", "enum ", "trait ", "type "]
        .iter()
        .find_map(|keyword| words.strip_prefix(keyword))?;
    rest.split(|letter: char| !letter.is_alphanumeric()).next()
}
