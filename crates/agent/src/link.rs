//! Holds the link: dials, serves and dials again, for as long as this device is a member of its fleet.

mod endpoint_trials;
mod own_address;

use crate::{
    api::{self, Api},
    complaint::{Complaint, class},
    jobs::Jobs,
    machine::{self, AgentClock},
    mesh::Mesh,
    state::{
        Identity, StateDir, StateError,
        certificate::DeviceCertificate,
        status_file::{LinkStatus, StatusFile},
    },
};
use endpoint_trials::EndpointTrials;
use flotilla_engine::Engine;
use flotilla_identity::{ControlTrust, MaterialError, agent_config};
use flotilla_link::{Backoff, DialError, Dialed, Introduction, LinkEnd, Proxies, Target, dial, serve};
use flotilla_protocol::{Code, endpoint::Endpoint};
use rustls::ClientConfig;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long a device pauses between attempts while it waits for a person to decide about it.
const SLOW: Duration = Duration::from_secs(60);

/// Why the link is not held any more.
#[derive(Debug)]
pub(crate) enum MembershipEnd {
    /// This side was asked to stop.
    Stopped,
    /// Control ended this device's membership; the text says how.
    Dismissed(Dismissal),
    /// The stored identity is of no use.
    Unusable(UnusableIdentity),
}

/// Why control ended a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dismissal {
    Revoked,
    Superseded,
}

/// The stored identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnusableIdentity {
    #[error(
        "the stored keys or certificate cannot be used ({0}). Rotate the device in Flotilla and enroll it again."
    )]
    Material(#[from] MaterialError),
    #[error(transparent)]
    State(#[from] StateError),
}

/// Everything that one membership needs.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) identity: Identity,
    pub(crate) state: Arc<StateDir>,
    pub(crate) clock: AgentClock,
    pub(crate) engine: Engine,
    pub(crate) jobs: Jobs,
    pub(crate) status: StatusFile,
    pub(crate) mesh: Mesh,
    pub(crate) proxies: Proxies,
    /// Addresses from the config file, tried after those that control named.
    pub(crate) more_endpoints: Vec<Endpoint>,
}

/// When to dial after an attempt, if at all.
enum NextDial {
    Again,
    Slowly,
    End(Dismissal),
}

impl Membership {
    pub(crate) async fn hold(&self, shutdown: &CancellationToken) -> MembershipEnd {
        match self.try_hold(shutdown).await {
            Ok(end) => end,
            Err(unusable) => MembershipEnd::Unusable(unusable),
        }
    }

