//! Which file of a crate uses which: the arrows between them, and the circles that arrows make.
//!
//! A file uses what its code names, and what it imports for itself. Each name is followed, through imports and through
//! modules that pass it on, to the file that defines it. So passing a name on (`pub use`) is no use of it, and a file is
//! not taken for the user of a parent whose name for it is only an address.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proc_macro2::{TokenStream, TokenTree};

use crate::source_tree::{Modules, Path};

/// For each file the files that it uses, each with one of the names for which.
pub(crate) type Arrows = BTreeMap<String, BTreeMap<String, String>>;

pub(crate) fn arrows(modules: &Modules) -> Arrows {
    let mut arrows = Arrows::new();
    for (path, module) in modules {
        let mut named = module.used.clone();
        name_paths(module.body.clone(), &mut named);
        let globs = module.globs.iter();
        named.extend(globs.map(|glob| [&glob[..], &["*".to_owned()]].concat()));
        for name in named {
            if let Some(file) = definer(modules, path, &name).filter(|file| *file != module.file) {
                let to = arrows.entry(module.file.clone()).or_default();
                to.entry(file).or_insert_with(|| name.join("::"));
            }
        }
    }
    arrows
}

/// Collects all paths in code: `state`, `Mesh::join`, `crate::VERSION`. A text that begins as a path of this crate is one,
/// too: attributes name functions so.
fn name_paths(tokens: Vec<TokenTree>, named: &mut BTreeSet<Path>) {
    let mut path = Path::new();
    // The last sign, and how many of it are in a row: two colons lead on, and one dot leads to a field or a method.
    let (mut last, mut in_a_row) = (' ', 0);
    for token in tokens {
        match token {
            TokenTree::Punct(sign) => {
                in_a_row = if sign.as_char() == last { in_a_row + 1 } else { 1 };
                last = sign.as_char();
                continue;
            }
            TokenTree::Ident(word) => {
                if (last, in_a_row) != (':', 2) {
                    named.insert(std::mem::take(&mut path));
                }
                if (last, in_a_row) != ('.', 1) {
                    path.push(word.to_string());
                }
            }
            TokenTree::Group(group) => name_paths(group.stream().into_iter().collect(), named),
            TokenTree::Literal(text) => {
                let text = text.to_string();
                if text.starts_with("\"crate::")
                    && let Ok(inside) = text.trim_matches('"').parse::<TokenStream>()
                {
                    name_paths(inside.into_iter().collect(), named);
                }
            }
        }
        (last, in_a_row) = (' ', 0);
    }
    named.insert(path);
}

/// The file that defines what a name means in a module; `None` for modules, and for what is not this crate's.
fn definer(modules: &Modules, at: &[String], name: &[String]) -> Option<String> {
    let first = name.first()?;
    let supers = name.iter().take_while(|word| *word == "super").count();
    match first.as_str() {
        "crate" => defined_in(modules, &at[..1], &name[1..]),
        "self" => defined_in(modules, at, &name[1..]),
        "super" => defined_in(modules, &at[..at.len() - supers], &name[supers..]),
        _ => {
            let module = &modules[at];
            let is_known = module.children.contains(first) || module.imports.contains_key(first);
            is_known.then(|| defined_in(modules, at, name))?
        }
    }
}

/// The file that defines a name of a module. Where a module passes on all names of another, that is the module's own.
fn defined_in(modules: &Modules, at: &[String], name: &[String]) -> Option<String> {
    let (first, rest) = name.split_first()?;
    let module = &modules[at];
    let is_child = module.children.contains(first);
    match module.imports.get(first) {
        // A function that is called like its module is meant where no path goes on.
        Some(meant) if !is_child || rest.is_empty() => {
            // Another crate's, as in `use log::log`.
            let is_ours = is_child || meant.first() != Some(first);
            let meant: Path = meant.iter().chain(rest).cloned().collect();
            is_ours.then(|| definer(modules, at, &meant))?
        }
        _ if is_child => {
            let child: Path = at.iter().chain([first]).cloned().collect();
            defined_in(modules, &child, rest)
        }
        _ => Some(module.file.clone()),
    }
}

/// The circles that a set of arrows makes, each once, but for a parent and its own child that use each other. Each is
/// shown file by file with a name that makes the arrow.
pub(crate) fn circles(arrows: &Arrows) -> Vec<String> {
    let mut found = BTreeMap::new();
    for (from, to) in arrows {
        for second in to.keys() {
            if let Some(back) = way(arrows, second, from) {
                let files = [vec![from.clone()], back].concat();
                let members: BTreeSet<_> = files.iter().cloned().collect();
                found.entry(members).or_insert_with(|| shown(arrows, &files));
            }
        }
    }
    found.into_values().collect()
}

/// The shortest way along arrows, both ends included. The arrow between parent and own child counts as none where it is
/// the whole way.
fn way(arrows: &Arrows, from: &String, to: &String) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([vec![from.clone()]]);
    let mut seen = BTreeSet::new();
    while let Some(files) = ways.pop_front() {
        let last = files.last()?;
        for next in arrows.get(last).into_iter().flat_map(BTreeMap::keys) {
            let is_family = last == from && next == to && (is_child(from, to) || is_child(to, from));
            let longer = [files.clone(), vec![next.clone()]].concat();
            if next == to && !is_family {
                return Some(longer);
            }
            if next != to && seen.insert(next.clone()) {
                ways.push_back(longer);
            }
        }
    }
    None
}

/// Whether a file is the module right above another's.
fn is_child(child: &str, parent: &str) -> bool {
    let folder = child.rsplit_once('/').map_or("lib", |(folder, _)| folder);
    parent.strip_suffix(".rs") == Some(folder)
}

fn shown(arrows: &Arrows, files: &[String]) -> String {
    let steps = files.windows(2).map(|step| {
        let name = &arrows[&step[0]][&step[1]];
        format!("{} uses `{name}` of\n    ", step[0])
    });
    steps.chain(files.last().cloned()).collect()
}
