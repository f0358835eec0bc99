//! Lists the files of a built user interface, so that the program can carry them (feature `embedded-ui`).

use std::{env, error::Error, fmt::Write, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=FLOTILLA_UI_DIST");
    println!("cargo::rerun-if-changed=migrations");
    if env::var_os("CARGO_FEATURE_EMBEDDED_UI").is_none() {
        return Ok(());
    }
    let dist = env::var("FLOTILLA_UI_DIST")
        .map_err(|_| "FLOTILLA_UI_DIST must name the folder of a built user interface: run cargo xtask ui")?;
    println!("cargo::rerun-if-changed={dist}");
    let mut list = String::from("[\n");
    let mut names: Vec<_> = fs::read_dir(&dist)?.collect::<Result<_, _>>()?;
    names.sort_by_key(fs::DirEntry::file_name);
    for file in names.iter().filter(|file| file.path().is_file()) {
        let path = file.path().canonicalize()?;
        writeln!(
            list,
            "    ({:?}, include_bytes!({path:?})),",
            file.file_name().to_string_lossy()
        )?;
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("bundle.rs"), list)?;
    Ok(())
}
