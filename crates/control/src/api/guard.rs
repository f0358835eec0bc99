//! What every request to the API port has to pass: it names this computer, it comes from Flotilla's own page or
//! from a program, and it carries a credential where the route asks for one.
//!
//! The Host check ends DNS rebinding, the Origin check ends requests that other pages make in the owner's
//! browser, and neither depends on the credential.

use super::{
    caller::{Asks, OnDevice, find_device, forbidden},
    route::Needs,
};
use crate::{
    access::{Credential, CurrentSession},
    core::Core,
    refusal::Refusal,
};
use axum::{
    extract::{RawPathParams, Request, State},
    middleware::Next,
    response::Response,
};
use flotilla_protocol::{
    Code,
    api::{REQUEST_HEADER, SESSION_HEADER, SESSION_PROTOCOL},
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use std::sync::Arc;

/// Refuses requests under a foreign host name or from a foreign page, and sets the headers that keep answers
/// from being framed, sniffed or stored.
pub(crate) async fn own_origin(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let id = request_id(request.headers()).map(str::to_owned);
    let mut response = match check(&core, request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => axum::response::IntoResponse::into_response(refusal),
    };
    if response.status().is_server_error() {
        let (id, status) = (id.unwrap_or_default(), response.status().as_u16());
        tracing::info!(id, %method, path, status, "a call was not done");
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The id that a page gave to the request.
fn request_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(REQUEST_HEADER)?.to_str().ok()?;
    let has_form = (1..=16).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    has_form.then_some(id)
}

fn check(core: &Core, headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
    let port = core.api_addr.port();
    let ours = |host: &str| {
        host.rsplit_once(':').is_some_and(|(name, given)| {
            matches!(name, "127.0.0.1" | "localhost" | "[::1]") && given.parse() == Ok(port)
        })
    };
    let mut hosts = headers
        .get_all(header::HOST)
        .iter()
        .map(|host| host.to_str().unwrap_or_default());
    let host = match (hosts.next(), uri.authority()) {
        (Some(host), None) => ours(host) && hosts.next().is_none(),
        (None, Some(authority)) => ours(authority.as_str()),
        (Some(host), Some(authority)) => ours(host) && host == authority.as_str() && hosts.next().is_none(),
        (None, None) => false,
    };
    let origin = headers.get_all(header::ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        origin.strip_prefix("http://").is_some_and(ours)
    });
    if host && origin {
        Ok(())
    } else {
        Err(Refusal(Code::ForeignOrigin.because(format!(
                "This request names another computer or comes from another page. Open http://127.0.0.1:{port} instead."
            ))))
    }
}

/// Refuses requests without a credential that allows what the route needs. A request that passes carries its
/// [`Credential`], who [`Asks`] for what, and the device that its path names.
pub(super) async fn authorize(
    State((core, needs)): State<(Arc<Core>, Needs)>,
    parameters: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    if let Some(verb) = needs.verb() {
        let credential = find_credential(&core, request.headers()).ok_or_else(sign_in_first)?;
        let caller = credential.caller();
        let who = (&*caller, verb);
        match needs {
            Needs::OnDevice(_) => {
                let named = parameters.iter().find(|(name, _)| *name == "device");
                let text = named.map_or("", |(_, text)| text);
                let device = find_device(&core.cache.lock(), who, text)?.row.id;
                request.extensions_mut().insert(OnDevice(device));
            }
            Needs::Somewhere(_) if !caller.may_somewhere(verb) => return Err(forbidden(who, "")),
            Needs::Everywhere(_) if !caller.may_everywhere(verb) => {
                return Err(forbidden(who, " in the whole fleet"));
            }
            Needs::Somewhere(_) | Needs::Everywhere(_) | Needs::Nothing => {}
        }
        request.extensions_mut().insert(Asks { core, caller, verb });
        request.extensions_mut().insert(credential);
    }
    Ok(next.run(request).await)
}

fn sign_in_first() -> Refusal {
    Refusal(Code::Unauthenticated.because("Sign in first: open Flotilla on this computer, or run `flotilla open` as the user that runs it. A program needs a \
         token that is still good: `flotilla token create NAME`."))
}

/// What the request shows that is still good. A bearer's token is taken for nothing else, whatever cookies come with it.
fn find_credential(core: &Core, headers: &HeaderMap) -> Option<Credential> {
    let Some(shown) = headers.get(header::AUTHORIZATION) else {
        return find_session(core, headers).map(Credential::Session);
    };
    let token = shown.to_str().ok()?.strip_prefix("Bearer ")?;
    if core.access.is_token(token) {
        return Some(Credential::Key);
    }
    core.access
        .find_token(token, core.clock.now())
        .map(Credential::Token)
}

/// The session whose two secrets a request carries.
pub(super) fn find_session(core: &Core, headers: &HeaderMap) -> Option<CurrentSession> {
    core.access
        .find_session(cookie(core, headers)?, page_secret(headers)?, core.clock.now())
}

/// The page's secret: in a header, or among the subprotocols of a WebSocket.
fn page_secret(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(SESSION_HEADER) {
        return value.to_str().ok();
    }
    let lists = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .find_map(|protocol| protocol.trim().strip_prefix(SESSION_PROTOCOL))
}

/// The cookie, which the browser sends by itself.
fn cookie<'a>(core: &Core, headers: &'a HeaderMap) -> Option<&'a str> {
    let name = cookie_name(core);
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|value| value.split("; "))
        .filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Browsers share cookies between the ports of one host, so the cookie's name contains this control's port.
pub(super) fn cookie_name(core: &Core) -> String {
    format!("flotilla-{}", core.api_addr.port())
}
