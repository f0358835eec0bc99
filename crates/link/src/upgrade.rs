//! Control's side of the upgrade: from an HTTP request of a device to a live [`AgentLink`].

use crate::{
    agent_link::AgentLink,
    settings::{self, Limits},
    ws_io::WsIo,
};
use axum::{
    Json,
    extract::ws::WebSocketUpgrade,
    response::{IntoResponse, Response},
};
use flotilla_protocol::{Code, LINK_SUBPROTOCOL};
use std::future::Future;

/// Answers the request with the upgrade and passes the link to `on_link` once it is up. The route has checked before
/// that the caller may have a link; its refusal reaches the agent as a [`crate::DialError::Refused`].
pub fn upgrade<F>(socket: WebSocketUpgrade, on_link: impl FnOnce(AgentLink) -> F + Send + 'static) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    upgrade_within(socket, on_link, Limits::default())
}

pub(crate) fn upgrade_within<F>(
    socket: WebSocketUpgrade,
    on_link: impl FnOnce(AgentLink) -> F + Send + 'static,
    limits: Limits,
) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let socket = socket
        .protocols([LINK_SUBPROTOCOL])
        .read_buffer_size(settings::WS_READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(settings::WS_MAX_WRITE_BUFFER)
        .max_message_size(settings::WS_MAX_MESSAGE)
        .max_frame_size(settings::WS_MAX_MESSAGE);
    if socket.selected_protocol().is_none() {
        return unsupported();
    }
    socket.on_upgrade(move |socket| async move {
        match AgentLink::establish(WsIo::new(socket), limits).await {
            Ok(link) => on_link(link).await,
            Err(error) => tracing::info!(error = %error, "a link ended before it began"),
        }
    })
}

fn unsupported() -> Response {
    let code = Code::UnsupportedProtocol;
    let problem = code.because(format!(
        "This control speaks {LINK_SUBPROTOCOL}. Install the agent that this control serves."
    ));
    let status = http::StatusCode::from_u16(code.status()).unwrap_or(http::StatusCode::UPGRADE_REQUIRED);
    (status, Json(problem)).into_response()
}
