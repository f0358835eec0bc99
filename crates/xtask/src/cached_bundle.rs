//! The cache of UI bundles, by a hash of everything that a bundle is made of. A fresh clone or the next start compiles
//! the UI only when a source of it has changed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::bundle::hex;
use crate::cargo;
use crate::checkout::Checkout;

/// How many bundles are kept, of a few megabytes each: enough to change between some branches.
const LIMIT: usize = 4;

/// Folders of a package that are built or downloaded, and are no sources.
const NOT_SOURCES: [&str; 3] = ["dist", "node_modules", "target"];

/// Files beside the packages with versions, profiles and flags.
const SETTINGS: [&str; 3] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"];

/// The file in the cache for the bundle of this source tree, whether or not it exists.
pub(crate) struct CachedBundle {
    archive: PathBuf,
}

impl CachedBundle {
    /// The file for the current sources; `compiler` is the version of the compiler of the UI.
    pub(crate) fn of(checkout: &Checkout, compiler: &str) -> Result<Self> {
        let mut sources: BTreeSet<PathBuf> = SETTINGS.map(PathBuf::from).into();
        for package in packages(&checkout.root)? {
            collect(&checkout.root, &package, &mut sources)?;
        }
        let mut digest = Sha256::new_with_prefix(compiler);
        for source in sources {
            let content = fs::read(checkout.root.join(&source))?;
            // The length is before the content, so no two lists of files give the same input.
            digest.update(format!("\n{} {}\n", source.display(), content.len()));
            digest.update(content);
        }
        let directory = checkout.cache.join("wasm/bundles");
        fs::create_dir_all(&directory)?;
        let archive = directory.join(format!("{}.tar", hex(&digest.finalize())));
        Ok(Self { archive })
    }

    /// Replaces the directory by the bundle in the cache; returns `false` where the cache has none.
    pub(crate) fn restore(&self, directory: &Path) -> Result<bool> {
        let Ok(archive) = File::open(&self.archive) else {
            return Ok(false);
        };
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        tar::Archive::new(archive)
            .unpack(directory)
            .with_context(|| format!("cannot unpack {}; remove it", self.archive.display()))?;
        Ok(true)
    }

    /// Puts the bundle in this directory into the cache. A killed run leaves no incomplete file under the final name.
    pub(crate) fn keep(&self, directory: &Path) -> Result<()> {
        let unfinished = self.archive.with_extension(std::process::id().to_string());
        let mut archive = tar::Builder::new(File::create(&unfinished)?);
        archive.append_dir_all(".", directory)?;
        archive.into_inner()?;
        fs::rename(&unfinished, &self.archive)?;
        self.remove_older()
    }

    fn remove_older(&self) -> Result<()> {
        let directory = self.archive.parent().context("an archive has a folder")?;
        let mut archives: Vec<_> = fs::read_dir(directory)?
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        archives.sort();
        for (_, archive) in archives.iter().rev().skip(LIMIT) {
            fs::remove_file(archive)?;
        }
        Ok(())
    }
}

/// The folders of the UI, of xtask, which bundles it, and of our packages that either imports.
fn packages(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let metadata = cargo::metadata(root)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let mut folders = BTreeSet::new();
    let mut to_visit = vec!["flotilla-ui", "xtask"];
    while let Some(name) = to_visit.pop() {
        let Some(package) = packages.iter().find(|package| package["name"] == name) else {
            continue;
        };
        let manifest = package["manifest_path"].as_str().map(Path::new);
        let folder = manifest
            .and_then(Path::parent)
            .context("a package has a folder")?;
        if folders.insert(folder.strip_prefix(root)?.to_owned()) {
            let imports = package["dependencies"].as_array().into_iter().flatten();
            // Dependencies of tests and of build scripts have another kind.
            let ours = imports.filter(|import| import["path"].is_string() && import["kind"].is_null());
            to_visit.extend(ours.filter_map(|import| import["name"].as_str()));
        }
    }
    Ok(folders)
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            files.insert(path);
        } else if !NOT_SOURCES.iter().any(|name| entry.file_name() == *name) {
            collect(root, &path, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout(root: &Path) -> Checkout {
        Checkout {
            root: root.to_owned(),
            target: root.join("target"),
            cache: root.join("cache"),
            version: "0.0.0".to_owned(),
        }
    }

    fn write(file: PathBuf, content: &str) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    /// A workspace of the UI, a crate that it imports, and one that it does not import.
    fn workspace() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        write(
            at("Cargo.toml"),
            "[workspace]\nmembers = [\"ui\", \"words\", \"other\"]\n",
        );
        write(at("Cargo.lock"), "");
        write(at(".cargo/config.toml"), "");
        for (name, imports) in [
            ("ui", "words = { path = \"../words\" }"),
            ("words", ""),
            ("other", ""),
        ] {
            let package = if name == "ui" { "flotilla-ui" } else { name };
            let manifest =
                format!("[package]\nname = \"{package}\"\nversion = \"0.0.0\"\n[dependencies]\n{imports}\n");
            write(at(&format!("{name}/Cargo.toml")), &manifest);
            write(at(&format!("{name}/src/lib.rs")), "");
        }
        root
    }

    #[test]
    fn a_bundle_is_good_until_something_that_it_is_made_of_changes() {
        let root = workspace();
        let at = |path: &str| root.path().join(path);
        let cached = |compiler: &str| CachedBundle::of(&checkout(root.path()), compiler).unwrap();
        let dist = at("ui/dist");
        assert!(!cached("1").restore(&dist).unwrap());
        write(dist.join("fonts/a.woff2"), "font");
        write(dist.join("index.html"), "page");
        cached("1").keep(&dist).unwrap();

        write(dist.join("index.html"), "spoilt");
        write(at("other/src/lib.rs"), "// what the UI does not import");
        assert!(cached("1").restore(&dist).unwrap());
        assert_eq!(fs::read_to_string(dist.join("index.html")).unwrap(), "page");
        assert_eq!(fs::read_to_string(dist.join("fonts/a.woff2")).unwrap(), "font");

        assert!(!cached("2").restore(&dist).unwrap());
        write(at("words/src/lib.rs"), "// what it imports");
        assert!(!cached("1").restore(&dist).unwrap());
    }

    #[test]
    fn only_some_are_kept() {
        let root = workspace();
        let dist = root.path().join("ui/dist");
        write(dist.join("index.html"), "page");
        for compiler in 0..LIMIT + 3 {
            let cached = CachedBundle::of(&checkout(root.path()), &compiler.to_string()).unwrap();
            cached.keep(&dist).unwrap();
            assert!(cached.archive.exists());
        }
        let archives = fs::read_dir(root.path().join("cache/wasm/bundles")).unwrap();
        assert_eq!(archives.count(), LIMIT);
    }
}
