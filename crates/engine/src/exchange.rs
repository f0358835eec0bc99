//! Recreating containers on a followed engine, with a [`Ledger`] that survives this process.

use crate::{
    action::{ActionError, lookup},
    connection::Connection,
    follow::Engine,
    recreate::{self, Ledger, Network, NoLedger, Pace, Swap},
    reports::View,
};
use flotilla_protocol::Timestamp;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How often an engine that can't be used yet is asked.
const ASK_INTERVAL: Duration = Duration::from_secs(1);

/// How long reports may take to show a new container. An engine tells of what it did within milliseconds, a busy one
/// within seconds.
const SHOW_LIMIT: Duration = Duration::from_secs(10);

impl Engine {
    /// Plans to recreate a container where it is, with all that it has. Nothing is changed; [`Self::begin`] carries the
    /// plan out.
    ///
    /// # Errors
    /// Why it can't be done; see [`ActionError`].
    pub async fn plan_recreation(&self, id: &str, now: Timestamp) -> Result<Swap, ActionError> {
        let connection = self.ready().await?;
        let seen = lookup(&connection, id).await?;
        self.may_stop(&seen)?;
        let docker = connection.patient();
        Swap::prepare(&docker, &seen.container.id, Network::Same, Pace::PATIENT, now).await
    }

    /// Carries out what was planned. Returns the id of the new container when it has shown that it works, and the old
    /// one is gone from the reports, too.
    ///
    /// # Errors
    /// Why it was not done. The container is as it was, or the error says what could not be put back.
    pub async fn begin(&self, swap: Swap, ledger: &mut impl Ledger) -> Result<String, ActionError> {
        let connection = self.ready().await?;
        let old = swap.old().to_owned();
        let new = recreate::begin(&connection.patient(), swap, ledger).await?;
        self.wait_until_shown(&new, &old).await;
        Ok(new)
    }

    /// Finishes or undoes an exchange that an earlier process began and did not end. Waits for the engine.
    ///
    /// # Errors
    /// As [`Self::begin`]'s.
    pub async fn resume(&self, swap: Swap, ledger: &mut impl Ledger) -> Result<String, ActionError> {
        let connection = self.eventually_ready().await;
        let old = swap.old().to_owned();
        let new = recreate::resume(&connection.patient(), swap, ledger).await?;
        self.wait_until_shown(&new, &old).await;
        Ok(new)
    }

    /// Places a container in the pod or outside of it without a journal: if this process ends meanwhile, the exchange
    /// is not taken up.
    ///
    /// # Errors
    /// As [`Self::plan_placement`]'s and [`Self::begin`]'s.
    pub async fn place_in_pod(&self, id: &str, member: bool) -> Result<(), ActionError> {
        let now = Timestamp::UNIX_EPOCH;
        match self.plan_placement(id, member, now).await? {
            Some(swap) => self.begin(swap, &mut NoLedger::default()).await.map(drop),
            None => Ok(()),
        }
    }

    /// Recreates a container where it is, without a journal as [`Self::place_in_pod`].
    ///
    /// # Errors
    /// As [`Self::plan_recreation`]'s and [`Self::begin`]'s.
    pub async fn recreate(&self, id: &str) -> Result<(), ActionError> {
        let swap = self.plan_recreation(id, Timestamp::UNIX_EPOCH).await?;
        self.begin(swap, &mut NoLedger::default()).await.map(drop)
    }

    pub(crate) async fn eventually_ready(&self) -> Connection {
        loop {
            if let Ok(connection) = self.ready().await {
                return connection;
            }
            sleep(ASK_INTERVAL).await;
        }
    }

    /// Waits until the reports show the new container and not the old one, so that a caller that hears of the end finds
    /// it.
    async fn wait_until_shown(&self, new: &str, old: &str) {
        let is_shown = |view: &Option<View>| {
            let inventory = view.as_ref().and_then(|view| view.inventory.as_ref());
            let has = |id: &str| inventory.is_some_and(|it| it.containers.iter().any(|known| known.id == id));
            has(new) && !has(old)
        };
        let mut views = self.views();
        if timeout(SHOW_LIMIT, views.wait_for(is_shown)).await.is_err() {
            tracing::warn!(
                container.id = new,
                "the engine does not tell of a container that it made"
            );
        }
    }
}
