//! Sizes of what users download: the compressed UI, the agent and its image.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::agent;
use crate::checkout::Checkout;
use crate::split;

const KB: u64 = 1024;
/// Sizes in bytes that we aim to stay below.
const WASM_AIM: u64 = 450 * KB;
const STYLES_AIM: u64 = 40 * KB;
const AGENT_AIM: u64 = 12 * 1024 * KB;

/// The sizes, each beside the one that we aim to stay below.
pub(crate) fn measured(checkout: &Checkout, agents: &Path) -> Result<Vec<Value>> {
    let dist = checkout.ui_dist();
    Ok(vec![
        figure("wasm gz", first_visit(&dist)?, Some(WASM_AIM)),
        figure("css gz", gzipped(&app_file(&dist, "css")?)?, Some(STYLES_AIM)),
        figure("agent", size(&agent::native_program(agents))?, Some(AGENT_AIM)),
        figure("agent image", size(&agent::native_image(agents))?, None),
    ])
}

fn figure(name: &str, value: u64, aim: Option<u64>) -> Value {
    let ratio = aim.map(|aim| ((value as f64 / aim as f64) * 1000.0).round() / 1000.0);
    let vs = aim.map(|aim| format!("aim {aim}"));
    json!({ "bench": "sizes", "figure": name, "value": value, "unit": "bytes", "vs": vs, "ratio": ratio })
}

fn size(file: &Path) -> Result<u64> {
    Ok(file
        .metadata()
        .with_context(|| format!("cannot measure {}", file.display()))?
        .len())
}

fn gzipped(file: &Path) -> Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&fs::read(file)?)?;
    Ok(encoder.finish()?.len() as u64)
}

/// The compressed size of the wasm that a browser loads for the first page: the main module, and the files of the
/// dashboard.
fn first_visit(dist: &Path) -> Result<u64> {
    let loader = fs::read_to_string(find_file(dist, "parts-", "js")?)?;
    let parts = split::files_of(&loader, "dashboard")?;
    let parts = parts.iter().map(|part| dist.join(part));
    let files = parts.chain([app_file(dist, "wasm")?]);
    files.map(|file| gzipped(&file)).sum()
}

/// The application's own file with this extension; files of npm packages have other names.
fn app_file(directory: &Path, extension: &str) -> Result<PathBuf> {
    find_file(directory, "app-", extension)
}

fn find_file(directory: &Path, prefix: &str, extension: &str) -> Result<PathBuf> {
    let files = fs::read_dir(directory)?.flatten().map(|entry| entry.path());
    let own = files.into_iter().find(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(prefix) && name.ends_with(&format!(".{extension}"))
    });
    own.with_context(|| format!("no {prefix}*.{extension} in {}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_stands_beside_its_aim() {
        let line = figure("agent", 6 * 1024 * KB, Some(AGENT_AIM)).to_string();
        assert!(
            line.contains(r#""ratio":0.5"#) && line.contains(r#""value":6291456"#),
            "{line}"
        );
        assert_eq!(figure("agent image", 1, None)["vs"], Value::Null);
    }
}
