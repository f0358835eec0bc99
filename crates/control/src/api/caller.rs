//! Who asks, for what, and about which device. The guard puts these into each request that it lets pass; handlers take
//! them from there, so that none can act for another caller or on another device.

use crate::{
    access::Credential,
    cache::{DeviceEntry, State},
    change::Change,
    core::Core,
    effects::complete,
    refusal::{Refusal, no_such_device},
};
use axum::{Json, extract::FromRequestParts};
use flotilla_fleet::access::{Caller, Decision};
use flotilla_protocol::{
    Code,
    api::{Scope, Verb},
    id::DeviceId,
};
use http::request::Parts;
use std::sync::Arc;

/// What most routes answer.
pub(super) type Answer<T> = Result<Json<T>, Refusal>;

/// Whom a request asks, who asks, and the verb of its route.
#[derive(Debug, Clone)]
pub(super) struct Asks {
    pub(super) core: Arc<Core>,
    pub(super) caller: Arc<Caller>,
    pub(super) verb: Verb,
}

impl Asks {
    /// Where the caller may do what the route does.
    pub(super) fn scope(&self) -> Scope {
        self.caller.scope(self.verb)
    }

    /// Makes a change and carries out its effects; answers what the change answers.
    pub(super) async fn complete<T>(&self, change: impl Future<Output = Change<T>>) -> Answer<T> {
        complete(&self.core, change).await.map(Json)
    }

    /// The device that a text of the request names, as [`find_device`] does.
    pub(super) fn find<'a>(&self, state: &'a State, text: &str) -> Result<&'a DeviceEntry, Refusal> {
        find_device(state, (&self.caller, self.verb), text)
    }
}

/// The device that the path names, by id or name. The caller may do there what the route does.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnDevice(pub(super) DeviceId);

macro_rules! put_by_the_guard {
    ($type:ty) => {
        impl<S: Sync> FromRequestParts<S> for $type {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
                // It is missing only where a handler asks for more than its line of the table needs.
                let put = parts.extensions.get().cloned();
                put.ok_or_else(|| Refusal(Code::Internal.because("The controller did not check who asks.")))
            }
        }
    };
}
put_by_the_guard!(Asks);
put_by_the_guard!(OnDevice);
put_by_the_guard!(Credential);

/// The device that a text of a request names, by id or name, if the caller may do this there.
///
/// # Errors
/// The caller may not, or it is not to learn whether there is such a device.
pub(super) fn find_device<'a>(
    state: &'a State,
    (caller, verb): (&Caller, Verb),
    text: &str,
) -> Result<&'a DeviceEntry, Refusal> {
    let entry = state.find(text).ok_or_else(|| no_such_device(text))?;
    match caller.may(verb, entry.row.id, &entry.row.tags) {
        Decision::Allowed => Ok(entry),
        Decision::Forbidden => Err(forbidden((caller, verb), &format!(" on {}", entry.row.name))),
        Decision::Hidden => Err(no_such_device(text)),
    }
}

/// `place` completes the sentence, with a space before it.
pub(super) fn forbidden((caller, verb): (&Caller, Verb), place: &str) -> Refusal {
    let why = if verb.is_owners() {
        format!("Only the owner may do this, on the controller's computer ({verb}).")
    } else {
        format!(
            "{} may not do this{place}: that needs the verb {verb}. Ask the owner for a token that has it.",
            caller.who()
        )
    };
    Refusal(Code::Forbidden.because(why))
}
