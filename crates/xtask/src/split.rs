//! Splits the wasm of the UI into a main module, which every page needs, and parts, which are fetched when a page needs
//! them.
//!
//! Split points are marked in the UI's source. Code that one split point alone reaches is in the file of that part,
//! code that several reach is in files that they share, and all other code is in the main module.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use wasm_split_cli_support::{Options, transform};

/// A file's name and its content.
pub(crate) type Module = (String, Vec<u8>);

/// Names of the script of the main module, and of the one that fetches parts. Each imports the other.
pub(crate) const MAIN_SCRIPT: &str = "app.js";
pub(crate) const LOADER: &str = "parts.js";

/// The result of the split.
#[derive(Debug)]
pub(crate) struct Split {
    /// The main module, to be processed by wasm-bindgen.
    pub(crate) main: Vec<u8>,
    pub(crate) parts: Vec<Module>,
    /// The script that fetches parts, by addresses of the form `./NAME`.
    pub(crate) loader: String,
}

impl Split {
    pub(crate) fn new(wasm: &Path, scratch: &Path) -> Result<Self> {
        fs::remove_dir_all(scratch).ok();
        let wasm = fs::read(wasm)?;
        let main = scratch.join("main.wasm");
        let [loader, script] = [LOADER, MAIN_SCRIPT].map(|name| format!("./{name}"));
        let mut options = Options::new(&wasm);
        options.output_dir = scratch;
        options.main_out_path = &main;
        options.link_name = &loader;
        options.main_module = &script;
        let split = transform(options).map_err(|error| anyhow!("cannot split the UI: {error:#}"))?;
        let part = |path: &std::path::PathBuf| -> Result<Module> {
            let name = path.file_name().context("a part is a file")?;
            Ok((name.to_string_lossy().into_owned(), fs::read(path)?))
        };
        Ok(Self {
            main: fs::read(&main)?,
            parts: split.split_modules.iter().map(part).collect::<Result<_>>()?,
            loader: fs::read_to_string(scratch.join(LOADER))?,
        })
    }
}

/// The names of the files that a part consists of, read from the script that fetches them.
pub(crate) fn files_of(loader: &str, part: &str) -> Result<Vec<String>> {
    let made = |name: &str| {
        let (_, made) = loader.split_once(&format!("const {name} = "))?;
        made.split(");\nconst ").next()?.split(");\nexport ").next()
    };
    let own = made(&format!("__wasm_split_load_{part}")).with_context(|| format!("no part {part}"))?;
    let shared = own.rsplit_once('[').map_or("", |(_, names)| names);
    let shared = shared
        .split([',', ']'])
        .map(str::trim)
        .filter(|name| name.starts_with("__chunk"));
    let all = shared.filter_map(made).chain([own]);
    Ok(all.filter_map(file_in).collect())
}

fn file_in(text: &str) -> Option<String> {
    let (_, address) = text.split_once("new URL(\"/")?;
    address.split_once('"').map(|(file, _)| file.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_its_own_file_and_those_that_it_shares() {
        let load =
            |file: &str| format!("makeLoad(() => {{\n const src = fetch(new URL(\"/{file}\", x));\n}}\n, ");
        let loader = format!(
            "const __chunk_1 = {}[]);\nconst __chunk_2 = {}[]);\nexport const __wasm_split_load_b = f({}[__chunk_2]));\n\
             export const __wasm_split_load_a = f({}[]));",
            load("one.wasm"),
            load("two.wasm"),
            load("b.wasm"),
            load("a.wasm")
        );
        assert_eq!(files_of(&loader, "b").unwrap(), ["two.wasm", "b.wasm"]);
        assert_eq!(files_of(&loader, "a").unwrap(), ["a.wasm"]);
        assert!(files_of(&loader, "c").is_err());
    }
}
