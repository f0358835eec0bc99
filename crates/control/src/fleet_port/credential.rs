//! The credential that a caller of the fleet port shows: an enrollment token, or a device's certificate.

use crate::{
    change::devices,
    core::Core,
    effects::carry_out,
    limit::AttemptSource,
    refusal::Refusal,
    repeats::RepeatKey,
    store::{Credential, DeviceRow, Imposter, NewActivity, TokenRow},
};
use flotilla_fleet::{
    admission::{self, AdmissionError, CertificateRecord},
    enrollment::TokenError::Unknown,
};
use flotilla_identity::EnrollmentToken;
use flotilla_link::Caller;
use flotilla_protocol::{
    Code, Problem,
    activity::{Action, Actor},
    api::{EnrollmentFailure, Stage},
};
use http::{HeaderMap, header};

/// The caller's network address as people write it.
pub(super) fn address(caller: &Caller) -> String {
    caller.remote.ip().to_canonical().to_string()
}

/// A token whose secret the caller showed. It may be used, withdrawn or expired.
#[derive(Debug)]
pub(super) struct HeldToken {
    pub(super) token: EnrollmentToken,
    pub(super) row: TokenRow,
}

/// Finds the token that a request carries, and notes that a device has reached control with it.
pub(super) async fn held_token(
    core: &Core,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<HeldToken, Refusal> {
    let now = core.clock.now();
    if core.refusals.is_spent(AttemptSource::of(caller.remote.ip()), now) {
        return Err(too_many());
    }
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let shown = bearer.and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = shown.and_then(|text| EnrollmentToken::parse(text).ok()) else {
        return Err(refuse(core, caller, None, Unknown.into()).await);
    };
    let by_token = AttemptSource::Token(token.id());
    if core.refusals.is_spent(by_token, now) {
        return Err(too_many());
    }
    let row = core.store.lookup_token(token.id()).await?;
    match row {
        Some(row) if row.hash == token.hash() => {
            devices::stage_reached(core, &row, Stage::Reached, &address(caller)).await;
            Ok(HeldToken { token, row })
        }
        row => Err(refuse(core, caller, row.as_ref(), Unknown.into()).await),
    }
}

/// Counts and records a refusal; `row` is the token whose device is concerned, when one is.
pub(super) async fn refuse(
    core: &Core,
    caller: &Caller,
    row: Option<&TokenRow>,
    problem: Problem,
) -> Refusal {
    let now = core.clock.now();
    let from = address(caller);
    let network = AttemptSource::of(caller.remote.ip());
    core.refusals.count(network, now);
    // Only tokens that exist are counted: made-up ids cost a caller nothing, and would take room here.
    if let Some(row) = row {
        core.refusals.count(AttemptSource::Token(row.id), now);
    }
    tracing::warn!(link.remote = %from, problem.code = %problem.code, "enrollment refused");
    let device = row.and_then(|row| {
        let state = core.cache.lock();
        state
            .device(row.device_id)
            .map(|entry| (entry.row.id, entry.row.name.to_string()))
    });
    if let Some(row) = row {
        let message = match problem.code {
            Code::TokenUnknown => format!(
                "Something at {from} tried to enroll but couldn't prove it holds this command. Nothing was added."
            ),
            _ => problem.message.clone(),
        };
        let failure = EnrollmentFailure {
            at: now,
            from: from.clone(),
            code: problem.code,
            message,
        };
        devices::attempt_failed(core, row, failure).await;
    }
    let actor = Actor::Stranger {
        address: from.clone(),
    };
    let details = format!("{from} was refused: {}", problem.message);
    let entry = NewActivity {
        device,
        succeeded: false,
        ..NewActivity::new(actor, Action::EnrollmentRefused, details)
    };
    core.record_repeated(RepeatKey::Refused(network, problem.code), entry)
        .await;
    Refusal(problem)
}

fn too_many() -> Refusal {
    Refusal(Code::RateLimited.because("Too many refused attempts from this address. Try again in a minute."))
}

/// The device behind the caller's certificate, on the machine that it names; the machine that the certificate
/// was issued to when it names none. A copy of another device is recorded as such.
pub(super) async fn device(
    core: &Core,
    caller: &Caller,
    machine: Option<&Machine>,
) -> Result<DeviceRow, Refusal> {
    let (Some(id), Some(presented)) = (caller.device(), caller.certificate.as_ref()) else {
        return Err(Refusal(Code::Unauthenticated.because(
            "This is for devices of the fleet. Enroll first: create a command under Add Device.",
        )));
    };
    let entry = core.cache.read(id, |entry| (entry.row.clone(), entry.life()));
    let record = entry.as_ref().map(|(row, life)| CertificateRecord {
        life: *life,
        in_use: row.credential.as_ref().map(admission_credential),
        to_come: row.incoming.as_ref().map(admission_credential),
        contested: row.is_contested(),
        vouched: row.vouched,
    });
    let own = record.and_then(|record| {
        let mut held = [record.to_come, record.in_use].into_iter().flatten();
        held.find(|held| held.fingerprint == presented.fingerprint)
            .map(|held| held.machine_id)
    });
    let machine_id = machine.map_or(own.unwrap_or_default(), |machine| machine.id.as_str());
    let judged = admission::admit(record.as_ref(), presented, machine_id, core.clock.now());
    if judged == Err(AdmissionError::Cloned) {
        let hostname = machine
            .map(|machine| machine.hostname.clone())
            .unwrap_or_default();
        let other = Imposter {
            hostname,
            address: address(caller),
            at: core.clock.now(),
            contests: None,
        };
        carry_out(core, devices::quarantine(core, id, other).await).await;
    }
    judged.map_err(Problem::from)?;
    let (row, _) = entry.ok_or_else(|| Problem::from(AdmissionError::Removed))?;
    Ok(row)
}

/// The machine that a link comes from, as its upgrade request says.
pub(super) struct Machine {
    pub(super) id: String,
    pub(super) hostname: String,
    /// A random name that its agent chose for this run.
    pub(super) run: String,
}

fn admission_credential(held: &Credential) -> admission::Credential<'_> {
    admission::Credential {
        fingerprint: &held.certificate.fingerprint,
        machine_id: &held.machine_id,
    }
}
