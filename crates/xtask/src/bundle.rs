//! The UI's files under names with a hash of their content, so that browsers may cache them for ever.
//!
//! Only `index.html` keeps its name. Every `npm:PACKAGE/PATH` in a script, a style sheet or the page is replaced by the
//! address of a copy of that file from `node_modules`, so there is no need for a bundler, an import map or an inline
//! script.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// The files of a bundle that is being made: path below the bundle's root → content.
#[derive(Debug)]
pub(crate) struct Bundle {
    node_modules: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    pub(crate) fn new(node_modules: PathBuf) -> Self {
        Self {
            node_modules,
            files: BTreeMap::new(),
        }
    }

    /// Adds a file under a name with the hash of its content; returns its address for the page.
    pub(crate) fn add_hashed(&mut self, name: &str, content: Vec<u8>) -> String {
        let hashed = hashed_name(name, &hex_digest(&content));
        let address = format!("/{hashed}");
        self.files.insert(hashed, content);
        address
    }

    /// Adds two scripts that import each other as `./NAME`. The names of both have the hash of both contents.
    pub(crate) fn add_circle(&mut self, scripts: [(&str, String); 2]) -> [String; 2] {
        let both = scripts.each_ref().map(|(_, text)| text.as_str()).concat();
        let hash = hex_digest(both.as_bytes());
        let names = scripts.each_ref().map(|(name, _)| hashed_name(name, &hash));
        let resolved = |text: &str| {
            let import = |text: String, (name, hashed): (&&str, &String)| {
                ["from \"", "from\""].iter().fold(text, |text, from| {
                    text.replace(&format!("{from}./{name}\""), &format!("{from}/{hashed}\""))
                })
            };
            let known = scripts.iter().map(|(name, _)| name).zip(&names);
            known.fold(text.to_owned(), import)
        };
        for ((_, text), name) in scripts.iter().zip(&names) {
            self.files.insert(name.clone(), resolved(text).into_bytes());
        }
        names.map(|name| format!("/{name}"))
    }

    /// Adds a file under exactly this name.
    pub(crate) fn add_named(&mut self, path: &str, content: Vec<u8>) {
        self.files.insert(path.to_owned(), content);
    }

    /// Adds all files of a folder under their own names.
    pub(crate) fn add_folder(&mut self, folder: &Path) -> Result<()> {
        for path in files_below(folder)? {
            let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
            self.files.insert(name, fs::read(&path)?);
        }
        Ok(())
    }

    /// Adds a copy of every npm file that the text refers to; returns the text with the addresses of the copies.
    pub(crate) fn with_npm(&mut self, text: &str) -> Result<String> {
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, reference, after)) = next_reference(rest) {
            resolved.push_str(before);
            resolved.push_str(&self.copy_npm(reference)?);
            rest = after;
        }
        resolved.push_str(rest);
        Ok(resolved)
    }

    fn copy_npm(&mut self, reference: &str) -> Result<String> {
        let path = self.node_modules.join(reference);
        let content = fs::read(&path)
            .with_context(|| format!("npm:{reference} is not in node_modules; is it in ui/package.json?"))?;
        let name = path
            .file_name()
            .context("an npm: reference names a file")?
            .to_string_lossy()
            .into_owned();
        Ok(self.add_hashed(&name, content))
    }

    /// Replaces the directory by this bundle. The page is written last: while there is a page, its files are there.
    pub(crate) fn write(&self, directory: &Path) -> Result<()> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        for (name, content) in self
            .files
            .iter()
            .filter(|(name, _)| *name != PAGE)
            .chain(self.files.get_key_value(PAGE))
        {
            let path = directory.join(name);
            fs::create_dir_all(path.parent().context("a file has a folder")?)?;
            fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Number of files, and their size in bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.files.len(), self.files.values().map(Vec::len).sum())
    }
}

/// The one file that keeps its name, which browsers therefore must not cache.
pub(crate) const PAGE: &str = "index.html";

fn hashed_name(name: &str, hash: &str) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
    format!("{stem}-{}.{extension}", &hash[..12])
}

/// The sheet in the folder of styles whose rules are in no layer: it has variables only.
const TOKENS: &str = "tokens.css";

/// The folders of styles. Each is a cascade layer, and a rule of a later one wins: that of a page over that of a
/// component, however the two are written.
const LAYERS: [&str; 4] = ["base", "components", "frame", "pages"];

/// All style sheets as one.
pub(crate) fn joined_styles(folder: &Path) -> Result<String> {
    let mut sheets = format!("@layer {};\n", LAYERS.join(", "));
    sheets.push_str(&fs::read_to_string(folder.join(TOKENS))?);
    for path in files_below(folder)? {
        let place = path.strip_prefix(folder)?;
        let layer = place.parent().and_then(Path::to_str).unwrap_or_default();
        if LAYERS.contains(&layer) {
            let rules = fs::read_to_string(&path)?;
            sheets.push_str(&format!("@layer {layer} {{\n{rules}}}\n"));
        } else if place != Path::new(TOKENS) {
            bail!("{} is in no layer: {}", path.display(), LAYERS.join(", "));
        }
    }
    Ok(sheets)
}

