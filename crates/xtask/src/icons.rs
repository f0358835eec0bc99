//! `cargo xtask icons`: writes the glyphs that the UI uses into its source, from the npm package `lucide-static`.
//!
//! A glyph is used by its name in capitals, as in `lucide::ARROW_DOWN`. The file that is written is part of the source, so
//! that the UI compiles without npm; a bundle is made only when it has exactly what is used.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::bundle::files_below;
use crate::checkout::Checkout;
use crate::npm;
use crate::process::{check, command};

const HEAD: &str = "\
//! Glyphs of the Lucide icon set (<https://lucide.dev>), drawn on a 24 × 24 grid with a 2-unit stroke. Written by
//! `cargo xtask icons`: those that the UI uses.
//!
//! Lucide is under the ISC license, Copyright (c) 2026 Lucide Icons and Contributors; glyphs that come from Feather are
//! under the MIT license, Copyright (c) 2013-present Cole Bemis.

use super::Glyph;

";

/// Writes the glyphs anew.
pub(crate) fn write(checkout: &Checkout) -> Result<()> {
    npm::install(&checkout.ui())?;
    let file = place(&checkout.ui());
    fs::write(&file, glyphs(&checkout.ui())?)?;
    check(command("rustfmt").args(["--edition", "2024"]).arg(file))
}

/// Fails where the UI uses a glyph that its source lacks, or has one that it does not use.
pub(crate) fn ensure_written(ui: &Path) -> Result<()> {
    let written = fs::read_to_string(place(ui))?;
    let words = |text: &str| text.split_whitespace().collect::<String>().replace(",)", ")");
    ensure!(
        words(&written) == words(&glyphs(ui)?),
        "{} has other glyphs than the UI uses; run: cargo xtask icons",
        place(ui).display()
    );
    Ok(())
}

fn place(ui: &Path) -> PathBuf {
    ui.join("src/components/icon/lucide.rs")
}

fn glyphs(ui: &Path) -> Result<String> {
    let mut used = BTreeSet::new();
    for file in files_below(&ui.join("src"))? {
        used.extend(names(&fs::read_to_string(file)?));
    }
    let mut source = HEAD.to_owned();
    for name in used {
        let icon = name.to_lowercase().replace('_', "-");
        let svg = ui.join(format!("node_modules/lucide-static/icons/{icon}.svg"));
        let svg = fs::read_to_string(svg).with_context(|| format!("Lucide has no icon {icon}"))?;
        let content = content(&svg).with_context(|| format!("the icon {icon} is no SVG"))?;
        source.push_str(&format!("pub const {name}: Glyph = Glyph(r#\"{content}\"#);\n"));
    }
    Ok(source)
}

/// The names after `lucide::` in a source.
fn names(source: &str) -> impl Iterator<Item = String> {
    let is_of_name = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    let after = source.split("lucide::").skip(1);
    after
        .filter_map(move |text| text.split(|letter| !is_of_name(letter)).next().map(str::to_owned))
        .filter(|name| !name.is_empty())
}

/// The elements inside an SVG, in one line.
fn content(svg: &str) -> Option<String> {
    let (_, opened) = svg.split_once("<svg")?;
    let (_, inside) = opened.split_once('>')?;
    let (elements, _) = inside.split_once("</svg>")?;
    let lines: Vec<_> = elements.split_whitespace().collect();
    Some(lines.join(" ").replace(" />", "/>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_found_in_a_source() {
        let source = "Icon glyph=lucide::ARROW_DOWN/> use icon::{Icon, lucide}; lucide::LINK_2,";
        assert_eq!(names(source).collect::<Vec<_>>(), ["ARROW_DOWN", "LINK_2"]);
    }

    #[test]
    fn a_glyph_is_what_is_inside_of_its_svg() {
        let svg = "<!-- license -->\n<svg\n  class=\"a\"\n>\n  <path d=\"M5 12h14\" />\n  <path d=\"m5 5\" />\n</svg>\n";
        assert_eq!(content(svg).unwrap(), "<path d=\"M5 12h14\"/> <path d=\"m5 5\"/>");
        assert_eq!(content("no svg"), None);
    }
}
