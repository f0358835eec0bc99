//! The agent's end of a link: an HTTP/2 server on the connection that it dialed.

use crate::{
    dial::Dialed,
    endings::LinkEnd,
    settings::{self, Limits},
};
use axum::Router;
use hyper::server::conn::http2;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::pin::pin;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Answers control's calls with `router` until the link ends, or until `shutdown`. Then control is told to send
/// no new calls, and those that run have five seconds to finish; streams that live as long as the link should end
/// themselves on the same token.
pub async fn serve(link: Dialed, router: Router, shutdown: CancellationToken) -> LinkEnd {
    serve_within(link, router, shutdown, Limits::default()).await
}

pub(crate) async fn serve_within(
    link: Dialed,
    router: Router,
    shutdown: CancellationToken,
    limits: Limits,
) -> LinkEnd {
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(settings::STREAM_WINDOW)
        .initial_connection_window_size(settings::CONNECTION_WINDOW)
        .max_concurrent_streams(settings::MAX_STREAMS)
        .max_frame_size(settings::FRAME)
        .max_send_buf_size(settings::SEND_BUFFER)
        .max_pending_accept_reset_streams(settings::PENDING_RESETS)
        .max_local_error_reset_streams(None)
        .keep_alive_interval(limits.ping_interval)
        .keep_alive_timeout(limits.ping_timeout)
        .serve_connection(TokioIo::new(link.into_io()), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        result = connection.as_mut() => return LinkEnd::of(result),
        () = shutdown.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    // Calls that are still open after that end with the connection.
    let _ = timeout(settings::DRAIN, connection).await;
    LinkEnd::Stopped
}
