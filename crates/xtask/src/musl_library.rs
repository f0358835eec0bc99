//! The Rust standard library for a musl target, where rustup has none. It is built from the source that Debian packages
//! for its compiler, in a sysroot that also has the objects and archives which linking with musl needs, as rustup's
//! has.
//!
//! Debian has musl's start files in another place than rustc looks for them. Of its two unwinders, GCC's and LLVM's,
//! only LLVM's can be linked without glibc.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::apt;
use crate::architecture::Architecture;
use crate::cargo::cargo;
use crate::checkout::Checkout;
use crate::process::{check_quietly, command, lookup_output};
use crate::step::step;
use crate::unpack::{Origin, unpack};
use crate::wasm::{DEBIAN_RUSTC, has_source};

const SUITE: &str = "bookworm";
const COMPILER_PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];
const MANIFEST: &str =
    "[package]\nname = \"nothing\"\nedition = \"2024\"\n[workspace]\n[lib]\npath = \"lib.rs\"\n";
/// Files to copy from Debian's `musl-dev`.
const MUSL_OBJECTS: [&str; 6] = ["rcrt1.o", "crt1.o", "Scrt1.o", "crti.o", "crtn.o", "libc.a"];
/// Files to copy from the cross compiler.
const GCC_OBJECTS: [&str; 4] = ["crtbegin.o", "crtbeginS.o", "crtend.o", "crtendS.o"];
/// The one function of glibc that the unwinder refers to, for messages that it never prints.
const PRINTF_STUB: &str =
    "int __fprintf_chk(void *f, int l, const char *m, ...) { (void)f; (void)l; (void)m; return 0; }\n";
/// Libraries that the unwinder names for linking. With musl they are part of libc, so empty archives do.
const EMPTY_ARCHIVES: [&str; 2] = ["dl", "pthread"];

/// The sysroot for Debian's compiler and this target; `None` where it was not built.
pub(crate) fn lookup(checkout: &Checkout, architecture: &Architecture) -> Option<PathBuf> {
    let sysroot = sysroot(checkout, architecture);
    self_contained(&sysroot, architecture).exists().then_some(sysroot)
}

/// Builds the sysroot, and installs Debian's compiler where it is missing.
pub(crate) fn build(checkout: &Checkout, architecture: &Architecture) -> Result<PathBuf> {
    let sysroot = sysroot(checkout, architecture);
    step(
        &format!("Building the Rust library for {} (a minute)", architecture.musl()),
        || {
            if !has_source(DEBIAN_RUSTC) {
                apt::install_packages(checkout, &COMPILER_PACKAGES)?;
            }
            let scratch = sysroot.with_extension("partial");
            if scratch.exists() {
                fs::remove_dir_all(&scratch)?;
            }
            let partial = scratch.join("sysroot");
            fs::create_dir_all(self_contained(&partial, architecture))?;
            compile(architecture, &scratch, &partial)?;
            collect_objects(architecture, &scratch, &partial)?;
            // A killed run must not leave half a library under the final name.
            fs::rename(&partial, &sysroot)?;
            Ok(fs::remove_dir_all(&scratch)?)
        },
    )?;
    Ok(sysroot)
}

fn sysroot(checkout: &Checkout, architecture: &Architecture) -> PathBuf {
    checkout.cache.join("musl-std").join(architecture.name)
}

fn libraries(sysroot: &Path, architecture: &Architecture) -> PathBuf {
    sysroot.join("lib/rustlib").join(architecture.musl()).join("lib")
}

/// Where rustc looks for objects and archives that are not of Rust.
fn self_contained(sysroot: &Path, architecture: &Architecture) -> PathBuf {
    libraries(sysroot, architecture).join("self-contained")
}

fn compile(architecture: &Architecture, scratch: &Path, sysroot: &Path) -> Result<()> {
    fs::write(scratch.join("Cargo.toml"), MANIFEST)?;
    fs::write(scratch.join("lib.rs"), "")?;
    let target = architecture.musl();
    let mut build = cargo("build");
    build
        .current_dir(scratch)
        .env("RUSTC", DEBIAN_RUSTC)
        // Building the standard library is an unstable feature, and this compiler is a stable one.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_TARGET_DIR", scratch.join("target"))
        .args([
            "--quiet",
            "--release",
            "-Zbuild-std=std,panic_unwind",
            "--target",
            &target,
        ]);
    check_quietly(&mut build)?;
    let built = scratch.join("target").join(&target).join("release/deps");
    for file in fs::read_dir(built)?.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libnothing-") {
            fs::copy(file.path(), libraries(sysroot, architecture).join(name))?;
        }
    }
    Ok(())
}

fn collect_objects(architecture: &Architecture, scratch: &Path, sysroot: &Path) -> Result<()> {
    let target = self_contained(sysroot, architecture);
    let take = |from: &Path, name: &str| {
        let file = from.join(name);
        let copied = fs::copy(&file, target.join(name));
        copied.with_context(|| format!("cannot copy {}", file.display()))
    };
    let origin = Origin {
        suite: SUITE,
        architecture: Some(architecture.engine),
    };
    let musl = unpack("musl-dev", origin, &scratch.join("musl-dev"))?;
    for name in MUSL_OBJECTS {
        take(
            &musl.join(format!("usr/lib/{}-linux-musl", architecture.name)),
            name,
        )?;
    }
    let gcc = architecture.gcc("gcc");
    for name in GCC_OBJECTS {
        let found = lookup_output(command(&gcc).arg(format!("-print-file-name={name}")));
        let found = PathBuf::from(found.with_context(|| format!("`{gcc}` has no {name}"))?);
        take(found.parent().unwrap_or(Path::new("/")), name)?;
    }
    let unwind = unpack("libunwind-14-dev", origin, &scratch.join("libunwind"))?;
    take(
        &unwind.join(format!("usr/lib/{}-linux-gnu", architecture.name)),
        "libunwind.a",
    )?;
    complete_unwinder(architecture, scratch, &target)
}

fn complete_unwinder(architecture: &Architecture, scratch: &Path, target: &Path) -> Result<()> {
    fs::write(scratch.join("stub.c"), PRINTF_STUB)?;
    let mut compile = command(architecture.gcc("gcc"));
    compile
        .current_dir(scratch)
        .args(["-O2", "-fno-stack-protector", "-c", "stub.c", "-o", "stub.o"]);
    check_quietly(&mut compile)?;
    let mut archive = command(architecture.gcc("ar"));
    check_quietly(
        archive
            .arg("r")
            .arg(target.join("libunwind.a"))
            .arg(scratch.join("stub.o")),
    )?;
    for name in EMPTY_ARCHIVES {
        check_quietly(
            command(architecture.gcc("ar"))
                .arg("rc")
                .arg(target.join(format!("lib{name}.a"))),
        )?;
    }
    Ok(())
}