    async fn try_hold(&self, shutdown: &CancellationToken) -> Result<MembershipEnd, UnusableIdentity> {
        let mut certificate = DeviceCertificate::of(&self.identity)?;
        let trust = ControlTrust {
            ca_pin: self.identity.ca_pin.clone(),
            fleet: Some(self.identity.fleet_id),
        };
        let tls = agent_config(trust, Some(certificate.live()), self.clock.for_tls())?;
        let introduction = Introduction::new(machine::id(&self.state)?, machine::hostname());
        let mut backoff = Backoff::default();
        let mut complaint = Complaint::default();
        loop {
            if let Some(identity) = &self.state.get().identity {
                certificate.follow(identity);
            }
            let target = self.target(tls.clone());
            let Some(dialed) = shutdown.run_until_cancelled(dial(&target, &introduction)).await else {
                return Ok(MembershipEnd::Stopped);
            };
            let next = match dialed {
                Ok(link) => {
                    backoff.handle_up(Instant::now());
                    complaint.settle();
                    self.serve_link(link, tls.clone(), shutdown).await
                }
                Err(error) => self.next_after_failure(&error, &mut complaint),
            };
            let pause = backoff.handle_down(Instant::now(), &mut rand::rng());
            let pause = match next {
                NextDial::Again => pause,
                NextDial::Slowly => SLOW + pause,
                NextDial::End(dismissal) => return Ok(MembershipEnd::Dismissed(dismissal)),
            };
            if shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
                return Ok(MembershipEnd::Stopped);
            }
        }
    }

    /// The addresses to dial; control may have named others since the last attempt.
    fn target(&self, tls: Arc<ClientConfig>) -> Target {
        let stored = self.state.get().identity;
        let (mut endpoints, last_good) =
            stored.map_or_else(Default::default, |it| (it.endpoints, it.last_good));
        for more in &self.more_endpoints {
            if !endpoints.contains(more) {
                endpoints.push(more.clone());
            }
        }
        Target {
            endpoints,
            last_good,
            tls,
            proxies: self.proxies.clone(),
        }
    }

    /// Serves one link to its end.
    async fn serve_link(
        &self,
        link: Dialed,
        tls: Arc<ClientConfig>,
        shutdown: &CancellationToken,
    ) -> NextDial {
        let endpoint = link.endpoint().clone();
        tracing::info!(control.endpoint = %endpoint, "linked to control");
        self.note_up(&endpoint);
        let closing = shutdown.child_token();
        let revoked = CancellationToken::new();
        let trials = EndpointTrials {
            state: self.state.clone(),
            clock: self.clock.clone(),
            tls,
            proxies: self.proxies.clone(),
            linked: endpoint,
        };
        let router = api::router(Api {
            engine: self.engine.clone(),
            jobs: self.jobs.clone(),
            state: self.state.clone(),
            clock: self.clock.clone(),
            mesh: self.mesh.clone(),
            trials: trials.start(closing.clone()),
            closing: closing.clone(),
            revoked: revoked.clone(),
        });
        let local = link.local();
        let moved = async {
            match local {
                Some(address) => own_address::until_gone(address).await,
                None => std::future::pending().await,
            }
        };
        let serving = serve(link, router, closing.clone());
        tokio::pin!(serving);
        let end = tokio::select! {
            end = &mut serving => end,
            () = revoked.cancelled() => {
                closing.cancel();
                serving.await
            }
            () = moved => LinkEnd::Broken("this device is at another address now".to_owned()),
        };
        closing.cancel();
        self.note_down(end.to_string());
        if revoked.is_cancelled() {
            return NextDial::End(Dismissal::Revoked);
        }
        if end != LinkEnd::Stopped {
            tracing::warn!(reason = %end, "the link to control ended; dialing again");
        }
        NextDial::Again
    }

    fn note_up(&self, endpoint: &Endpoint) {
        self.status.set_link(LinkStatus::Up {
            since: AgentClock::system(),
            endpoint: endpoint.clone(),
        });
        // Where control was found is only a hint, so a link works without having stored it.
        if let Err(error) = self.state.update(|state| {
            if let Some(identity) = &mut state.identity {
                identity.last_good = Some(endpoint.clone());
            }
        }) {
            tracing::warn!(%error, "the agent's state could not be stored");
        }
    }

    fn note_down(&self, reason: String) {
        self.status
            .set_link(LinkStatus::down(AgentClock::system(), reason));
    }

    fn next_after_failure(&self, error: &DialError, complaint: &mut Complaint) -> NextDial {
        let next = match error {
            DialError::Refused { problem, .. } => match problem.code {
                Code::Revoked => NextDial::End(Dismissal::Revoked),
                Code::Superseded => NextDial::End(Dismissal::Superseded),
                Code::Quarantined | Code::Expired | Code::UnsupportedProtocol => NextDial::Slowly,
                _ => NextDial::Again,
            },
            _ => NextDial::Again,
        };
        let reason = error.to_string();
        // How a membership ended is logged where it ends.
        if !matches!(next, NextDial::End(_)) && complaint.is_new(class(error)) {
            tracing::warn!(reason, "no link to control; it keeps trying");
        }
        self.note_down(reason);
        next
    }
}
