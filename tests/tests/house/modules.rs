//! Inside the rooms that are too big to be held by the arrows between crates: which module may use which, and that no
//! files use each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::arrows::{Arrows, arrows, circles};
use crate::source_tree::modules;
use crate::{assert_none, sources};

/// The modules of each big room from the top down: a file may use its own module, what is further down in the list, and
/// the room's `lib.rs`.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "agent",
        &[
            "embedded",
            "install",
            "agent",
            "enroll",
            "link",
            "api",
            "relay",
            "jobs",
            "mesh",
            "machine",
            "status",
            "state",
            "complaint",
            "exit",
            "log",
        ],
    ),
    (
        "control",
        &[
            "control",
            "fleet_port",
            "api",
            "jobs",
            "hub",
            "effects",
            "relay",
            "change",
            "core",
            "provision",
            "cache",
            "links",
            "access",
            "repeats",
            "store",
            "report",
            "advertise",
            "firewall",
            "embedded",
            "completion",
            "trust",
            "data_dir",
            "limit",
            "clock",
            "config",
            "refusal",
            "start",
        ],
    ),
    (
        "protocol",
        &[
            "shell",
            "api",
            "agent",
            "enroll",
            "job",
            "log",
            "device",
            "mesh",
            "activity",
            "path",
            "policy",
            "interface",
            "endpoint",
            "inventory",
            "stream",
            "code",
            "pin",
            "key",
            "cidr",
            "name",
            "id",
            "neighborhood",
            "figure",
            "open",
            "text",
        ],
    ),
];

/// Lines of the middle one when a room's files are put in order of their length.
const MIDDLE_FILE: usize = 150;

#[test]
fn a_module_uses_only_what_is_below_it() {
    let mut broken = Vec::new();
    for (room, order) in ROOMS {
        let modules = modules(&files(room));
        let known = &modules[&vec!["crate".to_owned()]].children;
        let unplaced = known.iter().filter(|name| !order.contains(&name.as_str()));
        broken.extend(unplaced.map(|name| format!("{room}: the module `{name}` has no place in the order")));
        let gone = order.iter().filter(|name| !known.contains(**name));
        broken.extend(gone.map(|name| format!("{room}: there is no module `{name}`")));
        broken.extend(
            upward(&arrows(&modules), order)
                .into_iter()
                .map(|arrow| format!("{room}: {arrow}")),
        );
    }
    assert_none(broken);
}

#[test]
fn no_files_use_each_other_in_a_circle_but_parent_and_own_child() {
    let rooms = ROOMS.iter().flat_map(|(room, _)| {
        let circles = circles(&arrows(&modules(&files(room))));
        circles.into_iter().map(move |circle| format!("{room}: {circle}"))
    });
    assert_none(rooms.collect());
}

#[test]
fn half_of_a_rooms_files_are_short() {
    let mut broken = Vec::new();
    for (room, _) in ROOMS {
        let files = files(room);
        let built: BTreeSet<_> = modules(&files).into_values().map(|module| module.file).collect();
        let mut lines: Vec<_> = built.iter().map(|file| files[file].lines().count()).collect();
        lines.sort_unstable();
        let middle = lines[lines.len() / 2];
        if middle > MIDDLE_FILE {
            broken.push(format!(
                "{room}: the middle file has {middle} lines, at most {MIDDLE_FILE}"
            ));
        }
    }
    assert_none(broken);
}

#[test]
fn an_arrow_that_points_up_is_found() {
    let files = made_up(&[
        ("lib.rs", "mod high; mod low;"),
        ("high.rs", "use crate::low::B; pub struct A(B);"),
        ("low.rs", "pub struct B; mod deep;"),
        ("low/deep.rs", "fn f() { crate::high::A::new() }"),
    ]);
    let found = upward(&arrows(&modules(&files)), &["high", "low"]);
    assert_eq!(
        found,
        ["low/deep.rs uses `crate::high::A::new` of high.rs, which is further up"]
    );
}

