//! The one window: control's page and the start page inside, everything else outside.

use crate::{downloads, shell::Shell, system_agent, trouble::Way};
use flotilla_protocol::shell::{ABILITIES, ANSWER, CAN_INSTALL_SERVICE, INSTALL_SERVICE, ServiceOutcome};
use tauri::{
    AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
    webview::NewWindowResponse,
};
use tauri_plugin_opener::OpenerExt;

const LABEL: &str = "main";

/// Under a locale without a language (`C.UTF-8`) WebKitGTK calls the page's language "C", which every `Intl`
/// constructor refuses; the page would die while it loads.
const LANGUAGE: &str = "try { new Intl.NumberFormat(navigator.language) } catch {
    Object.defineProperty(Navigator.prototype, 'language', { get: () => 'en-US' });
    Object.defineProperty(Navigator.prototype, 'languages', { get: () => ['en-US'] });
}";

pub(crate) fn open(app: &AppHandle, page: WebviewUrl) -> tauri::Result<()> {
    let (inside, outside) = (app.clone(), app.clone());
    let window = WebviewWindowBuilder::new(app, LABEL, page)
        .title("Flotilla")
        .inner_size(1280.0, 840.0)
        .min_inner_size(360.0, 480.0)
        .initialization_script(LANGUAGE)
        .initialization_script(abilities())
        .on_navigation(move |url| may_load(&inside, url))
        .on_new_window(move |url, _| {
            open_outside(&outside, &url);
            NewWindowResponse::Deny
        })
        .on_download(|webview, event| downloads::handle(webview.app_handle(), event))
        .build()?;
    stay_in_tray(&window);
    Ok(())
}

/// Brings the window back, from the tray or from under others.
pub(crate) fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        let shown = window
            .show()
            .and_then(|()| window.unminimize())
            .and_then(|()| window.set_focus());
        if let Err(error) = shown {
            tracing::warn!(%error, "the window can't be shown");
        }
    }
}

pub(crate) fn navigate(app: &AppHandle, page: WebviewUrl) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    let url = match page {
        WebviewUrl::External(url) => Some(url),
        WebviewUrl::App(path) => {
            let start_page = if cfg!(windows) {
                "http://tauri.localhost/"
            } else {
                "tauri://localhost/"
            };
            format!("{start_page}{}", path.display()).parse().ok()
        }
        _ => None,
    };
    if let Some(Err(error)) = url.map(|url| window.navigate(url)) {
        tracing::warn!(%error, "the window can't be moved on");
    }
}

/// Control's page. Its address is always well-formed.
pub(crate) fn of_control(address: &str) -> WebviewUrl {
    address
        .parse()
        .map_or_else(|_| WebviewUrl::default(), WebviewUrl::External)
}

/// Whether somebody is looking at Add Device, which tells the news itself.
pub(crate) fn shows_add_device(app: &AppHandle) -> bool {
    app.get_webview_window(LABEL).is_some_and(|window| {
        window.is_visible().unwrap_or(false) && window.url().is_ok_and(|url| url.path() == "/devices/add")
    })
}

/// Tells the page what it asked the shell for.
pub(crate) fn answer(app: &AppHandle, outcome: &ServiceOutcome) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    let told = window.eval(event(outcome));
    if let Err(error) = told {
        tracing::warn!(%error, "the page can't be told");
    }
}

/// What the page in the window may ask of the shell.
fn abilities() -> String {
    let abilities = if system_agent::OFFERED {
        vec![CAN_INSTALL_SERVICE]
    } else {
        Vec::new()
    };
    format!("globalThis.{ABILITIES} = {};", serde_json::json!(abilities))
}

/// JSON within JSON: whatever a message says, it stays a text.
fn event(outcome: &ServiceOutcome) -> String {
    let detail = serde_json::json!({ "detail": serde_json::json!(outcome).to_string() });
    format!("dispatchEvent(new CustomEvent('{ANSWER}', {detail}));")
}

fn may_load(app: &AppHandle, url: &Url) -> bool {
    if let Some(way) = Way::of(url) {
        Shell::go(app, way);
        return false;
    }
    if asks_for_service(url) {
        Shell::install_service(app);
        return false;
    }
    if belongs_inside(url) {
        return true;
    }
    open_outside(app, url);
    false
}

/// Pages of this computer: control on loopback, the start page, and what a page makes itself.
fn belongs_inside(url: &Url) -> bool {
    match url.scheme() {
        "tauri" | "blob" | "data" | "about" => true,
        "http" => matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "tauri.localhost")),
        _ => false,
    }
}

/// Whether control's page asks for the system service.
fn asks_for_service(url: &Url) -> bool {
    system_agent::OFFERED && url.scheme() == "http" && belongs_inside(url) && url.path() == INSTALL_SERVICE
}

fn open_outside(app: &AppHandle, url: &Url) {
    if matches!(url.scheme(), "http" | "https")
        && let Err(error) = app.opener().open_url(url.as_str(), None::<&str>)
    {
        tracing::warn!(%error, "a link can't be opened in the browser");
    }
}

/// Closing hides the window where a tray can bring it back, and ends the program elsewhere.
fn stay_in_tray(window: &WebviewWindow) {
    let closing = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event
            && Shell::stays(closing.app_handle())
        {
            api.prevent_close();
            if let Err(error) = closing.hide() {
                tracing::warn!(%error, "the window can't be hidden");
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_computer_stay_inside() {
        let inside = |url: &str| belongs_inside(&url.parse().unwrap());
        assert!(inside("http://127.0.0.1:7440/#code=x") && inside("http://[::1]:7440/"));
        assert!(inside("tauri://localhost/index.html") && inside("blob:http://127.0.0.1:7440/x"));
        assert!(!inside("https://example.com/") && !inside("http://127.0.0.1.example.com/"));
        assert!(!inside("file:///etc/passwd"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn only_pages_of_control_ask_for_the_service() {
        let asks = |url: &str| asks_for_service(&url.parse().unwrap());
        assert!(asks("http://127.0.0.1:7440/shell/install-service"));
        assert!(!asks("http://127.0.0.1:7440/devices") && !asks("https://example.com/shell/install-service"));
    }

    #[test]
    fn no_message_gets_out_of_its_quotes() {
        let outcome = ServiceOutcome::NotInstalled {
            message: "it's \"so\" </script> \n`${1}`".to_owned(),
            command: None,
        };
        let script = event(&outcome);
        let (_, detail) = script.split_once(", ").unwrap();
        let detail: serde_json::Value = serde_json::from_str(detail.trim_end_matches("));")).unwrap();
        let told: ServiceOutcome = serde_json::from_str(detail["detail"].as_str().unwrap()).unwrap();
        assert_eq!(told, outcome);
    }
}
