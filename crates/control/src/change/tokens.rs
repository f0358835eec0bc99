//! API tokens: secrets with which programs call the API, each with what it may do and where.
//!
//! Life of a token: created (its secret is shown then, and never again) → used → expired or revoked. Only the owner
//! creates, lists and revokes them.

use super::devices::parse_tags;
use crate::{
    core::Core,
    refusal::{Refusal, no_such_device},
    store::{ApiTokenRow, NewActivity},
};
use flotilla_fleet::access::Caller;
use flotilla_identity::{ApiKey, ApiToken as Secret};
use flotilla_protocol::{
    Code,
    activity::Action,
    api::{ApiToken, CreateToken, Grant, List, Role, Scope, TokenCreated, Verb},
    id::DeviceId,
    name::{Tag, TokenName},
};
use jiff::SignedDuration;
use std::{collections::BTreeSet, ops::RangeInclusive};

/// Lifetimes in seconds: long enough for one run of a program, and no longer than a year, so that a forgotten token
/// ends by itself.
const LIFETIMES: RangeInclusive<u32> = 300..=366 * 86_400;

/// The lifetime when none is asked for: 30 days.
const LIFETIME: u32 = 30 * 86_400;

/// Tokens at most. Each is one program of one owner.
const MOST_TOKENS: usize = 100;

/// Tags and devices of one token at most.
const MOST_PLACES: usize = 100;

/// Makes a token. The answer has its secret, of which only the hash is kept.
pub(crate) async fn create(
    core: &Core,
    caller: &Caller,
    request: CreateToken,
) -> Result<TokenCreated, Refusal> {
    let _write_guard = core.write_lock.lock().await;
    let now = core.clock.now();
    let name = request.name.parse::<TokenName>();
    let name = name.map_err(|error| Refusal::invalid("name", error.to_string()))?;
    let seconds = request.expires_seconds.unwrap_or(LIFETIME);
    if !LIFETIMES.contains(&seconds) {
        let why = "A token works for 5 minutes to 366 days.";
        return Err(Refusal::invalid("expires_seconds", why));
    }
    let grant = grant(core, &request)?;
    if core.access.tokens().len() >= MOST_TOKENS {
        return Err(Refusal(Code::Conflict.because(format!(
                "There are {MOST_TOKENS} API tokens. Revoke one that is not used: flotilla token list, flotilla token revoke NAME."
            ))));
    }
    let secret = Secret::generate();
    let row = ApiTokenRow {
        id: secret.id().to_owned(),
        name: name.clone(),
        hash: ApiKey::hash(secret.reveal()),
        grant,
        created: now,
        expires: now
            .checked_add(SignedDuration::from_secs(seconds.into()))
            .unwrap_or(now),
        last_used: None,
    };
    if !core.store.create_api_token(&row).await? {
        return Err(Refusal(Code::NameTaken.because(format!(
            "There is already an API token named {name}. Choose another name, or revoke it first."
        )))
        .with_field("name"));
    }
    let expires = row.expires;
    let details = format!(
        "{} It expires {}.",
        describe(core, &row.grant),
        core.clock.moment(expires)
    );
    core.access.add_token(row);
    record(core, caller, Action::TokenCreated, &name, details).await;
    Ok(TokenCreated {
        name,
        token: secret.reveal().to_owned(),
        expires,
    })
}

/// Ends a token. Calls with it are refused as soon as this is written, and its open streams end.
pub(crate) async fn revoke(core: &Core, caller: &Caller, name: &str) -> Result<(), Refusal> {
    let _write_guard = core.write_lock.lock().await;
    let unknown = || {
        Refusal(Code::NotFound.because(format!(
            "There is no API token named {name}. It may have been revoked already."
        )))
    };
    let name: TokenName = name.parse().map_err(|_| unknown())?;
    if !core.store.delete_api_token(&name).await? {
        return Err(unknown());
    }
    core.access.end_token(&name);
    let details = "Calls with it are refused.".to_owned();
    record(core, caller, Action::TokenRevoked, &name, details).await;
    Ok(())
}

