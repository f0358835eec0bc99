//! The decisions of a person who adds a device, and the calls that carry them out.
//!
//! Life cycle: `Name` → `Network` → `Install`. The step to `Install` adds a pending device; before it, nothing is sent.
//! Going back keeps the device until another command replaces it.

use super::method::Method;
use crate::{
    api::{Failure, send},
    pages::addresses::{SelfTest, is_reachable_from_outside},
    store::{Store, use_store},
};
use flotilla_protocol::{
    Code,
    api::{AddDevice, DeviceAdded, RemoveDevice, RotateDevice, TokenLifetime, Verb},
    device::{NetworkMode, RelayPreference},
    id::DeviceId,
};
use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

/// The step that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Name,
    Network,
    Install,
}

/// Where the device is, which decides by which addresses it can reach the controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeviceLocation {
    Local,
    Elsewhere,
}

/// The lifetimes of a command that can be chosen, in seconds, with their labels.
pub(super) const LIFETIMES: [(u32, &str); 4] = [
    (900, "15 minutes"),
    (3_600, "1 hour"),
    (86_400, "24 hours"),
    (604_800, "7 days"),
];

/// The lifetime of a command in seconds, unless the person chooses one.
const COMMAND_LIFETIME: u32 = 3_600;

/// The lifetime of a config file in seconds: taking a file to a device takes longer than pasting a command.
const CONFIG_LIFETIME: u32 = 86_400;

/// How long the text of a method works, in seconds: as long as the person chose, whatever the method.
fn lifetime_of(chosen: Option<u32>, method: Method) -> u32 {
    chosen.unwrap_or(match method {
        Method::Config => CONFIG_LIFETIME,
        Method::Install | Method::Docker | Method::Compose | Method::Ssh => COMMAND_LIFETIME,
    })
}

/// The decisions and the results of the calls. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    store: Store,
    /// Only the last step is shown, for a device that exists, without a way to add another one.
    pub last_step_only: bool,
    pub step: RwSignal<Step>,
    pub name: RwSignal<String>,
    /// The name is the proposal of the controller, or empty: the person has not typed one.
    pub proposed: RwSignal<bool>,
    pub name_refused: RwSignal<Option<String>>,
    pub tags: RwSignal<Vec<String>>,
    pub location: RwSignal<DeviceLocation>,
    /// The controller installs over SSH, since the device cannot reach any address of the controller.
    pub over_ssh: RwSignal<bool>,
    pub self_test: SelfTest,
    pub mode: RwSignal<NetworkMode>,
    pub relay: RwSignal<RelayPreference>,
    /// The lifetime of the command that is shown or created next, in seconds.
    pub lifetime: RwSignal<u32>,
    /// The lifetime that the person chose.
    chosen_lifetime: RwSignal<Option<u32>>,
    /// The tab of the last step.
    pub method: RwSignal<Method>,
    /// Options of the installer, for the install command and for SSH.
    pub as_root: RwSignal<bool>,
    pub skip_docker: RwSignal<bool>,
    /// The host for `ssh`.
    pub host: RwSignal<String>,
    /// An installation over SSH took a new token, so the texts that were shown before do not work.
    pub token_used_by_ssh: RwSignal<bool>,
    /// The command was copied. It is then replaced only if the person asks for it.
    pub keep_command: RwSignal<bool>,
    /// The device existed before this dialog, so there are no earlier steps to go back to.
    pub resumed: RwSignal<bool>,
    /// The pending device, once it is added.
    pub device: RwSignal<Option<DeviceId>>,
    /// The texts for the device, which the controller sends once; absent if this dialog did not receive them.
    pub shown_once: RwSignal<Option<Arc<DeviceAdded>>>,
    pub busy: RwSignal<bool>,
    pub failure: RwSignal<Option<Failure>>,
}

