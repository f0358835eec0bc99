//! An installation over SSH as this dialog sees it: the request for it and its progress.
//!
//! Life cycle: none → requested → `Connecting` → `Installing` → `Installed` or `Failed`; a failed one can be requested
//! again. The controller installs; closing the dialog does not stop it.

use super::{
    flow::{Flow, use_flow},
    method::Method,
};
use crate::{
    api::{Failure, send},
    store::{Store, use_store},
};
use flotilla_protocol::api::{EndPush, GetPush, Push, PushDevice, PushState, SshInstall};
use leptos::{prelude::*, task::spawn_local};

/// The progress of the installation. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub(super) struct SshProgress {
    flow: Flow,
    store: Store,
    /// Why the controller refused to start it.
    pub refused: RwSignal<Option<Failure>>,
    /// The request is being sent.
    asking: RwSignal<bool>,
    /// The newest installation over SSH on the device.
    pub push: Memo<Option<Push>>,
}

impl SshProgress {
    pub(super) fn new() -> Self {
        let (flow, store) = (use_flow(), use_store());
        Self {
            flow,
            store,
            refused: RwSignal::new(None),
            asking: RwSignal::new(false),
            push: Memo::new(move |_| push_of(flow, store)),
        }
    }

    /// Whether an installation is requested or running.
    pub(super) fn is_busy(self) -> bool {
        self.asking.get() || self.push.with(|push| push.as_ref().is_some_and(is_running))
    }

    pub(super) fn begin(self) {
        let Some(device) = self.flow.device.get_untracked() else {
            return;
        };
        if untrack(|| self.is_busy()) {
            return;
        }
        let flow = self.flow;
        let request = PushDevice {
            device: device.to_string(),
            install: SshInstall {
                host: flow.host.with_untracked(|host| host.trim().to_owned()),
                as_root: flow.as_root.get_untracked(),
                skip_docker: flow.skip_docker.get_untracked(),
            },
        };
        self.asking.set(true);
        self.refused.set(None);
        spawn_local(async move {
            let outcome = send(&request).await;
            if self.asking.try_set(false).is_some() {
                return;
            }
            match outcome {
                Ok(push) => {
                    flow.keep_command.set(true);
                    keep_newest(self.store, push);
                }
                Err(failure) => self.refused.set(Some(failure)),
            }
        });
    }

    /// Stops the running installation.
    pub(super) fn end(self) {
        let Some(device) = self.flow.device.get_untracked() else {
            return;
        };
        let device = device.to_string();
        spawn_local(async move {
            if let Err(failure) = send(&EndPush { device }).await {
                self.refused.try_set(Some(failure));
            }
        });
    }
}

/// The newest installation over SSH on the flow's device.
pub(super) fn push_of(flow: Flow, store: Store) -> Option<Push> {
    let device = flow.device.get()?;
    store.pushes.with(|pushes| pushes.get(&device).cloned())
}

/// Follows the installation on the flow's device. One that began before this dialog was opened is shown, too.
pub(super) fn follow(flow: Flow, store: Store) {
    store.follow_pushes();
    if flow.last_step_only {
        return;
    }
    if flow.shown_once.with_untracked(Option::is_none) {
        load(flow, store);
    }
    let push = Memo::new(move |_| push_of(flow, store));
    Effect::new(move |was_known: Option<bool>| {
        let push = push.get();
        let is_known = push.is_some();
        let is_earlier =
            flow.shown_once.with_untracked(Option::is_none) && !flow.token_used_by_ssh.get_untracked();
        if is_known && is_earlier && was_known != Some(true) {
            flow.method.set(Method::Ssh);
        }
        // The installation takes a new token when it starts to install, and texts with the token before stop working.
        if push.is_some_and(|push| matches!(push.state, PushState::Installing | PushState::Installed)) {
            flow.token_used_by_ssh.set(true);
            flow.shown_once.set(None);
        }
        is_known
    });
}

fn load(flow: Flow, store: Store) {
    let Some(device) = flow.device.get_untracked() else {
        return;
    };
    let request = GetPush {
        device: device.to_string(),
    };
    spawn_local(async move {
        if let Ok(push) = send(&request).await {
            keep_newest(store, push);
        }
    });
}

/// Stores an installation unless a newer state is known: a response may arrive after the frame of a newer state.
fn keep_newest(store: Store, push: Push) {
    let known = store
        .pushes
        .with_untracked(|known| known.get(&push.device_id).map(|known| known.as_of));
    if known.is_none_or(|known| known <= push.as_of) {
        store.take_push(push);
    }
}

pub(super) fn is_running(push: &Push) -> bool {
    matches!(push.state, PushState::Connecting | PushState::Installing)
}
