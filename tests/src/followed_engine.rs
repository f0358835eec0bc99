//! A machine's engine, followed in this process as an agent follows it, without the rest of an agent.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use flotilla_engine::{Engine, OwnContainer, Sockets};
use flotilla_protocol::agent::Report;
use flotilla_protocol::inventory::{Container, Inventory};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::eventually::seconds;
use crate::lab::Machine;

/// An engine and the task that follows it. Dropping it ends the task.
#[derive(Debug)]
pub struct FollowedEngine {
    pub engine: Engine,
    _following: DropGuard,
}

impl FollowedEngine {
    /// Follows the engine of a machine, as an agent outside of containers. Call it inside a runtime.
    #[must_use]
    pub fn start(machine: &Machine) -> Self {
        Self::start_as(machine, OwnContainer::default())
    }

    /// Follows the engine of a machine as an agent in this container.
    #[must_use]
    pub fn start_as(machine: &Machine, own: OwnContainer) -> Self {
        Self::follow(machine.socket(), own)
    }

    /// Follows the engine that listens at this socket.
    #[must_use]
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self::follow(socket, OwnContainer::default())
    }

    fn follow(socket: impl Into<PathBuf>, own: OwnContainer) -> Self {
        let engine = Engine::new(Sockets::at(socket), own);
        let shutdown = CancellationToken::new();
        let (following, until) = (engine.clone(), shutdown.clone());
        tokio::spawn(async move { following.follow(until).await });
        Self {
            engine,
            _following: shutdown.drop_guard(),
        }
    }

    /// The first inventory that the engine reports to a new watch.
    pub async fn inventory(&self) -> Result<Inventory> {
        let mut watch = self.engine.watch();
        let mut whole = async || loop {
            match watch.next().await.context("the engine is not followed")? {
                Report::Inventory(inventory) => return Ok(inventory),
                Report::Engine(_) => {}
                other => bail!("not the beginning of a watch: {other:?}"),
            }
        };
        timeout(seconds(10.0), whole())
            .await
            .with_context(|| format!("the engine is {:?}", self.engine.state()))?
    }

    /// The row of the container with this name.
    pub async fn container(&self, name: &str) -> Result<Container> {
        let rows = self.inventory().await?.containers;
        let row = rows.into_iter().find(|container| container.name == name);
        row.with_context(|| format!("no container is called {name}"))
    }
}
