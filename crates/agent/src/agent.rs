//! The whole life of an agent, from its start to its exit.
//!
//! Life cycle: open the state → enroll, if a token is given that was not used here yet → hold the link → (revoked,
//! in a container: wait for another token) → enroll → … A token whose enrollment this device already has is ignored.

mod config;

pub use config::AgentConfig;

use crate::{
    enroll::{
        EnrollOutcome, enroll,
        source::{ConfigError, Enrollment},
    },
    exit::Exit,
    jobs::Jobs,
    link::{Dismissal, Membership, MembershipEnd, UnusableIdentity},
    machine::AgentClock,
    mesh::{Mesh, Surroundings},
    relay,
    state::{Identity, StateDir, StateError, status_file::StatusFile},
};
use config::sockets;
use flotilla_engine::{ActionError, Engine, Move, OwnContainer, start_stragglers};
use flotilla_protocol::{Problem, agent::Report, id::TokenId};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long an agent that is to end waits for a container that is being recreated: less than engines and service
/// managers wait for the agent. A recreation that takes longer is taken up at the next start.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(6);

/// Holds the network of a pod until `shutdown`, and starts its members where the engine could not.
pub async fn pause(shutdown: CancellationToken) -> Exit {
    let docker_host = std::env::var("DOCKER_HOST").ok();
    let (sockets, own) = (sockets(docker_host.as_deref()), OwnContainer::detect());
    shutdown
        .run_until_cancelled(start_stragglers(&sockets, &own))
        .await;
    shutdown.cancelled().await;
    Exit::Stopped
}

/// Moves an agent's container; runs in the container that was made for that. `Ok` ends the attempt, also with a problem
/// for which nothing was moved; an `Err` should be tried again.
///
/// # Errors
/// The engine could not be asked.
pub async fn carry_out(order: &Move) -> Result<Option<Problem>, Exit> {
    let docker_host = std::env::var("DOCKER_HOST").ok();
    match flotilla_engine::carry_out(&sockets(docker_host.as_deref()), order).await {
        Ok(()) => Ok(None),
        Err(ActionError::Unavailable(reason)) => Err(Exit::Failed(reason)),
        Err(error) => Ok(Some(error.into())),
    }
}

/// Runs an agent until `shutdown`, or until it has no reason to go on.
pub async fn run(config: AgentConfig, shutdown: CancellationToken) -> Exit {
    let state = match StateDir::open(&config.state_dir) {
        Ok(state) => Arc::new(state),
        Err(error) => return unusable(&error),
    };
    let engine = Engine::new(config.sockets(), OwnContainer::detect());
    let agent = Agent {
        clock: AgentClock::new(state.get().heard),
        status: StatusFile::new(state.dir()),
        jobs: Jobs::open(state.dir(), engine.clone()),
        engine: engine.clone(),
        state,
        config,
    };
    let ending = CancellationToken::new();
    let _end_followers = ending.clone().drop_guard();
    let (following, until) = (engine.clone(), ending.clone());
    tokio::spawn(async move { following.follow(until).await });
    agent.jobs.resume();
    tokio::spawn(ending.run_until_cancelled_owned(note_engine(engine.clone(), agent.status.clone())));
    let exit = tokio::select! {
        exit = agent.run_memberships(&shutdown) => exit,
        gone = engine.keep_pod() => Exit::Failed(gone.to_string()),
    };
    tokio::time::timeout(SETTLE_TIMEOUT, agent.jobs.settle())
        .await
        .ok();
    exit
}

fn unusable(error: &StateError) -> Exit {
    if error.is_lasting() {
        Exit::Refused(error.to_string())
    } else {
        Exit::Failed(error.to_string())
    }
}

async fn note_engine(engine: Engine, status: StatusFile) {
    let mut watch = engine.watch();
    while let Some(report) = watch.next().await {
        if let Report::Engine(state) = report {
            status.set_engine(state);
        }
    }
}

struct Agent {
    config: AgentConfig,
    state: Arc<StateDir>,
    clock: AgentClock,
    engine: Engine,
    jobs: Jobs,
    status: StatusFile,
}

impl Agent {
    async fn run_memberships(&self, shutdown: &CancellationToken) -> Exit {
        let mut verdicts = ControlVerdicts::default();
        loop {
            if let Err(exit) = self.become_member(&mut verdicts, shutdown).await {
                return exit;
            }
            let Some(identity) = self.state.get().identity else {
                return Exit::Failed("The enrollment was not kept. Start the agent again.".to_owned());
            };
            let mesh = match Mesh::join(self.surroundings(), &identity) {
                Ok(mesh) => mesh,
                Err(error) => return Exit::Refused(UnusableIdentity::from(error).to_string()),
            };
            let _relaying = relay::start(self.state.clone(), self.clock.clone());
            verdicts.dismissed = match self.membership(identity, mesh.clone()).hold(shutdown).await {
                MembershipEnd::Stopped => return Exit::Stopped,
                MembershipEnd::Unusable(unusable) => return Exit::Refused(unusable.to_string()),
                MembershipEnd::Dismissed(dismissal) => {
                    mesh.leave().await;
                    Some(dismissal)
                }
            };
        }
    }

