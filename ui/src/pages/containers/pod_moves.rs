//! Putting containers into their device's pod and taking them out, after a dialog that says what is lost.

use super::pod::{Pod, addresses};
use crate::{
    api::send,
    components::{
        confirm::ConfirmDanger,
        icon::lucide,
        table::RowAction,
        toast::{Toaster, use_toaster},
    },
    copy::{containers, pods as copy},
    store::{Store, use_store},
    tables::containers::ports::published,
};
use flotilla_protocol::{
    agent::PodPlacement,
    api::{PlaceInPod, Row},
    device::{Device, NetworkMode},
    inventory::{Container, PodRole},
};
use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

/// A move that waits for confirmation or is under way: into the pod if `member`, else out of it.
#[derive(Debug, Clone)]
struct PodMove {
    row: Arc<Row<Container>>,
    device: Arc<Device>,
    member: bool,
}

/// Moves into pods and out of them. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub(super) struct PodMoves {
    store: Store,
    toaster: Toaster,
    to_confirm: RwSignal<Option<PodMove>>,
    busy: RwSignal<bool>,
    refused: RwSignal<Option<String>>,
}

impl PodMoves {
    pub(super) fn new() -> Self {
        Self {
            store: use_store(),
            toaster: use_toaster(),
            to_confirm: RwSignal::new(None),
            busy: RwSignal::new(false),
            refused: RwSignal::new(None),
        }
    }

    /// The move that is possible for a container, if any: only devices in pause mode have a pod.
    pub(super) fn of_row(self, row: &Arc<Row<Container>>) -> Option<RowAction> {
        let id = row.device_id;
        let device = self
            .store
            .devices
            .with_untracked(|devices| devices.rows().get(&id).cloned())?;
        let is_fixed = row.item.is_agent || row.item.pod == Some(PodRole::Pause);
        let member = row.item.pod.is_none();
        if is_fixed || member && device.mode != NetworkMode::Pause {
            return None;
        }
        let has_pod = || {
            let pod = self
                .store
                .containers
                .with_untracked(|containers| Pod::of(containers, id));
            pod.is_some_and(|pod| pod.pause.is_some())
        };
        let reason = if !self.store.is_online(id) {
            Some(containers::device_offline(row.device.as_str()))
        } else if member && !has_pod() {
            Some(copy::NO_POD.to_owned())
        } else {
            None
        };
        let (label, glyph) = if member {
            (copy::PUT, lucide::LOG_IN)
        } else {
            (copy::TAKE, lucide::ARROW_RIGHT_FROM_LINE)
        };
        let pod_move = PodMove {
            row: row.clone(),
            device,
            member,
        };
        let run = Callback::new(move |()| {
            if !self.busy.get_untracked() {
                self.refused.set(None);
                self.to_confirm.set(Some(pod_move.clone()));
            }
        });
        Some(RowAction {
            label: label.to_owned(),
            glyph,
            reason,
            run,
        })
    }

    /// Sends the move. A failure is shown in the dialog or, if that was closed meanwhile, as a toast.
    fn go(self, pod_move: PodMove) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.refused.set(None);
        spawn_local(async move {
            let (container, device) = (pod_move.row.item.name.as_str(), pod_move.row.device.as_str());
            let request = PlaceInPod {
                device: pod_move.row.device_id.to_string(),
                container: pod_move.row.item.id.clone(),
                placement: PodPlacement {
                    member: pod_move.member,
                },
            };
            // Stopping a container may take minutes. The controller answers earlier, before a browser gives up, and
            // waits for the same move when the request is sent again.
            let outcome = loop {
                match send(&request).await {
                    Ok(placed) if placed.goes_on.is_some() => {}
                    outcome => break outcome,
                }
            };
            // `try_set`, since the page may have been left meanwhile.
            self.busy.try_set(false);
            match outcome {
                Ok(_) => {
                    self.to_confirm.try_set(None);
                    let done = if pod_move.member {
                        copy::was_put
                    } else {
                        copy::was_taken
                    };
                    self.toaster.confirm(done(container, device));
                }
                Err(failure) => {
                    if self.to_confirm.try_with_untracked(Option::is_some) != Some(true) {
                        self.toaster.fail(failure.to_string());
                    }
                    self.refused.try_set(Some(failure.to_string()));
                }
            }
        });
    }
}

/// The dialog of the move to confirm, if any.
#[component]
pub(super) fn ConfirmMove(moves: PodMoves) -> impl IntoView {
    move || {
        moves
            .to_confirm
            .get()
            .map(|pod_move| view! { <MoveDialog moves pod_move/> })
    }
}

#[component]
fn MoveDialog(moves: PodMoves, pod_move: PodMove) -> impl IntoView {
    let (container, device) = (pod_move.row.item.name.clone(), pod_move.row.device.to_string());
    let text = dialog_text(&pod_move);
    let (title, action, keep) = if pod_move.member {
        (
            copy::put_title(&container, &device),
            copy::put(&container),
            copy::leave(&container),
        )
    } else {
        (
            copy::take_title(&container, &device),
            copy::take(&container),
            copy::keep(&container),
        )
    };
    view! {
        <ConfirmDanger title text action keep busy=moves.busy error=moves.refused
            on_confirm=move || moves.go(pod_move.clone()) on_keep=move || moves.to_confirm.set(None)/>
    }
}

fn dialog_text(pod_move: &PodMove) -> String {
    let container = &pod_move.row.item;
    let own = addresses(pod_move.device.mesh_ip, container);
    let addresses: Vec<_> = own.iter().map(super::pod::Address::words).collect();
    let facts = copy::PodMoveFacts {
        container: &container.name,
        device: pod_move.row.device.as_str(),
        networks: &container.networks,
        published: &published(container, true),
        addresses: &addresses,
        found_as: &container.found_as,
    };
    if pod_move.member {
        copy::put_text(&facts)
    } else {
        copy::take_text(&facts)
    }
}
