//! Follows a device's engine: the task that keeps the view of it current.
//!
//! Life cycle: looking for an engine → following it → (it is gone) looking again. A state keeps its reason and its
//! beginning until it is known to have ended: an engine that stays silent does not count as running between two
//! attempts.

use crate::{
    clock,
    connection::{Connection, READ_TIMEOUT},
    follow_connection::ConnectionFollower,
    own::OwnContainer,
    read_schedule::Pauses,
    reports::{Reports, View},
    snapshot::Snapshot,
    socket::Sockets,
};
use flotilla_protocol::{Timestamp, agent::Report, inventory::EngineState};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// The first pause between searches. A search costs a few system calls, so an engine's return can be noticed soon.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How long a connection has to live so that the next search starts without a long pause.
const GOOD_CONNECTION: Duration = Duration::from_secs(10);

/// How long an engine is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one answer; the client counts whole seconds.
    pub read: Duration,
    /// For all answers, before those that have arrived are shown.
    pub show: Duration,
    /// From one reading of the list to the next, in case the events do not tell everything.
    pub look: Duration,
    /// The pause before a failed read is repeated; doubled each time up to `longest_pause`.
    pub first_pause: Duration,
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            read: READ_TIMEOUT,
            show: Duration::from_secs(3),
            look: Duration::from_secs(60),
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(120),
        }
    }
}

impl Patience {
    pub(crate) fn pauses(&self) -> Pauses {
        Pauses {
            first: self.first_pause,
            longest: self.longest_pause,
        }
    }
}

/// A device's container engine, present or not. Clones are the same engine.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    sockets: Sockets,
    own: OwnContainer,
    patience: Patience,
    /// `None` until the first search has ended.
    view: watch::Sender<Option<View>>,
    connection: Mutex<Option<Connection>>,
}

impl Engine {
    /// An engine that is not searched for before [`Self::follow`] runs.
    pub fn new(sockets: Sockets, own: OwnContainer) -> Self {
        Self::with_patience(sockets, own, Patience::default())
    }

    pub fn with_patience(sockets: Sockets, own: OwnContainer, patience: Patience) -> Self {
        Self {
            inner: Arc::new(Inner {
                sockets,
                own,
                patience,
                view: watch::Sender::new(None),
                connection: Mutex::new(None),
            }),
        }
    }

    /// Reports from now on: first the state and the whole inventory, then what changes.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let mut views = self.inner.view.subscribe();
        views.mark_changed();
        Watch {
            views,
            reports: Reports::default(),
        }
    }

    /// The engine's state; `None` until the first search has ended.
    pub fn state(&self) -> Option<EngineState> {
        self.inner.view.borrow().as_ref().map(|view| view.state.clone())
    }

    /// Keeps the view current until `shutdown`. Run it once.
    pub async fn follow(&self, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.follow_forever()).await;
    }

    async fn follow_forever(&self) {
        let mut pause = FIRST_PAUSE;
        let mut snapshot = Snapshot::default();
        loop {
            match Connection::open_within(&self.inner.sockets, self.inner.patience.read).await {
                Ok(connection) => {
                    let since = Instant::now();
                    *self.connection() = Some(connection.clone());
                    snapshot.forget_list();
                    ConnectionFollower::new(self, &connection, &mut snapshot)
                        .run()
                        .await;
                    if since.elapsed() >= GOOD_CONNECTION {
                        pause = FIRST_PAUSE;
                    }
                }
                Err(state) => self.publish(View::without_inventory(self.with_memory(state))),
            }
            *self.connection() = None;
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The state as it follows from the one before. An engine that stops in order removes its socket, so one that was
    /// there before is stopped and not absent. A state that goes on keeps the reason with which it began.
    fn with_memory(&self, state: EngineState) -> EngineState {
        let before = self.state();
        let was_here =
            |state: &EngineState| !matches!(state, EngineState::Absent { .. } | EngineState::Denied { .. });
        let state = match state {
            EngineState::Absent { .. } if before.as_ref().is_some_and(was_here) => EngineState::Stopped {
                reason: "The container engine was stopped. Start it again: sudo systemctl start docker"
                    .to_owned(),
                since: None,
            },
            state => state,
        };
        continued(state, before.as_ref(), clock::now())
    }

    pub(crate) fn publish(&self, view: View) {
        self.inner.view.send_if_modified(|current| {
            if current.as_ref() == Some(&view) {
                return false;
            }
            if current.as_ref().map(|current| &current.state) != Some(&view.state) {
                log(&view.state);
            }
            *current = Some(view);
            true
        });
    }

    pub(crate) fn patience(&self) -> Patience {
        self.inner.patience
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Option<Connection>> {
        self.inner
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn own(&self) -> &OwnContainer {
        &self.inner.own
    }

    /// The view now; `None` until the first search has ended.
    pub(crate) fn view(&self) -> Option<View> {
        self.inner.view.borrow().clone()
    }

    /// The view now and each change of it.
    pub(crate) fn views(&self) -> watch::Receiver<Option<View>> {
        self.inner.view.subscribe()
    }
}

/// The state with its beginning: that of the state before, where the engine was of no use already.
fn continued(mut state: EngineState, before: Option<&EngineState>, now: Timestamp) -> EngineState {
    if let Some(before) = before
        && std::mem::discriminant(before) == std::mem::discriminant(&state)
        && matches!(before, EngineState::Unfit { .. })
    {
        return before.clone();
    }
    if let EngineState::Absent { since, .. }
    | EngineState::Stopped { since, .. }
    | EngineState::Denied { since, .. }
    | EngineState::Unfit { since, .. } = &mut state
    {
        *since = before.and_then(EngineState::since).or(*since).or(Some(now));
    }
    state
}

fn log(state: &EngineState) {
    if let EngineState::Running(facts) = state {
        tracing::info!(
            engine.flavor = facts.flavor,
            engine.version = facts.version,
            engine.api_version = facts.api_version,
            "the container engine is ready"
        );
    }
    if let Some((reason, since)) = state.trouble() {
        let since = since.map(|since| since.to_string());
        tracing::warn!(reason, since, "the container engine can't be used as it should");
    }
}

/// One reader's position in the changes of an engine.
#[derive(Debug)]
pub struct Watch {
    views: watch::Receiver<Option<View>>,
    reports: Reports,
}

impl Watch {
    /// The next report; waits while nothing changes, and returns `None` when the engine is dropped. Cancel safe.
    pub async fn next(&mut self) -> Option<Report> {
        loop {
            if let Some(report) = self.reports.poll_report() {
                return Some(report);
            }
            self.views.changed().await.ok()?;
            if let Some(view) = self.views.borrow_and_update().as_ref() {
                self.reports.handle_view(view);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn unfit(reason: &str) -> EngineState {
        EngineState::Unfit {
            reason: reason.to_owned(),
            since: None,
        }
    }

    #[test]
    fn a_state_that_goes_on_keeps_its_words_and_its_beginning() {
        let first = continued(unfit("silent"), None, at(5));
        assert_eq!(first.since(), Some(at(5)));
        assert_eq!(continued(unfit("500"), Some(&first), at(9)), first);
        let stopped = EngineState::Stopped {
            reason: "not running".to_owned(),
            since: None,
        };
        let stopped = continued(stopped, Some(&first), at(11));
        assert_eq!(
            (stopped.reason(), stopped.since()),
            (Some("not running"), Some(at(5))),
            "it was of no use before"
        );
        let running = EngineState::Running(flotilla_protocol::inventory::EngineFacts::default());
        assert_eq!(
            continued(unfit("silent"), Some(&running), at(20)).since(),
            Some(at(20))
        );
    }
}
