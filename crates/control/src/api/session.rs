//! Proves control to programs, tells callers who they are, signs browsers in and out, and lists those that are in.

use super::{body::Body, caller::Asks, guard};
use crate::{
    access::{Credential, LinkPurpose, ProofRefusal, place},
    core::Core,
    refusal::Refusal,
};
use axum::{
    Json,
    extract::{Path, State},
    response::IntoResponse,
};
use flotilla_protocol::{
    Code,
    api::{
        Allowed, CallerFacts, ControlProof, CreateSignInLink, Empty, List, OpenSession, ProveControl,
        SessionFacts, SessionOpened, SignInLink, Verb,
    },
};
use http::{HeaderMap, header};
use std::sync::Arc;

pub(super) async fn prove(
    State(core): State<Arc<Core>>,
    Body(request): Body<ProveControl>,
) -> Result<Json<ControlProof>, Refusal> {
    let (nonce, token) = (&request.nonce, request.token.as_deref());
    let proof = core
        .access
        .prove(nonce, token, core.api_addr, core.clock.now())
        .map_err(|refusal| match refusal {
            ProofRefusal::Nonce => Refusal::invalid(
                "nonce",
                "The nonce is not 16 to 64 letters, digits, hyphens and underscores.",
            ),
            ProofRefusal::Token => Refusal(Code::Unauthenticated.because(
                "This API token is not known: it was revoked, or it expired. Ask the owner for a new one.",
            )),
        })?;
    Ok(Json(ControlProof { proof }))
}

pub(super) async fn open(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    Body(request): Body<OpenSession>,
) -> Result<impl IntoResponse, Refusal> {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let place = place(agent.unwrap_or_default());
    let opened =
        core.access
            .open_session(&request.code, place, core.clock.now())
            .ok_or_else(|| {
                Refusal(Code::Unauthenticated.because(
                    "This link was used already or is too old. Run `flotilla open` to get a new one.",
                ))
            })?;
    // A browser holds one session: this answer replaces the cookie of the earlier one, which is ended.
    if let Some(before) = guard::find_session(&core, &headers) {
        core.access.end_session(before.id);
    }
    let page_secret = opened.page.reveal().to_owned();
    let cookie = cookie(&core, opened.cookie.reveal(), "");
    Ok((
        [(header::SET_COOKIE, cookie)],
        Json(SessionOpened { page_secret }),
    ))
}

pub(super) async fn close(State(core): State<Arc<Core>>, credential: Credential) -> impl IntoResponse {
    if let Credential::Session(current) = credential {
        core.access.end_session(current.id);
    }
    let cookie = cookie(&core, "", "; Max-Age=0");
    ([(header::SET_COOKIE, cookie)], Json(Empty {}))
}

pub(super) async fn list(State(core): State<Arc<Core>>, credential: Credential) -> Json<List<SessionFacts>> {
    let own = match credential {
        Credential::Session(session) => Some(session.id),
        Credential::Key | Credential::Token(_) => None,
    };
    let mut items = core.access.sessions(core.clock.now());
    for session in &mut items {
        session.current = Some(session.id) == own;
    }
    Json(List::of(items, core.cache.lock().live.seq()))
}

pub(super) async fn end(
    State(core): State<Arc<Core>>,
    Path(session): Path<String>,
) -> Result<Json<Empty>, Refusal> {
    let ended = session
        .parse()
        .is_ok_and(|session| core.access.end_session(session));
    if ended {
        Ok(Json(Empty {}))
    } else {
        Err(Refusal(Code::NotFound.because("This session has ended already.")))
    }
}

pub(super) async fn caller(asks: Asks) -> Json<CallerFacts> {
    let allowed = Verb::ALL.iter().map(|verb| Allowed {
        verb: *verb,
        scope: asks.caller.scope(*verb),
    });
    Json(CallerFacts {
        who: asks.caller.actor(),
        may: allowed.filter(|allowed| !allowed.scope.is_none()).collect(),
    })
}

pub(super) async fn link(
    State(core): State<Arc<Core>>,
    Body(CreateSignInLink {}): Body<CreateSignInLink>,
) -> Json<SignInLink> {
    Json(SignInLink {
        url: core.sign_in_link(LinkPurpose::Request),
    })
}

fn cookie(core: &Core, value: &str, ending: &str) -> String {
    let name = guard::cookie_name(core);
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{ending}")
}