#[test]
fn a_circle_is_found_however_a_file_names_the_other() {
    for code in [
        "use crate::a::A; struct B(A);",
        "use super::a::{self, A as _};",
        "use crate::a; fn f() { a::f() }",
        "use crate::A; struct B(A);",
        "fn f() { crate::a::f() }",
        "fn f() { println!(\"{}\", crate::a::f()) }",
        "fn f() { use crate::a; a::f(B { ..a::A::default() }) }",
        "#[serde(with = \"crate::a::f\")] struct B;",
        "use crate::a::*;",
        "mod inside { fn f() { super::super::a::f() } }",
        "#[cfg(not(test))] use crate::a::A;",
    ] {
        let files = made_up(&[
            ("lib.rs", "mod a; mod b; pub use a::A;"),
            ("a.rs", "use crate::b::B; pub struct A(B); pub fn f() {}"),
            ("b.rs", code),
        ]);
        let found = circles(&arrows(&modules(&files)));
        assert_eq!(found.len(), 1, "{code}: {found:?}");
        assert!(
            found[0].starts_with("a.rs uses `B` of\n    b.rs uses `"),
            "{}",
            found[0]
        );
        assert!(found[0].ends_with("` of\n    a.rs"), "{}", found[0]);
    }
}

#[test]
fn a_circle_through_a_parent_is_found() {
    let files = made_up(&[
        ("lib.rs", "mod a;"),
        ("a.rs", "mod one; mod two; struct A(one::One);"),
        ("a/one.rs", "use super::two::Two; pub struct One(Two);"),
        ("a/two.rs", "use super::A; pub struct Two(Box<A>);"),
    ]);
    let found = circles(&arrows(&modules(&files)));
    assert_eq!(
        found,
        ["a.rs uses `one::One` of\n    a/one.rs uses `Two` of\n    a/two.rs uses `A` of\n    a.rs"]
    );
}

#[test]
fn what_is_no_circle_is_not_taken_for_one() {
    let files = made_up(&[
        (
            "lib.rs",
            "mod a; mod b; mod c; pub use a::{A, deep::Deep}; pub const C: u8 = 1;",
        ),
        // `a.rs` passes `C` on by another name, and does not use it: that is no arrow to `c.rs`.
        (
            "a.rs",
            "pub mod deep; pub use crate::c::C as Passed; use crate::b::B; pub struct A(B, deep::Deep);",
        ),
        ("a/deep.rs", "pub struct Deep;"),
        // Tests and comments do not count, and a name after a dot or of another crate is another one.
        (
            "b.rs",
            "mod under; use crate::Deep; \n/// As [`crate::a::A`].\npub struct B(Deep, under::Under);
            #[cfg(test)] use crate::a::A; #[cfg(test)] impl<T, U> A<T, U> { fn f() { crate::a::f() } }
            fn f(self) { self.a.f(crate::C); log::a() } #[cfg(all(test, unix))] mod tests;",
        ),
        // A parent and its own child may use each other.
        ("b/under.rs", "use super::B; pub struct Under(Box<B>);"),
        ("c.rs", "use crate::a::A; pub struct C(A);"),
    ]);
    assert_eq!(circles(&arrows(&modules(&files))), Vec::<String>::new());
}

/// Arrows to a module that is further up in the order.
fn upward(arrows: &Arrows, order: &[&str]) -> Vec<String> {
    let place = |file: &str| {
        let top = file.split(['/', '.']).next();
        order.iter().position(|module| Some(*module) == top)
    };
    let all = arrows
        .iter()
        .flat_map(|(from, to)| to.iter().map(move |(to, name)| (from, to, name)));
    let upward = all.filter(|(from, to, _)| place(to).is_some_and(|to| Some(to) < place(from)));
    upward
        .map(|(from, to, name)| format!("{from} uses `{name}` of {to}, which is further up"))
        .collect()
}

/// The texts of a room's files by their paths below `src`.
fn files(room: &str) -> BTreeMap<String, String> {
    let folder = format!("crates/{room}/src/");
    let ours = sources().into_iter();
    ours.filter_map(|(path, text)| Some((path.strip_prefix(&folder)?.to_owned(), text)))
        .collect()
}

fn made_up(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}
