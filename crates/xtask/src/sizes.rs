//! Sizes of what users download: the compressed UI, the agent and its image.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::agent;
use crate::bundle::PAGE;
use crate::checkout::Checkout;
use crate::split;
use crate::step::say;

const KB: u64 = 1024;
/// The most that a browser may fetch, compressed, to show the dashboard for the first time.
const FIRST_VISIT: u64 = 450 * KB;
/// Sizes in bytes that we aim to stay below.
const STYLES_AIM: u64 = 40 * KB;
const AGENT_AIM: u64 = 12 * 1024 * KB;

/// The sizes, each beside the one that we aim to stay below.
pub(crate) fn measured(checkout: &Checkout, agents: &Path) -> Result<Vec<Value>> {
    let visit = first_visit(&checkout.ui_dist())?;
    Ok(vec![
        figure("first visit gz", sum(&visit, ""), Some(FIRST_VISIT)),
        figure("css gz", sum(&visit, ".css"), Some(STYLES_AIM)),
        figure("agent", size(&agent::native_program(agents))?, Some(AGENT_AIM)),
        figure("agent image", size(&agent::native_image(agents))?, None),
    ])
}

/// Prints the size of a first visit of a bundle.
///
/// # Errors
/// It is too large.
pub(crate) fn ensure_small(dist: &Path) -> Result<()> {
    let visit = first_visit(dist)?;
    let kb = |bytes: u64| format!("{:.1} KB", bytes as f64 / KB as f64);
    let total = sum(&visit, "");
    say(&format!(
        "first visit: {} of {} compressed, in {} files: programs {}, scripts {}, styles {}",
        kb(total),
        kb(FIRST_VISIT),
        visit.len(),
        kb(sum(&visit, ".wasm")),
        kb(sum(&visit, ".js")),
        kb(sum(&visit, ".css")),
    ));
    ensure!(
        total <= FIRST_VISIT,
        "a first visit fetches more than {}: see which code the dashboard does not need",
        kb(FIRST_VISIT)
    );
    Ok(())
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

fn gzipped(content: &[u8]) -> Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len() as u64)
}

/// The sum over the files whose names end like this.
fn sum(visit: &[(String, u64)], ending: &str) -> u64 {
    let wanted = visit.iter().filter(|(name, _)| name.ends_with(ending));
    wanted.map(|(_, bytes)| bytes).sum()
}

/// The files that a browser fetches for the dashboard and their compressed sizes: the page, what it refers to, and what
/// scripts import at once. Fonts are no part of it, since a page is shown without them.
fn first_visit(dist: &Path) -> Result<Vec<(String, u64)>> {
    let all: Vec<String> = fs::read_dir(dist)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    let mut names = vec![PAGE.to_owned()];
    let mut visit = Vec::new();
    while let Some(name) = names.get(visit.len()).cloned() {
        let content = fs::read(dist.join(&name)).with_context(|| format!("{name} is not in the bundle"))?;
        let found = if name.starts_with("parts-") {
            split::files_of(std::str::from_utf8(&content)?, "dashboard")?
        } else if name.ends_with(".html") || name.ends_with(".js") {
            let text = std::str::from_utf8(&content)?;
            let referred = all.iter().filter(|other| refers(text, other));
            referred.cloned().collect()
        } else {
            Vec::new()
        };
        for other in found {
            if !names.contains(&other) && !other.ends_with(".woff2") {
                names.push(other);
            }
        }
        visit.push((name, gzipped(&content)?));
    }
    Ok(visit)
}

/// Whether a page or a script needs a file at once, and not only when it calls `import`.
fn refers(text: &str, file: &str) -> bool {
    ['"', '\''].iter().any(|quote| {
        text.match_indices(&format!("{quote}/{file}{quote}"))
            .any(|(at, _)| !text[..at].ends_with("import("))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_visit_is_what_page_and_scripts_need_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        write(
            PAGE,
            "<link href=\"/a.css\"><link href=\"/f.woff2\"><script src=\"/boot.js\">",
        );
        write(
            "boot.js",
            "import x from '/app.js'; later = () => import('/chart.js'); load('/app.wasm')",
        );
        for name in ["a.css", "f.woff2", "app.js", "chart.js", "app.wasm", "other.wasm"] {
            write(name, "");
        }
        let visit = first_visit(directory.path()).unwrap();
        let mut names: Vec<_> = visit.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["a.css", "app.js", "app.wasm", "boot.js", PAGE]);
        assert_eq!(sum(&visit, ".wasm"), gzipped(b"").unwrap());
    }

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
