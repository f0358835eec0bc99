//! Opens and ends the session of the person at this computer.

use super::{body::Body, guard};
use crate::{core::Core, refusal::Refusal};
use axum::{Json, extract::State, response::IntoResponse};
use flotilla_protocol::{
    Code,
    api::{Empty, OpenSession},
};
use http::{HeaderMap, header};
use std::sync::Arc;

pub(super) async fn open(
    State(core): State<Arc<Core>>,
    Body(request): Body<OpenSession>,
) -> Result<impl IntoResponse, Refusal> {
    let session = core
        .access
        .open_session(&request.code, core.clock.now())
        .ok_or_else(|| {
            Refusal::new(
                Code::Unauthenticated,
                "This code was used already or is older than a minute. Open Flotilla again to get a new one.",
            )
        })?;
    let name = guard::cookie_name(&core);
    let cookie = format!("{name}={}; Path=/; HttpOnly; SameSite=Strict", session.reveal());
    Ok(([(header::SET_COOKIE, cookie)], Json(Empty {})))
}

pub(super) async fn close(State(core): State<Arc<Core>>, headers: HeaderMap) -> impl IntoResponse {
    if let Some(session) = guard::session(&core, &headers) {
        core.access.close_session(session);
    }
    let cookie = format!(
        "{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0",
        guard::cookie_name(&core)
    );
    ([(header::SET_COOKIE, cookie)], Json(Empty {}))
}
