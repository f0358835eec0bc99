//! The files of a crate as the modules that they make up, without what is built for tests only.
//!
//! They are read as trees of tokens and not as syntax, because the arguments of a macro have no other form.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The words with which items begin. What begins otherwise, as fields and arguments do, may end with a comma.
const ITEMS: [&str; 10] = [
    "const", "enum", "fn", "impl", "mod", "static", "struct", "trait", "type", "use",
];

/// A path in source text or of a module, without its colons: `["crate", "mesh", "Mesh"]`.
pub(crate) type Path = Vec<String>;

/// The modules of a crate by their paths. The root is `["crate"]`.
pub(crate) type Modules = BTreeMap<Path, Module>;

/// A file, or a module that is written out inside of one.
pub(crate) struct Module {
    /// Path of the file below `src`.
    pub(crate) file: String,
    pub(crate) children: BTreeSet<String>,
    /// What the names that are imported here stand for.
    pub(crate) imports: BTreeMap<String, Path>,
    /// Paths that the module imports without passing them on; all of a module, or a trait without its name, included.
    pub(crate) used: BTreeSet<Path>,
    /// Modules of which every name is imported.
    pub(crate) globs: Vec<Path>,
    /// Everything else.
    pub(crate) body: Vec<TokenTree>,
}

/// The modules of a crate whose files, by their paths below `src`, have these texts.
pub(crate) fn modules(files: &BTreeMap<String, String>) -> Modules {
    let mut modules = Modules::new();
    add_file(&mut modules, files, vec!["crate".to_owned()], "lib.rs");
    modules
}

fn add_file(modules: &mut Modules, files: &BTreeMap<String, String>, path: Path, file: &str) {
    let text = files.get(file).unwrap_or_else(|| panic!("there is no {file}"));
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
    add(modules, files, path, file, without_tests(tokens));
}

fn add(
    modules: &mut Modules,
    files: &BTreeMap<String, String>,
    path: Path,
    file: &str,
    tokens: Vec<TokenTree>,
) {
    let mut module = Module {
        file: file.to_owned(),
        children: BTreeSet::new(),
        imports: BTreeMap::new(),
        used: BTreeSet::new(),
        globs: Vec::new(),
        body: Vec::new(),
    };
    let mut ahead = tokens.into_iter().peekable();
    let mut rest = Vec::new();
    while let Some(token) = ahead.next() {
        let name = match ahead.peek() {
            Some(TokenTree::Ident(name)) if is(&token, "mod") => name.to_string(),
            _ => {
                rest.push(token);
                continue;
            }
        };
        ahead.next();
        let child: Path = path.iter().chain([&name]).cloned().collect();
        match ahead.next() {
            Some(TokenTree::Group(inside)) => {
                add(modules, files, child, file, inside.stream().into_iter().collect());
            }
            _ => {
                let folder = if path.len() == 1 {
                    ""
                } else {
                    file.trim_end_matches(".rs")
                };
                let below = format!("{folder}/{name}.rs");
                add_file(modules, files, child, below.trim_start_matches('/'));
            }
        }
        module.children.insert(name);
    }
    module.body = module.take_imports(rest);
    modules.insert(path, module);
}

impl Module {
    /// Notes all `use` items, those inside of functions included, and returns the tokens without them.
    fn take_imports(&mut self, tokens: Vec<TokenTree>) -> Vec<TokenTree> {
        let mut rest = Vec::new();
        let mut ahead = tokens.into_iter().peekable();
        while let Some(token) = ahead.next() {
            // `use<'a>` of a return type is no import.
            if is(&token, "use") && !ahead.peek().is_some_and(|next| is(next, "<")) {
                let tree: Vec<_> = ahead.by_ref().take_while(|token| !is(token, ";")).collect();
                let passed_on = matches!(rest.last(), Some(before) if is_visibility(before));
                self.import(&tree, &Path::new(), passed_on);
            } else if let TokenTree::Group(group) = token {
                let inside = self.take_imports(group.stream().into_iter().collect());
                rest.push(regrouped(&group, inside));
            } else {
                rest.push(token);
            }
        }
        rest
    }

    /// Notes one branch of a `use` item.
    fn import(&mut self, tree: &[TokenTree], before: &[String], passed_on: bool) {
        let mut path = before.to_vec();
        let mut name = None;
        for (at, token) in tree.iter().enumerate() {
            match token {
                TokenTree::Group(branches) => {
                    let branches: Vec<_> = branches.stream().into_iter().collect();
                    for branch in branches.split(|token| is(token, ",")) {
                        self.import(branch, &path, passed_on);
                    }
                    return;
                }
                TokenTree::Punct(star) if star.as_char() == '*' => return self.globs.push(path),
                TokenTree::Ident(word) if word == "as" => {
                    name = tree.get(at + 1).map(ToString::to_string);
                    break;
                }
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                _ => {}
            }
        }
        let Some(name) = name.or_else(|| path.last().cloned()) else {
            return;
        };
        if !passed_on {
            self.used.insert(path.clone());
        }
        if name != "_" {
            self.imports.insert(name, path);
        }
    }
}

/// The tokens without doc comments, and without what is built for tests only.
fn without_tests(tokens: TokenStream) -> Vec<TokenTree> {
    let mut rest = Vec::new();
    let mut ahead = tokens.into_iter().peekable();
    while let Some(token) = ahead.next() {
        match (&token, ahead.peek()) {
            (_, Some(TokenTree::Group(attribute))) if is(&token, "#") => {
                let words: Vec<_> = attribute.stream().into_iter().collect();
                let is_about = |name| words.first().is_some_and(|word| is(word, name));
                let is_test = is_about("cfg") && words.iter().any(needs_test);
                if is_test || is_about("doc") {
                    ahead.next();
                } else {
                    rest.push(token);
                }
                if is_test {
                    let mut is_item = false;
                    ahead.by_ref().find(|token| {
                        is_item |= ITEMS.iter().any(|word| is(token, word));
                        is_block(token) || is(token, ";") || (is(token, ",") && !is_item)
                    });
                }
            }
            (TokenTree::Group(group), _) => {
                rest.push(regrouped(group, without_tests(group.stream())));
            }
            _ => rest.push(token),
        }
    }
    rest
}

/// Whether a condition of `cfg` holds in builds for tests only.
fn needs_test(condition: &TokenTree) -> bool {
    let TokenTree::Group(group) = condition else {
        return false;
    };
    let words: Vec<_> = group.stream().into_iter().collect();
    let all = words.first().is_some_and(|word| is(word, "all"));
    words.first().is_some_and(|word| is(word, "test")) || (all && words.iter().any(lists_test))
}

fn lists_test(conditions: &TokenTree) -> bool {
    let TokenTree::Group(group) = conditions else {
        return false;
    };
    group.stream().into_iter().any(|word| is(&word, "test"))
}

fn is_block(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

fn regrouped(group: &Group, tokens: Vec<TokenTree>) -> TokenTree {
    Group::new(group.delimiter(), tokens.into_iter().collect()).into()
}

/// Whether this ends `pub` or `pub(…)`.
fn is_visibility(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
        || is(token, "pub")
}

/// Whether this is the word or the sign.
fn is(token: &TokenTree, text: &str) -> bool {
    match token {
        TokenTree::Ident(word) => word == text,
        TokenTree::Punct(sign) => text.len() == 1 && text.starts_with(sign.as_char()),
        _ => false,
    }
}