impl Flow {
    /// Starts at the first step.
    pub(super) fn provide(last_step_only: bool) -> Self {
        let store = use_store();
        let flow = Self {
            store,
            last_step_only,
            step: RwSignal::new(Step::Name),
            name: RwSignal::default(),
            proposed: RwSignal::new(!last_step_only),
            name_refused: RwSignal::new(None),
            tags: RwSignal::default(),
            location: RwSignal::new(DeviceLocation::Local),
            over_ssh: RwSignal::new(false),
            self_test: SelfTest::following(store),
            mode: RwSignal::new(NetworkMode::Host),
            relay: RwSignal::new(RelayPreference::Auto),
            lifetime: RwSignal::new(COMMAND_LIFETIME),
            chosen_lifetime: RwSignal::new(None),
            method: RwSignal::new(Method::Install),
            as_root: RwSignal::new(false),
            skip_docker: RwSignal::new(false),
            host: RwSignal::default(),
            token_used_by_ssh: RwSignal::new(false),
            keep_command: RwSignal::new(false),
            resumed: RwSignal::new(false),
            device: RwSignal::new(None),
            shown_once: RwSignal::new(None),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
        };
        flow.propose_name();
        provide_context(flow);
        flow
    }

    /// Fills in the name that the controller proposes until the person types one. The controller proposes another name
    /// at each request, so a taken one is replaced by asking again.
    fn propose_name(self) {
        Effect::new(move || {
            let store = self.store;
            let proposal = store
                .fleet
                .with(|fleet| fleet.as_ref().map(|fleet| fleet.proposed_name.clone()))
                .filter(|proposal| !proposal.is_empty());
            let is_wanted = self.proposed.get() && self.name.with(String::is_empty);
            let (true, Some(proposal)) = (is_wanted, proposal) else {
                return;
            };
            if untrack(|| store.lookup_device(&proposal)).is_none() {
                self.name.set(proposal);
            } else {
                store.load_fleet();
            }
        });
    }

    /// Whether the device is elsewhere and can reach no address of the controller, and SSH was not chosen.
    pub(super) fn is_stuck(self) -> bool {
        self.location.get() == DeviceLocation::Elsewhere
            && !self.over_ssh.get()
            && !is_reachable_from_outside(self.store)
    }

    /// The network mode of the device of the last step.
    pub(super) fn mode_of_device(self) -> NetworkMode {
        let shown = self
            .shown_once
            .with(|added| added.as_ref().map(|added| added.device.mode));
        shown
            .or_else(|| {
                let device = self.store.lookup_device(&self.device.get()?.to_string())?;
                Some(device.mode)
            })
            .unwrap_or(self.mode.get_untracked())
    }

    /// Continues with a device that exists. Its texts were sent once before and are not known here.
    pub(super) fn resume(self, device: DeviceId, name: &str) {
        self.proposed.set(false);
        self.device.set(Some(device));
        self.name.set(name.to_owned());
        self.resumed.set(true);
        self.method
            .set(Method::fitting(untrack(|| self.mode_of_device())));
        self.step.set(Step::Install);
        self.store.load_enrollment(device.to_string());
    }

    /// Starts again at the first step, for another device.
    pub(super) fn start_over(self) {
        self.name.set(String::new());
        self.proposed.set(true);
        self.tags.set(Vec::new());
        self.name_refused.set(None);
        self.lifetime.set(COMMAND_LIFETIME);
        self.chosen_lifetime.set(None);
        self.host.set(String::new());
        self.forget();
        self.step.set(Step::Name);
    }

    /// Adds the device. A pending device that this dialog added before is removed first.
    pub(super) fn create(self) {
        let request = AddDevice {
            name: Some(self.name.get_untracked().trim().to_owned()),
            mode: Some(self.mode.get_untracked()),
            relay: Some(self.relay.get_untracked()),
            tags: self.tags.get_untracked(),
            expires_seconds: Some(self.lifetime.get_untracked()),
        };
        let replaced = self.device.get_untracked();
        self.run(async move {
            if let Some(device) = replaced {
                send(&RemoveDevice {
                    device: device.to_string(),
                })
                .await?;
                self.forget();
            }
            send(&request).await
        });
    }

