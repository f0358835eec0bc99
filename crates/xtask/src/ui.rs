//! `cargo xtask ui`: builds the UI bundle in `ui/dist` from Rust and npm packages.
//!
//! The steps: compile to wasm, split the wasm into parts, generate JavaScript by wasm-bindgen, optimize the wasm, bundle
//! the scripts with their npm packages, and add styles, fonts and the page under hashed names. A bundle that is too large
//! for a first visit is refused.

use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::bundle::{Bundle, PAGE, hex_digest, joined_styles, replaced};
use crate::cached_bundle::CachedBundle;
use crate::checkout::Checkout;
use crate::process::{check_quietly, command};
use crate::split::{self, Module, Split};
use crate::step::{say, step};
use crate::wasm::Compiler;
use crate::{cargo, icons, npm, scripts, setup, sizes, wasm};

/// Installs what the build needs, and builds the bundle.
pub(crate) fn build(checkout: &Checkout) -> Result<()> {
    setup::build(checkout)?;
    bundle(checkout)
}

/// Builds the bundle, or restores the one of the same sources from the cache. The machine must be set up.
pub(crate) fn bundle(checkout: &Checkout) -> Result<()> {
    let compiler = wasm::lookup().context("the wasm target is not set up; run: cargo xtask setup")?;
    let cached = CachedBundle::of(checkout, &compiler.version()?)?;
    if cached.restore(&checkout.ui_dist())? {
        say("the UI is as it was: its bundle is taken from the cache");
        return sizes::ensure_small(&checkout.ui_dist());
    }
    npm::install(&checkout.ui())?;
    icons::ensure_written(&checkout.ui())?;
    let wasm = step("Compiling the UI", || compile(checkout, compiler))?;
    step("Bundling the UI", || {
        let split = Split::new(&wasm, &checkout.cache.join("wasm/parts"))?;
        let (glue, main) = bind(&split.main)?;
        let mut modules = vec![("app.wasm".to_owned(), main)];
        modules.extend(split.parts);
        let modules = optimized(checkout, modules)?;
        let bundle = collect(checkout, glue, &split.loader, modules)?;
        bundle.write(&checkout.ui_dist())?;
        let (files, bytes) = bundle.size();
        say(&format!(
            "{files} files, {} KB, in {}",
            bytes / 1024,
            checkout.ui_dist().display()
        ));
        sizes::ensure_small(&checkout.ui_dist())?;
        cached.keep(&checkout.ui_dist())
    })
}

