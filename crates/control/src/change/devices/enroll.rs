//! Enrollment: a token becomes a certificate, both or neither.

use super::progress::{progress, stage_reached};
use crate::{
    change::{Effect, Effects},
    core::Core,
    refusal::Refusal,
    report::{SENTENCE_CHARS, bounded},
    store::{Credential, DeviceRow, NewActivity, StoreError, TokenRow, TokenUse, UseOutcome},
};
use flotilla_fleet::enrollment::{TokenError::Used, Verdict};
use flotilla_identity::{EnrollmentToken, VerifiedCsr, WireguardPublicKey};
use flotilla_protocol::{
    Code, Problem, Timestamp,
    activity::{Action, Actor},
    api::{Stage, StageReached},
    device::CertificateFacts,
    enroll::EnrollRequest,
    name::DeviceName,
    text::shown,
};

/// Networks that are kept of a device: more than a router at home or in an office has.
const ROUTES: usize = 256;

/// Characters of a host name that are recorded: the longest that POSIX allows.
const HOSTNAME_CHARS: usize = 255;

/// A device that proved that it holds the token's secret and its own keys.
pub(crate) struct Enrollee<'a> {
    pub(crate) token: &'a EnrollmentToken,
    /// The token's record as it was when the secret was compared.
    pub(crate) row: &'a TokenRow,
    pub(crate) csr: &'a VerifiedCsr,
    pub(crate) key: WireguardPublicKey,
    pub(crate) request: &'a EnrollRequest,
    /// The network address that it enrolls from.
    pub(crate) from: &'a str,
}

/// A device with a certificate.
pub(crate) struct Enrolled {
    pub(crate) device: DeviceRow,
    /// The certificate's chain, in PEM.
    pub(crate) chain: String,
}

/// Why an enrollment did not happen.
#[derive(derive_more::From)]
pub(crate) enum EnrollError {
    /// By the caller's fault: counted and recorded.
    #[from]
    Refused(Problem),
    /// By control's fault.
    Failed(Refusal),
}

impl From<StoreError> for EnrollError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Enrolls a device. One that has used its token already gets the same certificate again.
pub(crate) async fn enroll(core: &Core, enrollee: &Enrollee<'_>) -> Result<(Enrolled, Effects), EnrollError> {
    let _write_guard = core.write_lock.lock().await;
    let now = core.clock.now();
    // Read again under the lock: another agent may have used the token meanwhile.
    let token = core.store.lookup_token(enrollee.row.id).await?;
    let token = token.unwrap_or_else(|| enrollee.row.clone());
    let device = core.cache.read(token.device_id, |entry| entry.row.clone());
    let device = device
        .ok_or_else(|| Code::TokenRevoked.because("The device of this command was removed. Add it again."))?;
    let verdict = token
        .record()
        .judge(enrollee.token, &enrollee.csr.pin(), now)
        .map_err(Problem::from)?;
    if let (Verdict::Repeat, Some(used)) = (verdict, &token.used) {
        let chain = used.chain.clone();
        return Ok((Enrolled { device, chain }, Effects::default()));
    }
    stage_reached(core, &token, Stage::IdentityChecked, enrollee.from).await;
    let (enrolled, used) = certify(core, device, enrollee, now)?;
    match core.store.use_token(token.id, &used, &enrolled.device).await? {
        UseOutcome::Done => {}
        UseOutcome::TokenGone => return Err(Problem::from(Used).into()),
        UseOutcome::KeyKnown => {
            let message = "This WireGuard key has been in this fleet before, and every enrollment needs a new one. Empty the agent's state directory, then enroll it with a new command.";
            return Err(Code::Conflict
                .because(message)
                .with_field("wireguard_public_key")
                .into());
        }
    }
    // From here on the new certificate decides: its first link must not count as one of two agents that take turns.
    core.links.forget_holders(enrolled.device.id);
    let entry = publish(core, &enrolled.device, used, enrollee, now).await;
    Ok((enrolled, Effects(vec![Effect::Record(entry)])))
}

