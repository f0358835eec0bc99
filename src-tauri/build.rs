//! Embeds the shell's configuration, its icon and the page it starts from.

use tauri_build::Attributes;

/// No page may call the shell, so there are no capabilities. The folder where they would be must not be watched while
/// it is absent, or each build would be the first.
const CAPABILITIES: &str = "tauri.conf.json/none";

fn main() {
    let attributes = Attributes::new().capabilities_path_pattern(CAPABILITIES);
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("{error:#}");
    }
}
