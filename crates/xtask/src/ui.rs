//! `cargo xtask ui`: the bundle in `ui/dist`, from Rust and npm, with nothing installed by hand.
//!
//! Compile to wasm, let wasm-bindgen write its glue, shrink the wasm, and collect both with styles, fonts and page
//! under hashed names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::bundle::{Bundle, PAGE, hex_digest, joined_styles, replaced};
use crate::checkout::Checkout;
use crate::process::{check_quietly, command};
use crate::step::{say, step};
use crate::{cargo, npm, setup, wasm};

/// Makes the machine ready and builds the bundle.
pub(crate) fn build(checkout: &Checkout) -> Result<()> {
    setup::build(checkout)?;
    bundle(checkout)
}

/// Builds the bundle on a machine that is ready.
pub(crate) fn bundle(checkout: &Checkout) -> Result<()> {
    npm::install(&checkout.ui())?;
    let wasm = step("Compiling the UI", || compile(checkout))?;
    step("Bundling the UI", || {
        let (glue, wasm) = bind(&wasm)?;
        let wasm = optimized(checkout, &wasm)?;
        let bundle = collect(&checkout.ui(), glue, wasm)?;
        bundle.write(&checkout.ui_dist())?;
        let (files, bytes) = bundle.size();
        say(&format!(
            "{files} files, {} KB, in {}",
            bytes / 1024,
            checkout.ui_dist().display()
        ));
        Ok(())
    })
}

fn compile(checkout: &Checkout) -> Result<std::path::PathBuf> {
    let compiler = wasm::lookup().context("the wasm target is not set up; run: cargo xtask setup")?;
    let mut command = compiler.cargo(checkout, "build")?;
    command.args(["--package", "flotilla-ui", "--profile", "wasm"]);
    let artifacts = cargo::build(&mut command)?;
    let wasm = artifacts
        .into_iter()
        .map(|artifact| artifact.file)
        .rfind(|file| is_wasm(file));
    wasm.context("the UI made no .wasm file: it must have a program or be a cdylib")
}

fn is_wasm(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "wasm")
}

/// JavaScript that loads and serves a wasm module.
struct Glue {
    module: String,
    /// Scripts that Rust code carries, by the path that the module imports them from.
    snippets: Vec<(String, String)>,
}

fn bind(wasm: &Path) -> Result<(Glue, Vec<u8>)> {
    let mut output = Bindgen::new()
        .input_path(wasm)
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .context("wasm-bindgen")?;
    let mut snippets = Vec::new();
    for (id, texts) in output.snippets() {
        let numbered = texts.iter().enumerate();
        snippets.extend(numbered.map(|(n, text)| (format!("snippets/{id}/inline{n}.js"), text.clone())));
    }
    let modules = output.local_modules().iter();
    snippets.extend(modules.map(|(path, text)| (format!("snippets/{path}"), text.clone())));
    let glue = Glue {
        module: output.js().to_owned(),
        snippets,
    };
    Ok((glue, output.wasm_mut().emit_wasm()))
}

/// Smaller wasm that does the same; kept in the cache, for the optimizer takes seconds.
fn optimized(checkout: &Checkout, wasm: &[u8]) -> Result<Vec<u8>> {
    let directory = checkout.cache.join("wasm/optimized");
    let kept = directory.join(format!("{}.wasm", hex_digest(wasm)));
    if !kept.exists() {
        fs::remove_dir_all(&directory).ok();
        fs::create_dir_all(&directory)?;
        let [input, output] =
            ["in", "out"].map(|name| directory.join(format!("{name}-{}.wasm", std::process::id())));
        fs::write(&input, wasm)?;
        let mut optimizer = command("node");
        optimizer.arg(checkout.ui().join("node_modules/binaryen/bin/wasm-opt"));
        check_quietly(optimizer.arg(&input).args(["-Oz", "-o"]).arg(&output))?;
        fs::rename(&output, &kept)?;
        fs::remove_file(&input)?;
    }
    Ok(fs::read(&kept)?)
}

fn collect(ui: &Path, glue: Glue, wasm: Vec<u8>) -> Result<Bundle> {
    let mut bundle = Bundle::new(ui.join("node_modules"));
    let mut module = bundle.with_npm(&glue.module)?;
    for (path, text) in glue.snippets {
        let text = bundle.with_npm(&text)?;
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let address = bundle.add_hashed(&name, text.into_bytes());
        module = module.replace(&format!("./{path}"), &address);
    }
    let module = bundle.add_hashed("app.js", module.into_bytes());
    let wasm = bundle.add_hashed("app.wasm", wasm);
    let boot = format!("import init from '{module}';\nawait init({{ module_or_path: '{wasm}' }});\n");
    let boot = bundle.add_hashed("boot.js", boot.into_bytes());
    let styles = bundle.with_npm(&joined_styles(&ui.join("style"))?)?;
    let styles = bundle.add_hashed("app.css", styles.into_bytes());
    bundle.add_folder(&ui.join("public"))?;

    let page = fs::read_to_string(ui.join(PAGE)).with_context(|| format!("cannot read ui/{PAGE}"))?;
    let page = bundle.with_npm(&page)?;
    let page = replaced(&page, "./boot.js", &boot)?;
    let page = replaced(&page, "style/app.css", &styles)?;
    bundle.add_named(PAGE, page.into_bytes());
    Ok(bundle)
}
