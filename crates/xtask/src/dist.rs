//! `cargo xtask dist`: the archive that users download, in `TARGET/dist-artifacts`, with its checksum beside it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::bundle::hex_digest;
use crate::cargo::{self, Profile};
use crate::checkout::Checkout;
use crate::process::{check_quietly, command};
use crate::step::{say, step};
use crate::{agent, setup, ui};

pub(crate) fn dist(checkout: &Checkout) -> Result<()> {
    setup::build(checkout)?;
    ui::bundle(checkout)?;
    let agents = agent::build_for_users(checkout)?;
    let server = step("Building the server with its UI inside", || server(checkout))?;
    let output = checkout.target.join("dist-artifacts");
    step("Packing", || {
        let name = format!("flotilla-{}-{}-linux", checkout.version, std::env::consts::ARCH);
        let folder = output.join(&name);
        if output.exists() {
            fs::remove_dir_all(&output)?;
        }
        fs::create_dir_all(&folder)?;
        fs::copy(server, folder.join("flotilla"))?;
        check_quietly(command("cp").arg("-r").arg(agents).arg(folder.join("agents")))?;
        fs::write(folder.join("SHA256SUMS"), checksums(&folder)?)?;
        for license in ["LICENSE-MIT", "LICENSE-APACHE"] {
            fs::copy(checkout.root.join(license), folder.join(license))?;
        }
        pack(&output, &name)
    })
}

/// Builds `flotilla` with the UI inside, so that it needs no folder of UI files.
fn server(checkout: &Checkout) -> Result<PathBuf> {
    let mut cargo = cargo::cargo("build");
    cargo.env("FLOTILLA_UI_DIST", checkout.ui_dist());
    cargo.args([
        "--package",
        "flotilla",
        "--features",
        "embedded-ui",
        "--profile",
        Profile::Dist.name(),
    ]);
    let built = cargo::build(&mut cargo)?
        .into_iter()
        .rfind(|artifact| artifact.target == "flotilla");
    Ok(built.context("cargo built no `flotilla`")?.file)
}

/// A line for each file below the folder, in the format that `sha256sum --check` reads.
fn checksums(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    let mut to_visit = vec![folder.to_owned()];
    while let Some(directory) = to_visit.pop() {
        for entry in fs::read_dir(directory)?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                to_visit.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    let line = |file: &PathBuf| {
        let name = file.strip_prefix(folder).unwrap_or(file).display();
        Ok(format!("{}  {name}\n", hex_digest(&fs::read(file)?)))
    };
    files.iter().map(line).collect()
}

/// Packs the folder, and writes the archive's checksum. Owners, times and order are fixed, so that the same files give
/// the same archive.
fn pack(output: &Path, name: &str) -> Result<()> {
    let archive = format!("{name}.tar.gz");
    let mut tar = command("tar");
    tar.current_dir(output).args([
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mtime=@0",
    ]);
    check_quietly(tar.args(["-czf", &archive, name]))?;
    let content = fs::read(output.join(&archive))?;
    fs::write(
        output.join(format!("{archive}.sha256")),
        format!("{}  {archive}\n", hex_digest(&content)),
    )?;
    say(&format!(
        "{} ({} KB)",
        output.join(&archive).display(),
        content.len() / 1024
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_name_every_file_below_a_folder_in_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("agents")).unwrap();
        fs::write(folder.path().join("flotilla"), "abc").unwrap();
        fs::write(folder.path().join("agents/image.tar"), "").unwrap();
        assert_eq!(
            checksums(folder.path()).unwrap(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  agents/image.tar\n\
             ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  flotilla\n"
        );
    }
}
