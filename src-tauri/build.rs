//! Embeds the shell's configuration, its icon and the page it starts from.

fn main() {
    tauri_build::build();
}
