//! Embeds the shell's configuration, its icon and the page it starts from.

use tauri_build::Attributes;

/// Where the build would look for capabilities. No page may call the shell, so there are none. A folder that is absent
/// must not be watched, or each build would start from scratch.
const CAPABILITIES: &str = "tauri.conf.json/none";

fn main() {
    let attributes = Attributes::new().capabilities_path_pattern(CAPABILITIES);
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("{error:#}");
    }
}