/// The device's record with its new certificate, and the use of its token.
fn certify(
    core: &Core,
    mut device: DeviceRow,
    enrollee: &Enrollee<'_>,
    now: Timestamp,
) -> Result<(Enrolled, TokenUse), EnrollError> {
    let issued = core.trust.ca.issue_device(enrollee.csr, device.id, now);
    let issued = issued.map_err(|error| {
        tracing::error!(device.id = %device.id, %error, "certificate not issued");
        EnrollError::Failed(Refusal(
            Code::Internal.because("The controller could not sign a certificate. Its log says more."),
        ))
    })?;
    device.enrolled = Some(now);
    device.revoked = None;
    device.imposter = None;
    // A route that can't be parsed is left out; it is no reason to refuse the device.
    let routes = enrollee.request.routes.iter();
    device.routes = routes
        .filter_map(|route| route.parse().ok())
        .take(ROUTES)
        .collect();
    device.incoming = Some(Credential {
        certificate: CertificateFacts {
            issued: now,
            expires: issued.expires,
            fingerprint: issued.fingerprint,
        },
        machine_id: enrollee.request.machine_id.clone(),
        wireguard_key: enrollee.key.to_string(),
    });
    let chain = issued.pem;
    let used = TokenUse {
        at: now,
        key: enrollee.csr.pin(),
        chain: chain.clone(),
    };
    Ok((Enrolled { device, chain }, used))
}

/// Puts an enrollment that is written into the cache; answers its entry of the activity log.
async fn publish(
    core: &Core,
    device: &DeviceRow,
    used: TokenUse,
    enrollee: &Enrollee<'_>,
    now: Timestamp,
) -> NewActivity {
    let request = enrollee.request;
    let facts = bounded(request.facts.clone());
    let hostname = shown(&facts.hostname, HOSTNAME_CHARS);
    let newest = {
        let mut state = core.cache.lock();
        state.note(device.id, |entry| {
            entry.last_report.agent_version = Some(shown(&request.agent_version, SENTENCE_CHARS));
            entry.last_report.facts = Some(facts);
            entry.last_report.clock_skew_seconds = Some(request.sent_at.as_second() - now.as_second());
        });
        state.set_row(device, now);
        state.announce(device.id, now);
        state.publish_paths_of(device.id, now);
        state.expect(device.id, (now, tokio::time::Instant::now().into_std()));
        state
            .device(device.id)
            .and_then(|entry| entry.token.clone())
            .filter(|newest| newest.id == enrollee.row.id)
    };
    core.timers_changed.notify_one();
    if let Some(newest) = newest {
        progress(core, &newest, |token| {
            token.used = Some(used);
            token.failure = None;
            token.stages.push(StageReached {
                stage: Stage::CertificateIssued,
                at: now,
                from: None,
            });
            true
        })
        .await;
    }
    core.publish_fleet();
    let name = device.name.to_string();
    let twin = same_machine_id(core, device).map_or_else(String::new, |twin| {
        format!(
            " {twin} has the same machine id: where both were made from one image, give each its own (rm /etc/machine-id && systemd-machine-id-setup)."
        )
    });
    let details = format!("Enrolled from {} as {hostname}.{twin}", enrollee.from);
    let actor = Actor::Device { name: name.clone() };
    NewActivity::new(actor, Action::DeviceEnrolled, details).on(device.id, &name)
}

/// Another device of the fleet with the same machine id.
fn same_machine_id(core: &Core, device: &DeviceRow) -> Option<DeviceName> {
    let own = &device.incoming.as_ref()?.machine_id;
    let state = core.cache.lock();
    let mut others = state
        .devices()
        .filter(|entry| entry.row.id != device.id && entry.row.revoked.is_none());
    let twin = others.find(|entry| {
        let held = entry.row.credential.as_ref().or(entry.row.incoming.as_ref());
        held.is_some_and(|held| held.machine_id == *own)
    });
    twin.map(|entry| entry.row.name.clone())
}