pub(crate) fn list(core: &Core) -> List<ApiToken> {
    let items = core.access.tokens().into_iter().map(|row| {
        let (everywhere, tags, devices) = places(core, &row.grant.scope);
        ApiToken {
            name: row.name,
            roles: row.grant.roles.into_iter().collect(),
            verbs: row.grant.verbs.into_iter().collect(),
            everywhere,
            tags,
            devices,
            created: row.created,
            expires: row.expires,
            last_used: row.last_used,
        }
    });
    List::of(items.collect(), core.cache.lock().live.seq())
}

/// Writes the last uses of tokens that are not written yet.
pub(crate) async fn save_uses(core: &Core) {
    for (id, at) in core.access.take_token_uses() {
        if let Err(error) = core.store.save_token_use(&id, at).await {
            tracing::warn!(%error, "the last use of an API token was not saved");
        }
    }
}

/// What the request asks to grant.
fn grant(core: &Core, request: &CreateToken) -> Result<Grant, Refusal> {
    if let Some(verb) = request.verbs.iter().find(|verb| verb.is_owners()) {
        let why = format!("Only you may {verb}, on this computer. Leave {verb} away.");
        return Err(Refusal::invalid("verbs", why));
    }
    if request.tags.len() + request.devices.len() > MOST_PLACES {
        let why = format!(
            "A token has at most {MOST_PLACES} tags and devices. Give the devices a tag of their own."
        );
        return Err(Refusal::invalid("devices", why));
    }
    let tags: BTreeSet<Tag> = parse_tags(&request.tags, "tags")?.into_iter().collect();
    let devices: BTreeSet<DeviceId> = request
        .devices
        .iter()
        .map(|text| find_device(core, text))
        .collect::<Result<_, _>>()
        .map_err(|refusal: Refusal| refusal.with_field("devices"))?;
    let is_everywhere = tags.is_empty() && devices.is_empty();
    let is_viewer = request.roles.is_empty() && request.verbs.is_empty();
    let roles = is_viewer.then_some(Role::Viewer);
    Ok(Grant {
        roles: roles.into_iter().chain(request.roles.iter().copied()).collect(),
        verbs: request.verbs.iter().copied().collect(),
        scope: if is_everywhere {
            Scope::All
        } else {
            Scope::Part { tags, devices }
        },
    })
}

fn find_device(core: &Core, text: &str) -> Result<DeviceId, Refusal> {
    let state = core.cache.lock();
    let found = state.find(text).map(|entry| entry.row.id);
    found.ok_or_else(|| no_such_device(text))
}

/// A scope for people: whether it is the whole fleet, else its tags and the names of its devices.
fn places(core: &Core, scope: &Scope) -> (bool, Vec<Tag>, Vec<String>) {
    let Scope::Part { tags, devices } = scope else {
        return (scope.is_all(), Vec::new(), Vec::new());
    };
    let state = core.cache.lock();
    let name = |id: &DeviceId| {
        let entry = state.device(*id);
        entry.map_or_else(|| id.to_string(), |entry| entry.row.name.to_string())
    };
    (
        false,
        tags.iter().cloned().collect(),
        devices.iter().map(name).collect(),
    )
}

/// What a token may do and where, as a sentence.
fn describe(core: &Core, grant: &Grant) -> String {
    let roles = grant.roles.iter().map(Role::to_string);
    let verbs = grant.verbs.iter().map(Verb::to_string);
    let may: Vec<_> = roles.chain(verbs).collect();
    let (is_everywhere, tags, devices) = places(core, &grant.scope);
    let tags = tags.iter().map(|tag| format!("devices tagged {tag}"));
    let places: Vec<_> = tags.chain(devices).collect();
    let places = if is_everywhere {
        "the whole fleet".to_owned()
    } else {
        places.join(", ")
    };
    format!("It grants {} on {places}.", may.join(", "))
}

async fn record(core: &Core, caller: &Caller, action: Action, name: &TokenName, details: String) {
    let entry = NewActivity::new(caller.actor(), action, details);
    core.record(entry.target(name.to_string())).await;
}

#[cfg(test)]
mod tests;
