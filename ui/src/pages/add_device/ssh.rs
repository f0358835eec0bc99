//! The panel for installing over SSH, which the controller does with the owner's own `ssh`.

use super::{
    flow::use_flow,
    panel::InstallerOptions,
    ssh_progress::{SshProgress, is_running},
};
use crate::{
    api::send,
    browser,
    components::{
        badge::Tone,
        button::{Button, ButtonKind},
        combobox::{Combobox, ComboboxOption},
        error_state::{ErrorState, Notice},
        focus::focus_when_shown,
        icon::{Icon, lucide},
    },
    copy::add_device as copy,
};
use flotilla_protocol::api::{ListSshHosts, Push, PushState, SshHost};
use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};

#[component]
pub(super) fn OverSsh() -> impl IntoView {
    let flow = use_flow();
    let progress = SshProgress::new();
    let known = known_hosts();
    let checked = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    if !flow.keep_command.get_untracked() {
        focus_when_shown(field);
    }
    let error = Signal::derive(move || {
        let refused = progress.refused.get();
        let of_host = refused.filter(|failure| failure.field() == Some("host"));
        let is_missing = checked.get() && flow.host.with(|host| host.trim().is_empty());
        of_host
            .map(|failure| failure.to_string())
            .or_else(|| is_missing.then(|| copy::HOST_MISSING.to_owned()))
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        checked.set(true);
        if !flow.host.with_untracked(|host| host.trim().is_empty()) {
            progress.begin();
        } else if let Some(field) = field.get_untracked() {
            field.focus().ok();
        }
    };
    let type_host = move |host: String| {
        progress.refused.set(None);
        flow.host.set(host);
    };
    let other = move || {
        let refused = progress.refused.get();
        let failure = refused.filter(|failure| failure.field() != Some("host"))?;
        Some(view! { <ErrorState message=failure.to_string()/> })
    };
    let busy = Signal::derive(move || progress.is_busy());
    view! {
        <form class="ssh" on:submit=submit novalidate>
            <p class="hint">{copy::SSH_TEXT}</p>
            <Combobox label=copy::SSH_HOST value=flow.host known hint=copy::SSH_HOST_HINT error node_ref=field
                on_input=type_host/>
            <div class="install-options">
                <InstallerOptions/>
                <Button label=copy::INSTALL_OVER_SSH kind=ButtonKind::Primary glyph=lucide::TERMINAL submit=true busy/>
            </div>
        </form>
        {other}
        <Progress progress/>
    }
}

/// The hosts in the SSH configuration; empty if they cannot be read.
fn known_hosts() -> Signal<Vec<ComboboxOption>> {
    let known = RwSignal::new(Vec::new());
    spawn_local(async move {
        if let Ok(hosts) = send(&ListSshHosts).await {
            known.try_set(hosts.into_iter().map(known_host).collect());
        }
    });
    known.into()
}

fn known_host(host: SshHost) -> ComboboxOption {
    let detail = match (host.user, host.hostname) {
        (Some(user), Some(name)) => format!("{user}@{name}"),
        (Some(user), None) => format!("{user}@{}", host.alias),
        (None, name) => name.unwrap_or_default(),
    };
    ComboboxOption {
        value: host.alias,
        detail,
    }
}

/// The progress of the installation, with the output of the installer.
#[component]
fn Progress(progress: SshProgress) -> impl IntoView {
    let flow = use_flow();
    let of = move |read: fn(&Push) -> bool| progress.push.with(|push| push.as_ref().is_some_and(read));
    let sentence = move || {
        progress.push.with(|push| {
            flow.name
                .with(|name| push.as_ref().map(|push| sentence_of(push, name)))
                .unwrap_or_default()
        })
    };
    let failure = move || {
        let push = progress
            .push
            .get()
            .filter(|push| push.state == PushState::Failed)?;
        let message = push
            .failure
            .map_or_else(|| copy::ssh_failed(&push.host), |failure| failure.message);
        Some(view! { <Failed message/> })
    };
    let stop = move || {
        of(is_running).then(|| {
            view! { <Button label=copy::STOP_INSTALLING on_press=move || progress.end()/> }
        })
    };
    let tunnel = move || {
        of(|push| push.tunneled).then(|| {
            let text = flow.name.with(|name| copy::tunneled(name));
            view! { <Notice tone=Tone::Info title=copy::TUNNEL text/> }
        })
    };
    view! {
        <div class="push" class:shown=move || progress.push.with(Option::is_some)>
            <div class="push-head">
                <span role="status" aria-label=copy::SSH_STATUS>{sentence}</span>
                {stop}
            </div>
            {failure}
            <Output progress/>
            {tunnel}
        </div>
    }
}

/// The message of a failed installation. Parts between backticks are commands and are shown as code.
#[component]
fn Failed(message: String) -> impl IntoView {
    let piece = |(index, text): (usize, &str)| {
        if index % 2 == 0 {
            text.to_owned().into_any()
        } else {
            view! { <code>{text.to_owned()}</code> }.into_any()
        }
    };
    view! {
        <div class="notice bad" role="alert">
            <span class="bad"><Icon glyph=lucide::CIRCLE_ALERT/></span>
            <p class="said">{message.split('`').enumerate().map(piece).collect_view()}</p>
        </div>
    }
}

/// The output of the installer, scrolled to its last line.
#[component]
fn Output(progress: SshProgress) -> impl IntoView {
    let log = NodeRef::<html::Pre>::new();
    let text = Memo::new(move |_| {
        progress
            .push
            .with(|push| push.as_ref().map(|push| push.lines.join("\n")))
            .unwrap_or_default()
    });
    Effect::new(move || {
        text.track();
        browser::next_frame(move || {
            if let Some(log) = log.try_get_untracked().flatten() {
                log.set_scroll_top(log.scroll_height());
            }
        });
    });
    let is_silent = move || text.with(String::is_empty);
    view! {
        <pre class="output" role="log" aria-label=copy::SSH_OUTPUT tabindex="0" node_ref=log hidden=is_silent>{move || text.get()}</pre>
    }
}

fn sentence_of(push: &Push, device: &str) -> String {
    match push.state {
        PushState::Connecting => copy::ssh_connecting(&push.host),
        PushState::Installing => copy::ssh_installing(device, &push.host),
        PushState::Installed => copy::ssh_installed(device),
        PushState::Failed => copy::ssh_stopped(&push.host),
        PushState::Unknown => String::new(),
    }
}