    /// Why no new command can be created for the device.
    pub(super) fn reason_against_renewal(self) -> Signal<Option<String>> {
        Signal::derive(move || {
            let device = self.store.lookup_device(&self.device.get()?.to_string())?;
            self.store.why_not(Verb::Enroll, Some(&device))
        })
    }

    /// Creates a new command for the same device; the one before stops working.
    pub(super) fn renew(self) {
        let Some(device) = self.device.get_untracked() else {
            return;
        };
        let device = device.to_string();
        let request = RotateDevice {
            device,
            lifetime: TokenLifetime {
                expires_seconds: Some(self.lifetime.get_untracked()),
            },
        };
        self.run(async move { send(&request).await });
    }

    /// Replaces the command by one that works as long as the person chose.
    pub(super) fn choose_lifetime(self, seconds: u32) {
        self.chosen_lifetime.set(Some(seconds));
        self.lifetime.set(seconds);
        self.renew();
    }

    /// Shows the text of another method. A config file takes longer to reach a device, so a command that
    /// was not copied yet is replaced by one that works longer.
    pub(super) fn choose_method(self, method: Method) {
        self.method.set(method);
        let lifetime = lifetime_of(self.chosen_lifetime.get_untracked(), method);
        let is_untouched =
            !self.keep_command.get_untracked() && self.shown_once.with_untracked(Option::is_some);
        if is_untouched && lifetime > self.lifetime.get_untracked() {
            self.lifetime.set(lifetime);
            self.renew();
        }
    }

    /// Whether something is entered that is not created yet.
    pub(super) fn is_edited(self) -> bool {
        let is_named = !self.proposed.get() && self.name.with(|name| !name.trim().is_empty());
        self.device.with(Option::is_none) && (is_named || self.tags.with(|tags| !tags.is_empty()))
    }

    fn forget(self) {
        self.device.set(None);
        self.resumed.set(false);
        self.shown_once.set(None);
        self.keep_command.set(false);
        self.token_used_by_ssh.set(false);
        self.failure.set(None);
    }

    fn run(self, call: impl Future<Output = Result<DeviceAdded, Failure>> + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let outcome = call.await;
            // `try_set` answers the value if the dialog was closed meanwhile.
            if self.busy.try_set(false).is_some() {
                return;
            }
            match outcome {
                Ok(added) => self.show_texts(added),
                Err(failure) => self.refuse(failure),
            }
        });
    }

    pub(super) fn show_texts(self, added: DeviceAdded) {
        let device = added.device.id;
        let is_first_sight = self.step.get_untracked() != Step::Install || self.last_step_only;
        if is_first_sight && self.shown_once.with_untracked(Option::is_none) {
            self.method.set(if self.over_ssh.get_untracked() {
                Method::Ssh
            } else {
                Method::best(&added)
            });
        }
        self.name.set(added.device.name.to_string());
        self.device.set(Some(device));
        self.shown_once.set(Some(Arc::new(added)));
        self.token_used_by_ssh.set(false);
        self.keep_command.set(false);
        self.step.set(Step::Install);
        self.store.load_enrollment(device.to_string());
    }

    fn refuse(self, failure: Failure) {
        let about_name = failure.code() == Some(Code::NameTaken) || failure.field() == Some("name");
        if about_name {
            self.name_refused.set(Some(failure.to_string()));
            self.step.set(Step::Name);
        } else {
            self.failure.set(Some(failure));
        }
    }
}

pub(super) fn use_flow() -> Flow {
    expect_context()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_lifetime_holds_for_every_method() {
        assert_eq!(lifetime_of(None, Method::Docker), 3_600);
        assert_eq!(lifetime_of(None, Method::Config), 86_400);
        for method in Method::ALL {
            assert_eq!(lifetime_of(Some(900), method), 900);
        }
    }
}
