//! Serves the user interface: the bundle's files, and its one page for every address that the interface itself routes.

use crate::{config::Ui, core::Core, refusal::nothing_here};
use axum::{
    extract::{Request, State},
    response::{Html, IntoResponse, Redirect, Response},
};
use http::{HeaderValue, Method, header};
use std::{
    path::{Component, Path},
    sync::Arc,
};

/// Charts and terminals set styles from scripts, hence `unsafe-inline` there and nowhere else.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Flotilla</title>\
    <h1>The user interface is not built</h1>\
    <p>Flotilla runs, but it was started without its user interface. Build it with <code>cargo xtask ui</code> and \
    start Flotilla with <code>--ui-dir ui/dist</code>, or run <code>cargo xtask run</code>, which does both.</p></html>";

pub(super) async fn serve(State(core): State<Arc<Core>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return nothing_here().into_response();
    }
    if let Some(own) = own_address_of(&core, &request) {
        return Redirect::temporary(&own).into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    let mut response = match lookup(&core.ui, path).await {
        Some(content) => file(path, content),
        None if is_file(path) => return nothing_here().into_response(),
        None => match lookup(&core.ui, "index.html").await {
            Some(page) => file("index.html", page),
            None => Html(NOT_BUILT).into_response(),
        },
    };
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// The URL of the requested page at control's own address, when the request names another host of this computer. The
/// page keeps its half of the session under the origin that it was opened at, and `localhost` means every loopback
/// address, so another program may answer there one day.
fn own_address_of(core: &Core, request: &Request) -> Option<String> {
    let own = core.api_addr.to_string();
    let uri = request.uri();
    let requested = uri.authority().map(http::uri::Authority::as_str);
    let requested = requested.or_else(|| request.headers().get(header::HOST)?.to_str().ok())?;
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    (requested != own).then(|| format!("http://{own}{path}"))
}

async fn lookup(ui: &Ui, path: &str) -> Option<Vec<u8>> {
    match ui {
        Ui::Dir(dir) => {
            let inside = !path.is_empty()
                && Path::new(path)
                    .components()
                    .all(|part| matches!(part, Component::Normal(_)));
            if inside {
                tokio::fs::read(dir.join(path)).await.ok()
            } else {
                None
            }
        }
        #[cfg(feature = "embedded-ui")]
        Ui::Embedded => crate::embedded::lookup(path).map(<[u8]>::to_vec),
        Ui::None => None,
    }
}

fn file(path: &str, content: Vec<u8>) -> Response {
    let cache = if is_hashed(path) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    (
        [
            (header::CONTENT_TYPE, content_type(path)),
            (header::CACHE_CONTROL, cache),
        ],
        content,
    )
        .into_response()
}

/// Whether the path is a file's. Paths of pages have no ending that a file has, and a request for a missing file must
/// not be answered with the page.
fn is_file(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| {
        name.rsplit_once('.')
            .is_some_and(|(_, ending)| content_type_of(ending).is_some())
    })
}

/// Whether the name holds a hash of the content, as in `app-0123456789ab.js`, so that it never changes.
fn is_hashed(path: &str) -> bool {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    stem.rsplit_once('-')
        .is_some_and(|(_, hash)| hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn content_type(path: &str) -> &'static str {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    content_type_of(ending).unwrap_or("application/octet-stream")
}

fn content_type_of(ending: &str) -> Option<&'static str> {
    Some(match ending {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        assert!(is_hashed("app_bg-0123456789ab.wasm"));
        for name in ["index.html", "app.js", "a-b.js", "inter-latin.woff2"] {
            assert!(!is_hashed(name), "{name}");
        }
    }

    #[test]
    fn a_device_with_dots_in_its_address_is_a_page_and_a_script_is_a_file() {
        assert!(!is_file("containers/nas/my.app"));
        assert!(is_file("app-0123456789ab.mjs"));
    }

    #[tokio::test]
    async fn nothing_outside_the_bundle_is_read() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("dist");
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(parent.path().join("secret"), "x").unwrap();
        std::fs::write(dir.join("index.html"), "page").unwrap();
        let ui = Ui::Dir(dir);
        assert!(lookup(&ui, "index.html").await.is_some());
        for path in ["../secret", "/etc/passwd", "a/../../secret", ".", ""] {
            assert!(lookup(&ui, path).await.is_none(), "{path}");
        }
    }
}
