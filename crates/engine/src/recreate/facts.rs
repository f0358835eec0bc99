//! Reads both containers of an exchange from the engine.

use super::{
    Exchange, LONGEST_PAUSE, LOOK_INTERVAL, Ledger,
    swap::{Facts, Health, Replacement, SeenContainer, State},
};
use crate::connection::{inspect, is_not_found};
use bollard::{
    errors::Error,
    models::{ContainerInspectResponse, ContainerStateStatusEnum as Status, HealthStatusEnum},
};
use tokio::time::{Instant, sleep};

impl<L: Ledger> Exchange<'_, L> {
    /// Reads both containers. Waits for an engine that does not answer: an exchange can't be left half done.
    pub(super) async fn look(&mut self) -> Facts {
        let mut pause = LOOK_INTERVAL;
        loop {
            match self.try_look().await {
                Ok(facts) => return facts,
                Err(error) => {
                    self.ledger.tell(&format!(
                        "Waiting for the container engine, which can't be asked about {}.",
                        self.swap.name
                    ));
                    tracing::warn!(container.name = self.swap.name, %error, "the engine can't be asked");
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_look(&mut self) -> Result<Facts, Error> {
        let old = self.lookup(&self.swap.old).await?;
        let new = match &self.swap.new {
            Replacement::Made(id) => self.lookup(id).await?,
            Replacement::Unknown if self.looks_by_name => self.by_name(old.as_ref()).await?,
            Replacement::Unknown | Replacement::Refused => None,
        };
        self.found = new.as_ref().map(|new| new.id.clone());
        let is_up = new.as_ref().is_some_and(|new| new.state != State::Created);
        let up_since = self.up_since.filter(|_| is_up);
        self.up_since = up_since.or_else(|| is_up.then(Instant::now));
        Ok(Facts {
            old,
            new,
            since: self.since.elapsed(),
            unheard: self.looks_by_name,
            up_for: self.up_since.map(|up| up.elapsed()).unwrap_or_default(),
        })
    }

    /// The new container where its id was not kept. Once the old one was set aside, only the new one is given its name.
    async fn by_name(&self, old: Option<&SeenContainer>) -> Result<Option<SeenContainer>, Error> {
        let temporary = self.lookup(&self.swap.temporary_name()).await?;
        if let Some(new) = temporary.filter(|new| self.swap.is_ours(new)) {
            return Ok(Some(new));
        }
        if old.is_some_and(|old| old.name != self.swap.aside_name()) {
            return Ok(None);
        }
        let named = self.lookup(&self.swap.name).await?;
        Ok(named.filter(|new| new.name == self.swap.name && new.id != self.swap.old))
    }

    async fn lookup(&self, id: &str) -> Result<Option<SeenContainer>, Error> {
        match inspect(self.docker, id).await {
            Ok(answer) => Ok(Some(seen(&answer))),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

pub(super) fn seen(answer: &ContainerInspectResponse) -> SeenContainer {
    let life = answer.state.clone().unwrap_or_default();
    let code = life.exit_code.unwrap_or(0);
    let health = life.health.and_then(|health| health.status);
    SeenContainer {
        id: answer.id.clone().unwrap_or_default(),
        name: answer
            .name
            .as_deref()
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned(),
        state: match life.status {
            Some(Status::CREATED) => State::Created,
            Some(Status::RUNNING | Status::STOPPING) => State::Running,
            Some(Status::PAUSED) => State::Paused,
            Some(Status::RESTARTING) => State::Restarting(code),
            _ => State::Ended(code),
        },
        health: match health {
            Some(HealthStatusEnum::STARTING) => Health::Starting,
            Some(HealthStatusEnum::HEALTHY) => Health::Good,
            Some(HealthStatusEnum::UNHEALTHY) => Health::Bad,
            _ => Health::None,
        },
        started: life.started_at,
        created: answer.created.as_deref().and_then(|created| created.parse().ok()),
    }
}