fn compile(checkout: &Checkout, compiler: Compiler) -> Result<PathBuf> {
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

/// The JavaScript of a wasm module.
struct Glue {
    module: String,
    /// Scripts that are embedded in Rust code, by the path from which the module imports them.
    snippets: Vec<(String, String)>,
}

/// What the module calls its glue.
const GLUE: &str = "./app_bg.js";

/// Part of the names of exports that no script calls: streams of bytes for functions that run on a server.
const UNUSED_EXPORTS: &str = "intounderlying";

fn bind(wasm: &[u8]) -> Result<(Glue, Vec<u8>)> {
    let mut output = Bindgen::new()
        .input_bytes("app", wasm.to_vec())
        .web(true)?
        .typescript(false)
        // Parts import from these exports what they share with the main module.
        .keep_lld_exports(true)
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
    let mut text = output.js().to_owned();
    let module = output.wasm_mut();
    // Each of these names has a hash, which no compression makes smaller.
    let imports = module.imports.iter_mut().filter(|import| import.module == GLUE);
    for (number, import) in imports.enumerate() {
        let short = format!("i{number}");
        text = text.replace(&format!("{}:", import.name), &format!("{short}:"));
        import.name = short;
    }
    let glue = Glue {
        module: text,
        snippets,
    };
    let unused: Vec<_> = module
        .exports
        .iter()
        .filter(|export| export.name.contains(UNUSED_EXPORTS))
        .map(|export| export.id())
        .collect();
    for export in unused {
        module.exports.delete(export);
    }
    Ok((glue, module.emit_wasm()))
}

/// The modules after optimization for size. Results are cached, since the optimizer takes seconds for each.
fn optimized(checkout: &Checkout, modules: Vec<Module>) -> Result<Vec<Module>> {
    let directory = checkout.cache.join("wasm/optimized");
    fs::create_dir_all(&directory)?;
    let older: Vec<_> = fs::read_dir(&directory)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let kept = |module: &[u8]| directory.join(format!("{}.wasm", hex_digest(module)));
    let files: Vec<_> = modules.iter().map(|(_, module)| kept(module)).collect();
    let missing = modules.iter().zip(&files).filter(|(_, file)| !file.exists());
    optimize_all(&checkout.ui(), missing)?;
    for file in older.iter().filter(|file| !files.contains(file)) {
        fs::remove_file(file).ok();
    }
    let read = |((name, _), file): ((String, Vec<u8>), PathBuf)| Ok((name, fs::read(file)?));
    modules.into_iter().zip(files).map(read).collect()
}

/// Optimizes each module into its file, as many at the same time as this machine has processors.
fn optimize_all<'a>(
    ui: &Path,
    modules: impl Iterator<Item = (&'a Module, &'a PathBuf)> + Send,
) -> Result<()> {
    let modules = Mutex::new(modules);
    let next = || modules.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Result<()> {
        while let Some(((_, module), file)) = next() {
            optimize(ui, module, file)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let processors = thread::available_parallelism()?.get();
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

fn optimize(ui: &Path, wasm: &[u8], to: &Path) -> Result<()> {
    let [input, output] =
        ["in", "out"].map(|name| to.with_extension(format!("{name}-{}", std::process::id())));
    fs::write(&input, wasm)?;
    let mut optimizer = command("node");
    optimizer.arg(ui.join("node_modules/binaryen/bin/wasm-opt"));
    check_quietly(optimizer.arg(&input).args(["-Oz", "-o"]).arg(&output))?;
    fs::rename(&output, to)?;
    Ok(fs::remove_file(&input)?)
}

/// The name of all style sheets as one.
const STYLES: &str = "app.css";

fn collect(checkout: &Checkout, glue: Glue, loader: &str, modules: Vec<Module>) -> Result<Bundle> {
    let (ui, scratch) = (checkout.ui(), checkout.cache.join("wasm/scripts"));
    let scripts = scripts::bundled(&ui, &scratch)?;
    let mut bundle = Bundle::new(ui.join("node_modules"));
    let module = scripts::minified(&ui, &scratch, split::MAIN_SCRIPT, &glue.module)?;
    let mut module = bundle.with_npm(&module)?;
    for (path, text) in glue.snippets {
        let text = bundle.with_npm(&text)?;
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let address = bundle.add_hashed(&name, text.into_bytes());
        module = module.replace(&format!("./{path}"), &address);
    }
    let mut loader = loader.to_owned();
    let mut wasm = String::new();
    for (name, content) in modules {
        let address = bundle.add_hashed(&name, content);
        loader = loader.replace(&format!("\"./{name}\""), &format!("\"{address}\""));
        if name == "app.wasm" {
            wasm = address;
        }
    }
    let [module, _] = bundle.add_circle([(split::MAIN_SCRIPT, module), (split::LOADER, loader)]);
    let fetch = |(name, script): (String, Vec<u8>)| {
        let address = bundle.add_hashed(&format!("{name}.js"), script);
        format!("'{name}': () => import('{address}')")
    };
    let scripts = scripts.into_iter().map(fetch).collect::<Vec<_>>().join(", ");
    let boot = format!(
        "import init from '{module}';\nglobalThis.scripts = {{ {scripts} }};\n\
         await init({{ module_or_path: '{wasm}' }});\n"
    );
    let boot = bundle.add_hashed("boot.js", boot.into_bytes());
    let styles = scripts::minified(&ui, &scratch, STYLES, &joined_styles(&ui.join("style"))?)?;
    let styles = bundle.with_npm(&styles)?;
    let styles = bundle.add_hashed(STYLES, styles.into_bytes());
    bundle.add_folder(&ui.join("public"))?;

    let page = fs::read_to_string(ui.join(PAGE)).with_context(|| format!("cannot read ui/{PAGE}"))?;
    let page = bundle.with_npm(&page)?;
    let page = replaced(&page, "./boot.js", &boot)?;
    let page = replaced(&page, "style/app.css", &styles)?;
    bundle.add_named(PAGE, page.into_bytes());
    Ok(bundle)
}
