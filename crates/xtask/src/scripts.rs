//! The scripts of the UI: each file of `ui/js` becomes one, together with all that it imports from npm packages, and a
//! page fetches it when it first needs it.
//!
//! What is in none of them, the glue of the program and the style sheet, is only made smaller.
//!
//! The bundler is esbuild, whose npm package contains a program for each system and needs no install script.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::{check_quietly, command};

/// How each script is bundled. A style sheet that it imports is a text in it. Notices of licenses are kept.
const OPTIONS: [&str; 6] = [
    "--bundle",
    "--minify",
    "--format=esm",
    "--target=es2022",
    "--loader:.css=text",
    "--legal-comments=inline",
];

/// The name of each script, without an extension, and its text.
pub(crate) fn bundled(ui: &Path, scratch: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut sources: Vec<PathBuf> = fs::read_dir(ui.join("js"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    sources.sort();
    sources
        .iter()
        .map(|source| {
            let name = source.file_stem().context("a script has a name")?;
            let output = scratch.join(name).with_extension("js");
            // One argument, since esbuild takes no value after a space.
            let mut outfile = OsString::from("--outfile=");
            outfile.push(&output);
            let mut esbuild = command(ui.join("node_modules/.bin/esbuild"));
            check_quietly(esbuild.arg(source).args(OPTIONS).arg(outfile))?;
            Ok((name.to_string_lossy().into_owned(), fs::read(&output)?))
        })
        .collect()
}

/// The text of a script or of a style sheet without what only people need: comments, spaces, long names. `name` tells by
/// its extension which of the two it is.
pub(crate) fn minified(ui: &Path, scratch: &Path, name: &str, text: &str) -> Result<String> {
    fs::create_dir_all(scratch)?;
    let [input, output] = ["long", "short"].map(|kind| scratch.join(format!("{kind}-{name}")));
    fs::write(&input, text)?;
    let mut outfile = OsString::from("--outfile=");
    outfile.push(&output);
    let mut esbuild = command(ui.join("node_modules/.bin/esbuild"));
    check_quietly(esbuild.arg(&input).arg("--minify").arg(outfile))?;
    Ok(fs::read_to_string(&output)?)
}
