//! Starting, stopping and restarting containers, one or several.

use crate::{
    api::{Failure, send},
    clock::now,
    components::{
        icon::{Glyph, lucide},
        table::{RowAction, TableState},
        toast::{Toaster, use_toaster},
    },
    copy::{containers as copy, pods},
    format,
    pages::inventory_table::rows,
    store::{Keyed, Store, use_store},
};
use flotilla_protocol::{
    Code,
    api::{ActOnContainer, ActOnContainers, ContainerRef, GetJob, Row},
    id::JobId,
    inventory::{Container, ContainerAction, ContainerState, PodRole},
    job::JobState,
};
use leptos::{prelude::*, task::spawn_local};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// An action on one or several containers, which may have to be confirmed first.
#[derive(Debug, Clone)]
pub(super) struct ActionBatch {
    pub action: ContainerAction,
    pub rows: Vec<Arc<Row<Container>>>,
    /// How many chosen containers are left out because their device is not online.
    pub skipped: usize,
    /// The names of chosen containers that are left out because the device or its pod needs them.
    pub kept: Vec<String>,
    pub chosen: usize,
    table: Option<TableState>,
}

/// Running actions on containers, and the one to confirm. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub struct ContainerActions {
    store: Store,
    toaster: Toaster,
    running: RwSignal<BTreeMap<String, ContainerAction>>,
    pub(super) to_confirm: RwSignal<Option<ActionBatch>>,
    /// Jobs that act on several containers and are not over.
    jobs: RwSignal<BTreeMap<JobId, ActionBatch>>,
}

impl ActionBatch {
    fn request(&self) -> ActOnContainers {
        let containers = self.rows.iter().map(|row| ContainerRef {
            device: row.device_id.to_string(),
            container: row.item.id.clone(),
        });
        ActOnContainers {
            action: self.action,
            containers: containers.collect(),
        }
    }
}

impl ContainerActions {
    pub fn provide() -> Self {
        let container_actions = Self {
            store: use_store(),
            toaster: use_toaster(),
            running: RwSignal::default(),
            to_confirm: RwSignal::new(None),
            jobs: RwSignal::default(),
        };
        Effect::new(move |_| container_actions.conclude());
        provide_context(container_actions);
        container_actions
    }

    /// The action that runs on the container of a row.
    #[must_use]
    pub fn running(self, key: &str) -> Option<ContainerAction> {
        self.running.with(|running| running.get(key).copied())
    }

    /// Whether an action waits for confirmation.
    #[must_use]
    pub fn is_asking(self) -> bool {
        self.to_confirm.with(Option::is_some)
    }

    /// The actions of a container. One that is not possible now has a reason.
    #[must_use]
    pub fn of_row(self, row: &Arc<Row<Container>>) -> Vec<RowAction> {
        let action = |action: &ContainerAction| {
            let (action, key) = (*action, row.key().to_string());
            RowAction {
                label: copy::verb(action).to_owned(),
                glyph: glyph(action),
                reason: self.reason_against(row, action),
                run: Callback::new(move |()| self.ask(vec![key.clone()], action, None)),
            }
        };
        let copy_id = rows::clipboard_action(copy::COPY_ID.to_owned(), row.item.id.clone());
        ContainerAction::ALL.iter().map(action).chain([copy_id]).collect()
    }

    /// Whether an action on a container is possible now.
    #[must_use]
    pub fn allows(self, row: &Row<Container>, action: ContainerAction) -> bool {
        self.reason_against(row, action).is_none()
    }

    fn reason_against(self, row: &Row<Container>, action: ContainerAction) -> Option<String> {
        let running = matches!(
            row.item.state,
            ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
        );
        if !self.store.is_online(row.device_id) {
            Some(copy::device_offline(row.device.as_str()))
        } else if let Some(why) = reason_to_protect(&row.item, action) {
            Some(why.to_owned())
        } else {
            match action {
                ContainerAction::Start if running => Some(copy::RUNS_ALREADY.to_owned()),
                ContainerAction::Stop if !running => Some(copy::RESTS_ALREADY.to_owned()),
                _ => None,
            }
        }
    }

