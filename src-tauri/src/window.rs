//! The one window. Control's page and the start page load inside; everything else opens in the browser.
//!
//! Inside is control's own origin, including the port: on another port of this computer another program may answer, and
//! a page in this window can ask the shell to act.

use crate::{downloads, shell::Shell, start_trouble::StartChoice, system_agent};
use flotilla_protocol::shell::{
    ABILITIES, ANSWER, CAN_INSTALL_SERVICE, CAN_SIGN_IN, INSTALL_SERVICE, SIGN_IN, ServiceOutcome,
};
use tauri::{
    AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
    webview::NewWindowResponse,
};
use tauri_plugin_opener::OpenerExt;

const LABEL: &str = "main";

/// Under a locale without a language (`C.UTF-8`) WebKitGTK calls the page's language "C". Every `Intl` constructor
/// refuses that, so the page would fail to load.
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

/// Brings the window back, from the tray or from under other windows.
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

/// Whether the window shows Add Device, which itself tells when a device comes online.
pub(crate) fn shows_add_device(app: &AppHandle) -> bool {
    app.get_webview_window(LABEL).is_some_and(|window| {
        window.is_visible().unwrap_or(false) && window.url().is_ok_and(|url| url.path() == "/devices/add")
    })
}

/// Whether the window now shows a page of the control at `own`.
pub(crate) fn shows(app: &AppHandle, own: &Url) -> bool {
    app.get_webview_window(LABEL)
        .is_some_and(|window| window.url().is_ok_and(|url| url.origin() == own.origin()))
}

/// Sends the result of a request to the page that asked.
pub(crate) fn answer(app: &AppHandle, outcome: &ServiceOutcome) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    let sent = window.eval(event(outcome));
    if let Err(error) = sent {
        tracing::warn!(%error, "the page can't be told");
    }
}

/// The script that tells the page what it may ask of the shell.
fn abilities() -> String {
    let mut abilities = vec![CAN_SIGN_IN];
    if system_agent::OFFERED {
        abilities.push(CAN_INSTALL_SERVICE);
    }
    format!("globalThis.{ABILITIES} = {};", serde_json::json!(abilities))
}

/// The script that dispatches the event. JSON within JSON, so that any message stays a text.
fn event(outcome: &ServiceOutcome) -> String {
    let detail = serde_json::json!({ "detail": serde_json::json!(outcome).to_string() });
    format!("dispatchEvent(new CustomEvent('{ANSWER}', {detail}));")
}

fn may_load(app: &AppHandle, url: &Url) -> bool {
    if let Some(choice) = StartChoice::of(url) {
        Shell::choose(app, choice);
        return false;
    }
    let own = Shell::own_address(app);
    if let Some(shell_request) = shell_request(url, own.as_ref()) {
        Shell::handle_request(app, shell_request);
        return false;
    }
    if belongs_inside(url, own.as_ref()) {
        return true;
    }
    open_outside(app, url);
    false
}

/// Whether a URL loads in the window: control's own pages, the start page, and what control's pages make themselves.
fn belongs_inside(url: &Url, own: Option<&Url>) -> bool {
    match url.scheme() {
        "tauri" | "about" => true,
        "http" if cfg!(windows) && url.host_str() == Some("tauri.localhost") => true,
        // The origin of a blob is that of the page that made it.
        "http" | "blob" => is_own(url, own),
        _ => false,
    }
}

/// Whether scheme, host and port are those of the control of this process.
fn is_own(url: &Url, own: Option<&Url>) -> bool {
    own.is_some_and(|own| own.origin() == url.origin())
}

/// A request of a page to the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShellRequest {
    /// Install the agent of this computer as a service of the system.
    Service,
    /// Open a session for this window.
    SignIn,
}

/// The request that a page of control makes by moving to this address.
fn shell_request(url: &Url, own: Option<&Url>) -> Option<ShellRequest> {
    if url.scheme() != "http" || !is_own(url, own) {
        return None;
    }
    match url.path() {
        INSTALL_SERVICE => system_agent::OFFERED.then_some(ShellRequest::Service),
        SIGN_IN => Some(ShellRequest::SignIn),
        _ => None,
    }
}

fn open_outside(app: &AppHandle, url: &Url) {
    if matches!(url.scheme(), "http" | "https")
        && let Err(error) = app.opener().open_url(url.as_str(), None::<&str>)
    {
        tracing::warn!(%error, "a link can't be opened in the browser");
    }
}

/// Hides the window when it is closed and a tray can bring it back; without a tray, closing ends the program.
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

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    const ELSEWHERE: [&str; 6] = [
        "http://127.0.0.1:9999",
        "http://[::1]:7440",
        "http://localhost:7440",
        "https://127.0.0.1:7440",
        "http://127.0.0.1.example.com:7440",
        "https://example.com",
    ];

    #[test]
    fn only_controls_own_origin_and_the_start_page_stay_inside() {
        let own = url("http://127.0.0.1:7440/");
        let inside = |text: &str| belongs_inside(&url(text), Some(&own));
        assert!(inside("http://127.0.0.1:7440/#code=x") && inside("blob:http://127.0.0.1:7440/x"));
        assert!(inside("tauri://localhost/index.html"));
        for elsewhere in ELSEWHERE {
            assert!(!inside(&format!("{elsewhere}/")), "{elsewhere}");
            assert!(!inside(&format!("blob:{elsewhere}/x")), "{elsewhere}");
        }
        assert!(!inside("file:///etc/passwd") && !inside("data:text/html,x"));
        assert!(
            !belongs_inside(&url("http://127.0.0.1:7440/"), None),
            "nothing is control's before it runs"
        );
    }

    #[test]
    fn only_pages_of_control_ask_the_shell_to_act() {
        let own = url("http://127.0.0.1:7440/");
        let asks = |text: &str| shell_request(&url(text), Some(&own));
        let service = system_agent::OFFERED.then_some(ShellRequest::Service);
        assert_eq!(asks("http://127.0.0.1:7440/shell/install-service"), service);
        assert_eq!(
            asks("http://127.0.0.1:7440/shell/sign-in"),
            Some(ShellRequest::SignIn)
        );
        assert_eq!(asks("http://127.0.0.1:7440/devices"), None);
        for elsewhere in ELSEWHERE {
            for path in ["/shell/install-service", "/shell/sign-in"] {
                assert_eq!(asks(&format!("{elsewhere}{path}")), None, "{elsewhere}{path}");
            }
        }
        assert_eq!(
            shell_request(&url("http://127.0.0.1:7440/shell/sign-in"), None),
            None
        );
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
        let decoded: ServiceOutcome = serde_json::from_str(detail["detail"].as_str().unwrap()).unwrap();
        assert_eq!(decoded, outcome);
    }
}