/// Replaces a reference in the page; fails when it is missing, since a page without its script would be blank without
/// an error.
pub(crate) fn replaced(text: &str, reference: &str, address: &str) -> Result<String> {
    if !text.contains(reference) {
        bail!("{PAGE} does not refer to {reference}");
    }
    Ok(text.replace(reference, address))
}

pub(crate) fn hex_digest(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Finds the next quoted `npm:…`; returns the text before it, the reference without `npm:`, and the text after it.
fn next_reference(text: &str) -> Option<(&str, &str, &str)> {
    const SCHEME: &str = "npm:";
    let opens = |at: usize| text[..at].ends_with(['"', '\'', '(', '`']);
    let at = text
        .match_indices(SCHEME)
        .map(|(at, _)| at)
        .find(|at| opens(*at))?;
    let reference = &text[at + SCHEME.len()..];
    let end = reference.find(['"', '\'', ')', '`', ' ', '\n'])?;
    Some((&text[..at], &reference[..end], &reference[end..]))
}

/// All files in a folder and below, sorted; none where there is no such folder.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle_with_npm_file(path: &str, content: &str) -> (tempfile::TempDir, Bundle) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
        let bundle = Bundle::new(directory.path().to_owned());
        (directory, bundle)
    }

    #[test]
    fn a_name_changes_with_its_content_only() {
        let mut bundle = Bundle::new("node_modules".into());
        let first = bundle.add_hashed("app.js", b"one".to_vec());
        assert_eq!(first, bundle.add_hashed("app.js", b"one".to_vec()));
        assert_ne!(first, bundle.add_hashed("app.js", b"two".to_vec()));
        assert!(first.starts_with("/app-") && first.ends_with(".js"), "{first}");
    }

    #[test]
    fn scripts_that_import_each_other_find_each_other() {
        let mut bundle = Bundle::new("node_modules".into());
        let mut add = |text: &str| {
            bundle.add_circle([
                ("a.js", text.to_owned()),
                ("b.js", "import x from\"./a.js\"".to_owned()),
            ])
        };
        let [a, b] = add("import y from \"./b.js\"; z(\"./b.js\")");
        let [other, _] = add("changed");
        assert_ne!(a, other);
        let text = |address: &str| String::from_utf8(bundle.files[&address[1..]].clone()).unwrap();
        assert_eq!(text(&a), format!("import y from \"{b}\"; z(\"./b.js\")"));
        assert_eq!(text(&b), format!("import x from\"{a}\""));
    }

    #[test]
    fn npm_references_become_copies_in_scripts_styles_and_pages() {
        let (_directory, mut bundle) = bundle_with_npm_file("@scope/font/a.woff2", "font");
        let font = bundle.add_hashed("a.woff2", b"font".to_vec());
        for (text, expected) in [
            (
                "import x from 'npm:@scope/font/a.woff2';",
                format!("import x from '{font}';"),
            ),
            (
                "src: url(\"npm:@scope/font/a.woff2\") x",
                format!("src: url(\"{font}\") x"),
            ),
            ("src: url(npm:@scope/font/a.woff2)", format!("src: url({font})")),
            (
                "<link href=\"npm:@scope/font/a.woff2\">",
                format!("<link href=\"{font}\">"),
            ),
            ("// from npm: nothing", "// from npm: nothing".to_owned()),
        ] {
            assert_eq!(bundle.with_npm(text).unwrap(), expected);
        }
    }

    #[test]
    fn an_npm_file_that_is_absent_is_named() {
        let (_directory, mut bundle) = bundle_with_npm_file("a/b.js", "");
        let error = bundle.with_npm("import 'npm:a/c.js'").unwrap_err().to_string();
        assert!(error.contains("npm:a/c.js"), "{error}");
    }

    #[test]
    fn each_folder_of_styles_is_a_layer() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{name};\n")).unwrap();
        };
        ["tokens.css", "pages/b.css", "base/a.css"]
            .iter()
            .for_each(|name| write(name));
        assert_eq!(
            joined_styles(directory.path()).unwrap(),
            "@layer base, components, frame, pages;\ntokens.css;\n@layer base {\nbase/a.css;\n}\n@layer pages \
             {\npages/b.css;\n}\n"
        );
        write("more/c.css");
        let error = joined_styles(directory.path()).unwrap_err().to_string();
        assert!(error.contains("c.css is in no layer"), "{error}");
    }

    #[test]
    fn an_older_bundle_is_replaced_whole() {
        let directory = tempfile::tempdir().unwrap();
        let dist = directory.path().join("dist");
        let mut bundle = Bundle::new("node_modules".into());
        bundle.add_named("old.js", Vec::new());
        bundle.write(&dist).unwrap();
        let mut bundle = Bundle::new("node_modules".into());
        bundle.add_named(PAGE, b"page".to_vec());
        bundle.write(&dist).unwrap();
        assert_eq!(files_below(&dist).unwrap(), [dist.join(PAGE)]);
    }

    #[test]
    fn a_page_that_forgets_its_script_is_refused() {
        assert_eq!(
            replaced("<a ./boot.js>", "./boot.js", "/b.js").unwrap(),
            "<a /b.js>"
        );
        assert!(replaced("<a>", "./boot.js", "/b.js").is_err());
    }
}