    /// Runs an action on the containers of these rows. A stop, or an action on several, has to be confirmed first.
    pub fn ask(self, keys: Vec<String>, action: ContainerAction, table: Option<TableState>) {
        let found: Vec<_> = keys
            .iter()
            .filter_map(|key| rows::lookup(self.store.containers, key))
            .collect();
        let chosen = found.len();
        let (possible, silent): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|row| self.store.is_online(row.device_id));
        let (rows, kept): (Vec<_>, Vec<_>) = possible
            .into_iter()
            .partition(|row| reason_to_protect(&row.item, action).is_none());
        let batch = ActionBatch {
            action,
            rows,
            skipped: silent.len(),
            kept: kept.iter().map(|row| row.item.name.clone()).collect(),
            chosen,
            table,
        };
        if action == ContainerAction::Stop || chosen > 1 {
            self.to_confirm.set(Some(batch));
        } else {
            self.run(batch);
        }
    }

    /// Runs an action without confirmation: on one container by a call, on several as a job. Its end is one toast, and
    /// containers that are not done stay selected.
    pub(super) fn run(self, batch: ActionBatch) {
        self.to_confirm.set(None);
        let action = batch.action;
        let keys = batch.rows.iter().map(|row| (row.key().to_string(), action));
        self.running.update(|running| running.extend(keys));
        spawn_local(async move {
            if let [row] = &batch.rows[..] {
                let answer = self.act(row, action).await;
                match &answer {
                    Ok(()) => {
                        let done = copy::done(action, &row.item.name, row.device.as_str());
                        self.toaster.confirm(done);
                    }
                    Err(failure) => self.toaster.fail(self.failure_words(row, action, failure)),
                }
                return self.end(&batch, |_| answer.is_ok());
            }
            match send(&batch.request()).await {
                Ok(job) => self.jobs.update(|jobs| drop(jobs.insert(job.id, batch))),
                Err(failure) => {
                    self.toaster.fail(failure.to_string());
                    self.end(&batch, |_| false);
                }
            }
        });
    }

    async fn act(self, row: &Row<Container>, action: ContainerAction) -> Result<(), Failure> {
        let request = ActOnContainer {
            device: row.device_id.to_string(),
            container: row.item.id.clone(),
            action,
        };
        send(&request).await.map(drop)
    }

    /// Tells what came of the jobs that are over.
    fn conclude(self) {
        let known = self.jobs.with(|jobs| jobs.keys().copied().collect::<Vec<_>>());
        let over = self.store.jobs.with(|jobs| {
            let is_over = |id: &JobId| jobs.rows().get(id).is_some_and(|job| job.state.is_over());
            known.into_iter().filter(is_over).collect::<Vec<_>>()
        });
        for id in over {
            let Some(batch) = self.jobs.try_update(|jobs| jobs.remove(&id)).flatten() else {
                continue;
            };
            spawn_local(async move {
                let outcomes = match send(&GetJob { job: id.to_string() }).await {
                    Ok(job) => {
                        let done = || copy::done_many(batch.action, batch.rows.len());
                        match job.problem {
                            None => self.toaster.confirm(done()),
                            Some(problem) => self.toaster.fail(problem.message),
                        }
                        job.outcomes
                    }
                    Err(failure) => {
                        self.toaster.fail(failure.to_string());
                        Vec::new()
                    }
                };
                let done = outcomes.iter().filter(|outcome| outcome.state == JobState::Done);
                let done: BTreeSet<_> = done
                    .map(|outcome| (outcome.device_id, &outcome.container))
                    .collect();
                self.end(&batch, |row| done.contains(&(row.device_id, &row.item.id)));
            });
        }
    }

    /// The containers of a batch are free again, and those that are not done stay selected.
    fn end(self, batch: &ActionBatch, is_done: impl Fn(&Row<Container>) -> bool) {
        self.running.update(|running| {
            for row in &batch.rows {
                running.remove(&row.key().to_string());
            }
        });
        if let Some(table) = batch.table {
            let failed = batch.rows.iter().filter(|row| !is_done(row));
            let keys: Vec<_> = failed.map(|row| row.key().to_string()).collect();
            table.select_only(keys);
        }
    }

    fn failure_words(self, row: &Row<Container>, action: ContainerAction, failure: &Failure) -> String {
        let device = row.device.as_str();
        match failure.code() {
            Some(Code::DeviceOffline) => {
                let seen = self
                    .store
                    .lookup_device(device)
                    .and_then(|device| device.last_seen);
                let seen = seen.map(|seen| format::age(seen, now()));
                copy::offline(device, &row.item.name, action, seen.as_deref())
            }
            Some(Code::NoAnswer) => copy::no_answer(device),
            _ => failure.to_string(),
        }
    }
}

/// Why an action on a container is never allowed: the device or its pod needs the container.
fn reason_to_protect(container: &Container, action: ContainerAction) -> Option<&'static str> {
    match action {
        ContainerAction::Start => None,
        _ if container.is_agent => Some(copy::IS_AGENT),
        _ if container.pod == Some(PodRole::Pause) => Some(pods::IS_PAUSE),
        ContainerAction::Stop | ContainerAction::Restart => None,
    }
}

#[must_use]
pub fn glyph(action: ContainerAction) -> Glyph {
    match action {
        ContainerAction::Start => lucide::PLAY,
        ContainerAction::Stop => lucide::SQUARE,
        ContainerAction::Restart => lucide::ROTATE_CW,
    }
}
