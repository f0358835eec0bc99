//! The desktop shell.

fn main() {
    let _app = tauri::Builder::default()
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::init())
        .plugin(tauri_plugin_single_instance::init(|_, _, _| {}))
        .build(tauri::generate_context!());
}