    /// Returns when there is an identity to use, or with the reason to exit.
    async fn become_member(
        &self,
        verdicts: &mut ControlVerdicts,
        shutdown: &CancellationToken,
    ) -> Result<(), Exit> {
        loop {
            let identity = self.state.get().identity;
            let member = identity.is_some() && verdicts.dismissed.is_none();
            let enrollment = match self.new_enrollment(identity.as_ref(), verdicts) {
                Ok(Some(enrollment)) => enrollment,
                Ok(None) if member => return Ok(()),
                Ok(None) => {
                    self.await_another_token(identity.as_ref(), verdicts, shutdown)
                        .await?;
                    continue;
                }
                Err(reason) if member => {
                    tracing::warn!(
                        reason,
                        "the enrollment given here is of no use; going on as before"
                    );
                    return Ok(());
                }
                Err(reason) => return Err(Exit::Refused(reason)),
            };
            let config = &self.config;
            match enroll(
                &self.state,
                &enrollment,
                &config.proxies,
                &self.clock,
                &self.status,
                shutdown,
            )
            .await
            {
                EnrollOutcome::Enrolled => {
                    verdicts.dismissed = None;
                    return Ok(());
                }
                EnrollOutcome::Stopped => return Err(Exit::Stopped),
                EnrollOutcome::Refused(problem) => {
                    if identity.is_none() {
                        return Err(Exit::Refused(format!(
                            "Control refused to enroll this device: {problem}"
                        )));
                    }
                    let (code, reason) = (problem.code.as_str(), problem.message);
                    tracing::warn!(
                        code,
                        reason,
                        "control refused the token given here; going on as before"
                    );
                    verdicts.refused = Some(enrollment.token.id());
                }
            }
        }
    }

    /// The enrollment given here, if its token may still enroll this device; or why none can be had.
    fn new_enrollment(
        &self,
        identity: Option<&Identity>,
        verdicts: &ControlVerdicts,
    ) -> Result<Option<Enrollment>, String> {
        if let Some(path) = self.config.enrollment.exposed_file() {
            tracing::warn!(path = %path.display(), "others may read the token in the config file: chmod 600 it");
        }
        match self.config.enrollment.read() {
            Ok(Some(enrollment)) => Ok(Some(enrollment).filter(|it| verdicts.may_use(it, identity))),
            Ok(None) if identity.is_none() => Err(ConfigError::Missing.to_string()),
            Ok(None) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Waits for a token that has not been used here yet, where returning would only restart the agent; otherwise
    /// returns the exit.
    async fn await_another_token(
        &self,
        identity: Option<&Identity>,
        verdicts: &ControlVerdicts,
        shutdown: &CancellationToken,
    ) -> Result<(), Exit> {
        let exit = match verdicts.dismissed {
            Some(Dismissal::Superseded) => Exit::Superseded,
            _ => Exit::Revoked,
        };
        let Some(pause) = self.config.idle_when_dismissed else {
            return Err(exit);
        };
        tracing::warn!(reason = %exit, "idle; looking for another token now and then");
        loop {
            if shutdown
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                return Err(Exit::Stopped);
            }
            let found = self.config.enrollment.read().ok().flatten();
            if found.is_some_and(|enrollment| verdicts.may_use(&enrollment, identity)) {
                return Ok(());
            }
        }
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            state: self.state.clone(),
            clock: self.clock.clone(),
            status: self.status.clone(),
            tun_name: self.config.tun_name.clone(),
            proxies: self.config.proxies.clone(),
        }
    }

    fn membership(&self, identity: Identity, mesh: Mesh) -> Membership {
        let enrollment = self.config.enrollment.read().ok().flatten();
        let more = enrollment.filter(|enrollment| enrollment.token.id() == used_token(&identity));
        Membership {
            more_endpoints: more.map(|enrollment| enrollment.endpoints).unwrap_or_default(),
            identity,
            mesh,
            state: self.state.clone(),
            clock: self.clock.clone(),
            engine: self.engine.clone(),
            jobs: self.jobs.clone(),
            status: self.status.clone(),
            proxies: self.config.proxies.clone(),
        }
    }
}

/// What control has told this device about its identity and token since the agent started.
#[derive(Debug, Default)]
struct ControlVerdicts {
    /// Control ended the membership of the stored identity.
    dismissed: Option<Dismissal>,
    /// Control refused this token; asking again would not help.
    refused: Option<TokenId>,
}

impl ControlVerdicts {
    fn may_use(&self, enrollment: &Enrollment, identity: Option<&Identity>) -> bool {
        let token = Some(enrollment.token.id());
        token != identity.map(used_token) && token != self.refused
    }
}

fn used_token(identity: &Identity) -> TokenId {
    identity.keys.token
}
