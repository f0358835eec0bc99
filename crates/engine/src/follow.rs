//! The task that keeps the view of an engine current.
//!
//! Life cycle: looking for an engine → surveying it → following its events → (the stream ends) looking again.
//! A stream that ends is not yet a stopped engine: only when the next look fails does the state say so.

use crate::{
    connection::{Connection, is_disconnection},
    own::OwnContainer,
    pod::Pod,
    reports::{Reports, View},
    snapshot::Snapshot,
    socket::Sockets,
    stale::Stale,
};
use bollard::errors::Error;
use flotilla_protocol::{agent::Report, inventory::EngineState};
use futures_util::{Stream, StreamExt as _};
use std::{
    mem,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// How long a burst of events may gather before it is read: far below what a person notices.
const GATHER: Duration = Duration::from_millis(75);

/// Looking for an engine costs a few system calls, so its return can be noticed soon.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// A connection that lived this long was a good one, and the next search starts without a pause.
const GOOD_CONNECTION: Duration = Duration::from_secs(10);

/// A device's container engine, present or not. Clones are the same engine.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    sockets: Sockets,
    own: OwnContainer,
    /// `None` until it was looked for once.
    view: watch::Sender<Option<View>>,
    connection: Mutex<Option<Connection>>,
}

impl Engine {
    /// Nothing is looked for before [`Self::follow`] runs.
    #[must_use]
    pub fn new(sockets: Sockets, own: OwnContainer) -> Self {
        Self {
            inner: Arc::new(Inner {
                sockets,
                own,
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

    /// The engine's state; `None` until it was looked for once.
    #[must_use]
    pub fn state(&self) -> Option<EngineState> {
        self.inner.view.borrow().as_ref().map(|view| view.state.clone())
    }

    /// Keeps the view current until `shutdown`. Run it once.
    pub async fn follow(&self, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.follow_forever()).await;
    }

    async fn follow_forever(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let state = match Connection::open(&self.inner.sockets).await {
                Ok(connection) => {
                    let since = Instant::now();
                    let state = self.attend(&connection).await;
                    if since.elapsed() >= GOOD_CONNECTION {
                        pause = FIRST_PAUSE;
                    }
                    state
                }
                Err(state) => Some(self.with_memory(state)),
            };
            *self.connection() = None;
            if let Some(state) = state {
                self.publish(View::without_inventory(state));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// An engine that stops in order takes its socket away; one that was here before is not called absent.
    fn with_memory(&self, state: EngineState) -> EngineState {
        let was_here = matches!(
            self.state(),
            Some(EngineState::Running(_) | EngineState::Stopped { .. })
        );
        match state {
            EngineState::Absent { .. } if was_here => EngineState::Stopped {
                reason: "The container engine was stopped. Start it again: sudo systemctl start docker"
                    .to_owned(),
            },
            state => state,
        }
    }

    /// Follows one connection to its end; answers with a state when it ended because of a failed read.
    async fn attend(&self, connection: &Connection) -> Option<EngineState> {
        *self.connection() = Some(connection.clone());
        let state = EngineState::Running(connection.facts.clone());
        let known = self
            .inner
            .view
            .borrow()
            .clone()
            .filter(|view| view.state == state);
        self.publish(known.unwrap_or_else(|| View::without_inventory(state)));

        let marks = Marks::default();
        tokio::select! {
            () = marks.gather(connection.events()) => None,
            // An engine that went away is best described by the next look for it.
            Err(error) = self.refresh_forever(connection, &marks) => {
                (!is_disconnection(&error)).then(|| EngineState::Stopped {
                    reason: format!("The container engine does not answer as it should: {error}."),
                })
            }
        }
    }

    async fn refresh_forever(&self, connection: &Connection, marks: &Marks) -> Result<(), Error> {
        let mut snapshot = Snapshot::default();
        let mut stale = connection.survey().await?;
        loop {
            refresh(&mut snapshot, stale, connection).await?;
            let own = self.inner.own.find(&snapshot.containers);
            let pod = own.and_then(|own| Pod::around(own, &snapshot.containers));
            self.publish(View {
                state: EngineState::Running(connection.facts.clone()),
                inventory: Some(Arc::new(snapshot.assemble(own, pod.as_ref()))),
                own: own.map(str::to_owned),
                pod: pod.map(Arc::new),
            });
            stale = marks.next().await;
        }
    }

    fn publish(&self, view: View) {
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

    pub(crate) fn connection(&self) -> MutexGuard<'_, Option<Connection>> {
        self.inner
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn own(&self) -> &OwnContainer {
        &self.inner.own
    }

    /// What is known now; `None` until the engine was looked for once.
    pub(crate) fn view(&self) -> Option<View> {
        self.inner.view.borrow().clone()
    }

    /// Changes of what is known, from now on.
    pub(crate) fn views(&self) -> watch::Receiver<Option<View>> {
        self.inner.view.subscribe()
    }
}

fn log(state: &EngineState) {
    match state {
        EngineState::Running(facts) => tracing::info!(
            engine.flavor = facts.flavor,
            engine.version = facts.version,
            engine.api_version = facts.api_version,
            "the container engine is ready"
        ),
        EngineState::Absent { reason } | EngineState::Stopped { reason } | EngineState::Denied { reason } => {
            tracing::warn!(reason, "the container engine cannot be used");
        }
    }
}

async fn refresh(snapshot: &mut Snapshot, mut stale: Stale, connection: &Connection) -> Result<(), Error> {
    for (id, seen) in connection.containers(mem::take(&mut stale.containers)).await? {
        match seen {
            Some(observed) => {
                let new = !snapshot.containers.contains_key(&id);
                stale.images |= new && snapshot.misses_image_of(&observed.container);
                snapshot.containers.insert(id, observed);
            }
            None => drop(snapshot.containers.remove(&id)),
        }
    }
    if stale.images {
        snapshot.images = connection.images().await?;
    }
    if stale.volumes {
        snapshot.volumes = connection.volumes().await?;
    }
    if stale.networks {
        snapshot.networks = connection.networks().await?;
    }
    Ok(())
}

/// Where events leave their marks until somebody has time to read.
#[derive(Debug, Default)]
struct Marks {
    stale: Mutex<Stale>,
    marked: Notify,
}

impl Marks {
    /// Ends when the stream does.
    async fn gather(&self, events: impl Stream<Item = Result<bollard::models::EventMessage, Error>>) {
        let mut events = pin!(events);
        while let Some(Ok(event)) = events.next().await {
            let mut stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
            stale.mark(event);
            if !stale.is_empty() {
                self.marked.notify_one();
            }
        }
    }

    async fn next(&self) -> Stale {
        loop {
            self.marked.notified().await;
            sleep(GATHER).await;
            let stale = mem::take(&mut *self.stale.lock().unwrap_or_else(PoisonError::into_inner));
            if !stale.is_empty() {
                return stale;
            }
        }
    }
}

/// One reader's place in the story of an engine.
#[derive(Debug)]
pub struct Watch {
    views: watch::Receiver<Option<View>>,
    reports: Reports,
}

impl Watch {
    /// The next report; waits while nothing changes, and ends when the engine is dropped. Cancel safe.
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
